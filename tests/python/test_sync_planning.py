"""What sync decides for one order, rule by rule, without a database (docs/sync.md)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotgate.parser import Variant
from lotgate.shipstation.records import Item
from lotgate.sync.guard import judge_date
from lotgate.sync.lines import read_lines
from sync_planning_cases import RULES, TEXT, item, label, order, plan, reasons, row, units

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
