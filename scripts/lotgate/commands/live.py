"""What the commands that change the live database share: their options, and asking before they begin."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from lotgate.errors import GateClosed

__all__ = ["NOTES", "backup_dir_option", "confirm", "lock_budget_option", "retention_option", "yes_option"]

NOTES = "values without a legacy column, parcels added up on one day, other ids, recovered rows that stay"

Command = TypeVar("Command", bound=Callable[..., Any])

yes_option = click.option("--yes", is_flag=True, help="Do not ask before the live database is changed.")
backup_dir_option = click.option(
    "--backup-dir", metavar="DIR", help="The second backup folder. Default: as in lotgate.toml."
)
lock_budget_option = click.option(
    "--lock-budget-ms",
    metavar="MS",
    type=click.IntRange(1, 60_000),
    help="How long the cut-over may hold the write lock before it is rolled back and tried again."
    " Default: 250.",
)
retention_option = click.option(
    "--retention-days",
    metavar="DAYS",
    type=click.FloatRange(0, 3650),
    help="How long a rollback stays possible. Default: 7.",
)


def confirm(question: str, *, yes: bool) -> None:
    """Asks on a terminal; where there is none, nobody can answer and nothing is asked.

    Raises GateClosed where the answer is no.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not click.confirm(question, err=True):
        raise GateClosed("Nothing was changed.", hint="Say yes, or use --yes, when you are ready.")
