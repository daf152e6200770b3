"""``lotgate plan`` and ``lotgate swap``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from lotgate.commands.live import backup_dir_option, confirm, lock_budget_option, yes_option
from lotgate.commands.options import shared_options

if TYPE_CHECKING:
    from lotgate.live.swap import SwapResult

__all__ = ["plan", "print_swap", "swap"]


@click.command(
    epilog="Example: lotgate plan --database /srv/orders/ora.db --work-dir target",
    short_help="Show what a swap would do, statement by statement, and how long it would take.",
)
@shared_options
def plan(
    database: str | None, work_dir: str | None, controls: str | None, lock_timeout: float, as_json: bool
) -> int:
    """Show every statement of the swap in order, its rows and what it needs, and try it on a copy.

    The live database is only read. Exits with 1 where something stands in the way.
    """
    from lotgate.commands.plan_text import plan_as_json, plan_as_text
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.live.preflight import check_room, check_source, read_audited, refuse_under_way
    from lotgate.live.rehearsal import forecast
    from lotgate.sqlite_files import check_file, open_live
    from lotgate.workdir import open_work_dir

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    live = check_file(settings.database)
    reporter = SilentReporter() if as_json else make_reporter()
    with open_work_dir(settings.work_dir, live) as work:
        audited = read_audited(work, settings.controls if settings.controls_given else None)
        with open_live(live, lock_timeout=lock_timeout) as found:
            refuse_under_way(found.connection, live)
            check_source(found.connection, live, audited)
        needed = check_room(live, audited.candidate)
        made, measured = forecast(
            live, work, audited, settings.swap, lock_timeout=lock_timeout, reporter=reporter
        )
    if as_json:
        click.echo(json.dumps(plan_as_json(made, measured, audited.verdict, settings.swap, needed), indent=2))
    else:
        click.echo(plan_as_text(made, measured, audited.verdict, settings.swap, needed))
    return 1 if made.obstacles else 0


@click.command(
    epilog="Example: lotgate swap --database /srv/orders/ora.db --backup-dir /mnt/backup --yes",
    short_help="Promote the audited candidate into the live database.",
)
@shared_options
@lock_budget_option
@backup_dir_option
@yes_option
def swap(
    database: str | None,
    work_dir: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
    yes: bool,
    backup_dir: str | None,
    lock_budget_ms: int | None,
) -> None:
    """Promote an open verdict's candidate: two backups, staging beside the writers, one short cut-over.

    What was audited is what is promoted, to the last value; where anything changed since, nothing is touched
    and the exit code is 1. The legacy tables stay archived, for `lotgate rollback`.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.live.swap import swap as run_swap
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import open_work_dir

    settings = load_settings(
        database=database,
        work_dir=work_dir,
        controls=controls,
        second_backup_folder=backup_dir,
        lock_budget_ms=lock_budget_ms,
    )
    live = check_file(settings.database)
    with open_work_dir(settings.work_dir, live) as work:
        confirm(f"Swap the candidate of {work.path} into {live}?", yes=yes)
        result = run_swap(
            live,
            work,
            settings.swap,
            controls=settings.controls if settings.controls_given else None,
            lock_timeout=lock_timeout,
            reporter=SilentReporter() if as_json else make_reporter(),
        )
    if as_json:
        click.echo(json.dumps(result.as_json(), indent=2))
    else:
        print_swap(result)


def print_swap(result: SwapResult) -> None:
    """What a swap did, for a person."""
    for sentence in result.recovered:
        click.echo(sentence)
    rows = ", ".join(f"{result.rows[t]} {t}" for t in ("skus", "lots", "shipped_orders", "shipped_items"))
    click.echo(f"Swapped: {rows}; {result.units} units.")
    attempts = "" if result.attempts == 1 else f", at attempt {result.attempts}"
    click.echo(
        f"Writers were held up for {result.lock_ms:.1f} ms by the cut-over{attempts}, and for"
        f" {result.longest_chunk_ms:.1f} ms at most while {result.staging_seconds:.1f} s of staging went on."
    )
    if result.paused:
        click.echo(f"Paused meanwhile, and on again: {', '.join(result.paused)}.")
    if result.unknown_workflows:
        click.echo(
            f"Not paused, since workflow_controls has none such: {', '.join(result.unknown_workflows)}."
        )
    for backup in result.backups:
        click.echo(f"Backup     {backup.path}")
    if result.backups_on_one_disk:
        click.echo("Both backups are on one disk. Copy one away, or name another --backup-dir next time.")
    click.echo("Next: `lotgate verify`; `lotgate rollback` takes it back; `lotgate status` shows until when.")
