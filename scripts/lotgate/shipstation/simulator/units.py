"""How many units left the building, by the store's own truth: what every reader of the API must arrive at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from lotgate.shipstation.simulator.rows import Label, Mark, Order

__all__ = ["count_units"]


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
                    labelled[label.order_id][line.sku.strip()] += line.units
    first_marks: dict[int, Mark] = {}
    for mark in sorted(marks, key=lambda one: one.fulfillment_id):
        if not mark.voided and mark.order_id is not None:
            first_marks.setdefault(mark.order_id, mark)
    for order_id, mark in first_marks.items():
        order = orders.get(order_id)
        if order is None or order.externally_fulfilled:
            continue
        left = labelled[order_id].copy()
        for line in order.items:
            if line.units:
                assert line.sku is not None
                covered = min(line.units, left[line.sku.strip()])
                left[line.sku.strip()] -= covered
                if line.units > covered:
                    units[order.number, line.sku, f"{mark.shipped:%Y-%m-%d}"] += line.units - covered
    return {key: count for key, count in units.items() if day is None or key[2] == day}
