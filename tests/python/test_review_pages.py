"""The review as a person meets it: in a browser without a network, by keyboard, on paper, in the dark."""

from __future__ import annotations

import csv
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lotgate.figures import Figures, read_figures
from lotgate.review import write_review
from lotgate.review.pages import PAGES
from lotgate.review.texts import number, visible
from lotgate.verdict import Check
from lotgate.workdir import WorkDir
from test_review_data import (
    BROKEN,
    CLOSED,
    ERRORED,
    GOOD,
    LEFT_OUT,
    NOTICED,
    OPEN,
    Record,
    records,
    verdict_of,
    work_copy,
)

pytest_plugins = ["browser"]

if TYPE_CHECKING:
    from browser import Browse, Page

NAMES = [name for name, _ in PAGES]
HEADINGS = ".data tbody th[scope=row]"
SEARCH = "#filter-text"
PAYLOADS = (
    '<script>window.pwned="script"</script>',
    '"><img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=2</script>",
    "'-alert(1)-'",
    "javascript:window.pwned=3",
    "{{ 7 * 7 }}{% raw %}",
    "\u202edrow esrever\u200b",
    '=HYPERLINK("http://example.invalid")',
    "<!--<script>",
    "]]>&amp;&#60;b&#62;",
    # the ends of every range of characters that are written out, and their neighbours
    " \x01\t\n\x1f~\x7f\x80\xa0\xa1\xac\xad\xae\u061b\u061c\u061d\u1680\u180e\u1fff\u2000\u200f\u2010\u2027"
    "\u2028\u202f\u2030\u205e\u205f\u206f\u2070\u2fff\u3000\u3001\ufdff\ufe00\ufe0f\ufe10\ufefe\ufeff\uff00"
    "\ufff8\ufff9\ufffb\ufffc\U000dffff\U000e0000\U000e007f\U000e0080  ",
)
BIG = 100_000


@pytest.fixture(scope="module")
def review(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    """The review of the demo with an open verdict; tests only read it."""
    work = work_copy(demo_build, tmp_path_factory.mktemp("open") / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    return work


@pytest.fixture(scope="module")
def closed(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    """The same with a closed verdict, undecided rows, likely incidents and a decision that does not fit."""
    work = work_copy(
        demo_build,
        tmp_path_factory.mktemp("closed") / "work",
        "update audit_quarantine set is_undecided = 1, reason = 'unparseable_sku', proposal = 'hold it'"
        " where legacy_id in (4141, 4214)",
        "insert into audit_likely_incidents values"
        " ('2024-05-02', 9, 30, 4, '2025-10-01 08:00:00', '2025-10-04 08:00:00', '2024-05-02,,2025-10-01')",
        "update audit_decisions set problem = 'does not exist in shipped_items' where legacy_id = 4186",
        "update audit_lots set left_out_because = 'unknown_sku' where lot_number = '240276'",
    )
    write_review(work, CLOSED, has_dbt_docs=False)
    return work


@pytest.fixture(scope="module")
def hostile(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    """A candidate, and a verdict, in which every text tries to be more than a text."""
    work = work_copy(demo_build, tmp_path_factory.mktemp("hostile") / "work")
    with closing(sqlite3.connect(work.candidate, isolation_level=None)) as connection:
        connection.execute("pragma ignore_check_constraints = on")
        ids = [row[0] for row in connection.execute("select legacy_id from audit_row_ledger order by 1")]
        for place, legacy_id in enumerate(ids):
            payload = PAYLOADS[place % len(PAYLOADS)]
            connection.execute(
                "update audit_row_ledger set base_sku = ?1, sku_lot = ?1, order_number = ?1, evidence = ?1,"
                " ship_date = ?1, reason = iif(legacy_id % 2, reason, ?1) where legacy_id = ?2",
                (payload, legacy_id),
            )
        for table, column in (
            *(
                ("audit_quarantine", name)
                for name in ("base_sku", "sku_lot", "proposal", "reason", "evidence")
            ),
            ("audit_order_header_changes", "order_number"),
            ("audit_order_header_changes", "reason"),
            ("audit_lots", "left_out_because"),
            ("audit_stock", "as_of_date"),
            ("audit_shipstation_lines", "sku_text"),
            ("audit_shipstation_lines", "outcome"),
            ("audit_shipstation_days", "sku_code"),
            ("audit_shipstation_differences", "order_number"),
            ("audit_shipstation_differences", "likely_cause"),
            ("audit_decisions", "problem"),
            ("audit_daily_units", "ship_date"),
            ("skus", "product_name"),
        ):
            rows = [row[0] for row in connection.execute(f"select rowid from {table} order by rowid")]
            for place, rowid in enumerate(rows):
                text = PAYLOADS[place % len(PAYLOADS)]
                connection.execute(f"update {table} set {column} = ? where rowid = ?", (text, rowid))
        incident = ", ".join("?" * 7)
        for payload in PAYLOADS:
            values = (payload, 1, 1, 3, payload, payload, payload)
            connection.execute(f"insert into audit_likely_incidents values ({incident})", values)
            connection.execute(
                "insert into audit_shipstation_fetches values (9, ?1, ?1, ?1, 0, ?1)", (payload,)
            )
    checks = [
        Check(f"suite.{payload}", payload, payload, severity, "failed", payload, 1)
        for payload in PAYLOADS
        for severity in ("critical", "warning")
    ]
    verdict = replace(
        verdict_of(*checks, source=PAYLOADS[0]),  # type: ignore[arg-type]
        versions={PAYLOADS[1]: PAYLOADS[2]},
        dbt_invocation_id=PAYLOADS[1],
        gx_run_id=PAYLOADS[2],
        audited_at=PAYLOADS[0],
        snapshot_sha256=PAYLOADS[8],
    )
    work.snapshot_json.write_text('{"taken_at": "<script>window.pwned=4</script>"}')
    write_review(work, verdict, has_dbt_docs=True)
    return work


@pytest.fixture(scope="module")
def big(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    """A hundred thousand changed rows."""
    work = work_copy(
        demo_build,
        tmp_path_factory.mktemp("big") / "work",
        f"""
        with recursive counted(n) as (select 1 union all select n + 1 from counted where n < {BIG})
        insert into audit_row_ledger (
            legacy_id, ship_date, base_sku, sku_lot, quantity_shipped, order_number, units, disposition,
            reason, evidence, merged_into_id
        )
        select
            1000000 + n, date('2024-01-01', (n % 600) || ' days'), '17612', '17612 - ' || (200000 + n % 90),
            n % 7 + 1, cast(700000 + n / 2 as text), n % 7 + 1,
            case n % 4 when 0 then 'remove' else 'merge' end,
            case n % 4 when 0 then 'historical_resync' else 'lotless_twin' end,
            'the line is row ' || (n + 5), case when n % 4 then n + 5 end
        from counted
        """,
    )
    write_review(work, OPEN, has_dbt_docs=True)
    return work


def table(page: Page, selector: str) -> list[list[str]]:
    """The cells of a table's body as they are shown."""
    script = "all => all.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    return list(page.raw.locator(f"{selector} tbody tr:visible").evaluate_all(script))


def listed(page: Page) -> list[int]:
    """The ids of the rows that are shown, from the top."""
    return [int(text) for text in page.texts(HEADINGS)]


def status(page: Page) -> str:
    return page.text("[role=status]")


def wait_for(page: Page, text: str) -> None:
    """Waits until the page has said so to a screen reader."""
    page.raw.locator("[role=status]", has_text=text).wait_for()


def search(page: Page, text: str) -> None:
    """Types into the filter, and waits until it has taken effect."""
    page.raw.locator(SEARCH).focus()
    page.press("Control+A")
    page.type(text)
    page.press("Enter")


def shown_row(record: Record) -> list[str]:
    """The cells of a changed row as they should be read, without the row's id and the optional columns."""
    keys = (
        "order_number", "ship_date", "base_sku", "sku_lot", "new_ship_date", "sku_code", "lot_number",
        "shipstation_sku_raw", "units", "disposition", "reason", "changes", "merged_into_id",
    )  # fmt: skip
    return [visible(record[key]) for key in keys]


def plain(value: int | None) -> str:
    return "" if value is None else number(value)


# --- every page ---------------------------------------------------------------------------------------


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
    assert page.count("script") == {"index.html": 2}.get(name, 3)
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


# --- the verdict --------------------------------------------------------------------------------------


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


def _cells(page: Page) -> list[list[str]]:
    """The cells of the changed rows after the row's id, without the sentences under them."""
    script = "all => all.map(row => [...row.cells].slice(1).map(cell => cell.innerText.trim()))"
    rows = page.raw.locator("tbody tr:not(.below)").evaluate_all(script)
    return [[row[0], *row[1:]] for row in rows]


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


# --- the changed rows ---------------------------------------------------------------------------------


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


# --- paper --------------------------------------------------------------------------------------------


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


# --- the other pages ----------------------------------------------------------------------------------


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
