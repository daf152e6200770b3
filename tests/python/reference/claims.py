"""ShipStation's counted lines, the orders it knows, and who claims which line (docs/rules.md section 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from lotgate.parser import parse_sku
from reference.model import Claim, Fetch, LegacyRow, Line, Shipment, Source

Key: TypeAlias = Hashable
T = TypeVar("T")


class Coverage:
    """Which days complete fetches cover."""

    def __init__(self, fetches: Sequence[Fetch]) -> None:
        self._fetches = fetches
        self._made_on: dict[str, str | None] = {}

    def latest_fetch(self, day: str) -> str | None:
        """The day on which the latest complete fetch that covers `day` was made; None where none does."""
        if day not in self._made_on:
            covering = (f.made_on for f in self._fetches if f.first_day <= day <= f.last_day)
            self._made_on[day] = max(covering, default=None)
        return self._made_on[day]

    def covers(self, day: str) -> bool:
        return self.latest_fetch(day) is not None

    def counts(self, day: str) -> bool:
        """Whether a shipment of that day counts: on a covered day that was not yet to come when fetched."""
        made_on = self.latest_fetch(day)
        return made_on is not None and day <= made_on


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ShipStation says: counted lines in the order in which they are numbered, orders that it knows."""

    coverage: Coverage
    lines: tuple[Line, ...]
    known_orders: frozenset[str]


def shipstation_evidence(source: Source) -> Evidence:
    """The counted lines and known orders of the covered days."""
    coverage = Coverage(source.fetches)
    counting = [(s, s.day) for s in source.shipments if s.day is not None and coverage.counts(s.day)]
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


def claim_lines(rows: Iterable[LegacyRow], lines: Sequence[Line]) -> Mapping[int, Claim]:
    """The claim of each row that has one, by legacy id."""
    free_rows = [row for row in rows if row.parsed.failure is None]
    free_rows.sort(key=lambda row: (-row.position, row.legacy_id))
    free_lines = list(lines)
    claims: dict[int, Claim] = {}

    for number, row_key, line_key in _EXACT_PASSES:
        waiting = _grouped(free_lines, line_key)
        pairs: list[tuple[LegacyRow, Line]] = []
        for key, group in _grouped(free_rows, row_key).items():
            pairs.extend(zip(group, waiting.get(key, ()), strict=False))
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
