"""What the candidate holds: recovered lines, items, headers, lots (docs/rules.md section 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from reference.claims import Evidence
from reference.model import (
    CandidateItem,
    Claim,
    HeaderChange,
    LegacyRow,
    Line,
    LotEntry,
    LotResult,
    RecoveredRow,
    Source,
    Verdict,
)
from reference.texts import TextAndLot, texts_and_lots
from reference.values import all_digits, real_day
from reference.verdicts import Judge

T = TypeVar("T")


def free_lines(evidence: Evidence, standing: Mapping[int, Claim]) -> tuple[Line, ...]:
    """The counted lines on which no claim stands."""
    held = {id(line) for claim in standing.values() for line in claim.lines}
    return tuple(line for line in evidence.lines if id(line) not in held)


def recover(source: Source, lines: Iterable[Line]) -> tuple[RecoveredRow, ...]:
    """The free lines as rows of the candidate, numbered after the highest legacy id."""
    ordered = sorted(
        lines,
        key=lambda n: (
            n.day,
            (n.order is not None, n.order or ""),
            n.shipment_id,
            n.sku,
            (n.lot is not None, n.lot or ""),
        ),
    )
    first_id = max((row.legacy_id for row in source.rows), default=0) + 1
    return tuple(
        RecoveredRow(
            number,
            line.day,
            line.text,
            line.sku,
            line.lot,
            line.quantity,
            _written(source, line.order),
            line.shipment_id,
        )
        for number, line in enumerate(ordered, start=first_id)
    )


def candidate_items(
    source: Source,
    verdicts: Mapping[int, Verdict],
    claims: Mapping[int, Claim],
    recovered: Iterable[RecoveredRow],
) -> tuple[CandidateItem, ...]:
    """The candidate's `shipped_items` by id."""
    items = [
        CandidateItem(
            r.id,
            r.ship_date,
            r.shipstation_sku_raw,
            r.sku_code,
            r.lot_number,
            r.quantity,
            r.order_number,
            r.shipment_id,
        )
        for r in recovered
    ]
    staying = [row for row in source.rows if verdicts[row.legacy_id].stays]
    texts = texts_and_lots(staying, claims)
    items.extend(_migrated(source, row, verdicts[row.legacy_id], texts[row.legacy_id]) for row in staying)
    return tuple(sorted(items, key=lambda item: item.id))


def _migrated(source: Source, row: LegacyRow, verdict: Verdict, text: TextAndLot) -> CandidateItem:
    day = row.day if verdict.new_ship_date is None else verdict.new_ship_date
    if text.raw is None or row.sku is None or day is None or row.quantity is None:
        raise ValueError(f"row {row.legacy_id} stays but cannot be read")
    return CandidateItem(
        row.legacy_id, day, text.raw, row.sku, text.lot, row.quantity, _written(source, row.order), None
    )


def _written(source: Source, order: str | None) -> str | None:
    """The order number as the header has it."""
    header = None if order is None else source.headers.get(order)
    return order if header is None else header.order_number


def header_changes(source: Source, judge: Judge, items: Iterable[CandidateItem]) -> tuple[HeaderChange, ...]:
    """How `shipped_orders` changes; of headers that share a trimmed number only the one that counts does."""
    days: defaultdict[str, list[str]] = defaultdict(list)
    for item in items:
        if item.order_number is not None:
            days[item.order_number].append(item.ship_date)
    with_legacy_items = {row.order for row in source.rows}
    changes: list[HeaderChange] = []
    for number, header in source.headers.items():
        old, its_days = header.ship_date, days.pop(header.order_number, [])
        if not its_days:
            if number in with_legacy_items:
                changes.append(HeaderChange(header.order_number, "taken_out", old, None))
        elif not judge.is_plausible(header, number) and max(its_days) != real_day(old):
            changes.append(HeaderChange(header.order_number, "date_corrected", old, max(its_days)))
    # What is left belongs to orders without a header.
    changes.extend(HeaderChange(number, "added", None, max(of)) for number, of in days.items())
    return tuple(sorted(changes, key=lambda change: change.order_number))


def lots(source: Source, items: Iterable[CandidateItem]) -> tuple[LotResult, ...]:
    """The candidate's `lots`; those of an unknown SKU or without enough digits stay out."""
    known_skus, settings = source.known_skus, source.settings

    def usable(entries: Iterable[LotEntry]) -> dict[tuple[str, str], list[LotEntry]]:
        found: defaultdict[tuple[str, str], list[LotEntry]] = defaultdict(list)
        for entry in entries:
            if entry.sku in known_skus and all_digits(entry.lot, settings.min_lot_digits):
                found[entry.sku, entry.lot].append(entry)
        return found

    inventory, master = usable(source.lot_inventory), usable(source.sku_lot)
    shipped = {(item.sku_code, item.lot_number) for item in items if item.lot_number is not None}
    known = inventory.keys() | master.keys()
    found = []
    for sku, lot in sorted(known | shipped):
        stock, rows = inventory.get((sku, lot), []), master.get((sku, lot), [])
        found.append(
            LotResult(
                sku,
                lot,
                _status(rows) or _status(stock) or settings.discovered_lot_status,
                discovered=(sku, lot) not in known,
                received_date=min(_said(entry.received_date for entry in stock), default=None),
                initial_qty=max(_said(entry.initial_qty for entry in stock), default=None),
                manual_adjustment=max(_said(entry.manual_adjustment for entry in stock), default=0),
                created_at=min(_said(entry.created_at for entry in (*stock, *rows)), default=None),
            )
        )
    return tuple(found)


def _status(entries: Iterable[LotEntry]) -> str | None:
    """What the rows of one table say about a lot: one that says active is enough."""
    said = {entry.status for entry in entries} - {None}
    return "active" if "active" in said else next(iter(said), None)


def _said(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]
