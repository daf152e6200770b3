"""``lotgate rollback`` and ``lotgate contract``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from lotgate.commands.live import (
    NOTES,
    backup_dir_option,
    confirm,
    lock_budget_option,
    retention_option,
    yes_option,
)
from lotgate.commands.options import (
    database_option,
    debug_option,
    json_option,
    lock_timeout_option,
    work_dir_option,
)

if TYPE_CHECKING:
    from lotgate.live.contract import ContractPreview
    from lotgate.live.restore import Restoration
    from lotgate.live.rollback import RollbackResult

__all__ = ["contract", "print_rollback", "rollback"]

SHOWN = 20


@click.command(
    epilog="Example: lotgate rollback --database /srv/orders/ora.db --yes",
    short_help="Put the legacy tables back, with the work of since then.",
)
@debug_option
@json_option
@lock_timeout_option
@lock_budget_option
@backup_dir_option
@yes_option
@click.option(
    "--force",
    is_flag=True,
    help="Roll back although rows changed unnoted; restore over a file that cannot be read.",
)
@click.option("--restore-backup", metavar="FILE", help="Put this verified backup back into the live file.")
@work_dir_option
@database_option
def rollback(
    database: str | None,
    work_dir: str | None,
    restore_backup: str | None,
    force: bool,
    yes: bool,
    backup_dir: str | None,
    lock_budget_ms: int | None,
    lock_timeout: float,
    as_json: bool,
) -> None:
    """Rename the legacy tables back, and carry over what was added, changed and deleted after the swap.

    What the legacy tables cannot express is kept in lotgate_not_carried_over. With --restore-backup the live
    file gets the content of a backup instead, and later work is only in the safety backup that is taken
    first.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.sqlite_files import check_file

    settings = load_settings(
        database=database,
        work_dir=work_dir,
        second_backup_folder=backup_dir,
        lock_budget_ms=lock_budget_ms,
    )
    reporter = SilentReporter() if as_json else make_reporter()
    if restore_backup is not None:
        from pathlib import Path

        from lotgate.live.restoring import restore

        confirm(
            f"Replace the content of {settings.database} by {restore_backup}? Later work stays in a backup.",
            yes=yes,
        )
        restored = restore(
            settings.database,
            Path(restore_backup),
            settings.swap,
            lock_timeout=lock_timeout,
            reporter=reporter,
            force=force,
        )
        _show_restored(restored, as_json=as_json)
        return
    from lotgate.live.rollback import rollback as run_rollback

    live = check_file(settings.database)
    confirm(f"Roll {live} back to its legacy tables?", yes=yes)
    result = run_rollback(live, settings.swap, lock_timeout=lock_timeout, reporter=reporter, force=force)
    if as_json:
        click.echo(json.dumps(result.as_json(), indent=2))
    else:
        print_rollback(result)


def print_rollback(result: RollbackResult) -> None:
    """What a rollback did, for a person."""
    for sentence in result.recovered:
        click.echo(sentence)
    click.echo(
        f"Rolled back: the legacy tables were in place after {result.seconds_until_back:.2f} s;"
        f" writers were held up for {result.lock_ms:.1f} ms."
    )
    click.echo(
        f"Carried over: {result.inserted} rows added, {result.updated} changed, {result.deleted} deleted"
        " since the swap."
    )
    if result.kept_details:
        click.echo(f"{result.kept_details} notes are kept in lotgate_not_carried_over: {NOTES}.")
    for sentence in result.not_carried[:SHOWN]:
        click.echo(f"Not as it was: {sentence}")
    if len(result.not_carried) > SHOWN:
        click.echo(f"and {len(result.not_carried) - SHOWN} more, all in lotgate_not_carried_over")
    for name in result.broken:
        click.echo(f"Does not work on the legacy tables: {name}")


def _show_restored(restored: Restoration, *, as_json: bool) -> None:
    if as_json:
        content = {
            "backup": str(restored.backup.path),
            "safety": None if restored.safety is None else [str(b.path) for b in restored.safety],
            "tables": dict(restored.tables),
            "seconds": restored.seconds,
            "total_seconds": restored.total_seconds,
            "lost_writes": restored.lost_writes,
            "written_since": list(restored.written_since),
        }
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(
        f"Restored {restored.backup.path}: {len(restored.tables)} tables,"
        f" written in {restored.seconds:.2f} s,"
        f" all in {restored.total_seconds:.2f} s."
    )
    for backup in restored.safety or ():
        click.echo(f"The state before   {backup.path}")
    if restored.lost_writes:
        click.echo("Somebody wrote between that backup and the restoration: those writes are lost.")
    for table in restored.written_since:
        click.echo(f"Written to since: {table}")


@click.command(
    epilog="Example: lotgate contract --database /srv/orders/ora.db",
    short_help="After the retention, drop the archived tables and the legacy columns.",
)
@debug_option
@json_option
@lock_timeout_option
@retention_option
@yes_option
@click.option("--force", is_flag=True, help="Before the retention has passed; asks for the database's name.")
@click.option(
    "--confirm-name", metavar="NAME", help="The database's file name, for --force without a terminal."
)
@work_dir_option
@database_option
def contract(
    database: str | None,
    work_dir: str | None,
    confirm_name: str | None,
    force: bool,
    yes: bool,
    retention_days: float | None,
    lock_timeout: float,
    as_json: bool,
) -> None:
    """Drop what a rollback would need: archived tables, change log, and the columns base_sku and sku_lot.

    Ledger and history stay. Dropping the columns rewrites shipped_items and indexes get their names, so
    writers wait for that: about a second for a million rows.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.errors import UsageError
    from lotgate.live.contract import contract as run_contract
    from lotgate.live.contract import recovered_preview
    from lotgate.sqlite_files import check_file

    settings = load_settings(database=database, work_dir=work_dir)
    if retention_days is not None and retention_days < settings.swap.retention_days:
        raise UsageError(
            f"--retention-days {retention_days:g} is shorter than the {settings.swap.retention_days:g}"
            " that hold.",
            hint="Before the retention has passed there is --force, which asks for the database's name.",
        )
    settings = load_settings(database=database, work_dir=work_dir, retention_days=retention_days)
    live = check_file(settings.database)
    reporter = SilentReporter() if as_json else make_reporter()
    preview = recovered_preview(live, settings.swap, lock_timeout=lock_timeout, reporter=reporter)
    if not as_json:
        _show_preview(preview)
    if force and preview.is_early:
        _typed(live.name, confirm_name)
    elif not preview.is_early:
        confirm(f"Drop all of this from {live} for good?", yes=yes)
    result = run_contract(
        live,
        settings.swap,
        lock_timeout=lock_timeout,
        reporter=reporter,
        force=force,
    )
    if as_json:
        click.echo(json.dumps(result.as_json(), indent=2))
    else:
        click.echo(f"Contracted; writers were held up for {result.lock_ms:.0f} ms at most.")


def _show_preview(preview: ContractPreview) -> None:
    click.echo(f"Swapped at {preview.swapped_at}; contract is allowed from {preview.allowed_from}.")
    for table, rows in preview.tables.items():
        click.echo(f"Goes: table {table} ({rows} rows)")
    for column in preview.columns:
        click.echo(f"Goes: column {column}")
    click.echo(f"Goes: {len(preview.triggers)} triggers of lotgate's")
    click.echo("Stays: lotgate_row_ledger, lotgate_order_header_changes, lotgate_history")


def _typed(name: str, given: str | None) -> None:
    from lotgate.errors import GateClosed, UsageError

    if given is None:
        if not sys.stdin.isatty():
            raise UsageError(
                "--force gives up the way back before its time.",
                hint=f"Without a terminal, say so with --confirm-name {name}.",
            )
        given = click.prompt(f"Type {name} to give up the way back", default="", show_default=False, err=True)
    if given != name:
        raise GateClosed("The name is another one. Nothing was changed.")
