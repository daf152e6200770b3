"""The review's first page: figures, bars, reasons, and a closed gate in words."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from browser import Browse, Page
from lotgate.figures import Figures, read_figures
from lotgate.review import write_review
from lotgate.review.texts import number
from lotgate.verdict import Check
from lotgate.workdir import WorkDir
from review_page_cases import (
    _cells,
    plain,
    status,
    table,
    wait_for,
)
from test_review_data import (
    BROKEN,
    ERRORED,
    GOOD,
    LEFT_OUT,
    NOTICED,
    verdict_of,
    work_copy,
)


def test_the_figures_are_those_of_the_candidate(review: WorkDir, browse: Browse) -> None:
    figures = read_figures(review.candidate)
    assert [day.ship_date for day in figures.days] == ["2024-04-16", "2025-10-06"]
    page = browse(review.review / "index.html")
    assert page.text("h1") == "The gate is open"
    assert table(page, ".statement") == [
        [
            day.ship_date,
            *map(number, (day.before, day.merged, day.removed, day.quarantined, day.redated_away)),
            *map(number, (day.redated_here, day.recovered, day.after)),
            plain(day.shipstation),
            plain(day.expected),
            "✓ as expected" if day.expected is not None else "",
        ]
        for day in figures.days
    ]
    assert table(page, "section[aria-labelledby=rows]") == [
        [
            row.disposition,
            row.reason
            + (" (2 of them changed)" if (row.disposition, row.reason) == ("keep", "clean") else ""),
            meaning,
            number(row.rows),
            number(row.units),
        ]
        for row, meaning in zip(figures.rows, _meanings(page, figures), strict=True)
    ]
    tiles = dict(zip(page.texts(".tiles dt"), page.texts(".tiles dd"), strict=True))
    assert tiles == {
        "checks, 1 passed": "2",
        "legacy rows": number(figures.legacy_rows),
        "rows of the candidate": number(figures.candidate_rows),
        "changed or reported": "55",
        "undecided in quarantine": "0",
        "units not explained": "0",
    }
    with closing(sqlite3.connect(review.candidate)) as connection:
        stock = connection.execute(
            "select sku_code, as_of_date, legacy_on_hand, candidate_on_hand, expected_on_hand"
            " from audit_stock order by sku_code, as_of_date"
        ).fetchall()
        daily = connection.execute(
            "select ship_date, legacy_units, candidate_units, shipstation_units from audit_daily_units"
            " order by ship_date"
        ).fetchall()
    assert table(page, "section[aria-labelledby=stock]") == [
        [
            sku,
            day or "now",
            number(before),
            number(after),
            plain(expected),
            "✓ as expected" if expected else "",
        ]
        for sku, day, before, after, expected in stock
    ]
    page.click("section[aria-labelledby=units] summary")
    assert table(page, ".units-of-days") == [
        [
            day,
            number(before),
            number(after),
            f"{after - before:+,}".replace("-", "−").replace("+0", "0"),
            plain(units),
        ]
        for day, before, after, units in daily
    ]
    # a bar for each day before, for each day after, and a line for each covered one
    assert page.evaluate("document.querySelectorAll('.chart [fill=\"var(--before)\"]').length") == len(daily)
    assert page.evaluate("document.querySelectorAll('.chart [fill=\"var(--after)\"]').length") == len(daily)
    covered = sum(units is not None for *_, units in daily)
    assert (
        page.evaluate("document.querySelectorAll('.chart [fill=\"var(--shipstation)\"]').length") == covered
    )


def _meanings(page: Page, figures: Figures) -> list[str]:
    """What the page says each reason means; something, for each."""
    found = page.texts("section[aria-labelledby=rows] tbody td:nth-child(3)")
    assert len(found) == len(figures.rows)
    assert all(found)
    return found


def test_bars_are_as_high_as_their_figures(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / "index.html")

    def heights(name: str) -> list[float]:
        script = "all => all.map(bar => bar.getBBox().height)"
        return list(page.raw.locator(f'.chart [fill="var(--{name})"]').evaluate_all(script))

    with closing(sqlite3.connect(review.candidate)) as connection:
        daily = connection.execute(
            "select legacy_units, candidate_units from audit_daily_units order by ship_date"
        ).fetchall()
    scale = max(heights("after")) / 331
    assert heights("before") == pytest.approx([before * scale for before, _ in daily], abs=0.01)
    assert heights("after") == pytest.approx([after * scale for _, after in daily], abs=0.01)


def test_each_reason_links_to_its_rows(review: WorkDir, browse: Browse) -> None:
    figures = read_figures(review.candidate)
    index = browse(review.review / "index.html")
    links = index.raw.locator("section[aria-labelledby=rows] tbody a").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )
    wanted = {(row.disposition, row.reason): row for row in figures.rows}
    assert len(links) == len(wanted)
    page = browse(review.review / "rows.html")
    for link in links:
        fragment = urlsplit(link).fragment
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        chosen = {key: values[0] for key, values in parse_qs(fragment).items()}
        row = wanted[chosen["disposition"], chosen["reason"]]
        is_clean = (row.disposition, row.reason) == ("keep", "clean")
        wait_for(page, "2 of 55 rows" if is_clean else f"{row.rows} of 55 rows, {row.units} units")
        assert {(cells[9], cells[10]) for cells in _cells(page)} == {(row.disposition, row.reason)}
    page.assert_quiet()
    index.raw.get_by_role("link", name="lotless_twin").click()
    index.raw.wait_for_load_state()
    assert status(index) == "10 of 55 rows, 29 units"


def test_a_closed_gate_says_why_in_words_and_signs(closed: WorkDir, browse: Browse) -> None:
    page = browse(closed.review / "index.html")
    assert page.text("h1") == "The gate is closed"
    assert page.text("header .gate") == "Gate closed"
    assert page.count("h1 svg path") == page.count("header .gate svg path") == 1
    assert "This candidate must not be promoted. 3 checks close the gate:" in page.text(".verdict")
    assert page.texts(".verdict ol li") == [
        f"{BROKEN.description} Failed: {BROKEN.detail} {BROKEN.id}",
        f"{ERRORED.description} Could not be carried out: {ERRORED.detail} {ERRORED.id}",
        f"{LEFT_OUT.description} Did not run {LEFT_OUT.id}",
    ]
    assert page.texts(".findings li") == [f"Warning: {NOTICED.description} {NOTICED.detail} {NOTICED.id}"]
    assert page.count("a[href='dbt_docs/index.html']") == 0
    assert page.text(".tiles dd.bad") == "2"  # undecided
    page.click(".verdict a[href*=closing]")
    assert page.text("#checks [role=status]") == "3 of 5 checks"
    assert page.count("#checks tr[data-result]", visible=True) == 3
    found = browse(closed.review / "quarantine.html")
    assert "2 rows wait for a person, and the gate stays closed until then." in found.text(".intro")


def test_an_open_gate_that_cannot_be_swapped_says_so(
    demo_build: Path, tmp_path: Path, browse: Browse
) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    verdict = verdict_of(GOOD, counter=None)
    write_review(work, verdict, has_dbt_docs=True)
    page = browse(work.review / "index.html")
    assert page.text("h1") == "The gate is open"
    assert page.text(".hint") == (
        f"It cannot be swapped into the live database. {verdict.cannot_be_swapped_because}"
    )


def test_no_checks_at_all(demo_build: Path, tmp_path: Path, browse: Browse) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    write_review(work, verdict_of(), has_dbt_docs=True)
    page = browse(work.review / "index.html")
    assert page.text("h1") == "The gate is closed"
    assert "No check ran, so nothing is proved." in page.text(".verdict")
    page.assert_quiet()


def test_hundreds_of_reasons_stay_readable(demo_build: Path, tmp_path: Path, browse: Browse) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    many = [
        Check(
            f"lots.check_{place}", "lots", f"Statement {place} holds.", "critical", "failed", f"{place} rows"
        )
        for place in range(300)
    ]
    write_review(work, verdict_of(GOOD, *many), has_dbt_docs=True)
    page = browse(work.review / "index.html")
    assert "300 checks close the gate:" in page.text(".verdict")
    assert page.count(".verdict ol li", visible=True) == 12
    assert page.text(".verdict summary") == "288 more"
    page.click(".verdict summary")
    assert page.count(".verdict ol li", visible=True) == 300
    assert page.text(".verdict ol li >> nth=299").startswith("Statement 299 holds. Failed: 299 rows")
    page.assert_quiet()


def test_the_checks_are_filtered_by_text_result_and_suite(closed: WorkDir, browse: Browse) -> None:
    page = browse(closed.review / "index.html")
    assert page.text("#checks [role=status]") == "5 checks"
    assert page.texts("#checks .suite") == [
        "Register of checks: 1 not run",
        "SKUs: 1 passed",
        "Lots: 1 warning",
        "Shipped items: 1 failed",
        "Reconciliation with the snapshot: 1 errored",
    ]
    page.raw.locator("#checks-text").focus()
    page.type("COUNTED")
    wait_for(page, "1 of 5 checks")
    rows = [row for row in table(page, ".checks") if len(row) == 4]
    assert rows == [["errored", "critical", f"{ERRORED.description} {ERRORED.id}", ERRORED.detail]]
    assert page.texts("#checks tbody:not([hidden]) .suite") == ["Reconciliation with the snapshot: 1 errored"]
    assert page.evaluate("location.hash") == "#q=COUNTED"
    page.press("Tab")
    assert page.focused().startswith("select#checks-result")
    page.click("#checks button[name=clear]")
    assert page.text("#checks [role=status]") == "5 checks"
    for result, wanted in {
        "warning": 1,
        "errored": 1,
        "not_run": 1,
        "failed": 1,
        "closing": 3,
        "passed": 1,
    }.items():
        page.raw.select_option("#checks-result", result)
        assert page.text("#checks [role=status]") == f"{wanted} of 5 checks"
    again = browse(closed.review / "index.html", fragment="result=failed&suite=shipped_items")
    assert again.text("#checks [role=status]") == "1 of 5 checks"
    again.assert_quiet()
