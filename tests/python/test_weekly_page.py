"""The weekly page: what a warehouse prints on Monday, in a browser without a network and on paper."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiled_models import CompiledModels
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.review import write_review
from lotgate.review.texts import hundredths, number
from lotgate.workdir import WorkDir
from review_page_cases import PAYLOADS
from suite_candidates import build
from test_review_data import OPEN, work_copy

pytest_plugins = ["browser"]

if TYPE_CHECKING:
    from browser import Browse, Page

NAME = "weekly.html"
BLUE, GREY = "var(--after)", "var(--before)"


def table(page: Page, part: str) -> list[list[str]]:
    """The rows of a section's table as a reader sees them, head aside; lines of a cell are joined by /."""
    script = """rows => rows.map(row => [...row.cells].map(
        cell => cell.innerText.trim().replace(/\\s*\\n\\s*/g, " / ")
    ))"""
    found = page.raw.locator(f"section[aria-labelledby={part}] > .scroll tr:not(thead tr)").evaluate_all(
        script
    )
    return [list(row) for row in found]


def empty_review(models: CompiledModels, folder: Path, *statements: str) -> WorkDir:
    """The review of a small database of its own."""
    with closing(create_legacy_database(folder / "ora.db", Shape.autumn)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    work = WorkDir(build(models, folder / "ora.db", None, None, folder / "work"))
    write_review(work, OPEN, has_dbt_docs=False)
    return work


def inventory(*skus: str, updated: str = "null") -> str:
    lines = ", ".join(f"('{sku}', 'Product {sku}', 5, {updated})" for sku in skus)
    columns = "sku, product_name, current_quantity, last_updated"
    return f"insert into inventory_current ({columns}) values {lines}"


def shipment(day: str, sku: str, order: str = "600005") -> tuple[str, str]:
    return (
        f"insert into shipped_orders (ship_date, order_number) values ('{day}', '{order}')",
        "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
        f" values ('{day}', '{sku} - 250237', '{sku}', 2, '{order}', '{day} 20:00:00')",
    )


@pytest.fixture(scope="module")
def review(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    work = work_copy(demo_build, tmp_path_factory.mktemp("weekly") / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    return work


def test_the_table_has_the_figures_of_the_report(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / NAME)
    assert page.text("h1") == "Week of 2025-09-29 to 2025-10-05"
    assert "As of 2025-10-10" in page.text(".intro")
    with closing(sqlite3.connect(review.candidate)) as connection:
        lines = connection.execute(
            "select sku_code, product_name, last_week_units, average_hundredths, on_hand_units, days_left,"
            " pallets, report_skus.reorder_point from report_skus join skus using (sku_code) order by 1"
        ).fetchall()
    shown = table(page, "skus")
    assert len(shown) == 5
    for row, (sku, name, last, average, on_hand, days, pallets, reorder) in zip(shown, lines, strict=True):
        assert row[:2] == [sku, name]
        assert [cell.split(" / ")[0] for cell in row[2:8]] == [
            *(number(last), hundredths(average)),
            *map(number, (on_hand, days, pallets, reorder)),
        ]
        assert row[8] == "normal"
    # the owner's figures, with what is stored below; what agrees is not repeated
    assert shown[0][2:5] == ["142 / stored: 144", "116.58 / of 48 weeks", "610 / stored: 638"]
    assert shown[3][2] == "20"
    assert shown[4][3] == "34.81 / of 48 weeks / stored: 3,925"
    page.assert_quiet()


def test_charts_have_a_bar_for_each_known_week(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / NAME)
    charts = page.raw.locator(".small-chart")
    assert charts.count() == 5
    for place in range(5):
        heights = {
            colour: charts.nth(place)
            .locator(f'figure path[fill="{colour}"]')
            .evaluate_all("all => all.map(bar => bar.getBBox().height)")
            for colour in (BLUE, GREY)
        }
        assert {colour: len(found) for colour, found in heights.items()} == {BLUE: 4, GREY: 44}
    first = charts.first
    bars = first.locator(f'figure path[fill="{BLUE}"]').evaluate_all(
        "all => all.map(b => b.getBBox().height)"
    )
    with closing(sqlite3.connect(review.candidate)) as connection:
        units = [
            row[0]
            for row in connection.execute(
                "select units from report_weekly_shipped where sku_code = '17612'"
                " and units_from = 'shipped_items' order by week_start"
            )
        ]
    assert bars == pytest.approx([bars[-1] * one / units[-1] for one in units], abs=0.01)
    # the same weeks as a table, the newest first
    first.locator("summary").click()
    rows = first.locator("tbody tr").all_inner_texts()
    assert len(rows) == 48
    assert rows[0].split("\t") == ["2025-09-29", "142", "144", "shipped_items"]
    assert rows[-1].split("\t") == ["2024-11-04", "112", "112", "weekly_shipped_history"]
    label = first.locator("svg").get_attribute("aria-label") or ""
    assert re.match(r"17612: 8\d to 15\d units a week, 2024-11-04 to 2025-09-29\.", label)


def test_lots_and_charges_add_up_on_the_page(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / NAME)
    lots = {row[1]: row for row in table(page, "lots")}
    assert lots["250240"] == ["17904", "250240", "2025-09-19", "468", "116", "352", "2025-10-10", "covered"]
    assert lots["250300"][3:6] == ["not known", "297", "not known"]
    assert lots["250300"][7] == "nothing says what came in"
    assert "250237" not in lots  # it is inactive
    *days, total = table(page, "charges")
    assert [row[0] for row in days] == [f"2025-{day}" for day in ("09-29", "09-30")] + [
        f"2025-10-0{day}" for day in range(1, 6)
    ]
    assert days[-1] == ["2025-10-05", "0", "0", "95", "0.00", "0.00", "42.75", "42.75"]
    assert total == ["Total", "50", "272", "665", "212.50", "204.00", "299.25", "715.75"]
    for place in range(4, 8):
        assert sum(float(row[place]) for row in days) == pytest.approx(float(total[place]))


def test_it_prints_on_two_pages_of_a4(review: WorkDir, browse: Browse, tmp_path: Path) -> None:
    page = browse(review.review / NAME)
    content = page.pdf(tmp_path / "weekly.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) <= 2
    page.show(printed=True)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.count("nav", visible=True) == 0
    assert page.count(".small-chart details", visible=True) == 0  # 52 lines for each SKU are for the screen
    assert page.count(".small-chart svg", visible=True) == 5
    assert page.count("section", visible=True) == 4


@pytest.mark.parametrize("dark", [False, True])
def test_every_state_of_it_is_accessible(
    dark: bool, demo_build: Path, browse: Browse, tmp_path: Path
) -> None:
    """Low, critical and unknown levels, movements that are not counted, a lot that is overdrawn."""
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "update report_skus set alert_level = 'low', uncounted_movements = 2 where sku_code = '17612'",
        "update report_skus set alert_level = 'critical', on_hand_units = -3, days_left = 0, pallets = 0"
        " where sku_code = '17904'",
        "update report_skus set alert_level = null, on_hand_units = null, days_left = null, pallets = null"
        " where sku_code = '17914'",
        "update report_skus set average_hundredths = 0, days_left = null where sku_code = '18675'",
        "update report_lot_balances set balance = 'overdrawn', left_units = -4 where lot_number = '250240'",
        "update report_weekly_shipped set units = null, units_from = 'unknown', stored_units = null"
        " where week_start < '2025-01-06'",
        "update report_charge_days set pallets = null, pallet_cents = null, total_cents = null,"
        " skus_without_pallets = 5 where charge_date = '2025-10-01'",
    )
    write_review(work, OPEN, has_dbt_docs=True)
    page = browse(work.review / NAME, dark=dark)
    shown = table(page, "skus")
    assert shown[0][4] == "610 / stored: 638 / 2 movements not counted"
    assert [row[8] for row in shown] == ["low", "critical", "not known", "normal", "normal"]
    assert shown[1][4:7] == ["−3 / stored: 437", "0", "0"]
    assert shown[2][4:7] == ["not known / stored: 1,462", "not known", "not known"]
    assert shown[3][5] == "no shipments"
    assert table(page, "lots")[2][5:] == ["−4", "2025-10-10", "more shipped than came in"]
    assert table(page, "charges")[-1][3:] == ["not known", "212.50", "204.00", "not known", "not known"]
    assert "The pallets of 5 SKUs are not known" in page.text("section[aria-labelledby=charges]")
    assert page.raw.locator(f'.small-chart:first-child path[fill="{GREY}"]').count() == 35
    assert page.axe() == []
    page.assert_quiet()


def test_hostile_names_stay_text(demo_build: Path, browse: Browse, tmp_path: Path) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    with closing(sqlite3.connect(work.candidate, isolation_level=None)) as connection:
        connection.execute("pragma ignore_check_constraints = on")
        connection.execute("pragma foreign_keys = off")
        for place, payload in enumerate(PAYLOADS[:5], start=1):
            old = connection.execute("select sku_code from skus where sku_id = ?", (place,)).fetchone()[0]
            for statement in (
                "update skus set product_name = ?1, sku_code = ?1 where sku_code = ?2",
                "update report_skus set sku_code = ?1, alert_level = ?1 where sku_code = ?2",
                "update report_weekly_shipped set sku_code = ?1, units_from = ?1"
                " where sku_code = ?2 and week_start > '2025-06-01'",
                "update report_lot_balances set sku_code = ?1, lot_number = ?1, balance = ?1,"
                " received_date = ?1, last_ship_date = ?1 where sku_code = ?2",
            ):
                connection.execute(statement, (payload, old))
    write_review(work, OPEN, has_dbt_docs=True)
    page = browse(work.review / NAME)
    for payload in PAYLOADS[:5]:
        assert payload in page.text("section[aria-labelledby=skus]")
        assert payload in page.text("section[aria-labelledby=lots]")
    assert page.count(".small-chart") == 5
    assert page.axe() == []
    page.assert_quiet()


def test_a_day_that_is_none_is_said_and_not_drawn(demo_build: Path, tmp_path: Path) -> None:
    """Days are compared and drawn; a spoiled candidate's page must not be."""
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "update report_weekly_shipped set week_start = 'x' || week_start where sku_code = '17612'",
        "update report_period set last_week_start = '<b>'",
    )
    write_review(work, OPEN, has_dbt_docs=True)
    text = (work.review / NAME).read_text(encoding="utf-8")
    assert "The days of the report cannot be read from the candidate" in text
    assert "<b>" not in text.partition("<main")[2]


def test_an_empty_database_says_so(compiled_models: CompiledModels, browse: Browse, tmp_path: Path) -> None:
    work = empty_review(compiled_models, tmp_path)
    page = browse(work.review / NAME)
    assert page.text("h1") == "Weekly report"
    assert "The database knows no day" in page.text(".intro")
    assert page.count("section") == 0
    assert page.axe() == []
    page.assert_quiet()


def test_without_a_complete_week_stock_is_shown(
    compiled_models: CompiledModels, browse: Browse, tmp_path: Path
) -> None:
    """A database of three days: no week, no average, and what is there."""
    work = empty_review(
        compiled_models, tmp_path, inventory("17612", "17904"), *shipment("2025-10-08", "17612")
    )
    page = browse(work.review / NAME)
    assert page.text("h1") == "Weekly report"
    assert "There is no complete week yet" in page.text(".intro")
    assert [row[:6] for row in table(page, "skus")] == [
        ["17612", "Product 17612", "not known", "not known", "not known / stored: 5", "not known"],
        ["17904", "Product 17904", "not known", "not known", "not known / stored: 5", "not known"],
    ]
    assert page.count(".small-chart") == 0
    assert "There is no complete week to charge." in page.text("section[aria-labelledby=charges]")
    assert page.axe() == []
    page.assert_quiet()


def test_hundreds_of_skus_fit(compiled_models: CompiledModels, browse: Browse, tmp_path: Path) -> None:
    """All are in the table, and those that ship most are drawn; one that never ships has zeros."""
    skus = [str(sku) for sku in range(20_000, 20_250)]
    shipments = [
        statement
        for place, sku in enumerate(skus[-3:])
        for statement in shipment("2025-09-24", sku, f"6000{place}5")
    ]
    work = empty_review(
        compiled_models,
        tmp_path,
        inventory(*skus, updated="'2025-10-14 20:00:00'"),
        *shipments,
        *shipment("2025-09-15", skus[-1], "600995"),
    )
    page = browse(work.review / NAME)
    shown = table(page, "skus")
    assert len(shown) == 250
    assert shown[0][2:4] == ["0", "0.00 / of 4 weeks"]
    assert shown[-1][2:4] == ["0", "1.00 / of 4 weeks"]
    assert page.count(".small-chart") == 24
    assert "226 more are in report_weekly_shipped" in page.text("section[aria-labelledby=weeks]")
    assert {"20247", "20248", "20249"} <= set(page.texts(".small-chart h3 .c"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    page.assert_quiet()


def test_what_is_dated_later_stands_beside_the_stock_and_weeks_are_the_candidates(
    demo_build: Path, browse: Browse, tmp_path: Path
) -> None:
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "update report_skus set later_movements = 1, later_shipped_units = 7 where sku_code = '17612'",
        "update report_period set average_weeks = 4",
    )
    write_review(work, OPEN, has_dbt_docs=True)
    page = browse(work.review / NAME)
    assert table(page, "skus")[0][4].endswith("1 later movement / 7 shipped later")
    assert "dated after the day of the report" in page.text("section[aria-labelledby=skus]")
    assert "the last 4 complete weeks" in page.text(".intro")
    assert page.raw.locator(".small-chart").first.locator("tbody tr").count() == 4
