"""``lotgate prework`` and ``lotgate migrate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from lotgate.commands.live import backup_dir_option, confirm, lock_budget_option, yes_option
from lotgate.commands.options import shared_options

if TYPE_CHECKING:
    from lotgate.live.prework import Rehearsal

__all__ = ["migrate", "prework"]


@click.command(
    epilog="Example: lotgate prework --database /srv/orders/ora.db --controls controls",
    short_help="Build, audit, and rehearse the whole migration on a copy.",
)
@shared_options
def prework(
    database: str | None, work_dir: str | None, controls: str | None, lock_timeout: float, as_json: bool
) -> int:
    """Build and audit a candidate, then rehearse on a copy: swap, readers, rollback, restore, later work.

    The live database goes on; it is only read, but for the change-counter. Exits with 1 where the gate is
    closed or anything in the rehearsal does not hold. Nothing is promoted.
    """
    from lotgate.audit import audit_candidate
    from lotgate.build import build_candidate
    from lotgate.commands.audit import print_verdict
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.live.preflight import read_audited
    from lotgate.live.prework import rehearse
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import open_work_dir

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    live = check_file(settings.database)
    reporter = SilentReporter() if as_json else make_reporter()
    found: Rehearsal | None = None
    with open_work_dir(settings.work_dir, live) as work:
        build_candidate(live, settings.controls, work, lock_timeout=lock_timeout, reporter=reporter)
        verdict = audit_candidate(work, reporter=reporter, controls_folder=settings.controls)
        if not as_json:
            print_verdict(verdict, work)
        if verdict.cannot_be_swapped_because is None:
            found = rehearse(
                live,
                work,
                read_audited(work, settings.controls),
                settings.swap,
                lock_timeout=lock_timeout,
                reporter=reporter,
            )
    if as_json:
        content = {"verdict": verdict.as_json(), "rehearsal": None if found is None else found.as_json()}
        click.echo(json.dumps(content, indent=2))
    elif found is not None:
        _show(found)
    return 1 if found is None else 0


def _show(found: Rehearsal) -> None:
    click.echo("\nRehearsed on a copy; the live database was only read:")
    click.echo(f"  backups   {found.backup_seconds:.1f} s")
    click.echo(
        f"  staging   {found.staging_seconds:.1f} s, its longest transaction {found.longest_chunk_ms:.1f} ms"
    )
    click.echo(f"  cut-over  held the write lock for {found.lock_ms:.1f} ms")
    click.echo(f"  checks    {found.check_seconds:.1f} s")
    click.echo(f"  rollback  held the write lock for {found.rollback_lock_ms:.1f} ms")
    click.echo(f"  restore   {found.restore_seconds:.1f} s")
    changed = ", ".join(found.changed_answers) or "none"
    click.echo(
        f"{found.queries} queries of legacy readers ran; other answers after the swap: {changed};"
        " after the rollback all as before."
    )
    click.echo(f"{found.later_writes} later writes came back with a rollback, and nothing else changed.")
    click.echo("Next: look at the review, then `lotgate swap`.")


@click.command(
    epilog="Example: lotgate migrate --database /srv/orders/ora.db --yes",
    short_help="Build, audit and swap in one go.",
)
@shared_options
@lock_budget_option
@backup_dir_option
@yes_option
def migrate(
    database: str | None,
    work_dir: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
    yes: bool,
    backup_dir: str | None,
    lock_budget_ms: int | None,
) -> None:
    """Build, audit and swap. Where the source changes meanwhile, again; the last time with ingestion paused.

    On a terminal it asks before the swap, so that you can look at the review first.
    """
    from lotgate.commands.audit import print_verdict
    from lotgate.commands.swap import print_swap
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.live.migrate import migrate as run_migrate
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
        verdict, result, rounds = run_migrate(
            live,
            work,
            settings,
            lock_timeout=lock_timeout,
            reporter=SilentReporter() if as_json else make_reporter(),
            approve=lambda found: confirm(
                f"The gate is open; the review is {work.review / 'index.html'}. Swap into {live}?"
                if found is not None
                else f"The source keeps changing. Pause ingestion, build, audit and, where the gate is open,"
                f" swap into {live} without asking again?",
                yes=yes,
            ),
        )
    if as_json:
        content = {"verdict": verdict.as_json(), "swap": result.as_json(), "rounds": rounds}
        click.echo(json.dumps(content, indent=2))
        return
    print_verdict(verdict, work)
    click.echo()
    if rounds > 1:
        click.echo(f"The source changed meanwhile; it took {rounds} rounds.")
    print_swap(result)
