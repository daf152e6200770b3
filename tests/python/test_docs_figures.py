"""Figures in the pages: each table under a query is its answer, and the prose says no other number."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pages import ROOT, Page, Table, read_page

INCIDENT: Page = read_page(ROOT / "docs" / "incident.md")
NOT_FIGURES = {
    "28": "638 - 610, in a table as too_many",
    "330": "223 + 107, the sum that is wrong",
}


def answered(page: Page) -> list[tuple[str, Table]]:
    """Each query with the table that follows it."""
    pairs = []
    for block in page.blocks:
        if block.language == "sql":
            following = [table for table in page.tables if table.line > block.line]
            pairs.append((block.text, min(following, key=lambda table: table.line)))
    return pairs


@pytest.mark.parametrize(("query", "table"), answered(INCIDENT), ids=lambda v: str(getattr(v, "line", "")))
def test_each_table_is_the_answer(query: str, table: Table, demo_build: Path) -> None:
    with closing(sqlite3.connect(demo_build / "candidate.sqlite")) as connection:
        cursor = connection.execute(query)
        assert tuple(column[0] for column in cursor.description) == table.header
        rows = [tuple("" if value is None else str(value) for value in row) for row in cursor]
    assert rows == list(table.rows)
    assert rows


def test_no_table_is_without_a_query() -> None:
    assert len(answered(INCIDENT)) == len(INCIDENT.tables) == len({t.line for _, t in answered(INCIDENT)}) > 5


def test_the_prose_has_no_figure_that_no_table_has() -> None:
    shown = {number for t in INCIDENT.tables for row in t.rows for cell in row for number in _numbers(cell)}
    prose = [line for _, line in INCIDENT.prose if not line.lstrip().startswith("|")]
    told = {number for line in prose for number in _numbers(line)} - NOT_FIGURES.keys()
    assert told - shown == set()
    assert {"223", "107", "75", "331", "638", "610", "33", "74"} <= told


def _numbers(text: str) -> list[str]:
    """Whole numbers of a text, but for days and what stands in code or in a link."""
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|\d{4}-\d\d-\d\d", " ", text)
    return re.findall(r"\d+", text)


def test_the_readme_shows_what_the_demo_prints(demo_build: Path) -> None:
    """The tables of figures, line by line; times and paths are another run's."""
    readme = read_page(ROOT / "README.md")
    (shown,) = (block.text for block in readme.blocks if "Units by ship date" in block.text)
    with closing(sqlite3.connect(demo_build / "candidate.sqlite")) as connection:
        ledger = connection.execute(
            "select disposition, reason, count(*), sum(units) from audit_row_ledger group by 1, 2"
        ).fetchall()
        (recovered,) = connection.execute("select sum(recovered_units) from audit_unit_balance").fetchone()
        days = connection.execute(
            "select legacy_units, candidate_units from audit_daily_units"
            " where ship_date in ('2024-04-16', '2025-10-06') order by ship_date"
        ).fetchall()
        rows = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]
            for name in ("audit_row_ledger", "shipped_items")
        }
    lines = [line.split() for line in shown.splitlines()]
    for disposition, reason, count, units in ledger:
        assert [disposition, reason, str(count), str(units)] in lines
    assert ["before", *(str(before) for before, _ in days)] in lines
    assert ["=", "after", *(str(after) for _, after in days)] in lines
    assert ["+", "recovered", "0", str(recovered)] in lines
    assert f"{rows['audit_row_ledger']} legacy rows" in shown
    assert f"The candidate has {rows['shipped_items']}:" in shown
