"""What has to change in the database so that it says of one order what ShipStation says. Nothing is written.

The rules are in docs/sync.md, "What is written". Rows belong to shipments by their shipment id; what becomes
of those that have none is in ``migrated``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lotgate.parser import trim
from lotgate.shipstation.records import Order, Shipment
from lotgate.sync.guard import judge_date
from lotgate.sync.lines import LabelLines, read_lines, refuse_label
from lotgate.sync.migrated import (
    LabelLine,
    adopt,
    adopt_sums,
    by_content,
    conflicts,
    is_like,
    pick,
    take_out,
    void_conflicts,
)
from lotgate.sync.model import (
    GUARD_REASONS,
    GuardReason,
    Line,
    OrderPlan,
    OrderState,
    Refusal,
    Row,
    Rules,
    Update,
)

__all__ = ["Known", "plan_order"]


@dataclass(frozen=True)
class Known:
    """What was fetched beside the labels.

    ``order`` gives an order that was read, ``is_asked`` says that everything of an order was asked for by
    its id. ``all_labels`` says that there is nothing more to fetch of this order number.
    """

    order: Callable[[int], Order | None]
    is_asked: Callable[[int], bool]
    all_labels: bool


def plan_order(state: OrderState, labels: Sequence[Shipment], rules: Rules, known: Known) -> OrderPlan:
    """The changes for one order number, from those of its labels that were fetched.

    The plan asks for the rest where that could change the answer: where a migrated row is concerned, where
    units were marked shipped by hand, and where nobody has asked on which day the order of a new line was
    made. Then nothing else in it counts.
    """
    return _Planner(state, rules, known).plan(
        sorted(labels, key=lambda label: (label.ship_date or "", label.shipment_id))
    )


class _Planner:
    def __init__(self, state: OrderState, rules: Rules, known: Known) -> None:
        self.state = state
        self.rules = rules
        self.known = known
        self.result = OrderPlan()
        self.judged: dict[int, tuple[GuardReason, str] | None] = {}
        self.free: list[LabelLine] = []
        self.voided: list[LabelLine] = []
        self.migrated = [row for row in state.rows if row.shipment_id is None]

    def plan(self, labels: Sequence[Shipment]) -> OrderPlan:
        result, state = self.result, self.state
        for label in labels:
            self._look_at(label)
        adopted, free = adopt(self.free, self.migrated)
        result.updates += adopted
        if state.order_number is None:
            in_conflict = self._settle_order_less(free)
        else:
            if not self.known.all_labels and self._depends_on_more(labels, free):
                return OrderPlan(ask_again=True)
            free, in_conflict = self._settle(free)
        for label, line in free:
            if self.judged[label.shipment_id] is not None:
                self._refuse(label)
            elif line in in_conflict:
                result.refusals.append(in_conflict[line])
            else:
                result.inserts.append(line)
        return result

    def _settle(self, free: list[LabelLine]) -> tuple[list[LabelLine], dict[Line, Refusal]]:
        """What becomes of migrated rows, now that all labels of the number are known.

        Returns the lines left over, and which of them are in conflict with a row.
        """
        result, rules = self.result, self.rules
        # a label that is too old is doubted only where it says something new
        doubted = [(label, line) for label, line in free if not self._is_believed(label)]
        believed = [one for one in free if one not in doubted]
        # rows of a former number may have belonged to another order, too: none is parted or taken out
        rows = [row for row in self.migrated if row.order_number == self.state.order_number]
        former = [row for row in self.migrated if row.order_number != self.state.order_number]
        parted, parcels, believed = adopt_sums(believed, rows)
        removed, voided = take_out(self.voided, rows)
        for row in list(removed):
            # a live label that is not written now may be what the row records
            if any(is_like(row, line) for label, line in free if self.judged[label.shipment_id] is not None):
                removed.remove(row)
                rows.append(row)
                voided += [one for one in self.voided if is_like(row, one[1]) and one not in voided]
        result.updates += parted
        result.inserts += parcels
        result.deletes += removed
        result.refusals += void_conflicts(voided, [*rows, *former], rules)
        return believed + doubted, conflicts(believed, [*rows, *former])

    def _settle_order_less(self, free: list[LabelLine]) -> dict[Line, Refusal]:
        """Without an order nobody knows all labels: rows are adopted, and nothing is taken out or parted."""
        self.result.refusals += void_conflicts(self.voided, self.migrated, self.rules)
        return by_content(free, self.migrated, self.rules)

    def _look_at(self, label: Shipment) -> None:
        own = [row for row in self.state.rows if row.shipment_id == label.shipment_id]
        read = read_lines(label, self.state.order_number, self.rules)
        if label.voided or label.is_return_label:
            self.result.deletes += own
            if label.voided and not label.is_return_label and not own and label.units_from == "label":
                self.voided += [(label, line) for line in read.lines]
            return
        self.result.ignored_lines += read.ignored
        if not label.items_sent:
            # which is not "no items": what is known of the label stays
            if label.order_id is not None and not own:
                detail = "ShipStation sent no list of items for this label"
                self.result.refusals.append(refuse_label(label, self.state.order_number, "no_items", detail))
            return
        order = None if label.order_id is None else self.known.order(label.order_id)
        ordered_on = (None if order is None else order.ordered_on) or self.state.ordered_on
        self.judged[label.shipment_id] = judge_date(label.ship_date, ordered_on, self.rules)
        self._compare(label, own, read)

    def _compare(self, label: Shipment, own: list[Row], read: LabelLines) -> None:
        """Brings the label's own rows in line with it; its lines that have no row yet are free.

        What is there already as it should be is not judged again: a rule that got stricter takes nothing
        out. Fewer units on the same day are no question of the day, either.
        """
        self.result.refusals += read.refusals
        missing: list[LabelLine] = []
        changed: list[Update] = []
        for line in read.lines:
            key = (line.sku_code, line.lot_number)
            row = pick(own, lambda row, key=key: (row.sku_code, row.lot_number) == key)  # type: ignore[misc]
            if row is None:
                missing.append((label, line))
            elif not _says(row, line):
                changed.append(Update(row, line))
        # a row whose very text cannot be read any more (a SKU or variant that is gone) is still that line's
        unreadable = {trim(refusal.sku_text) for refusal in read.refusals}
        gone = [row for row in own if row.raw not in unreadable]
        is_new = bool(missing) or any(
            update.after.ship_date != update.before.ship_date
            or update.after.quantity > update.before.quantity
            for update in changed
        )
        if self.judged[label.shipment_id] is None or not is_new:
            self.result.updates += changed
            self.result.deletes += gone
        elif changed or gone:
            self._refuse(label)
        self.free += missing

    def _depends_on_more(self, labels: Sequence[Shipment], free: list[LabelLine]) -> bool:
        """Whether labels or orders that nobody has asked for could change the answer."""
        skus = {row.sku_code for row in self.migrated}
        if any(line.sku_code in skus for _, line in (*free, *self.voided)):
            return True
        moves = any(row.order_number != self.state.order_number for row in self.state.rows)
        if moves and (free or self.voided or self.result.changes_something):
            return True  # the number was changed: all rows of the order move together
        not_asked = {
            label.shipment_id
            for label in labels
            if label.order_id is not None and not self.known.is_asked(label.order_id)
        }
        without_day = {
            label.shipment_id
            for label in labels
            if label.shipment_id in not_asked and self.known.order(label.order_id or 0) is None
        }
        written = {line.shipment_id for _, line in free}
        written |= {update.after.shipment_id for update in self.result.updates}
        refused = {one.shipment_id for one in self.result.refusals if one.reason in GUARD_REASONS}
        by_hand = any(row.shipment_id is not None and row.shipment_id < 0 for row in self.state.rows)
        return bool((written | refused) & without_day) or bool(by_hand and free and not_asked)

    def _is_believed(self, label: Shipment) -> bool:
        judged = self.judged[label.shipment_id]
        return judged is None or judged[0] == "too_old"

    def _refuse(self, label: Shipment) -> None:
        """By the guard; a label is refused as a whole, and once, however many lines it has."""
        judged = self.judged[label.shipment_id]
        assert judged is not None
        refusal = refuse_label(label, self.state.order_number, *judged)
        if refusal not in self.result.refusals:
            self.result.refusals.append(refusal)


def _says(row: Row, line: Line) -> bool:
    """Whether nothing has to be written; a tracking number is never replaced by none."""
    return (row.order_number, row.ship_date, row.raw, row.quantity, row.tracking_number) == (
        line.order_number,
        line.ship_date,
        line.raw,
        line.quantity,
        line.tracking_number or row.tracking_number,
    )
