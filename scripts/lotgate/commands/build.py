"""``lotgate build`` and ``lotgate demo``."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import (
    debug_option,
    json_option,
    lock_timeout_option,
    shared_options,
    work_dir_option,
)

if TYPE_CHECKING:
    from lotgate.build import Build
    from lotgate.demo import DemoRun
    from lotgate.snapshot import Snapshot

__all__ = ["build", "demo"]

EXIT_CLOSED = 1


@click.command(
    epilog="Example: lotgate build --database /srv/orders/ora.db --controls controls",
    short_help="Derive the candidate from a snapshot, and check it.",
)
@shared_options
@click.option(
    "--no-counter",
    is_flag=True,
    help="Write nothing at all into the live database. The candidate can then be audited, not swapped.",
)
def build(
    database: str | None,
    work_dir: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
    no_counter: bool,
) -> None:
    """Take a snapshot of the live database and derive skus, lots and shipped_items from it with dbt.

    Every model, data test and unit test of the project runs. The candidate appears only when all of them
    hold. The live database is only read, but for a small change-counter (a one-row table, and triggers on
    the tables that are read): it tells a later swap whether anything changed since. Where the file cannot be
    written to, the build goes on without it.
    """
    from lotgate.build import build_candidate
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import open_work_dir

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    live = check_file(settings.database)
    with open_work_dir(settings.work_dir, live) as work:
        taken, built = build_candidate(
            live,
            settings.controls,
            work,
            lock_timeout=lock_timeout,
            reporter=SilentReporter() if as_json else make_reporter(),
            counter=not no_counter,
        )
    _show(taken, built, None, as_json=as_json)


@click.command(
    epilog="Example: lotgate demo --work-dir /tmp/lotgate-demo",
    short_help="Make a small legacy database, and migrate it step by step.",
)
@debug_option
@json_option
@lock_timeout_option
@click.option("--no-swap", is_flag=True, help="Stop before the swap, so that you can press the button.")
@work_dir_option
def demo(work_dir: str | None, no_swap: bool, lock_timeout: float, as_json: bool) -> int:
    """Make the demo's live database from the project's seeds, and take it like any other database.

    It tells the story of one bad day: 223 units with the right date, 107 with a wrong one, 75 missing. The
    missing ones are fetched from a simulator of ShipStation's API, which runs on this machine meanwhile. Ends
    with the swap and its verification; exits with 1 where the gate is closed or a check does not hold.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.demo import run_demo

    settings = load_settings(work_dir=work_dir)
    run = run_demo(
        settings,
        lock_timeout=lock_timeout,
        reporter=SilentReporter() if as_json else make_reporter(),
        and_swap=not no_swap,
    )
    _show(run.snapshot, run.build, run, as_json=as_json)
    holds = run.verification is None or run.verification.holds
    return 0 if run.verdict.is_open and holds else EXIT_CLOSED


def _show(taken: Snapshot, built: Build, run: DemoRun | None, *, as_json: bool) -> None:
    from lotgate.commands.audit import print_verdict
    from lotgate.commands.summary import print_summary
    from lotgate.figures import read_figures

    if built.no_counter_because is not None:
        click.echo(
            f"No change-counter, so the candidate cannot be swapped: {built.no_counter_because}", err=True
        )
    figures = read_figures(built.candidate)
    if as_json:
        content: dict[str, object] = {
            "snapshot": taken.as_json(),
            "build": built.as_json(),
            "figures": figures.as_json(),
        }
        if run is not None:
            content["recovery"] = run.recovery.as_json() | {"request_log": str(run.request_log)}
            content["verdict"] = run.verdict.as_json()
            content["swap"] = None if run.swap is None else run.swap.as_json()
            content["verification"] = None if run.verification is None else run.verification.as_json()
        click.echo(json.dumps(content, indent=2))
    else:
        if run is not None:
            from lotgate.commands.recover import print_recovery

            print_recovery(run.recovery)
            click.echo()
        print_summary(taken, built, figures)
        if run is not None:
            click.echo()
            print_verdict(run.verdict, run.work)
            _show_swap(run)


def _show_swap(run: DemoRun) -> None:
    from lotgate.commands.swap import print_swap

    named = shlex.join(["--database", str(run.database), "--work-dir", str(run.work.path)])
    click.echo()
    click.echo(f"What was asked of the simulated ShipStation, request by request: {run.request_log}")
    if run.swap is None or run.verification is None:
        click.echo(f"Not swapped. Do it with: lotgate swap {named}")
        return
    print_swap(run.swap)
    for finding in run.verification.findings:
        if finding.problem:
            click.secho(f"Verified: {finding.name}: {finding.problem}", fg="red")
    if run.verification.holds:
        click.echo(f"Verified: all {len(run.verification.findings)} checks hold.")
    click.echo(f"Take it back with: lotgate rollback {named}")
