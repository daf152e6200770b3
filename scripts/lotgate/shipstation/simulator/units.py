"""How many units left the building, by the store's own truth: what every reader of the API must arrive at."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lotgate.shipstation.simulator.rows import Label, Mark, Order

__all__ = ["count_units", "spelled", "uncovered"]


def count_units(
    orders: Mapping[int, Order], labels: Iterable[Label], marks: Iterable[Mark], day: str | None = None
) -> dict[tuple[str | None, str, str], int]:
    """(order number, SKU text, ship date) -> units; only those of ``day`` where it is given.

    Counted are the lines of labels that are neither voided nor returns, and, for an order with a mark that
    is not voided, what its items hold beyond its counted labels, SKU by SKU, on the day of the first such
    mark. An order fulfilled elsewhere used none of this stock (docs/shipstation.md, section 2).
    """
    units: Counter[tuple[str | None, str, str]] = Counter()
    labelled: dict[int, Counter[str]] = defaultdict(Counter)
    for label in labels:
        if not label.counts:
            continue
        for line in label.items or ():
            if line.units:
                assert line.sku is not None
                units[label.number, line.sku, label.ship_date] += line.units
                if label.order_id is not None:
                    labelled[label.order_id][spelled(line.sku)] += line.units
    first_marks: dict[int, Mark] = {}
    for mark in sorted(marks, key=lambda one: one.fulfillment_id):
        if not mark.voided and mark.order_id is not None:
            first_marks.setdefault(mark.order_id, mark)
    for order_id, mark in first_marks.items():
        order = orders.get(order_id)
        if order is None or order.externally_fulfilled:
            continue
        ordered = [(line.sku or "", line.units) for line in order.items if line.units]
        for text, left in uncovered(ordered, labelled[order_id]):
            units[order.number, text, f"{mark.shipped:%Y-%m-%d}"] += left
    return {key: count for key, count in units.items() if day is None or key[2] == day}


def uncovered(ordered: Sequence[tuple[str, int]], labelled: Mapping[str, int]) -> list[tuple[str, int]]:
    """What labels leave of an order: (SKU text, units) by line. ``labelled`` are units by ``spelled`` text.

    Labels stand for lines of the same SKU and lot first, then for those of the same SKU.
    """
    left = [units for _, units in ordered]
    rest = Counter(labelled)
    for same in (spelled, lambda text: spelled(text).split(" - ")[0]):
        pool: Counter[str] = Counter()
        for text, units in rest.items():
            pool[same(text)] += units
        rest = Counter(pool)
        for place, (text, _) in enumerate(ordered):
            taken = min(left[place], rest[same(text)])
            left[place] -= taken
            rest[same(text)] -= taken
    return [(text, units) for (text, _), units in zip(ordered, left, strict=True) if units]


def spelled(text: str) -> str:
    """One spelling for texts that mean the same SKU and lot."""
    return re.sub(r"\s*-\s*", " - ", text.strip())
