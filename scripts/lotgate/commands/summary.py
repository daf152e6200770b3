"""The summary of a candidate on a terminal: days, stock, dispositions, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lotgate.build import Build
    from lotgate.figures import Figures
    from lotgate.snapshot import Snapshot

__all__ = ["print_summary"]

DAYS_A_TABLE = 5
DAY_LINES = (
    ("before", "before"),
    ("- merged", "merged"),
    ("- removed", "removed"),
    ("- quarantined", "quarantined"),
    ("- redated away", "redated_away"),
    ("+ redated to this day", "redated_here"),
    ("+ recovered", "recovered"),
    ("= after", "after"),
    ("ShipStation", "shipstation"),
    ("expected", "expected"),
)


def print_summary(taken: Snapshot, build: Build, figures: Figures) -> None:
    """Prints what was derived. Nothing here is computed; see ``lotgate.figures``."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)

    def show(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], numbers: int) -> None:
        table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        names = list(columns)
        for place, name in enumerate(names):
            table.add_column(name, justify="right" if place >= len(names) - numbers else "left")
        empty = True
        for row in rows:
            empty = False
            table.add_row(*("" if value is None else str(value) for value in row))
        if not empty:
            console.print(table)
            console.print()

    console.print()
    for first in range(0, len(figures.days), DAYS_A_TABLE):
        days = figures.days[first : first + DAYS_A_TABLE]
        show(
            "Units by ship date",
            ("", *(day.ship_date for day in days)),
            ((name, *(getattr(day, field) for day in days)) for name, field in DAY_LINES),
            numbers=len(days),
        )
    show(
        "Units on hand",
        ("SKU", "at the end of", "before", "after", "expected"),
        ((row.sku_code, row.as_of_date, row.before, row.after, row.expected) for row in figures.on_hand),
        numbers=3,
    )
    show(
        "What became of the rows",
        ("disposition", "reason", "rows", "units"),
        ((row.disposition, row.reason, row.rows, row.units) for row in figures.rows),
        numbers=2,
    )
    kept = sum(row.rows for row in figures.rows if row.disposition in ("keep", "redate"))
    recovered = sum(row.rows for row in figures.rows if row.disposition == "recovered")
    click.echo(
        f"{figures.legacy_rows} legacy rows, each with one disposition. The candidate has"
        f" {figures.candidate_rows}: {kept} kept or redated, {recovered} recovered."
    )
    click.echo(f"Units that are not explained: {figures.residual}. dbt's checks: {len(build.checks)}.")
    for warning in build.warnings:
        rows = "1 row" if warning.failures == 1 else f"{warning.failures} rows"
        click.echo(f"Warning: {warning.name}, {rows}. {warning.description}")
    if figures.undecided:
        click.echo(
            f"{figures.undecided} quarantined rows are undecided: see audit_quarantine, and decide in"
            " quarantine_decisions.csv."
        )
    click.echo()
    click.echo(f"Snapshot   {taken.path}")
    click.echo(f"Candidate  {build.candidate}")
