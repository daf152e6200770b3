"""``lotgate backups``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import (
    database_option,
    debug_option,
    json_option,
    lock_timeout_option,
    work_dir_option,
)

if TYPE_CHECKING:
    from lotgate.config import Settings
    from lotgate.live.backups import ListedBackup

__all__ = ["backups"]


@click.command(
    epilog="Example: lotgate backups --database /srv/orders/ora.db --prune",
    short_help="List the backups of the live database, or remove old ones.",
)
@debug_option
@json_option
@lock_timeout_option
@click.option("--yes", is_flag=True, help="Do not ask before backups are removed.")
@click.option(
    "--prune", "prune_old", is_flag=True, help="Remove what is older than the retention, never the last."
)
@click.option("--backup-dir", metavar="DIR", help="The second backup folder. Default: as in lotgate.toml.")
@work_dir_option
@database_option
def backups(
    database: str | None,
    work_dir: str | None,
    backup_dir: str | None,
    prune_old: bool,
    yes: bool,
    lock_timeout: float,
    as_json: bool,
) -> None:
    """List the backups in both folders, newest first: file, time, size, reason, state.

    With --prune, remove those of this database that are past the retention ([swap] retention_days of
    lotgate.toml). The newest backup that still verifies is kept, however old. The live database is only read.
    """
    from lotgate.config import load_settings

    settings = load_settings(database=database, work_dir=work_dir, second_backup_folder=backup_dir)
    if prune_old:
        _prune(settings, lock_timeout, ask=not yes and sys.stdin.isatty(), as_json=as_json)
    else:
        _list(settings, lock_timeout, as_json=as_json)


def _list(settings: Settings, lock_timeout: float, *, as_json: bool) -> None:
    from lotgate.errors import LotgateError
    from lotgate.live.backups import list_backups

    folders = settings.swap.backup_folders
    try:
        found_id = _database_id(settings.database, lock_timeout)
    except LotgateError as error:  # a lost database is when the list is needed most
        click.echo(f"{error.message} The backups of every database are listed.", err=True)
        found_id = None
    listed = list_backups(folders, found_id)
    if as_json:
        content = {
            "folders": [str(folder) for folder in folders],
            "backups": [_as_json(one) for one in listed],
        }
        click.echo(json.dumps(content, indent=2))
        return
    for one in listed:
        _print(one)
    if not listed:
        click.echo(f"There are no backups in {folders[0]} and {folders[1]}.")


def _prune(settings: Settings, lock_timeout: float, *, ask: bool, as_json: bool) -> None:
    from datetime import UTC, datetime

    from lotgate.live.backups import prune
    from lotgate.live.connection import lock_database

    found_id = _database_id(settings.database, lock_timeout)
    days = settings.swap.retention_days
    now = datetime.now(UTC)

    def run(*, dry_run: bool) -> list[Path]:
        return prune(
            settings.swap.backup_folders,
            now=now,
            retention_days=days,
            database_id=found_id,
            dry_run=dry_run,
        )

    with lock_database(settings.database):
        if ask:
            for path in run(dry_run=True):
                click.echo(path, err=True)
            click.confirm("Remove these files?", abort=True, err=True)
        removed = run(dry_run=False)
    if as_json:
        click.echo(json.dumps({"retention_days": days, "removed": [str(path) for path in removed]}, indent=2))
        return
    for path in removed:
        click.echo(f"Removed {path}")
    if not removed:
        click.echo(f"Nothing to remove: no backup but the last is older than {days:g} days.")


def _database_id(database: Path, lock_timeout: float) -> str | None:
    from lotgate.live.state import database_id
    from lotgate.sqlite_files import open_live

    with open_live(database, lock_timeout=lock_timeout) as live:
        return database_id(live.connection)


def _state(one: ListedBackup) -> str:
    return (
        "complete (its hash is checked when it is restored)"
        if one.problem is None
        else f"damaged: {one.problem}"
    )


def _print(one: ListedBackup) -> None:
    from lotgate.machine import format_size

    click.echo(str(one.path))
    if one.backup is not None:
        size, taken_at, reason = format_size(one.backup.bytes), one.backup.taken_at, one.backup.reason
        click.echo(f"  {taken_at}  {size}  {reason}  ", nl=False)
    else:
        click.echo("  ", nl=False)
    click.secho(_state(one), fg="green" if one.problem is None else "red")


def _as_json(one: ListedBackup) -> dict[str, object]:
    known = one.backup
    return {
        "path": str(one.path),
        "state": "complete" if one.problem is None else "damaged",
        "problem": one.problem,
        "taken_at": known and known.taken_at,
        "bytes": known and known.bytes,
        "reason": known and known.reason,
        "operation_id": known and known.operation_id,
        "database_id": known and known.database_id,
        "sha256": known and known.sha256,
    }
