"""``lotgate snapshot``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import shared_options

if TYPE_CHECKING:
    from lotgate.snapshot import Snapshot


@click.command(
    epilog="Example: lotgate snapshot --database /srv/orders/ora.db --work-dir target",
    short_help="Copy the live database, consistently, for dbt.",
)
@shared_options
def snapshot(
    database: str | None, work_dir: str | None, controls: str | None, lock_timeout: float, as_json: bool
) -> None:
    """Copy the live database consistently into the work directory, check the copy, and complete its schema.

    Others may write to the database meanwhile (in WAL mode; otherwise they wait); it is only read. The
    controls are checked and copied beside it, so that dbt runs on both.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.controls import load_controls, write_normalized
    from lotgate.evidence import ensure_evidence
    from lotgate.snapshot import take_snapshot
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import open_work_dir

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    live = check_file(settings.database)
    rules = load_controls(settings.controls)
    with open_work_dir(settings.work_dir, live) as work:
        ensure_evidence(work.shipstation, live)
        taken = take_snapshot(
            live,
            work,
            lock_timeout=lock_timeout,
            reporter=SilentReporter() if as_json else make_reporter(),
        )
        write_normalized(rules, work.controls)
    if as_json:
        click.echo(json.dumps(taken.as_json() | {"controls_sha256": rules.sha256}, indent=2))
    else:
        _print(taken)


def _print(taken: Snapshot) -> None:
    from lotgate.sqlite_files import path_text

    click.echo(f"Snapshot of {path_text(taken.source)}: {path_text(taken.path)}")
    click.echo(f"  sha256 {taken.sha256}")
    for role in ("derived-from", "carried over", "left alone"):
        names = [_counted(t.name, t.kind, t.rows) for t in taken.tables if t.role == role]
        click.echo(f"  {role}: {', '.join(names) or 'nothing'}")
    if taken.added:
        click.echo(f"  added, empty: {', '.join(taken.added)}")
    for table, count in taken.foreign_key_violations.items():
        click.echo(f"  foreign keys: {count} rows of {table} break one (reported only)")
    for table in taken.foreign_keys_unchecked:
        click.echo(f"  foreign keys: those of {table} point to no such key (reported only)")


def _counted(name: str, kind: str, rows: int | None) -> str:
    return f"{name} ({kind if rows is None else rows})"
