"""``lotgate status``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from lotgate.commands.live import confirm, yes_option
from lotgate.commands.options import (
    database_option,
    debug_option,
    json_option,
    lock_timeout_option,
    work_dir_option,
)

if TYPE_CHECKING:
    from lotgate.live.status import Status

__all__ = ["status"]

SHOWN = 20


@click.command(
    epilog="Example: lotgate status --database /srv/orders/ora.db",
    short_help="Where the database stands, and what comes next.",
)
@debug_option
@json_option
@lock_timeout_option
@yes_option
@click.option("--forget", is_flag=True, help="Take the change-counter out of a database that is not swapped.")
@work_dir_option
@database_option
def status(
    database: str | None,
    work_dir: str | None,
    forget: bool,
    yes: bool,
    lock_timeout: float,
    as_json: bool,
) -> None:
    """Show the phase, the verdict, the archived tables, whether a rollback would lose anything, what is next.

    What an interrupted command left half done is finished or undone first, and said.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.live.connection import lock_database
    from lotgate.live.counter import remove_counter
    from lotgate.live.status import find_status
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import WorkDir

    settings = load_settings(database=database, work_dir=work_dir)
    live = check_file(settings.database)
    if forget:
        confirm(f"Take the change-counter out of {live}? A verdict on it can then not be swapped.", yes=yes)
    found = find_status(
        live,
        WorkDir(settings.work_dir.resolve()),
        settings.swap,
        lock_timeout=lock_timeout,
        reporter=SilentReporter() if as_json else make_reporter(),
    )
    if forget:  # after it was brought home: a rollback may have been interrupted
        with lock_database(live):
            remove_counter(live, lock_timeout=lock_timeout)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)


def _print(found: Status) -> None:
    click.echo(f"{found.database}: {found.phase}")
    for sentence in found.recovered:
        click.echo(sentence)
    if found.under_way:
        click.echo(f"Under way: {found.under_way}")
    if found.swapped_at:
        click.echo(f"Swapped at {found.swapped_at}")
    for table, rows in found.archived.items():
        click.echo(f"Archived: {table} ({rows} rows)")
    if found.changes_since is not None:
        click.echo(f"Rows of the new tables that were written to since: {found.changes_since}")
    if found.is_lossless is not None:
        click.echo("A rollback now would lose nothing." if found.is_lossless else "A rollback now:")
        for sentence in found.not_carried:
            click.echo(f"  not as it was: {sentence}")
        if found.kept_details:
            click.echo(
                f"  {found.kept_details} rows have values without a legacy column; they would be kept."
            )
    if found.contract_from:
        click.echo(f"`lotgate contract` is allowed from {found.contract_from}")
    if found.verdict:
        fits = f" ({found.verdict_fits})" if found.verdict_fits else ""
        click.echo(f"Verdict: {found.verdict}, of {found.verdict_audited_at}{fits}")
    for event in found.events:
        done = "" if event["finished_at"] else " (not finished)"
        click.echo(f"History: {event['switched_at']}  {event['kind']}{done}")
    for run in found.syncs:
        units = f", +{run['units_added'] or 0} -{run['units_removed'] or 0} units"
        click.echo(f"Last sync {run['service']}: {run['outcome']}, {run['started_at']}{units}")
    if found.quarantined:
        click.echo(f"Sync has {found.quarantined} entries in quarantine: lotgate sync quarantine")
    for step in found.next_steps:
        click.echo(f"Next: {step}")
