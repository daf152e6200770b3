"""What the candidate holds: recovered lines, items, headers, lots (docs/rules.md section 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

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
from reference.values import all_digits, real_day
from reference.verdicts import Judge


def free_lines(
    evidence: Evidence, claims: Mapping[int, Claim], verdicts: Mapping[int, Verdict]
) -> tuple[Line, ...]:
    """The counted lines that no row claims, but for rows that merge or leave."""
    held = {
        id(line)
        for legacy_id, claim in claims.items()
        if verdicts[legacy_id].disposition not in ("merge", "remove")
        for line in claim.lines
    }
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
    source: Source, verdicts: Mapping[int, Verdict], recovered: Iterable[RecoveredRow]
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
    for row in source.rows:
        verdict = verdicts[row.legacy_id]
        if verdict.stays:
            items.append(_migrated(source, row, verdict))
    return tuple(sorted(items, key=lambda item: item.id))


def _migrated(source: Source, row: LegacyRow, verdict: Verdict) -> CandidateItem:
    day = row.day if verdict.new_ship_date is None else verdict.new_ship_date
    raw, sku = row.parsed.raw, row.sku
    if raw is None or sku is None or day is None or row.quantity is None:
        raise ValueError(f"row {row.legacy_id} stays but cannot be read")
    return CandidateItem(
        row.legacy_id, day, raw, sku, row.lot, row.quantity, _written(source, row.order), None
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

    def usable(entries: Iterable[LotEntry]) -> dict[tuple[str, str], str | None]:
        """The status by SKU and lot; of several entries the first that has a status says it."""
        found: dict[tuple[str, str], str | None] = {}
        for entry in entries:
            if entry.sku in known_skus and all_digits(entry.lot, settings.min_lot_digits):
                key = entry.sku, entry.lot
                found[key] = found.get(key) or entry.status
        return found

    inventory, master = usable(source.lot_inventory), usable(source.sku_lot)
    shipped = {(item.sku_code, item.lot_number) for item in items if item.lot_number is not None}
    known = inventory.keys() | master.keys()
    return tuple(
        LotResult(
            sku,
            lot,
            master.get((sku, lot)) or inventory.get((sku, lot)) or settings.discovered_lot_status,
            discovered=(sku, lot) not in known,
        )
        for sku, lot in sorted(known | shipped)
    )
