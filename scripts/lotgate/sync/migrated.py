"""Lines and the rows that the migration brought, which say no shipment.

They may only be *adopted* by a line that is exactly theirs (the claims of docs/rules.md, pass 1), or taken
out with a voided label that was exactly theirs. Everything else that looks like a migrated row is a conflict
that a person decides, since writing it, or leaving it, might count units twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from lotgate.shipstation.records import Shipment
from lotgate.sync.lines import refuse
from lotgate.sync.model import Line, Reason, Refusal, Row, Rules, Update

__all__ = [
    "LabelLine",
    "adopt",
    "adopt_sums",
    "by_content",
    "conflicts",
    "is_like",
    "pick",
    "take_out",
    "void_conflicts",
]

LabelLine = tuple[Shipment, Line]


def adopt(free: Iterable[LabelLine], migrated: list[Row]) -> tuple[list[Update], list[LabelLine]]:
    """Gives rows their shipment where one line is exactly theirs; also returns the lines left over."""
    updates, left = [], []
    for label, line in free:
        row = pick(migrated, lambda row, line=line: _content(row) == _content(line))  # type: ignore[misc]
        if row is None:
            left.append((label, line))
        else:
            updates.append(Update(row, line, adopted=True))
    return updates, left


def adopt_sums(
    free: list[LabelLine], migrated: list[Row]
) -> tuple[list[Update], list[Line], list[LabelLine]]:
    """The same where one row holds the units of several parcels: the legacy key adds them up in a rollback.

    The row becomes the first parcel, the others get rows (the second result); the units stay as they are.
    The parcels may have left on any days: the legacy key has none.
    """
    parcels: dict[tuple[str, str | None], list[Line]] = {}
    for _, line in free:
        parcels.setdefault((line.sku_code, line.lot_number), []).append(line)
    updates: list[Update] = []
    others: list[Line] = []
    for (sku_code, lot_number), lines in parcels.items():

        def is_sum(
            row: Row, sku_code: str = sku_code, lot_number: str | None = lot_number, lines: list[Line] = lines
        ) -> bool:
            same = (row.sku_code, row.lot_number) == (sku_code, lot_number)
            return same and row.quantity == sum(line.quantity for line in lines)

        row = pick(migrated, is_sum) if len(lines) > 1 else None
        if row is not None:
            updates.append(Update(row, lines[0], adopted=True))
            others += lines[1:]
    settled = {*others, *(update.after for update in updates)}
    return updates, others, [(label, line) for label, line in free if line not in settled]


def take_out(voided: Iterable[LabelLine], migrated: list[Row]) -> tuple[list[Row], list[LabelLine]]:
    """The rows that were exactly a voided label's; also returns the voided lines that took none."""
    rows, left = [], []
    for label, line in voided:
        row = pick(migrated, lambda row, line=line: _content(row) == _content(line))  # type: ignore[misc]
        if row is None:
            left.append((label, line))
        else:
            rows.append(row)
    return rows, left


def conflicts(free: list[LabelLine], migrated: Iterable[Row]) -> dict[Line, Refusal]:
    """The lines that a row may be the record of, or a part of it, though it says something else of them.

    Days do not matter: all labels of the order are known, and none of them explains the row.
    """
    found: dict[Line, Refusal] = {}
    left = list(migrated)
    for label, line in free:
        row = pick(left, lambda row, line=line: is_like(row, line))  # type: ignore[misc]
        if row is not None:
            reason: Reason = "lot_conflict" if row.lot_number != line.lot_number else "date_conflict"
            found[line] = _conflict(label, line, row, reason)
    for label, line in free:
        row = next((row for row in left if row.sku_code == line.sku_code), None)
        if line not in found and row is not None:
            found[line] = _conflict(label, line, row, "quantity_conflict")
    return found


def by_content(free: list[LabelLine], migrated: Iterable[Row], rules: Rules) -> dict[Line, Refusal]:
    """The same for labels without an order, of which nobody knows all: equal units on a near day."""
    found: dict[Line, Refusal] = {}
    left = list(migrated)
    for label, line in free:
        row = pick(left, lambda row, line=line: is_like(row, line) and _is_near(row, line, rules))  # type: ignore[misc]
        if row is not None:
            reason: Reason = "lot_conflict" if row.lot_number != line.lot_number else "date_conflict"
            found[line] = _conflict(label, line, row, reason)
    return found


def void_conflicts(voided: Iterable[LabelLine], migrated: Iterable[Row], rules: Rules) -> list[Refusal]:
    """The voided lines that a row may still stand for, though it says something else."""
    found = []
    for label, line in voided:
        row = next((row for row in migrated if _is_near(row, line, rules)), None)
        if row is not None:
            found.append(_conflict(label, line, row, "void_conflict"))
    return found


def pick(rows: list[Row], wanted: Callable[[Row], bool]) -> Row | None:
    """Takes the first row that is wanted out of ``rows``; they stand in the order of their ids."""
    for place, row in enumerate(rows):
        if wanted(row):
            return rows.pop(place)
    return None


def _conflict(label: Shipment, line: Line, row: Row, reason: Reason) -> Refusal:
    lot = row.lot_number or "no lot"
    detail = f"migrated row {row.id} says {row.quantity} of {row.sku_code}, {lot}, on {row.ship_date}"
    return refuse(label, line.order_number, reason, detail, line.raw, line.quantity, line.line_index)


def _content(one: Row | Line) -> tuple[str, str | None, str, int]:
    return one.sku_code, one.lot_number, one.ship_date, one.quantity


def is_like(row: Row, line: Line) -> bool:
    """The same SKU and units, whatever lot and day."""
    return (row.sku_code, row.quantity) == (line.sku_code, line.quantity)


def _is_near(row: Row, line: Line, rules: Rules) -> bool:
    """The same SKU on a day that is near; orders are used again, and other seasons are other shipments."""
    if row.sku_code != line.sku_code:
        return False
    try:
        apart = date.fromisoformat(row.ship_date) - date.fromisoformat(line.ship_date)
    except ValueError:
        return False
    return abs(apart.days) <= rules.same_shipment_days
