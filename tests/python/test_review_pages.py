"""Every page of the review: accessible, quiet, linked, hostile text shown as text; paper; small pages."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from browser import Browse, Page
from lotgate.review.pages import PAGES
from lotgate.review.texts import number
from lotgate.workdir import WorkDir
from review_page_cases import (
    BIG,
    NAMES,
    PAYLOADS,
    listed,
    plain,
    status,
    table,
    wait_for,
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_accessible_and_sends_nothing(
    name: str, dark: bool, review: WorkDir, closed: WorkDir, browse: Browse
) -> None:
    for work in (review, closed) if name == "index.html" else (closed,) if dark else (review,):
        page = browse(work.review / name, dark=dark)
        assert page.axe() == []
        assert page.files == [(work.review / name).resolve()]  # self-contained
        page.assert_quiet()


@pytest.mark.parametrize("name", NAMES)
def test_every_page_says_where_it_is_and_links_to_what_is_there(
    name: str, review: WorkDir, browse: Browse
) -> None:
    page = browse(review.review / name)
    links = page.raw.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert {name for name, _ in PAGES} <= set(links)
    for link in links:
        parts = urlsplit(link)
        assert not parts.scheme
        assert not parts.netloc
        target = (review.review / parts.path) if parts.path else page.files[0]
        assert target.is_file(), link
        if parts.fragment and "=" not in parts.fragment:
            assert page.count(f"#{parts.fragment}") == 1
    assert page.text("nav a[aria-current=page]") == dict(PAGES)[name]
    assert page.count("h1") == page.count("main") == page.count("header") == page.count("footer") == 1
    levels = page.raw.locator("h1, h2, h3").evaluate_all("all => all.map(h => Number(h.tagName[1]))")
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.count("table") == page.count("table > caption")
    assert page.count("thead th:not([scope])") == page.count("tbody th:not([scope])") == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_keyboard_reaches_everything(name: str, review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / name)
    stops = page.tab_stops()
    assert stops[0].startswith("a Skip to the content")
    regions = page.count("[role=region][tabindex='0']", visible=True)
    assert regions == page.count(".scroll, .chart", visible=True) > 0
    controls = page.count("a, button, input, select, summary, [tabindex='0']", visible=True)
    assert len(stops) == controls
    page.evaluate("document.activeElement.blur()")
    page.press("Tab", "Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", NAMES)
def test_a_narrow_window_scrolls_tables_and_not_the_page(name: str, review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / name, size=(360, 740))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.assert_quiet()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_is_shown_as_text(name: str, hostile: WorkDir, browse: Browse) -> None:
    page = browse(hostile.review / name)
    text = page.text("body")
    for payload in PAYLOADS[:3]:
        assert payload in text
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, base, form').length") == 0
    )
    assert page.count("script") == {"index.html": 2, "weekly.html": 1}.get(name, 3)
    assert page.raw.locator("[style]").count() == 0
    assert page.axe() == []
    page.assert_quiet()


@pytest.mark.parametrize("name", ["index.html", "rows.html"])
def test_the_policy_stops_what_is_put_into_a_page(name: str, review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / name)
    failures: list[str | None] = []
    page.raw.on("requestfailed", lambda request: failures.append(request.failure))
    page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend",
                '<img src="http://example.invalid/x.png"><img src="y.png" onerror="window.pwned = 1">');
            const script = document.createElement("script");
            script.textContent = "window.pwned = 2";
            document.body.append(script);
        }"""
    )
    page.raw.wait_for_timeout(100)
    assert page.evaluate("window.pwned === undefined")
    assert failures == ["csp", "csp"]
    for what in ("inline event handler", "inline script"):
        assert any(f"Executing {what} violates the following Content Sec" in said for said in page.problems)


def test_paper_shows_all_of_the_verdict_and_no_controls(
    closed: WorkDir, browse: Browse, tmp_path: Path
) -> None:
    page = browse(closed.review / "index.html", dark=True)
    page.evaluate(
        """() => {
            window.seen = [];
            const look = () => seen.push([...document.querySelectorAll("details")].map((part) => part.open));
            addEventListener("beforeprint", look);
            addEventListener("afterprint", look);
        }"""
    )
    assert page.pdf(tmp_path / "page.pdf").stat().st_size > 10_000
    during, after = page.evaluate("seen")
    assert all(during)
    assert not any(after)
    page.show(printed=True)
    assert (
        page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 33, 39)"
    )  # light, in the dark too
    for part in ("input", "select", "button", "nav", ".skip", "summary"):
        assert page.count(part, visible=True) == 0, part
    assert page.count("#checks tr[data-result]", visible=True) == 5
    page.show(size=(703, 1000))  # A4 less its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 703


def test_paper_shows_the_filtered_rows_up_to_a_stated_number(
    big: WorkDir, review: WorkDir, browse: Browse, tmp_path: Path
) -> None:
    page = browse(big.review / "rows.html", fragment="reason=historical_resync&q=remove")
    page.evaluate(
        """() => {
            window.seen = [];
            addEventListener("beforeprint", () => seen.push(
                document.querySelectorAll("tbody th[scope=row]").length,
                document.querySelector(".print-note").textContent));
            addEventListener("afterprint", () => seen.push(
                document.querySelectorAll("tbody th[scope=row]").length));
        }"""
    )
    page.pdf(tmp_path / "rows.pdf")
    filtered = BIG // 4 + 2
    assert page.evaluate("seen") == [
        1000,
        f"The first 1,000 of {number(filtered)} rows, filtered by text “remove”, reason historical_resync.",
        100,
    ]
    small = browse(review.review / "rows.html")
    small.show(printed=True, size=(1047, 740))  # A4 landscape less its margins
    small.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert small.text(".print-note") == "55 rows."
    assert small.count("button:not(thead button), input, select, nav", visible=True) == 0
    assert small.evaluate("document.documentElement.scrollWidth") <= 1047


def test_quarantine_says_what_to_do(closed: WorkDir, browse: Browse) -> None:
    page = browse(closed.review / "quarantine.html", fragment="state=undecided")
    assert listed(page) == [4141, 4214]
    assert page.texts(".below") == [
        "Evidence: without the decision: unparseable_sku Proposal: hold it",
        "Evidence: without the decision: sku_conflict Proposal: hold it",
    ]
    text = page.text("main")
    for part in (
        f"lotgate review --work-dir {shlex.quote(str(closed.path))} --export decisions.csv",
        "quarantine_decisions.csv",
        "--controls",
        "lotgate build",
        "lotgate audit",
        *("legacy_id", "order_number", "base_sku", "sku_lot", "quantity_shipped"),
        *("decision", "ship_date", "reason", "decided_by", "decided_on"),
    ):
        assert part in text
    rows = table(page, "section[aria-labelledby=how]")
    assert [row[0] for row in rows] == ["keep", "redate", "merge", "remove", "hold"]
    assert all(row[1] for row in rows)


def test_headers_decisions_lots_and_lines_are_those_of_the_candidate(closed: WorkDir, browse: Browse) -> None:
    def read(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(closed.candidate)) as connection:
            return connection.execute(sql).fetchall()

    def cells(name: str, shown: Callable[[tuple[Any, ...]], list[str]], sql: str) -> Page:
        page = browse(closed.review / name)
        assert table(page, ".data") == [shown(row) for row in read(sql)]
        return page

    def all_of(row: tuple[Any, ...]) -> list[str]:
        return ["" if value is None else str(value) for value in row]

    cells(
        "headers.html",
        all_of,
        "select header_id, order_number, change, old_ship_date, new_ship_date, legacy_items, candidate_items,"
        " reason from audit_order_header_changes order by header_id",
    )
    cells(
        "shipstation.html",
        all_of,
        "select shipment_id, line_index, order_number, ship_date, sku_text, sku_code, lot_number, quantity,"
        " outcome, legacy_id from audit_shipstation_lines where outcome <> 'same_day'"
        " order by shipment_id, line_index",
    )
    page = cells(
        "decisions.html",
        all_of,
        "select decision_id, audit_decisions.legacy_id, decision, order_number, ship_date, base_sku, sku_lot,"
        " units, audit_decisions.new_ship_date, audit_decisions.merged_into_id,"
        " disposition || ', ' || reason, problem"
        " from audit_decisions join audit_row_ledger using (legacy_id) order by decision_id",
    )
    assert table(page, "section[aria-labelledby=incidents]") == [
        ["2024-05-02", "9", "30", "4", "2025-10-01 08:00:00", "2025-10-04 08:00:00", "2024-05-02,,2025-10-01"]
    ]
    lots = browse(closed.review / "lots.html")
    rows = table(lots, ".data")
    assert [row[3] for row in rows] == [
        *["discovered; one of 2 active lots"] * 3,
        "left out: its SKU is not in inventory_current",
        *["one of 2 active lots"] * 3,
        *[""] * 3,
    ]
    shipped = read(
        "select sku_code, lot_number, sum(quantity_shipped) from shipped_items join skus using (sku_id)"
        " join lots using (lot_id) group by lot_id"
    )
    units = {(sku, lot): str(quantity) for sku, lot, quantity in shipped}
    assert {(row[0], row[1]): row[8] for row in rows} == {
        (row[0], row[1]): units.get((row[0], row[1]), "0") for row in rows
    }
    assert "3 lots are discovered" in lots.text(".intro")
    assert "3 SKUs have several active lots" in lots.text(".intro")
    assert "1 lot is left out" in lots.text(".intro")
    stock = read(
        "select sku_code, product_name, iif(as_of_date = '', 'now', as_of_date), baseline_units, moved_units,"
        " legacy_shipped_units, candidate_shipped_units, stored_on_hand, legacy_on_hand, candidate_on_hand,"
        " expected_on_hand from audit_stock join skus using (sku_code) order by sku_code, as_of_date"
    )
    assert table(lots, "section[aria-labelledby=stock]") == [
        [*row[:3], *(plain(value) for value in row[3:])] for row in stock
    ]


def test_a_link_on_the_page_of_shipstation_selects_an_outcome(review: WorkDir, browse: Browse) -> None:
    page = browse(review.review / "shipstation.html")
    page.raw.get_by_role("link", name="voided").click()
    wait_for(page, "4 of 32 rows")
    assert status(page) == "4 of 32 rows, 10 units"
    change_count = sum(int(row[2]) for row in table(page, "section[aria-labelledby=outcomes]"))
    assert change_count == 118
    page.assert_quiet()
