"""The checks of the reports: each finds what it is there for, and says nothing where nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from compiled_models import CompiledModels
from lotgate.generator import Shape, generate
from suite_candidates import build
from suites import copy_of, failed, run_suite, spoil

SUITE = "reporting"
GOOD = {"stored_weeks_match": 5, "stored_stock_matches": 5, "stored_averages_match": 1}
"""What the demo's stored figures differ in: they were made before the migration; one average is stale."""


@dataclass(frozen=True)
class Case:
    """Statements on the candidate, the check that finds it, and the row that it shows."""

    statement: str
    check: str
    row: tuple[str, ...]


CASES = {
    "other units in a week": Case(
        "update report_weekly_shipped set units = 1 where sku_code = '17612' and week_start = '2025-09-29'",
        "weeks_add_up",
        ("17612", "2025-09-29", "1", "142"),
    ),
    "a zero week left out": Case(
        "delete from report_weekly_shipped where sku_code = '17612' and week_start = '2025-09-22'",
        "weeks_add_up",
        ("17612", "2025-09-22", "not there", "131"),
    ),
    "a week that is not over": Case(
        "insert into report_weekly_shipped"
        " values ('17612', '2025-10-06', '2025-10-12', 0, 'shipped_items', 0, 0, null)",
        "weeks_add_up",
        ("17612", "2025-10-06", "0", "no such week"),
    ),
    "an unknown week as a zero": Case(
        "update report_weekly_shipped set units = 0 where sku_code = '17904' and week_start = '2024-11-04'",
        "weeks_add_up",
        ("17904", "2024-11-04", "0", "21"),
    ),
    "a shipment more": Case(
        "update shipped_items set quantity_shipped = quantity_shipped + 1 where id ="
        " (select min(id) from shipped_items where ship_date = '2025-09-08' and sku_id = 1)",
        "weeks_add_up",
        ("17612", "2025-09-08", "107", "108"),
    ),
    "another stock": Case(
        "update report_skus set on_hand_units = 638 where sku_code = '17612'",
        "stock_follows",
        ("17612", "2025-10-10", "638", "610"),
    ),
    "a SKU left out": Case(
        "delete from report_skus where sku_code = '18795'",
        "stock_follows",
        ("18795", "2025-10-10", "(none)", "7755"),
    ),
    "a lot with more left": Case(
        "update report_lot_balances set left_units = left_units + 1 where lot_number = '250237'",
        "lot_balances_add_up",
        ("2", "362", "362"),
    ),
    "a lot that is unknown called covered": Case(
        "update report_lot_balances set balance = 'covered' where lot_number = '250300'",
        "lot_balances_add_up",
        ("3", "297", "297"),
    ),
    "a charge of a cent more": Case(
        "update report_charge_days set total_cents = total_cents + 1 where charge_date = '2025-10-06'",
        "charges_add_up",
        ("2025-10-06", "total_cents", "57351", "57350"),
    ),
    "a charged day left out": Case(
        "delete from report_charge_days where charge_date = '2025-10-06'",
        "charges_add_up",
        ("2025-10-06", "the day itself", "not there", "there"),
    ),
    "all charges left out": Case(
        "delete from report_charge_days",
        "charges_add_up",
        ("2025-09-08", "the day itself", "not there", "there"),
    ),
    "pallets doubled": Case(
        "update report_charge_days set pallets = 2 * pallets, pallet_cents = 2 * pallet_cents,"
        " total_cents = total_cents + pallet_cents",
        "charges_add_up",
        ("2025-09-19", "pallets", "192", "96"),
    ),
    "pallets doubled where they are counted": Case(
        "update report_daily_stock set pallets = 2 * pallets;"
        "update report_charge_days set pallets = 2 * pallets, pallet_cents = 2 * pallet_cents,"
        " total_cents = total_cents + pallet_cents",
        "charges_add_up",
        ("2025-09-19", "pallet_cents", "8640", "4320"),
    ),
    "a thousand orders more": Case(
        "update report_charge_days set orders = orders + 1000 where charge_date = '2025-10-06'",
        "charges_add_up",
        ("2025-10-06", "orders", "1067", "67"),
    ),
    "a thousand units more": Case(
        "update report_charge_days set units = units + 1000 where charge_date = '2025-10-06'",
        "charges_add_up",
        ("2025-10-06", "units", "1331", "331"),
    ),
    "another average": Case(
        "update report_skus set average_hundredths = 11600 where sku_code = '17612'",
        "sku_figures_follow",
        ("17612", "average_hundredths", "11600", "11658"),
    ),
    "another alert level": Case(
        "update report_skus set alert_level = 'low' where sku_code = '17612'",
        "sku_figures_follow",
        ("17612", "alert_level", "low", "normal"),
    ),
    "more pallets": Case(
        "update report_skus set pallets = 14 where sku_code = '17612'",
        "sku_figures_follow",
        ("17612", "pallets", "14", "13"),
    ),
    "fewer days left": Case(
        "update report_skus set days_left = 1 where sku_code = '17612'",
        "sku_figures_follow",
        ("17612", "days_left", "1", "36"),
    ),
    "a day of the report in the future": Case(
        "update report_period set last_full_date = '2031-01-01'",
        "report_day_is_past",
        ("2025-10-10",),
    ),
}


@pytest.fixture(scope="module")
def demo(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(demo_build, tmp_path_factory.mktemp("demo") / "work")


def test_the_demo_shows_both_figures_of_what_differs(demo: Path) -> None:
    found = run_suite(demo, SUITE)
    assert failed(found) == GOOD
    assert failed(found, "critical") == {}
    # stored, by the legacy rows, after the migration: the owner's 638 and 610
    assert found["stored_stock_matches"].columns == (
        "sku_code",
        "stored_on_hand",
        "legacy_on_hand",
        "on_hand_units",
        "later_movements",
        "later_shipped_units",
    )
    assert found["stored_stock_matches"].rows[0] == ("17612", "638", "638", "610", "0", "0")
    assert found["stored_weeks_match"].rows[0] == ("17612", "2025-09-08", "108", "108", "107")
    assert found["stored_averages_match"].rows == (("18795", "3925", "3481", "48"),)


def test_stored_stock_has_no_day_and_is_not_compared_with_an_earlier_one(
    demo_build: Path, tmp_path: Path
) -> None:
    """As with a report_date before the newest day of the data."""
    work = copy_of(demo_build, tmp_path / "work")
    spoil(work, "update report_period set last_known_date = '2025-10-11'")
    assert "stored_stock_matches" not in failed(run_suite(work, SUITE))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_does_not_add_up_is_found(case: Case, demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    spoil(work, *case.statement.split(";"))
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert case.check in failed(found)
    assert case.row in found[case.check].rows


def test_a_stored_average_may_be_in_hundredths_or_in_units(
    demo_build: Path, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    """One unit a week more or less is near, in either reading; nothing stored is no difference."""
    legacy = copy_of(demo_build, tmp_path / "demo") / "legacy.sqlite"
    spoil(legacy.parent, "drop table lotgate_snapshot", database="legacy.sqlite")

    def readings(stored: str) -> tuple[int, str | None]:
        change = f"update inventory_current set weekly_avg_cents = {stored} where sku = '17612'"
        spoil(legacy.parent, change, database="legacy.sqlite")
        with compiled_models.run(legacy, None, None) as candidate:
            return tuple(  # type: ignore[return-value]
                candidate.execute(
                    "select average_hundredths, stored_average_unit from report_skus where sku_code = '17612'"
                ).fetchone()
            )

    average, _ = readings("null")
    assert average > 10_000
    assert {stored: readings(str(stored))[1] for stored in (average + 100, average - 100)} == {
        average + 100: "hundredths",
        average - 100: "hundredths",
    }
    assert readings(str(average // 100)) == readings(str(average // 100 + 1)) == (average, "units")
    for stored in ("null", str(average + 101), str(average // 100 + 2), "0", "-1"):
        assert readings(stored) == (average, None)


@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_adds_up(shape: Shape, compiled_models: CompiledModels, tmp_path: Path) -> None:
    made = generate(tmp_path / "made", rows=800, seed=30 + len(shape), shape=shape, nasty=0.3)
    work = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "work")
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found, "critical") == {}
    if shape is Shape.bare:  # nothing is stored, so nothing differs; some rows are from the future
        assert failed(found).keys() <= {"report_day_is_past"}


def test_weeks_from_before_the_records_are_compared_with_nothing(demo_build: Path, tmp_path: Path) -> None:
    """44 weeks of the demo's history are older than its first row that was saved in time."""
    work = copy_of(demo_build, tmp_path / "work")
    found = run_suite(work, "legacy_health")["history_matches_items"]
    assert {row[0] for row in found.rows} <= {"2025-09-08", "2025-09-15", "2025-09-22", "2025-09-29"}
    spoil(
        work,
        "update shipped_items set created_at = '2025-08-14 20:00:00' where ship_date = '2025-08-14'",
        database="legacy.sqlite",
    )
    later = run_suite(work, "legacy_health")["history_matches_items"]
    assert later.count == (found.count or 0) + 15  # three weeks of five SKUs more
