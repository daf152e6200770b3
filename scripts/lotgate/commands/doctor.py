"""``lotgate doctor``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import shared_options

if TYPE_CHECKING:
    from lotgate.doctor import Check

EXIT_PROBLEM = 1


@click.command(
    epilog="Example: lotgate doctor --database /srv/orders/ora.db",
    short_help="Can this machine and this database do it?",
)
@shared_options
def doctor(
    database: str | None, work_dir: str | None, controls: str | None, lock_timeout: float, as_json: bool
) -> int:
    """Look at this machine, the live database and the controls, and change nothing.

    Others may write to the database meanwhile, if it is in WAL mode; otherwise they wait.
    Exits with 1 where a problem was found; warnings are shown only.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.doctor import examine, examine_controls, examine_project

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    checks = (
        *examine(
            settings.database,
            settings.work_dir,
            lock_timeout=lock_timeout,
            reporter=SilentReporter() if as_json else make_reporter(),
        ),
        examine_controls(settings.controls),
        examine_project(Path.cwd()),
    )
    problems = sum(check.status == "problem" for check in checks)
    if as_json:
        click.echo(
            json.dumps({"problems": problems, "checks": [_as_json(check) for check in checks]}, indent=2)
        )
    else:
        _print(checks)
        warnings = sum(check.status == "warning" for check in checks)
        click.echo(f"Problems: {problems}, warnings: {warnings}")
    return EXIT_PROBLEM if problems else 0


def _as_json(check: Check) -> dict[str, str | None]:
    return {"name": check.name, "status": check.status, "detail": check.detail, "hint": check.hint}


def _print(checks: tuple[Check, ...]) -> None:
    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    for check in checks:
        click.secho(f"{check.status:<8}", fg=colours[check.status], nl=False)
        click.echo(f" {check.name}: {check.detail}")
        if check.hint:
            click.echo(f"         {check.hint}")
