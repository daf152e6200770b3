"""Review pages of the demo: open, closed, with hostile texts, with 100,000 rows; and how to look at them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from browser import Page
from lotgate.review import write_review
from lotgate.review.pages import PAGES
from lotgate.review.texts import number, visible
from lotgate.verdict import Check
from lotgate.workdir import WorkDir
from test_review_data import (
    CLOSED,
    OPEN,
    Record,
    verdict_of,
    work_copy,
)

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


@pytest.fixture(scope="session")
def review(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    """The review of the demo with an open verdict; tests only read it."""
    work = work_copy(demo_build, tmp_path_factory.mktemp("open") / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    return work


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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
            ("report_skus", "alert_level"),
            ("report_lot_balances", "lot_number"),
            ("report_lot_balances", "balance"),
            ("report_weekly_shipped", "units_from"),
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


@pytest.fixture(scope="session")
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


def _cells(page: Page) -> list[list[str]]:
    """The cells of the changed rows after the row's id, without the sentences under them."""
    script = "all => all.map(row => [...row.cells].slice(1).map(cell => cell.innerText.trim()))"
    rows = page.raw.locator("tbody tr:not(.below)").evaluate_all(script)
    return [[row[0], *row[1:]] for row in rows]
