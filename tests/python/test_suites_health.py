"""The suite ``legacy_health``: it says what was wrong before, on any database, and closes no gate.

Every check has a case that spoils a copy of the demo's snapshot in one respect. The case names all checks
that find something else then than before, with what they count, and one of the rows that the check shows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from compiled_models import CompiledModels
from lotgate.generator import generate
from lotgate.legacy_schema import REQUIRED, Shape
from suite_candidates import build
from suites import checks_of, copy_of, failed, run_suite, spoil

SUITE = "legacy_health"
DEMO_FINDINGS = {
    "items_have_a_header": 1,
    "foreign_keys_hold": 1,
    "no_constant_ship_date": 1,
    "dates_are_not_before_order_dates": 27,
    "header_dates_match_items": 20,
    "lotless_rows_are_alone": 12,
    "texts_are_readable": 2,
    "texts_name_known_skus": 1,
    "lots_have_enough_digits": 2,
    "texts_are_spelled_alike": 9,
    "shipped_lots_are_in_masters": 10,
    "cancelled_orders_have_no_items": 2,
    "shipstation_ids_belong_to_one_order": 1,
    "item_totals_are_given": 293,
    "history_matches_items": 1,
    "product_names_are_given": 5,
    "key_products_have_a_value": 4,
}
INFO = {
    *("inbox_items_have_an_order", "shipstation_lines_have_an_order", "bundle_components_have_a_bundle"),
    *("header_dates_match_items", "texts_are_spelled_alike", "rows_have_an_order"),
    *("cancelled_orders_have_no_items", "item_totals_are_given", "workflows_do_not_hang"),
}
# an ordinary row, the only one of its order
ROW = (
    "(select min(one.id) from shipped_items as one where one.sku_lot = '17612 - 250237' and"
    " (select count(*) from shipped_items as other where other.order_number = one.order_number) = 1)"
)
LATEST_ORDER = (
    "(select max(items.order_number) from shipped_items as items inner join orders_inbox as inbox"
    " on inbox.order_number = items.order_number where items.ship_date = '2025-10-10')"
)
WEEK = {"history_matches_items": 2}


@dataclass(frozen=True)
class Case:
    """One way to spoil the snapshot.

    ``found`` are the checks that find something else then than before, with their counts; the first is the
    one that the case is about, and ``row`` is one of the rows that it shows, None where it finds no more.
    """

    name: str
    statements: Sequence[str]
    found: Mapping[str, int]
    row: tuple[str, ...] | None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def check(self) -> str:
        return next(iter(self.found))


def item(change: str) -> tuple[str, ...]:
    return (f"update shipped_items set {change} where id = {ROW}",)


def first(table: str, change: str) -> tuple[str, ...]:
    return (f"update {table} set {change} where id in (select min(id) from {table})",)


CASES = (
    Case(
        "an order without a header",
        item("order_number = '999999'"),
        {"items_have_a_header": 2, "foreign_keys_hold": 2},
        ("4106", "999999"),
    ),
    Case(
        "an item of no inbox order",
        first("order_items_inbox", "order_inbox_id = 999999"),
        {"inbox_items_have_an_order": 1, "foreign_keys_hold": 2},
        ("6121", "999999"),
    ),
    Case(
        "a ShipStation line of no inbox order",
        first("shipstation_order_line_items", "order_inbox_id = 999999"),
        {"shipstation_lines_have_an_order": 1, "foreign_keys_hold": 2},
        ("1", "999999"),
    ),
    Case(
        "a component of no bundle",
        first("bundle_components", "bundle_sku_id = 99"),
        {"bundle_components_have_a_bundle": 1, "foreign_keys_hold": 2},
        ("1", "99"),
    ),
    Case(
        "a foreign key that points nowhere",
        ("create table child (name text references workflows (status))", "insert into child values ('a')"),
        {"foreign_keys_hold": 2},
        ("child (its keys point nowhere)", "1"),
    ),
    Case(
        "one date for rows of four days",
        (
            "update shipped_items set ship_date = '2024-05-02' where id in (select min(id)"
            " from shipped_items where created_at < '2025-09-13' group by substr(created_at, 1, 10))",
        ),
        {"no_constant_ship_date": 2, "header_dates_match_items": 24, "history_matches_items": 4},
        ("2024-05-02", "4", "25", "4"),
    ),
    Case(
        "a day that is none",
        item("ship_date = '2025-02-30'"),
        {"dates_are_real_days": 1, "header_dates_match_items": 21, **WEEK},
        ("4106", "2025-02-30"),
    ),
    Case(
        "a day in the future",
        item("ship_date = '2100-01-06'"),
        {
            "dates_are_real_days": 1,
            "header_dates_match_items": 21,
            "stored_stock_matches_movements": 1,
            **WEEK,
        },
        ("4106", "2100-01-06"),
    ),
    Case(
        "shipped before it was ordered",
        (f"update orders_inbox set order_date = '2025-10-20 08:00' where order_number = {LATEST_ORDER}",),
        {"dates_are_not_before_order_dates": 28},
        None,
    ),
    Case(
        "a header of another day",
        (
            "update shipped_orders set ship_date = '2025-01-02' where order_number in"
            f" (select order_number from shipped_items where id = {ROW})",
        ),
        {"header_dates_match_items": 21},
        ("4106", "686945", "2025-09-08", "2025-01-02"),
    ),
    Case(
        "a second record without its lot",
        (
            "insert into shipped_items (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
            " select 1, ship_date, '', base_sku, quantity_shipped, order_number"
            f" from shipped_items where id = {ROW}",
        ),
        {"lotless_rows_are_alone": 13, **WEEK},
        ("1", "686945", "2025-09-08", "4106", "2025-09-08"),
    ),
    Case(
        "a text that nobody can read",
        item("sku_lot = '17612 x 40'"),
        {"texts_are_readable": 3, **WEEK},
        ("17612 x 40", "17612", "unparseable_sku", "1"),
    ),
    Case(
        "two SKUs in one row",
        item("base_sku = '17904'"),
        {"texts_are_readable": 3, **WEEK},
        ("17612 - 250237", "17904", "sku_conflict", "1"),
    ),
    Case(
        "a SKU that is not in the inventory",
        item("sku_lot = '18255 - 250237', base_sku = '18255'"),
        {"texts_name_known_skus": 2, **WEEK},
        ("18255 - 250237", "18255", "unknown_sku", "1"),
    ),
    Case(
        "a pack size in the lot's place",
        item("sku_lot = '17612 - 40'"),
        {"lots_have_enough_digits": 3},
        ("17612 - 40", "17612", "implausible_lot", "1"),
    ),
    Case(
        "another spelling",
        item("sku_lot = '17612 -250237'"),
        {"texts_are_spelled_alike": 10},
        ("17612 -250237", "17612", "17612 - 250237", "1"),
    ),
    Case(
        "a lot of no table",
        item("sku_lot = '17612 - 777777'"),
        {"shipped_lots_are_in_masters": 11},
        ("17612", "777777", "1"),
    ),
    Case(
        "every lot active",
        ("update sku_lot set active = 1",),
        {"one_active_lot_per_sku": 2},
        ("17612", "2"),
    ),
    Case(
        "nothing shipped",
        item("quantity_shipped = 0"),
        {"quantities_are_plausible": 1, **WEEK},
        ("4106", "686945", "0"),
    ),
    Case(
        "too much shipped",
        (),
        {
            "quantities_are_plausible": 3,
            "history_matches_items": 3,
            "stored_stock_matches_movements": 1,
        },
        None,
        {"max_quantity": 30},
    ),
    Case("a row of no order", item("order_number = null"), {"rows_have_an_order": 1}, ("4106", "2025-09-08")),
    Case(
        "a cancelled order that shipped",
        (f"update orders_inbox set status = ' Canceled ' where order_number = {LATEST_ORDER}",),
        {"cancelled_orders_have_no_items": 3},
        None,
    ),
    Case(
        "two headers of one order",
        (
            "insert into shipped_orders (id, ship_date, order_number, total_items)"
            " values (1, '2025-09-08', ' 686935', 7)",
        ),
        {"headers_differ": 1},
        ("686935", "2"),
    ),
    Case(
        "one ShipStation id in two headers",
        ("update shipped_orders set shipstation_order_id = '5' where order_number in ('686935', '686975')",),
        {"shipstation_ids_belong_to_one_order": 2},
        ("5", "2", "686935", "686975"),
    ),
    Case(
        "a header that counts",
        first("shipped_orders", "total_items = 3"),
        {"item_totals_are_given": 292},
        None,
    ),
    Case(
        "a product with a name",
        ("update inventory_current set product_name = 'Sealant kit' where sku = '17612'",),
        {"product_names_are_given": 4},
        None,
    ),
    Case(
        "a key product with a value",
        (
            "update configuration_params set value = 'Sealant kit'"
            " where category = 'Key Products' and sku = '17612'",
        ),
        {"key_products_have_a_value": 3},
        None,
    ),
    Case(
        "a week with other units",
        first("weekly_shipped_history", "quantity_shipped = 1"),
        {"history_matches_items": 2},
        ("2025-09-08", "2025-09-14", "17612", "1", "108"),
    ),
    Case(
        "a week that ends on a Saturday",
        first("weekly_shipped_history", "end_date = '2025-09-13'"),
        {"history_has_whole_weeks": 1, "history_has_no_gaps": 1},
        ("2025-09-08", "2025-09-13", "17612"),
    ),
    Case(
        "a week twice",
        (
            "insert into weekly_shipped_history (start_date, end_date, sku, quantity_shipped)"
            " select ' ' || start_date, end_date, sku, quantity_shipped from weekly_shipped_history"
            " where id = 1",
        ),
        {"history_has_each_day_once": 1},
        ("17612", "2025-09-08", "2025-09-14", "2025-09-08", "2025-09-14"),
    ),
    Case(
        "a week that overlaps another",
        (
            "insert into weekly_shipped_history (start_date, end_date, sku, quantity_shipped)"
            " values ('2025-09-04', '2025-09-09', '17904', 1)",
        ),
        {"history_has_each_day_once": 2, "history_has_whole_weeks": 1},
        ("17904", "2025-09-04", "2025-09-09", "2025-09-01", "2025-09-07"),
    ),
    Case(
        "a week of a SKU that nobody knows",
        (
            "insert into weekly_shipped_history (start_date, end_date, sku, quantity_shipped)"
            " values ('2025-09-01', '2025-09-07', '99999', 1)",
        ),
        {"history_names_known_skus": 1},
        ("99999", "1"),
    ),
    Case(
        "weeks that were not over",
        (),
        {"history_has_whole_weeks": 5, "dates_are_real_days": 156, "watermarks_are_past": 2},
        ("2025-09-29", "2025-10-05", "17612"),
        {"snapshot_day": "2025-10-05"},
    ),
    Case(
        "a week missing",
        ("delete from weekly_shipped_history where id in (select min(id) from weekly_shipped_history)",),
        {"history_has_no_gaps": 1},
        ("2025-09-08", "17612"),
    ),
    Case(
        "another stock",
        ("update inventory_current set current_quantity = 1 where sku = '17904'",),
        {"stored_stock_matches_movements": 1},
        ("17904", "1", "437"),
    ),
    Case(
        "less than nothing",
        (
            "update inventory_current set current_quantity = -63 where sku = '17904'",
            "insert into inventory_transactions (date, sku, quantity, transaction_type)"
            " values ('2025-10-09', '17904', 500, 'Adjust Down')",
        ),
        {"stock_is_not_negative": 1},
        ("17904", "-63", "-63"),
    ),
    Case(
        "a movement of an unknown type",
        (
            "insert into inventory_transactions (id, date, sku, quantity, transaction_type)"
            " values (1000, '2025-10-09', '17904', 5, 'Lost')",
        ),
        {"transaction_types_are_known": 1},
        ("1000", "2025-10-09", "17904", "5"),
    ),
    Case(
        "a workflow that never ends",
        ("update workflows set status = 'running' where name = 'daily_shipment_processor'",),
        {"workflows_do_not_hang": 1},
        ("daily_shipment_processor", "2025-10-11 00:15:00"),
    ),
    Case(
        "a watermark in the future",
        first("sync_watermark", "last_sync_timestamp = '2100-01-01T00:00:00'"),
        {"watermarks_are_past": 1},
        ("unified-shipstation-sync", "2100-01-01T00:00:00"),
    ),
    Case(
        "a watermark that is no time",
        first("sync_watermark", "last_sync_timestamp = 'soon'"),
        {"watermarks_are_past": 1},
        ("unified-shipstation-sync", "soon"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_spoiled_is_found(case: Case, demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    spoil(work, *case.statements, database="legacy.sqlite")
    found = run_suite(work, SUITE, **case.parameters)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found) == DEMO_FINDINGS | dict(case.found)
    shown = found[case.check]
    assert shown.columns
    assert all(len(row) == len(shown.columns) for row in shown.rows)
    if case.row is not None:
        assert case.row in shown.rows


def test_every_check_is_spoiled_at_least_once() -> None:
    assert {case.check for case in CASES} == set(checks_of(SUITE))


def test_nothing_here_closes_the_gate() -> None:
    checks = checks_of(SUITE)
    assert {name for name, check in checks.items() if check["severity"] == "info"} == INFO
    assert {check["severity"] for check in checks.values()} == {"warning", "info"}


def test_the_demo_shows_what_was_wrong(demo_build: Path, tmp_path: Path) -> None:
    found = run_suite(copy_of(demo_build, tmp_path / "work"), SUITE)
    assert failed(found) == DEMO_FINDINGS
    # the bad day: 107 units on one date, and one ShipStation id in the headers of nine orders
    assert found["no_constant_ship_date"].rows == (("2024-04-16", "27", "107", "4"),)
    assert found["shipstation_ids_belong_to_one_order"].rows == (("198404471", "9", "100534", "690425"),)


def tables_of(work: Path) -> list[str]:
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        names = connection.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite!_%' escape '!'"
        )
        return [name for (name,) in names if name not in (*REQUIRED, "lotgate_snapshot")]


def test_a_table_that_is_not_there_is_no_finding(demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    spoil(work, *(f"drop table {table}" for table in tables_of(work)), database="legacy.sqlite")
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    missing = {name: one.result["observed_value"] for name, one in found.items() if not one.columns}
    assert missing == {
        "inbox_items_have_an_order": "no such table: order_items_inbox",
        "shipstation_lines_have_an_order": "no such table: shipstation_order_line_items",
        "bundle_components_have_a_bundle": "no such table: bundle_components",
        "dates_are_not_before_order_dates": "no such table: orders_inbox",
        "cancelled_orders_have_no_items": "no such table: orders_inbox",
        "shipped_lots_are_in_masters": "no such table: sku_lot",
        "one_active_lot_per_sku": "no such table: sku_lot",
        "key_products_have_a_value": "no such table: configuration_params",
        "history_matches_items": "no such table: weekly_shipped_history",
        "history_has_whole_weeks": "no such table: weekly_shipped_history",
        "history_has_no_gaps": "no such table: weekly_shipped_history",
        "history_has_each_day_once": "no such table: weekly_shipped_history",
        "history_names_known_skus": "no such table: weekly_shipped_history",
        "stored_stock_matches_movements": "no such table: configuration_params",
        "stock_is_not_negative": "no such table: configuration_params",
        "transaction_types_are_known": "no such table: inventory_transactions",
        "workflows_do_not_hang": "no such table: workflows",
        "watermarks_are_past": "no such table: sync_watermark",
    }
    assert all(found[name].success for name in missing)


def test_an_empty_table_says_that_it_is_empty(demo_build: Path, tmp_path: Path) -> None:
    """The snapshot adds optional tables and columns, empty."""
    work = copy_of(demo_build, tmp_path / "work")
    spoil(
        work,
        *(f"delete from {table}" for table in tables_of(work)),
        "update shipped_orders set total_items = null",
        database="legacy.sqlite",
    )
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    nothing = {name: one.result["observed_value"] for name, one in found.items() if not one.columns}
    assert nothing == {
        "shipped_lots_are_in_masters": "no lots in sku_lot and lot_inventory",
        "item_totals_are_given": "no value in shipped_orders.total_items",
        "history_matches_items": "no weeks in weekly_shipped_history",
        "history_has_no_gaps": "no weeks in weekly_shipped_history",
        "stored_stock_matches_movements": "no stock baseline in configuration_params",
        "stock_is_not_negative": "no stock baseline in configuration_params",
    }


def test_a_column_that_is_not_there_is_no_finding(demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    spoil(
        work,
        "alter table workflows drop column last_run_at",
        "alter table weekly_shipped_history rename column quantity_shipped to units",
        "alter table orders_inbox rename column order_date to placed_on",
        database="legacy.sqlite",
    )
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert found["workflows_do_not_hang"].result["observed_value"] == "no such column: workflows.last_run_at"
    expected = "no such column: weekly_shipped_history.quantity_shipped"
    assert found["history_matches_items"].result["observed_value"] == expected
    expected = "no such column: orders_inbox.order_date"
    assert found["dates_are_not_before_order_dates"].result["observed_value"] == expected


@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_can_be_looked_at(shape: Shape, compiled_models: CompiledModels, tmp_path: Path) -> None:
    made = generate(tmp_path / "made", rows=600, seed=60 + len(shape), shape=shape, nasty=0.3)
    work = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "work")
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found, "critical") == {}
    # what the generator always puts in
    assert {"texts_are_readable", "quantities_are_plausible", "no_constant_ship_date"} <= failed(found).keys()
    without_history = shape is Shape.bare
    assert isinstance(found["history_has_no_gaps"].result["observed_value"], str) == without_history


def test_values_that_nobody_expects_stop_no_check(demo_build: Path, tmp_path: Path) -> None:
    """No types, no UTF-8, no tables behind the names: what a snapshot takes, the checks take."""
    values = ("x'ff'", "cast(x'fe' as text)", "17612.5", "-1e300", "null", "''", "9223372036854775807")
    work = copy_of(demo_build, tmp_path / "work")
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        connection.execute("pragma foreign_keys = off")
        for table in ("workflows", "sync_watermark", "weekly_shipped_history", "order_items_inbox"):
            names = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            connection.execute(f"drop table {table}")
            connection.execute(f"create table {table} ({', '.join(names)})")
            for value in values:
                connection.execute(f"insert into {table} values ({', '.join([value] * len(names))})")
        connection.execute("update workflows set status = 'running' where name = cast(x'fe' as text)")
        for table in ("bundle_skus", "bundle_components"):
            connection.execute(f"drop table {table}")
        connection.execute("create view bundle_skus as select * from a_table_that_is_gone")
        connection.execute("create table bundle_components (id, bundle_sku_id)")
        connection.commit()
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    observed = found["bundle_components_have_a_bundle"].result["observed_value"]
    assert observed == "no such table: bundle_skus"
    assert ("\\xff", "\\xff") in found["watermarks_are_past"].rows
    assert found["history_has_whole_weeks"].count == len(values)


def test_data_docs_say_what_is_missing(demo_build: Path, tmp_path: Path) -> None:
    from great_expectations.core import ExpectationValidationResult

    work = copy_of(demo_build, tmp_path / "work")
    spoil(work, "drop table workflows", database="legacy.sqlite")
    names = ["workflows_do_not_hang", "watermarks_are_past", "items_have_a_header"]
    found = run_suite(work, SUITE, names)
    from lotgate_expectations.health import LegacyHealthExpectation

    def said(name: str) -> str:
        result = ExpectationValidationResult(success=True, result=dict(found[name].result))
        return LegacyHealthExpectation._diagnostic_observed_value_renderer(result=result)

    assert said("workflows_do_not_hang") == "no such table: workflows"
    assert said("watermarks_are_past") == "no such rows"
    assert said("items_have_a_header") == "1 row"
