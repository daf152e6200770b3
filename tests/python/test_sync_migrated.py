"""What sync decides about migrated rows, which have no shipment id (docs/sync.md)."""

from __future__ import annotations

import pytest

from lotgate.shipstation.records import Shipment
from lotgate.sync.model import OrderPlan, OrderState, Row
from lotgate.sync.planning import Known, plan_order
from sync_planning_cases import RULES, item, label, plan, reasons, row, units


def test_a_migrated_row_learns_its_shipment() -> None:
    rows = [row()]
    found = plan(rows, label())
    (update,) = found.updates
    assert (update.adopted, update.after.shipment_id) == (True, 1)
    assert not found.inserts
    assert units(found, rows) == 5


def test_a_second_parcel_beside_a_migrated_row_is_added() -> None:
    rows = [row()]
    found = plan(rows, label(1), label(2))
    assert units(found, rows) == 10
    assert [line.shipment_id for line in found.inserts] == [2]


def test_parcels_that_a_migrated_row_holds_together_are_told_apart_again() -> None:
    """A rollback adds up the parcels of one order, SKU, lot and day; the next migration keeps that."""
    rows = [row(quantity=9)]
    found = plan(rows, label(1), label(2, item(quantity=4)))
    (update,) = found.updates
    assert (update.before.id, update.after.shipment_id, update.after.quantity) == (10, 1, 5)
    assert [(line.shipment_id, line.quantity) for line in found.inserts] == [(2, 4)]
    assert units(found, rows) == 9
    assert not found.refusals
    assert reasons(plan([row(quantity=8)], label(1), label(2, item(quantity=4)))) == ["quantity_conflict"] * 2


def test_an_exact_line_is_adopted_whatever_the_guard_says() -> None:
    rows = [row(ship_date="2025-01-06")]
    found = plan(rows, label(1, day="2025-01-06"), ordered="2025-03-01")
    assert [update.adopted for update in found.updates] == [True]
    assert not found.refusals


def test_a_migrated_row_leaves_with_the_label_that_was_voided() -> None:
    rows = [row()]
    found = plan(rows, label(1, voided=True), label(2, day="2025-10-07"))
    assert [gone.id for gone in found.deletes] == [10]
    assert units(found, rows) == 5


def test_a_migrated_row_that_a_live_label_has_does_not_leave() -> None:
    found = plan([row()], label(1, voided=True), label(2))
    assert not found.deletes
    assert [update.after.shipment_id for update in found.updates] == [2]


def test_a_row_stays_while_a_live_label_may_be_what_it_records() -> None:
    """The label that replaced the voided one is too old to be believed; the row must not go meanwhile."""
    found = plan(
        [row(ship_date="2025-08-01")], label(1, voided=True, day="2025-08-01"), label(2, day="2025-08-20")
    )
    assert sorted(reasons(found)) == ["too_old", "void_conflict"]
    assert not found.changes_something


def test_labels_without_an_order_take_nothing_out_and_part_nothing() -> None:
    """Nobody knows all labels without an order: other ones may be what a row records."""
    own = row(order_number=None)
    alone = {"order_number": None, "order_id": None}

    def decide(rows: list[Row], *labels: Shipment) -> OrderPlan:
        state = OrderState(None, tuple(rows))
        return plan_order(state, labels, RULES, Known(lambda order_id: None, lambda order_id: True, True))

    assert reasons(decide([own], label(1, voided=True, **alone))) == ["void_conflict"]
    sums = decide([own], label(1, item(quantity=2), **alone), label(2, item(quantity=3), **alone))
    assert not sums.updates
    assert len(sums.inserts) == 2
    assert decide([own], label(1, **alone)).updates[0].adopted
    assert reasons(decide([own], label(1, day="2025-10-05", **alone))) == ["date_conflict"]
    assert decide([own], label(1, day="2025-09-05", **alone)).inserts


@pytest.mark.parametrize(
    "migrated",
    [
        row(lot_number="250237", raw="17612 - 250237"),
        row(ship_date="2025-10-02"),
        row(quantity=3),
    ],
)
def test_a_row_that_a_voided_label_may_have_been_is_for_a_person(migrated: Row) -> None:
    """It would stand for ever, and count units that never left."""
    found = plan([migrated], label(1, voided=True))
    assert reasons(found) == ["void_conflict"]
    assert not found.changes_something
    assert plan([migrated], label(1, voided=True), sure=False).ask_again
    assert not plan([row(ship_date="2025-08-02")], label(1, voided=True)).refusals


def test_parcels_of_several_days_that_a_row_holds_together() -> None:
    """The legacy key has no day: a rollback adds them up whichever day they left on."""
    rows = [row(quantity=9)]
    found = plan(rows, label(1), label(2, item(quantity=4), day="2025-10-08"))
    assert units(found, rows) == 9
    assert [(line.ship_date, line.quantity) for line in found.inserts] == [("2025-10-08", 4)]
    assert plan(rows, label(1), label(2, item(quantity=4), day="2025-10-08"), sure=False).ask_again
    weeks = plan(rows, label(1), label(2, item(quantity=4), day="2025-10-09"), rules=RULES)
    assert units(weeks, rows) == 9
    late = plan(rows, label(1, day="2025-10-07"), label(2, item(quantity=3), day="2025-10-08"))
    assert reasons(late) == ["quantity_conflict"] * 2
    assert not late.changes_something


def test_a_void_that_takes_a_migrated_row_needs_all_labels() -> None:
    assert plan([row()], label(1, voided=True), sure=False).ask_again
    assert not plan([row(10, 1)], label(1, voided=True), sure=False).ask_again


@pytest.mark.parametrize(
    ("migrated", "reason"),
    [
        (row(lot_number="250237", raw="17612 - 250237"), "lot_conflict"),
        (row(lot_number=None, raw="17612"), "lot_conflict"),
        (row(ship_date="2025-10-02"), "date_conflict"),
        (row(ship_date="2025-05-02"), "date_conflict"),
        (row(quantity=3), "quantity_conflict"),
        (row(ship_date="2025-10-02", quantity=3), "quantity_conflict"),
        (row(ship_date="2025-03-02", quantity=3), "quantity_conflict"),
    ],
)
def test_what_may_be_a_migrated_row_is_for_a_person(migrated: Row, reason: str) -> None:
    found = plan([migrated], label())
    assert reasons(found) == [reason]
    assert not found.changes_something
    assert "row 10" in found.refusals[0].detail
    assert plan([migrated], label(), sure=False).ask_again


def test_a_row_of_a_former_number_is_adopted_or_in_conflict_and_never_parted() -> None:
    former = row(order_number="690395")
    assert plan([former], label()).updates[0].after.order_number == "690405"
    assert reasons(plan([former], label(1, item("17612 - 250237")))) == ["lot_conflict"]
    assert (
        reasons(plan([former], label(1, item(quantity=2)), label(2, item(quantity=3))))
        == ["quantity_conflict"] * 2
    )
    assert reasons(plan([former], label(1, voided=True))) == ["void_conflict"]


def test_another_sku_of_the_order_is_no_conflict() -> None:
    found = plan([row(sku_code="17904", lot_number=None, raw="17904")], label())
    assert len(found.inserts) == 1
    assert not found.refusals


def test_a_conflict_stays_one_when_another_line_of_the_label_is_written() -> None:
    """The first run wrote line 1; line 0 still may be what the migrated row says."""
    rows = [row(10, None, quantity=3), row(11, 1, sku_code="17904", lot_number=None, raw="17904", quantity=2)]
    found = plan(rows, label(1, item(), item("17904", 2, 1)))
    assert reasons(found) == ["quantity_conflict"]
    assert not found.changes_something


def test_fewer_units_are_no_question_of_the_day() -> None:
    """A late label takes units over from a hand mark whose day is too old by now."""
    rows = [
        row(10, -7, ship_date="2025-08-01"),
        row(11, -7, ship_date="2025-08-01", lot_number=None, raw="17612"),
    ]
    by_hand = label(-7, item(quantity=2), day="2025-08-01", units_from="order")
    found = plan(rows, by_hand, label(2, item(quantity=3)))
    assert [(u.before.quantity, u.after.quantity) for u in found.updates] == [(5, 2)]
    assert [gone.id for gone in found.deletes] == [11]
    assert [line.shipment_id for line in found.inserts] == [2]
    more = plan(rows[:1], label(-7, item(quantity=6), day="2025-08-01", units_from="order"))
    assert reasons(more) == ["too_old"]
    assert not more.changes_something


def test_units_by_hand_are_weighed_against_all_labels() -> None:
    rows = [row(10, -12000001)]
    assert plan(rows, label(1, day="2025-10-07"), sure=False).ask_again
