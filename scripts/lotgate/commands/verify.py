"""``lotgate verify``."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import shared_options

if TYPE_CHECKING:
    from lotgate.live.verify import Verification

__all__ = ["verify"]

EVERY_SECONDS = 60.0
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _DURATION.fullmatch(str(value).strip())
        if not match:
            self.fail(f"{value!r} is no duration; write 90s, 15m or 2h", param, ctx)
        return float(match[1]) * _SECONDS[match[2]]


@click.command(
    epilog="Example: lotgate verify --database /srv/orders/ora.db --for 15m",
    short_help="Check the migrated database, once or for a while.",
)
@shared_options
@click.option("--for", "duration", type=_Duration(), metavar="TIME", help="Once a minute for 90s, 15m or 2h.")
@click.option(
    "--every", type=_Duration(), default=EVERY_SECONDS, metavar="TIME", hidden=True, help="For tests."
)
def verify(
    database: str | None,
    work_dir: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
    duration: float | None,
    every: float,
) -> int:
    """Check constraints, orphans, the unique key, the days' units, dates, integrity and the audited counts.

    Constraints are tried inside a transaction that is rolled back. Where a check fails, the alert_command of
    lotgate.toml runs with the findings on its standard input, and the exit code is 1.
    """
    from lotgate.config import load_settings
    from lotgate.controls import load_controls
    from lotgate.dbt_run import find_project, read_vars
    from lotgate.live.alert import run_alert
    from lotgate.live.verify import verify as run_verify
    from lotgate.sqlite_files import check_file

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    live = check_file(settings.database)
    owned = load_controls(settings.controls)
    earliest = str(read_vars(find_project())["earliest_ship_date"])
    until = time.monotonic() + (duration or 0)
    held, alert_failed = True, None
    while True:
        found = run_verify(live, owned, earliest_ship_date=earliest, lock_timeout=lock_timeout)
        _show(found, as_json=as_json, brief=duration is not None)
        if not found.holds:
            held = False
            if settings.swap.alert_command:
                alert_failed = run_alert(settings.swap, found) or alert_failed
        left = until - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(every, left))
    if alert_failed:
        click.echo(alert_failed, err=True)
    return 0 if held else 1


def _show(found: Verification, *, as_json: bool, brief: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=None if brief else 2))
        return
    if brief and found.holds:
        click.echo(f"{found.at}  all {len(found.findings)} checks hold")
        return
    for finding in found.findings:
        click.echo(f"{found.at}  {'FAILED' if finding.problem else 'ok':6}  {finding.name}", nl=False)
        click.echo(f": {finding.problem}" if finding.problem else "")
