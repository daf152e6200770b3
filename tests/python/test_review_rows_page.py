"""The changed rows: filtered, sorted, saved, a hundred thousand of them."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from browser import Browse
from lotgate.review import write_review
from lotgate.review.texts import number
from lotgate.workdir import WorkDir
from review_page_cases import (
    BIG,
    HEADINGS,
    SEARCH,
    _cells,
    listed,
    search,
    shown_row,
    status,
    wait_for,
)
from test_review_data import (
    OPEN,
    records,
    work_copy,
)


def test_the_rows_show_what_the_candidate_holds(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / "rows.html")
    found = records(review.review / "rows.html")
    assert status(page) == "55 rows, 229 units"
    assert listed(page) == [record["legacy_id"] for record in found]
    assert _cells(page) == [shown_row(record) for record in found]
    assert page.texts(".below") == [f"Evidence: {record['evidence']}" for record in found]
    marked = page.raw.locator("tr:has(th:text-is('4427')) .m").all_inner_texts()
    assert marked == ["2025-10-06", "250300", "17612 - 250300"]


def test_rows_are_filtered_by_words_in_any_column(review: WorkDir, browse: Browse) -> None:
    found = records(review.review / "rows.html")
    page = browse(review.review / "rows.html")
    for text, terms in (
        ("cancelled", ["cancelled"]),
        ("INBOX 17914", ["inbox", "17914"]),
        ('"17612 - 250300"', ["17612 - 250300"]),
        ('"lot conflict" 250070', ["lot conflict", "250070"]),
        ("4638", ["4638"]),
    ):
        search(page, text)
        wanted = [
            record["legacy_id"]
            for record in found
            if all(
                any(term in str(value).lower() for value in record.values() if value is not None)
                for term in terms
            )
        ]
        assert 0 < len(wanted) < 55
        assert listed(page) == wanted
        assert status(page).startswith(f"{len(wanted)} of 55 rows, ")
    search(page, "no such thing")
    assert page.texts("tbody td") == ["No row fits. Clear the filter to see all."]
    assert status(page) == "0 of 55 rows, 0 units"
    page.assert_quiet()


def test_rows_are_filtered_and_sorted_by_keyboard_alone(review: WorkDir, browse: Browse) -> None:
    found = records(review.review / "rows.html")
    page = browse(review.review / "rows.html")

    def tab_to(beginning: str) -> None:
        for _ in range(60):
            page.press("Tab")
            if page.focused().startswith(beginning):
                return
        raise AssertionError(f"Tab does not reach {beginning}")

    tab_to("input#filter-text")
    page.type("shipped")
    wait_for(page, " of 55 rows")
    wanted = [record for record in found if any("shipped" in str(value) for value in record.values())]
    assert listed(page) == [record["legacy_id"] for record in wanted]
    tab_to("select#filter-disposition")
    page.press("m")  # merge
    merged = [record for record in wanted if record["disposition"] == "merge"]
    assert listed(page) == [record["legacy_id"] for record in merged]
    assert status(page) == f"{len(merged)} of 55 rows, {sum(record['units'] for record in merged)} units"
    tab_to("button Units")
    head = "th[data-key=units]"
    page.press("Enter")
    assert page.raw.get_attribute(head, "aria-sort") == "ascending"
    rising = sorted(merged, key=lambda record: record["units"])
    assert listed(page) == [record["legacy_id"] for record in rising]
    page.press("Space")
    assert page.raw.get_attribute(head, "aria-sort") == "descending"
    falling = sorted(merged, key=lambda record: -record["units"])
    assert listed(page) == [record["legacy_id"] for record in falling]
    assert page.focused().startswith("button Units")
    page.press("Enter")
    assert page.raw.get_attribute(head, "aria-sort") == "none"
    assert listed(page) == [record["legacy_id"] for record in merged]
    tab = browse(review.review / "rows.html", fragment=urlsplit(page.raw.url).fragment)
    assert listed(tab) == listed(page)
    page.assert_quiet()


def test_empty_values_come_last_in_both_directions(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / "rows.html", fragment="sort=new_ship_date")
    place = 4  # the ship date after, behind the row's id
    rising = [cells[place] for cells in _cells(page)]
    kept = [day for day in rising if day]
    assert rising == sorted(kept) + [""] * (len(rising) - len(kept))
    assert len(kept) < len(rising)
    falling = browse(review.review / "rows.html", fragment="sort=-new_ship_date")
    assert [cells[place] for cells in _cells(falling)] == sorted(kept, reverse=True) + [""] * (
        len(rising) - len(kept)
    )


def test_the_address_says_what_is_selected(review: WorkDir, browse: Browse) -> None:
    fragment = "q=inbox+says&disposition=redate&reason=shipstation_other_day&sort=-units"
    page = browse(review.review / "rows.html", fragment=fragment)
    assert status(page) == "9 of 55 rows, 33 units"
    assert page.raw.input_value(SEARCH) == "inbox says"
    assert page.raw.input_value("#filter-disposition") == "redate"
    assert page.raw.get_attribute("th[data-key=units]", "aria-sort") == "descending"
    page.evaluate("location.hash = 'disposition=recovered'")  # as a link on another page does
    wait_for(page, "15 of 55 rows")
    assert page.raw.input_value(SEARCH) == ""
    page.raw.locator(".skip").press("Enter")  # a place, not a state
    assert status(page) == "15 of 55 rows, 75 units"
    page.click("button[name=clear]")
    assert status(page) == "55 rows, 229 units"
    assert "#" not in page.raw.url
    old = browse(review.review / "rows.html", fragment="disposition=of+old&sort=nothing&page=99")
    assert status(old) == "0 of 55 rows, 0 units"
    assert old.raw.input_value("#filter-disposition") == "of old"
    old.assert_quiet()


def test_the_filtered_rows_are_saved_without_formulas(
    hostile: WorkDir, browse: Browse, tmp_path: Path
) -> None:
    found = {record["legacy_id"]: record for record in records(hostile.review / "rows.html")}
    page = browse(hostile.review / "rows.html", fragment="q=hyperlink&sort=-legacy_id")
    with page.raw.expect_download() as download:
        page.click("button[name=save]")
    assert download.value.suggested_filename == "changed-rows.csv"
    download.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = sorted(
        (row for row in found.values() if "HYPERLINK" in str(row)), key=lambda row: -row["legacy_id"]
    )
    assert [int(row["legacy_id"]) for row in rows] == [record["legacy_id"] for record in wanted]
    for row, record in zip(rows, wanted, strict=True):
        for key, value in record.items():
            written = "" if value is None else str(value)
            assert row[key] == (f"'{written}" if written.startswith("=") else written)
    assert all(row["base_sku"].startswith("'=HYPERLINK") for row in rows)
    assert len(rows) > 5
    page.assert_quiet()


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    "\tone",
    "\rone",
    "\none",
]


def test_everything_that_a_spreadsheet_takes_for_a_formula_is_guarded(
    demo_build: Path, tmp_path: Path, browse: Browse
) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    with closing(sqlite3.connect(work.candidate, isolation_level=None)) as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "select legacy_id from audit_row_ledger where disposition <> 'keep' order by 1"
            )
        ]
        texts = [*FORMULAS, 'say "17612", please']
        for legacy_id, text in zip(ids, texts, strict=False):
            connection.execute(
                "update audit_row_ledger set sku_lot = ?, units = -3 where legacy_id = ?", (text, legacy_id)
            )
    write_review(work, OPEN, has_dbt_docs=True)
    page = browse(work.review / "rows.html", fragment="q=-3")
    with page.raw.expect_download() as download:
        page.click("button[name=save]")
    download.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {int(row["legacy_id"]): row for row in csv.DictReader(file)}
    saved = [rows[legacy_id]["sku_lot"] for legacy_id, _ in zip(ids, texts, strict=False)]
    assert saved == [*(f"'{text}" for text in FORMULAS), texts[-1]]
    assert rows[ids[0]]["units"] == "-3"  # a number is one


def test_without_javascript_the_rows_are_there(review: WorkDir, big: WorkDir, browse: Browse) -> None:
    page = browse(review.review / "rows.html", javascript=False)
    assert "JavaScript is off: all 55 rows are here" in page.text("main")
    assert page.count(".controls", visible=True) == 0
    assert page.count("thead button") == 0
    with_script = browse(review.review / "rows.html")
    look = "document.querySelector('tbody').innerHTML.replaceAll(/\\s*\\n\\s*/g, '')"
    assert page.evaluate(look) == with_script.evaluate(look)  # the same, whoever wrote them
    first = browse(big.review / "rows.html", javascript=False)
    assert f"only the first 100 of {number(BIG + 55)} rows are here" in first.text("main")
    assert first.count(HEADINGS) == 100
    index = browse(review.review / "index.html", javascript=False)
    assert index.count("#checks tr[data-result]", visible=True) == 2
    page.assert_quiet()


def test_what_the_script_writes_is_what_the_page_had(hostile: WorkDir, browse: Browse) -> None:
    look = "document.querySelector('tbody').innerHTML.replaceAll(/\\s*\\n\\s*/g, '')"
    for name in ("rows.html", "quarantine.html", "lots.html"):
        static = browse(hostile.review / name, javascript=False)
        assert static.evaluate(look) == browse(hostile.review / name).evaluate(look)


def test_a_hundred_thousand_rows_are_shown_a_page_at_a_time(big: WorkDir, browse: Browse) -> None:
    total = BIG + 55
    page = browse(big.review / "rows.html")
    assert status(page).startswith(f"Rows 1 to 100 of {number(total)} rows, ")
    assert page.text(".page-number") == f"Page 1 of {number(-(-total // 100))}"
    found = records(big.review / "rows.html")
    assert listed(page) == [record["legacy_id"] for record in found[:100]]
    page.raw.locator("button[name=next]").focus()
    page.press("Enter", "Enter")
    assert listed(page) == [record["legacy_id"] for record in found[200:300]]
    assert page.focused().startswith("button Next")
    page.raw.locator("button[name=last]").press("Enter")
    assert listed(page) == [record["legacy_id"] for record in found[-(total % 100) :]]
    assert page.raw.get_attribute("button[name=next]", "aria-disabled") == "true"
    page.press("Enter")  # stays there
    search(page, "700123")
    assert listed(page) == [1000246, 1000247]
    search(page, "17612 200044 historical_resync")
    wanted = [
        record
        for record in found
        if record["reason"] == "historical_resync" and record["sku_lot"] == "17612 - 200044"
    ]
    assert status(page).startswith(f"Rows 1 to 100 of {number(len(wanted))} of {number(total)} rows, ")
    assert page.count(HEADINGS) == 100
    assert page.count("tbody tr") == 200  # and a line of evidence for each
    units = sum(record["units"] for record in wanted)
    assert status(page).endswith(f", {number(units)} units")
    page.click("th[data-key=ship_date] button")
    in_order = sorted(wanted, key=lambda record: record["ship_date"])
    assert listed(page) == [record["legacy_id"] for record in in_order[:100]]
    page.assert_quiet()
