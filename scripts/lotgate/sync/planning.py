"""What has to change in the database so that it says of one order what ShipStation says. Nothing is written.

The rules are in docs/sync.md, "What is written". Rows belong to shipments by their shipment id. Migrated
rows have none; they may only be *adopted* by a line that is exactly theirs (the claims of docs/rules.md,
pass 1), or taken out with a voided label that was exactly theirs. Everything else that looks like a migrated
row is a conflict that a person decides, since writing it might count units twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from lotgate.parser import trim
from lotgate.shipstation.records import Order, Shipment
from lotgate.sync.guard import judge_date
from lotgate.sync.lines import LabelLines, read_lines, refuse, refuse_label
from lotgate.sync.model import (
    GUARD_REASONS,
    GuardReason,
    Line,
    OrderPlan,
    OrderState,
    Reason,
    Refusal,
    Row,
    Rules,
    Update,
)

__all__ = ["plan_order"]


def plan_order(
    state: OrderState,
    labels: Sequence[Shipment],
    rules: Rules,
    orders: Callable[[int], Order | None],
    *,
    all_labels: bool,
) -> OrderPlan:
    """The changes for one order.

    ``labels`` are those of the order that were fetched, and ``orders`` gives the orders that were;
    ``all_labels`` says that there is nothing more to fetch. Without it the plan asks for the rest where that
    could change the answer: where a migrated row is concerned, where units were marked shipped by hand, and
    where nobody has asked on which day the order of a new line was made.
    """
    plan = OrderPlan()
    labels = sorted(labels, key=lambda label: (label.ship_date or "", label.shipment_id))
    migrated = [row for row in state.rows if row.shipment_id is None]
    free: list[tuple[Shipment, Line]] = []
    gone: list[LabelLines] = []
    judged: dict[int, tuple[GuardReason, str] | None] = {}
    unknown: set[int] = set()
    for label in labels:
        own = [row for row in state.rows if row.shipment_id == label.shipment_id]
        read = read_lines(label, state.order_number, rules)
        if label.voided or label.is_return_label:
            plan.deletes += own
            if label.voided and not label.is_return_label and not own:
                gone.append(read)
            continue
        plan.ignored_lines += read.ignored
        if not label.items_sent:
            # which is not "no items": what is known of the label stays
            if label.order_id is not None and not own:
                detail = "ShipStation sent no list of items for this label"
                plan.refusals.append(refuse_label(label, state.order_number, "no_items", detail))
            continue
        order = None if label.order_id is None else orders(label.order_id)
        if order is None and label.order_id is not None:
            unknown.add(label.shipment_id)
        ordered_on = state.ordered_on if order is None else order.ordered_on or state.ordered_on
        judged[label.shipment_id] = judge_date(label.ship_date, ordered_on, rules)
        free += _compare(plan, label, own, read, state.order_number, judged[label.shipment_id])
    free = _adopt_sums(plan, _adopt(plan, free, migrated), migrated)
    voided = _take_out(gone, migrated)
    conflicts = _conflicts(free, migrated, rules)
    if not all_labels and (voided or conflicts or _depends_on_more(plan, free, state, unknown)):
        return OrderPlan(ask_again=True)
    plan.deletes += voided
    for label, line in free:
        refused = judged[label.shipment_id]
        if refused is not None:
            _refuse_once(plan, refuse_label(label, state.order_number, *refused))
        elif line in conflicts:
            plan.refusals.append(conflicts[line])
        else:
            plan.inserts.append(line)
    return plan


def _depends_on_more(
    plan: OrderPlan, free: list[tuple[Shipment, Line]], state: OrderState, unknown: set[int]
) -> bool:
    changed = {line.shipment_id for _, line in free}
    changed |= {update.after.shipment_id for update in plan.updates if not update.adopted}
    refused = {one.shipment_id for one in plan.refusals if one.reason in GUARD_REASONS}
    by_hand = any(row.shipment_id is not None and row.shipment_id < 0 for row in state.rows)
    return bool((changed | refused) & unknown) or (bool(free) and by_hand)


def _compare(
    plan: OrderPlan,
    label: Shipment,
    own: list[Row],
    read: LabelLines,
    order_number: str | None,
    judged: tuple[GuardReason, str] | None,
) -> list[tuple[Shipment, Line]]:
    """Brings the label's own rows in line with it; returns its lines that have no row yet.

    What is there already as it should be is not judged again: a rule that got stricter takes nothing out.
    """
    plan.refusals += read.refusals
    missing: list[tuple[Shipment, Line]] = []
    changed: list[Update] = []
    for line in read.lines:
        row = _pick(own, lambda row, line=line: _is_same(row, line))  # type: ignore[misc]
        if row is None:
            missing.append((label, line))
        elif not _says(row, line):
            changed.append(Update(row, line))
    # a row whose very text cannot be read any more (a SKU or variant that is gone) is still that line's
    unreadable = {trim(refusal.sku_text) for refusal in read.refusals}
    gone = [row for row in own if row.raw not in unreadable]
    if judged is None:
        plan.updates += changed
        plan.deletes += gone
    elif changed or gone:
        _refuse_once(plan, refuse_label(label, order_number, *judged))
    return missing


def _adopt(
    plan: OrderPlan, free: list[tuple[Shipment, Line]], migrated: list[Row]
) -> list[tuple[Shipment, Line]]:
    """Gives migrated rows their shipment where one line is exactly theirs; returns the lines left over."""
    left = []
    for label, line in free:
        row = _pick(migrated, lambda row, line=line: _is_exactly(row, line))  # type: ignore[misc]
        if row is None:
            left.append((label, line))
        else:
            plan.updates.append(Update(row, line, adopted=True))
    return left


def _adopt_sums(
    plan: OrderPlan, free: list[tuple[Shipment, Line]], migrated: list[Row]
) -> list[tuple[Shipment, Line]]:
    """The same where one migrated row holds the units of several parcels: a rollback adds them up.

    The row becomes the first parcel, the others get rows; the units stay as they are.
    """
    parcels: dict[tuple[str, str | None, str], list[Line]] = {}
    for _, line in free:
        parcels.setdefault((line.sku_code, line.lot_number, line.ship_date), []).append(line)
    for (sku_code, lot_number, ship_date), lines in parcels.items():
        together = (sku_code, lot_number, ship_date, sum(line.quantity for line in lines))
        row = _pick(migrated, lambda row, together=together: _content(row) == together)  # type: ignore[misc]
        if row is not None:
            plan.updates.append(Update(row, lines[0], adopted=True))
            plan.inserts += lines[1:]
            free = [(label, line) for label, line in free if line not in lines]
    return free


def _take_out(gone: list[LabelLines], migrated: list[Row]) -> list[Row]:
    """The migrated rows that were exactly a voided label's, and that no live label has taken."""
    found = []
    for read in gone:
        for line in read.lines:
            row = _pick(migrated, lambda row, line=line: _is_exactly(row, line))  # type: ignore[misc]
            if row is not None:
                found.append(row)
    return found


def _conflicts(free: list[tuple[Shipment, Line]], migrated: list[Row], rules: Rules) -> dict[Line, Refusal]:
    """The lines that a migrated row may be the record of, though it says something else of them."""
    found: dict[Line, Refusal] = {}
    left = list(migrated)
    for label, line in free:
        row = _pick(left, lambda row, line=line: _is_like(row, line, rules))  # type: ignore[misc]
        if row is not None:
            reason: Reason = "lot_conflict" if row.lot_number != line.lot_number else "date_conflict"
            found[line] = _conflict(label, line, row, reason)
    for label, line in free:
        if line not in found:
            row = next((row for row in left if _is_same_day(row, line)), None)
            if row is not None:
                found[line] = _conflict(label, line, row, "quantity_conflict")
    return found


def _conflict(label: Shipment, line: Line, row: Row, reason: Reason) -> Refusal:
    lot = row.lot_number or "no lot"
    detail = f"migrated row {row.id} says {row.quantity} of {row.sku_code}, {lot}, on {row.ship_date}"
    return refuse(label, line.order_number, reason, detail, line.raw, line.quantity, line.line_index)


def _refuse_once(plan: OrderPlan, refusal: Refusal) -> None:
    """A label is refused as a whole, and has several lines."""
    if all(other.subject != refusal.subject for other in plan.refusals):
        plan.refusals.append(refusal)


def _pick(rows: list[Row], wanted: Callable[[Row], bool]) -> Row | None:
    """Takes the first row that is wanted out of ``rows``; they stand in the order of their ids."""
    for place, row in enumerate(rows):
        if wanted(row):
            return rows.pop(place)
    return None


def _is_same(row: Row, line: Line) -> bool:
    """Whether a shipment's row is the record of its line: one SKU and lot is one line."""
    return (row.sku_code, row.lot_number) == (line.sku_code, line.lot_number)


def _says(row: Row, line: Line) -> bool:
    """Whether nothing has to be written; a tracking number is never replaced by none."""
    tracking = line.tracking_number or row.tracking_number
    return (row.order_number, row.ship_date, row.raw, row.quantity, row.tracking_number) == (
        line.order_number,
        line.ship_date,
        line.raw,
        line.quantity,
        tracking,
    )


def _is_same_day(row: Row, line: Line) -> bool:
    return (row.sku_code, row.ship_date) == (line.sku_code, line.ship_date)


def _is_exactly(row: Row, line: Line) -> bool:
    return _content(row) == _content(line)


def _content(one: Row | Line) -> tuple[str, str | None, str, int]:
    return one.sku_code, one.lot_number, one.ship_date, one.quantity


def _is_like(row: Row, line: Line, rules: Rules) -> bool:
    """The same SKU and units on a day that is near: passes 2 to 4 of the claims."""
    if (row.sku_code, row.quantity) != (line.sku_code, line.quantity):
        return False
    try:
        apart = date.fromisoformat(row.ship_date) - date.fromisoformat(line.ship_date)
    except ValueError:
        return False
    return abs(apart.days) <= rules.same_shipment_days
