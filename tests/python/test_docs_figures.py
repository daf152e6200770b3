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
