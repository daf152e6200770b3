"""The reports against a plain computation, on the demo, generated databases and odd ones."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from compiled_models import CompiledModels
from lotgate.generator import Shape, generate
from lotgate.legacy_schema import create_legacy_database
from reference.reports import SIGNS, Reports, reports
from suites import EXPECTATIONS

Row = tuple[Any, ...]

BY_MODELS = {
    "period": "select * from report_period",
    "weeks": "select sku_code, week_start, units, units_from, shipped_units, stored_units"
    " from report_weekly_shipped order by 1, 2",
    "skus": "select sku_code, last_week_units, weeks_known, average_hundredths, on_hand_units, days_left,"
    " pallets, alert_level, uncounted_movements, later_movements, later_shipped_units"
    " from report_skus order by 1",
    "lots": "select lot_id, sku_code, available_units, shipped_units, shipped_since_baseline, left_units,"
    " balance from report_lot_balances order by 1",
    "charges": "select * from report_charge_days order by 1",
}


def assert_same(candidate: sqlite3.Connection) -> Reports:
    """Every report of the models is that of the plain computation; returned for a closer look."""
    expected = reports(candidate)
    for name, query in BY_MODELS.items():
        assert candidate.execute(query).fetchall() == getattr(expected, name), name
    return expected


@contextmanager
def opened(work: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(work / "candidate.sqlite")) as connection:
        connection.execute("attach ? as legacy", (str(work / "legacy.sqlite"),))
        yield connection


@contextmanager
def legacy_database(path: Path, *statements: str, shape: Shape = Shape.keyless) -> Iterator[Path]:
    with closing(create_legacy_database(path, shape)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    yield path


def inventory(sku: str, updated: str | None = None, average: int | None = None) -> str:
    time = "null" if updated is None else f"'{updated}'"
    stored = "null" if average is None else str(average)
    return (
        "insert into inventory_current (sku, product_name, current_quantity, weekly_avg_cents, last_updated)"
        f" values ('{sku}', 'Brush', 10, {stored}, {time})"
    )


def shipped(
    day: str, units: int, *, created: str, sku: str = "17612", order: str = "600005"
) -> tuple[str, str]:
    """An order of one line; the number makes it another one."""
    return (
        f"insert into shipped_orders (ship_date, order_number) values ('{day}', '{order}')",
        "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
        f" values ('{day}', '{sku} - 250237', '{sku}', {units}, '{order}', '{created}')",
    )


def test_the_demo_is_reported_as_computed(demo_build: Path) -> None:
    with opened(demo_build) as candidate:
        found = assert_same(candidate)
    ((as_of, _, last_week, first, _, first_week, *_),) = found.period
    assert (as_of, last_week, first, first_week) == ("2025-10-10", "2025-09-29", "2025-09-08", "2024-11-04")
    # the owner's figure; 48 weeks are known, of which the last four are counted
    assert found.skus[0][:1] + found.skus[0][2:3] + found.skus[0][4:5] == ("17612", 48, 610)
    assert {
        source: sum(row[3] == source for row in found.weeks) for source in ("shipped_items", "unknown")
    } == {
        "shipped_items": 20,
        "unknown": 0,
    }
    # 2025-10-06: 67 orders, 331 units, 90 pallets
    (monday,) = [row for row in found.charges if row[0] == "2025-10-06"]
    assert monday == ("2025-10-06", 67, 331, 90, 0, 28_475, 24_825, 4_050, 57_350)


@pytest.mark.parametrize("shape", list(Shape))
def test_generated_databases_are_reported_as_computed(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=1_500, seed=90 + len(shape), shape=shape, nasty=0.3)
    with compiled_models.run(made.database, made.shipstation, made.controls) as candidate:
        found = assert_same(candidate)
    assert found.weeks
    assert found.charges


def test_the_largest_reports_are_of_hundreds_of_skus(compiled_models: CompiledModels, tmp_path: Path) -> None:
    """Every SKU has every week and every day, also the many that never ship."""
    statements = [inventory(f"{sku}") for sku in range(20_000, 20_300)]
    for place, day in enumerate(("2025-01-06", "2025-10-07", "2025-10-08")):
        statements += shipped(day, 3, created=f"{day} 20:00:00", sku="20007", order=f"6000{place}5")
    with (
        legacy_database(tmp_path / "ora.db", *statements) as legacy,
        compiled_models.run(legacy, None, None) as candidate,
    ):
        found = assert_same(candidate)
    assert len(found.skus) == 300
    assert len(found.weeks) == 300 * 39
    assert {row[3] for row in found.skus if row[0] != "20007"} == {0}


def test_a_half_finished_week_never_counts(compiled_models: CompiledModels, tmp_path: Path) -> None:
    """Day by day through two weeks: the last week is complete from the Monday after it on."""
    for number, (newest, last_week) in enumerate(
        (
            ("2025-10-05 23:00:00", "2025-09-22"),
            ("2025-10-06 07:59:59", "2025-09-22"),
            ("2025-10-06 08:00:00", "2025-09-29"),
            ("2025-10-12 20:00:00", "2025-09-29"),
            ("2025-10-13 08:00:00", "2025-10-06"),
        )
    ):
        statements = [
            inventory("17612", updated=newest),
            *shipped("2025-09-01", 2, created="2025-09-01 20:00:00"),
        ]
        with (
            legacy_database(tmp_path / f"{number}.db", *statements) as legacy,
            compiled_models.run(legacy, None, None) as candidate,
        ):
            assert_same(candidate)
            assert candidate.execute("select last_week_start from report_period").fetchall() == [(last_week,)]
            assert candidate.execute("select max(week_start) from report_weekly_shipped").fetchone() == (
                last_week,
            )


def test_an_unknown_movement_is_said_and_not_taken_for_nothing(
    compiled_models: CompiledModels, tmp_path: Path
) -> None:
    movement = "insert into inventory_transactions (date, sku, quantity, transaction_type) values "
    statements = [
        inventory("17612", updated="2025-10-10 20:00:00"),
        "insert into configuration_params (category, parameter_name, value, sku)"
        " values ('InitialInventory', 'EOD_Prior_Week', '100', '17612')",
        movement + "('2025-09-20', '17612', 5, 'Receive'), ('2025-09-21', '17612', 2, ' ADJUST DOWN ')",
        movement + "('2025-09-22', '17612', 40, 'Shrinkage'), ('2025-09-31', '17612', 50, 'Receive')",
        movement + "('2025-09-22', '17612', 'ten', 'Receive'), ('2025-09-22', '17612', 60, 'Ship')",
    ]
    with (
        legacy_database(tmp_path / "ora.db", *statements) as legacy,
        compiled_models.run(legacy, None, None) as candidate,
    ):
        assert_same(candidate)
        found = candidate.execute("select on_hand_units, uncounted_movements from report_skus").fetchall()
    assert found == [(103, 3)]


def test_what_is_dated_after_the_day_is_said(compiled_models: CompiledModels, tmp_path: Path) -> None:
    """500 received and 2 shipped after the newest time; before and after the migration have one day."""
    statements = [
        inventory("17612", updated="2025-10-10 20:00:00"),
        "insert into configuration_params (category, parameter_name, value, sku)"
        " values ('InitialInventory', 'EOD_Prior_Week', '100', '17612')",
        "insert into inventory_transactions (date, sku, quantity, transaction_type)"
        " values ('2025-10-13', '17612', 500, 'Receive')",
        *shipped("2025-10-01", 3, created="2025-10-01 20:00:00", order="600015"),
        *shipped("2025-10-12", 2, created="2025-10-10 19:00:00", order="600025"),
    ]
    with (
        legacy_database(tmp_path / "ora.db", *statements) as legacy,
        compiled_models.run(legacy, None, None) as candidate,
    ):
        assert_same(candidate)
        found = candidate.execute(
            "select on_hand_units, legacy_on_hand, later_movements, later_shipped_units from report_skus"
        ).fetchall()
    assert found == [(97, 97, 1, 2)]


def test_a_single_time_of_the_year_9999_wipes_no_report(
    compiled_models: CompiledModels, tmp_path: Path
) -> None:
    statements = [
        inventory("17612", updated="9999-12-31T23:00:00Z"),
        *shipped("2025-09-08", 1, created="2025-09-08 20:00:00", order="600015"),
        *shipped("2025-10-10", 1, created="9999-12-31 23:59:59", order="600025"),
        *shipped("2025-10-09", 1, created="2025-10-11T02:00:00+0900", order="600035"),
    ]
    with (
        legacy_database(tmp_path / "ora.db", *statements) as legacy,
        compiled_models.run(legacy, None, None) as candidate,
    ):
        found = assert_same(candidate)
    assert found.period[0][0] == "2025-10-10"


def test_an_empty_database_has_empty_reports(compiled_models: CompiledModels, tmp_path: Path) -> None:
    for shape in Shape:
        with (
            legacy_database(tmp_path / f"{shape}.db", shape=shape) as legacy,
            compiled_models.run(legacy, None, None) as candidate,
        ):
            assert assert_same(candidate) == Reports([], [], [], [], [])


def test_wild_dates_make_no_endless_report(compiled_models: CompiledModels, tmp_path: Path) -> None:
    """The year 1 and the year 9999 are days; reports stay within their ten years."""
    statements = [
        inventory("17612", updated="2025-10-10 20:00:00"),
        *shipped("0001-01-01", 1, created="0001-01-02 00:00:00", order="600015"),
        *shipped("9999-12-31", 1, created="2025-10-01 00:00:00", order="600025"),
        *shipped("2025-09-08", 1, created="2025-09-08 20:00:00", order="600035"),
        "insert into weekly_shipped_history (start_date, end_date, sku, quantity_shipped)"
        " values ('0001-01-01', '0001-01-07', '17612', 5), ('9999-12-27', '10000-01-02', '17612', 5)",
    ]
    with (
        legacy_database(tmp_path / "ora.db", *statements) as legacy,
        compiled_models.run(legacy, None, None) as candidate,
    ):
        found = assert_same(candidate)
    assert len(found.weeks) == 520


def test_models_audit_and_reference_know_the_same_signs() -> None:
    """The macro has the signs of the models; the audit's second opinion has its own."""
    from jinja2 import Environment

    sys.path.insert(0, str(EXPECTATIONS / "plugins"))
    from lotgate_expectations.stock import SIGNS as BY_AUDIT

    macro = EXPECTATIONS.parent / "macros" / "stock" / "transaction_sign.sql"
    template = Environment().from_string(macro.read_text(encoding="utf-8"))  # it is SQL
    case = str(template.module.transaction_sign("?1"))  # type: ignore[attr-defined]
    with closing(sqlite3.connect(":memory:")) as connection:
        signs = {
            kind: connection.execute(f"select {case}", (kind,)).fetchone()[0]
            for kind in (*SIGNS, "ship", "shrinkage")
        }
    assert signs == {**SIGNS, "ship": 0, "shrinkage": None}
    assert BY_AUDIT == SIGNS
