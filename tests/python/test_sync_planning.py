"""What sync decides for one order, rule by rule, without a database (docs/sync.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from lotgate.parser import Variant
from lotgate.shipstation.records import Item, Order, Shipment
from lotgate.sync.guard import judge_date
from lotgate.sync.lines import read_lines
from lotgate.sync.model import OrderPlan, OrderState, Row, Rules
from lotgate.sync.planning import Known, plan_order

RULES = Rules(today="2025-10-10", guard_days=40, known_skus=frozenset({"17612", "17904"}))
TEXT = "17612 - 250300"


def item(sku: str | None = TEXT, quantity: int | None = 5, index: int = 0, **more: object) -> Item:
    made = Item(index, None, None, sku, quantity, False)
    return replace(made, **more)  # type: ignore[arg-type]


def label(number: int = 1, *items: Item, day: str | None = "2025-10-06", **more: object) -> Shipment:
    made = Shipment(
        shipment_id=number,
        order_id=700,
        order_number="690405",
        created=datetime(2025, 10, 6, 9, 30, 5, 583000),
        ship_date=day,
        tracking_number="T1",
        is_return_label=False,
        voided=False,
        voided_at=None,
        items=items or (item(),),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def row(id_: int = 10, shipment: int | None = None, **more: object) -> Row:
    made = Row(id_, "690405", "2025-10-06", "17612", "250300", TEXT, 5, "T1", shipment)
    return replace(made, **more)  # type: ignore[arg-type]


def plan(
    rows: list[Row],
    *labels: Shipment,
    rules: Rules = RULES,
    ordered: str | None = None,
    sure: bool = True,
    known: Order | None = None,
) -> OrderPlan:
    state = OrderState("690405", tuple(rows), ordered)
    fetched = Known(order=lambda order_id: known, is_asked=lambda order_id: sure, all_labels=sure)
    return plan_order(state, labels, rules, fetched)


def reasons(found: OrderPlan) -> list[str]:
    return [refusal.reason for refusal in found.refusals]


def units(found: OrderPlan, rows: list[Row]) -> int:
    """Units of the order once the plan is carried out."""
    after = {one.id: one.quantity for one in rows}
    for gone in found.deletes:
        del after[gone.id]
    for update in found.updates:
        after[update.before.id] = update.after.quantity
    return sum(after.values()) + sum(line.quantity for line in found.inserts)


# the label's own lines


def test_a_new_label_becomes_a_row() -> None:
    found = plan([], label())
    (line,) = found.inserts
    assert (line.shipment_id, line.sku_code, line.lot_number, line.quantity) == (1, "17612", "250300", 5)
    assert (line.raw, line.ship_date, line.tracking_number) == (TEXT, "2025-10-06", "T1")
    assert line.created_at == "2025-10-06 09:30:05"


def test_what_is_there_already_is_not_written_again() -> None:
    found = plan([row(shipment=1)], label())
    assert not found.changes_something
    assert not found.refusals


def test_items_of_one_sku_and_lot_add_up_under_the_first_text() -> None:
    items = (item("17612-250300", 2, 0), item(TEXT, 3, 1), item("17612 - 250237", 4, 2), item("17904", 1, 3))
    found = plan([], label(1, *items))
    assert [(x.raw, x.lot_number, x.quantity, x.line_index) for x in found.inserts] == [
        ("17612-250300", "250300", 5, 0),
        ("17612 - 250237", "250237", 4, 2),
        ("17904", None, 1, 3),
    ]


@pytest.mark.parametrize(
    "line",
    [
        item(None, 2),
        item("", 2),
        item(" \u00a0", 2),
        item(TEXT, 0),
        item(TEXT, 2, adjustment=True),
        item(TEXT, 2, line_item_key="discount"),
        item(TEXT, 2, line_item_key="Discount"),
    ],
)
def test_lines_that_are_no_goods_ship_nothing_and_are_counted(line: Item) -> None:
    found = plan([], label(1, line))
    assert not found.changes_something
    assert not found.refusals
    assert found.ignored_lines == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (item("rubber ducks"), "unparseable_sku"),
        (item("18255 - 250300"), "unknown_sku"),
        (item("17612-40"), "implausible_lot"),
        (item(TEXT, None), "invalid_quantity"),
        (item(TEXT, -3), "invalid_quantity"),
        (item(TEXT, 1_000_001), "invalid_quantity"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_and_the_others_are_written(line: Item, reason: str) -> None:
    found = plan([], label(1, line, item("17904", 2, 1)))
    assert reasons(found) == [reason]
    assert found.refusals[0].subject == "shipment 1 line 0"
    assert [x.sku_code for x in found.inserts] == ["17904"]


def test_an_owners_variant_explains_a_text() -> None:
    rules = replace(RULES, variants={"rubber ducks": Variant("17612", None)})
    (line,) = plan([], label(1, item("rubber ducks")), rules=rules).inserts
    assert (line.sku_code, line.lot_number, line.raw) == ("17612", None, "rubber ducks")


def test_a_label_that_changed_changes_its_rows() -> None:
    rows = [row(10, 1), row(11, 1, sku_code="17904", lot_number=None, raw="17904", quantity=2)]
    found = plan(rows, label(1, item(quantity=7), day="2025-10-07", tracking_number="T2"))
    (update,) = found.updates
    assert (update.before.id, update.after.quantity, update.after.ship_date) == (10, 7, "2025-10-07")
    assert (update.after.tracking_number, update.adopted) == ("T2", False)
    assert [gone.id for gone in found.deletes] == [11]


def test_a_row_stays_while_its_own_text_cannot_be_read_any_more() -> None:
    rules = replace(RULES, known_skus=frozenset({"17904"}))
    found = plan([row(10, 1)], label(1), rules=rules)
    assert not found.changes_something
    assert reasons(found) == ["unknown_sku"]


def test_units_whose_text_became_unreadable_are_in_quarantine_instead() -> None:
    found = plan([row(10, 1)], label(1, item("17612 - 250300 (new)")))
    assert [gone.id for gone in found.deletes] == [10]
    assert [(refusal.reason, refusal.quantity) for refusal in found.refusals] == [("unparseable_sku", 5)]


def test_a_label_without_a_list_of_items_says_nothing() -> None:
    found = plan([row(10, 1)], label(1, items=(), items_sent=False))
    assert not found.changes_something
    assert reasons(plan([], label(1, items=(), items_sent=False))) == ["no_items"]
    assert reasons(plan([], label(1, items=(), items_sent=False, order_id=None))) == []


def test_a_row_of_another_order_number_moves_with_its_label() -> None:
    found = plan([row(10, 1, order_number="690395")], label())
    (update,) = found.updates
    assert update.after.order_number == "690405"


# voids, returns, parcels


def test_a_voided_label_is_taken_out_again() -> None:
    found = plan([row(10, 1), row(11, 2)], label(1, voided=True), label(2))
    assert [gone.id for gone in found.deletes] == [10]
    assert not found.updates


def test_a_return_label_ships_nothing() -> None:
    assert not plan([], label(1, is_return_label=True)).changes_something
    assert [gone.id for gone in plan([row(10, 1)], label(1, is_return_label=True)).deletes] == [10]


def test_two_parcels_with_the_same_content_add_up() -> None:
    assert [line.shipment_id for line in plan([], label(1), label(2)).inserts] == [1, 2]


def test_a_reprint_after_a_void_replaces_it() -> None:
    rows = [row(10, 1)]
    found = plan(rows, label(1, voided=True), label(2, day="2025-10-07"))
    assert [gone.id for gone in found.deletes] == [10]
    assert [(line.shipment_id, line.ship_date) for line in found.inserts] == [(2, "2025-10-07")]
    assert units(found, rows) == 5


# migrated rows, which have no shipment id


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


# the guard


@pytest.mark.parametrize(
    ("day", "ordered", "reason"),
    [
        ("2025-10-10", None, None),
        ("2025-10-11", None, "future_ship_date"),
        ("2025-08-31", None, None),
        ("2025-08-30", None, "too_old"),
        ("2025-10-06", "2025-10-06", None),
        ("2025-10-06", "2025-10-07", "before_order_date"),
        ("2024-04-16", "2025-10-02", "before_order_date"),
        ("2025-02-29", None, "invalid_ship_date"),
        ("10/06/2025", None, "invalid_ship_date"),
        ("", None, "invalid_ship_date"),
        (None, None, "invalid_ship_date"),
    ],
)
def test_the_guard(day: str | None, ordered: str | None, reason: str | None) -> None:
    judged = judge_date(day, ordered, RULES)
    assert (judged and judged[0]) == reason
    found = plan([], label(day=day), ordered=ordered)
    assert reasons(found) == ([reason] if reason else [])
    assert found.changes_something == (reason is None)


def test_backfill_lets_old_days_through_and_nothing_else() -> None:
    backfill = replace(RULES, guard_days=None)
    assert judge_date("2019-01-02", None, backfill) is None
    assert judge_date("2025-10-11", None, backfill) is not None
    assert judge_date("2019-01-02", "2019-01-03", backfill) is not None


def test_shipstations_order_date_counts_before_the_inboxs() -> None:
    found = plan([], label(), ordered="2025-10-08", known=order("2025-10-06"))
    assert found.inserts
    assert not found.refusals


def test_a_new_line_waits_until_it_is_known_when_its_order_was_made() -> None:
    assert plan([], label(), sure=False).ask_again
    assert plan([], label(), ordered="2025-10-01", sure=False).ask_again
    assert plan([row(10, 1)], label(1, item(quantity=7)), sure=False).ask_again
    assert not plan([row(10, 1)], label(), sure=False).ask_again
    assert not plan([], label(), known=order("2025-10-06"), sure=False).ask_again
    assert not plan([], label(order_id=None), sure=False).ask_again


def order(day: str) -> Order:
    made = datetime.fromisoformat(f"{day}T08:00:00")
    return Order(700, "690405", None, day, made, made, "shipped", None, (), False, None, False)


def test_a_refused_label_is_refused_once_however_many_lines_it_has() -> None:
    found = plan([], label(1, item(), item("17904", 2, 1), day="2025-12-01"))
    (refusal,) = found.refusals
    assert (refusal.subject, refusal.quantity, refusal.sku_text) == ("shipment 1", 7, f"{TEXT}; 17904")


def test_a_row_stays_as_it_was_when_the_guard_refuses_what_its_label_became() -> None:
    found = plan([row(10, 1)], label(1, day="2026-01-01"))
    assert not found.changes_something
    assert reasons(found) == ["future_ship_date"]


def test_lines_of_an_order_less_label() -> None:
    read = read_lines(label(order_number=None, order_id=None), None, RULES)
    assert read.lines[0].order_number is None
