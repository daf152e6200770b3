"""ShipStation's counted lines, the orders it knows, and who claims which line (docs/rules.md section 3)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from lotgate.parser import parse_sku
from reference.model import Claim, Fetch, LegacyRow, Line, Shipment, Source, Verdict

Key: TypeAlias = Hashable
T = TypeVar("T")


class Coverage:
    """Which days complete fetches cover: those of their windows that were not yet to come when fetched."""

    def __init__(self, fetches: Sequence[Fetch]) -> None:
        self._windows = [(f.first_day, min(f.last_day, f.made_on)) for f in fetches]
        self._known: dict[str, bool] = {}

    def covers(self, day: str) -> bool:
        if day not in self._known:
            self._known[day] = any(first <= day <= last for first, last in self._windows)
        return self._known[day]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ShipStation says: counted lines in the order in which they are numbered, orders that it knows."""

    coverage: Coverage
    lines: tuple[Line, ...]
    known_orders: frozenset[str]


def shipstation_evidence(source: Source) -> Evidence:
    """The counted lines and known orders of the covered days."""
    coverage = Coverage(source.fetches)
    counting = [(s, s.day) for s in source.shipments if s.day is not None and coverage.covers(s.day)]
    known_skus = source.known_skus
    lines = [line for s, day in counting for line in _lines(s, day, source, known_skus)]
    return Evidence(
        coverage,
        tuple(sorted(lines, key=lambda n: (n.day, n.shipment_id, n.lot is not None, n.lot or "", n.sku))),
        frozenset(s.order for s, _ in counting if s.order is not None),
    )


def _lines(shipment: Shipment, day: str, source: Source, known_skus: frozenset[str]) -> Iterable[Line]:
    """Items of the same SKU and lot add up; the text is that of the lowest line index."""
    found: dict[tuple[str, str | None], tuple[int, str]] = {}
    for item in shipment.items:
        if not item.sku_text or item.quantity is None or item.quantity < 1 or item.is_adjustment:
            continue
        parsed = parse_sku(
            item.sku_text,
            None,
            known_skus=known_skus,
            variants=source.variants,
            min_lot_digits=source.settings.min_lot_digits,
        )
        if parsed.failure is not None or parsed.sku_code is None:
            continue
        key = parsed.sku_code, parsed.lot_number
        units, text = found.get(key, (0, item.sku_text))
        found[key] = units + item.quantity, text
    for (sku, lot), (units, text) in found.items():
        yield Line(shipment.shipment_id, shipment.order, day, sku, lot, units, text)


def claim_lines(
    rows: Iterable[LegacyRow], lines: Sequence[Line], is_doubtful: Callable[[LegacyRow], bool]
) -> Mapping[int, Claim]:
    """The claim of each row that has one, by legacy id."""
    free_rows = [row for row in rows if row.parsed.failure is None]
    free_rows.sort(key=lambda row: (-row.position, row.legacy_id))
    free_lines = list(lines)
    claims: dict[int, Claim] = {}

    for number, row_key, line_key in _EXACT_PASSES:
        waiting = _grouped(free_lines, line_key)
        pairs: list[tuple[LegacyRow, Line]] = []
        for key, group in _grouped(free_rows, row_key).items():
            pairs.extend(
                (row, line)
                for row, line in zip(group, waiting.get(key, ()), strict=False)
                if is_doubtful(row) or _are_near(row.day, line.day)
            )
        claims.update({row.legacy_id: Claim(number, (line,)) for row, line in pairs})
        claimed = {id(line) for _, line in pairs}
        free_rows = [row for row in free_rows if row.legacy_id not in claims]
        free_lines = [line for line in free_lines if id(line) not in claimed]

    waiting = _grouped(free_lines, lambda n: (n.order, n.sku, n.day))
    for row in free_rows:
        if row.day is not None:
            rest = waiting.pop((row.order, row.sku, row.day), None)
            if rest is not None:
                claims[row.legacy_id] = Claim(5, tuple(rest))
    return claims


def standing_claims(
    claims: Mapping[int, Claim], verdicts: Mapping[int, Verdict], quantities: Mapping[int, int | None]
) -> Mapping[int, Claim]:
    """The claims that stand, by the legacy id of the row that they stand for.

    verdicts: the final ones. A row that merges hands its claim on where the other one has the same quantity
    and no claim of its own.
    """
    standing: dict[int, Claim] = {}
    handed_on: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for legacy_id, claim in claims.items():
        verdict = verdicts[legacy_id]
        target = verdict.merged_into_id
        if target is not None:
            if target not in claims and quantities[target] == quantities[legacy_id]:
                handed_on[target].append((claim.pass_number, legacy_id))
        elif verdict.disposition != "remove" and verdict.reason != "held":
            standing[legacy_id] = claim
    for target, offers in handed_on.items():
        _, giver = min(offers)
        standing[target] = claims[giver]
    return standing


def _are_near(row_day: str | None, line_day: str) -> bool:
    if row_day is None:
        return True
    return abs((dt.date.fromisoformat(row_day) - dt.date.fromisoformat(line_day)).days) <= 7


def _row_key(*, lot: bool, day: bool) -> Callable[[LegacyRow], Key | None]:
    """The key of an exact pass; None where the row takes no part in it."""

    def key(row: LegacyRow) -> Key | None:
        if row.quantity is None or (day and row.day is None):
            return None
        return row.order, row.sku, row.lot if lot else None, row.day if day else None, row.quantity

    return key


def _line_key(*, lot: bool, day: bool) -> Callable[[Line], Key | None]:
    return lambda n: (n.order, n.sku, n.lot if lot else None, n.day if day else None, n.quantity)


_EXACT_PASSES = (
    (1, _row_key(lot=True, day=True), _line_key(lot=True, day=True)),
    (2, _row_key(lot=False, day=True), _line_key(lot=False, day=True)),
    (3, _row_key(lot=True, day=False), _line_key(lot=True, day=False)),
    (4, _row_key(lot=False, day=False), _line_key(lot=False, day=False)),
)


def _grouped(things: Iterable[T], key: Callable[[T], Key | None]) -> dict[Key, list[T]]:
    groups: defaultdict[Key, list[T]] = defaultdict(list)
    for thing in things:
        its_key = key(thing)
        if its_key is not None:
            groups[its_key].append(thing)
    return groups
