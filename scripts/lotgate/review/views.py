"""What the templates are given: tables to filter, checks by suite, the figures in parts that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from lotgate.figures import DayUnits, Figures
from lotgate.review.columnar import Column, Kind, Table, Value
from lotgate.review.texts import number, visible
from lotgate.review.words import SUITES
from lotgate.verdict import Check, Verdict

__all__ = ["BigTable", "Facet", "Suite", "result_options", "row_totals", "split_days", "suites_of"]

PAGE_SIZE = 100
PRINT_SIZE = 1_000
DAYS_SHOWN = 24
LOOKS: dict[Kind, str] = {
    "number": "n",
    "code": "c",
    "label": "c s",
    "day": "d",
    "prose": "p",
    "text": "t",
}


@dataclass(frozen=True)
class Facet:
    """A column that can be filtered by one of its values."""

    key: str
    label: str


@dataclass(frozen=True)
class Group:
    """Columns under one heading, or under none."""

    label: str
    span: int


@dataclass(frozen=True)
class Cell:
    """A cell as the page's script would write it."""

    text: str
    look: str


@dataclass(frozen=True)
class Row:
    """A row of cells, and the sentences under it: label and text."""

    cells: list[Cell]
    below: list[tuple[str, str]]


@dataclass(frozen=True)
class BigTable:
    """A table that the page filters, sorts and saves by itself.

    ``source`` is the candidate's table behind it, ``sum`` the key of the column whose units are added up.
    """

    table: Table
    title: str
    caption: str
    source: str
    file: str
    empty: str
    facets: tuple[Facet, ...] = ()
    sum: str = ""
    is_title_shown: bool = False
    page_size: int = PAGE_SIZE
    print_size: int = PRINT_SIZE

    @cached_property
    def columns(self) -> list[Column]:
        """The columns that are shown beside each other."""
        return [self.table.columns[place] for place in self._places(below=False)]

    @property
    def has_below(self) -> bool:
        """Does anything stand under the rows?"""
        return any(column.below for column in self.table.columns)

    @property
    def groups(self) -> list[Group]:
        """The headings over the columns."""
        runs = groupby(self.columns, key=lambda column: column.group)
        return [Group(label, len(list(columns))) for label, columns in runs]

    @property
    def has_groups(self) -> bool:
        """Does any column stand under a heading?"""
        return any(column.group for column in self.columns)

    @property
    def first(self) -> list[Row]:
        """The first page, for a reader without JavaScript."""
        columns = self.table.columns
        beside, below = self._places(below=False), self._places(below=True)
        keys = [column.key for column in columns]
        changes = keys.index("changes") if "changes" in keys else None
        return [
            Row(
                [
                    _cell(columns[place], row[place], "" if changes is None else str(row[changes]))
                    for place in beside
                ],
                [(columns[place].label, visible(row[place])) for place in below if row[place]],
            )
            for row in self.table.first(self.page_size)
        ]

    def _places(self, *, below: bool) -> list[int]:
        return [place for place in self.table.visible() if self.table.columns[place].below is below]


def _cell(column: Column, value: Value, changes: str) -> Cell:
    marked = column.mark and value is not None and column.mark in changes.split(", ")
    return Cell(visible(value), LOOKS[column.kind] + (" m" if marked else ""))


@dataclass(frozen=True)
class CheckView:
    """A check with its result in a word and a sign; ``kinds`` are what it can be filtered by."""

    check: Check
    word: str
    icon: str
    look: str
    kinds: str


@dataclass(frozen=True)
class Suite:
    """The checks of one suite, those that found something first."""

    name: str
    title: str
    summary: str
    checks: tuple[CheckView, ...]


def suites_of(verdict: Verdict) -> tuple[Suite, ...]:
    """All checks by suite, in the order of ``words.SUITES``, then by name."""
    order = {suite: place for place, suite in enumerate(SUITES)}
    names = sorted(
        {check.suite for check in verdict.checks}, key=lambda name: (order.get(name, len(order)), name)
    )
    found = []
    for name in names:
        views = [_view(check) for check in verdict.checks if check.suite == name]
        words = [(word, sum(view.word == word for view in views)) for word in WORDS]
        summary = ", ".join(f"{number(count)} {word}" for word, count in words if count)
        views.sort(key=lambda view: WORDS.index(view.word))  # stable: otherwise as the audit has them
        found.append(Suite(name, SUITES.get(name, name), summary, tuple(views)))
    return tuple(found)


WORDS = ("errored", "not run", "failed", "warning", "notice", "passed")
SIGNS = {
    "errored": ("errored", "bad"),
    "not run": ("not_run", "bad"),
    "failed": ("failed", "bad"),
    "warning": ("warning", "warn"),
    "notice": ("warning", "warn"),
    "passed": ("passed", "good"),
}


def _view(check: Check) -> CheckView:
    if check.result != "failed":
        word = check.result.replace("_", " ")
    else:
        word = {"critical": "failed", "warning": "warning", "info": "notice"}[check.severity]
    kinds = [word.replace(" ", "_"), *(["closing"] if check.closes_gate else [])]
    icon, look = SIGNS[word]
    return CheckView(check, word, icon, look, " ".join(kinds))


def result_options(suites: Iterable[Suite]) -> list[tuple[str, str, int]]:
    """The results that can be chosen: value, words, and how many checks have it."""
    kinds = [kind for suite in suites for view in suite.checks for kind in view.kinds.split()]
    names = {"closing": "closes the gate"} | {word.replace(" ", "_"): word for word in WORDS}
    return [(value, name, kinds.count(value)) for value, name in names.items() if value in kinds]


def split_days(days: Sequence[DayUnits]) -> list[list[DayUnits]]:
    """The days to show first, in order, and the others: those that are expected or change most come first."""
    if len(days) <= DAYS_SHOWN:
        return [list(days)] if days else []
    by_weight = sorted(
        days, key=lambda day: (day.expected is None, -abs(day.after - day.before), day.ship_date)
    )
    chosen = {day.ship_date for day in by_weight[:DAYS_SHOWN]}
    return [
        [day for day in days if day.ship_date in chosen],
        [day for day in days if day.ship_date not in chosen],
    ]


def row_totals(figures: Figures) -> list[tuple[str, int, int]]:
    """The last lines under the dispositions: name, rows and units."""

    def total(name: str, dispositions: set[str]) -> tuple[str, int, int]:
        rows = [row for row in figures.rows if row.disposition in dispositions]
        return name, sum(row.rows for row in rows), sum(row.units for row in rows)

    return [
        total("Legacy rows", {"keep", "redate", "merge", "remove", "quarantine"}),
        total("Candidate: kept, redated, recovered", {"keep", "redate", "recovered"}),
    ]
