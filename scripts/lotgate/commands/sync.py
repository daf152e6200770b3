"""``lotgate sync``: the one ingestion path of a migrated database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lotgate.commands.options import (
    controls_option,
    database_option,
    debug_option,
    json_option,
    lock_timeout_option,
    shared_options,
)
from lotgate.errors import LotgateError, UsageError

if TYPE_CHECKING:
    from lotgate.sync.engine import SyncReport
    from lotgate.sync.services import Service

__all__ = ["sync"]

FIRST_DAY = "2000-01-01"
Command = TypeVar("Command", bound=Callable[..., Any])


def _run_options(command: Command) -> Command:
    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing."),
        click.option(
            "--retry",
            is_flag=True,
            help="Ask again for the orders in quarantine, after what was wrong is right.",
        ),
        click.option(
            "--backfill", is_flag=True, help="Let ship dates through that are older than the guard's."
        ),
        click.option(
            "--since",
            metavar="DAY",
            help="Read from this day on (YYYY-MM-DD, US Pacific), not from the watermark.",
        ),
        shared_options,
    ):
        command = option(command)
    return command


@click.group(
    invoke_without_command=True,
    epilog="Example: lotgate sync --watch --interval 300 --database /srv/orders/ora.db",
    short_help="Bring shipments from ShipStation into a migrated database.",
)
@debug_option
@json_option
@lock_timeout_option
@controls_option
@database_option
@click.option("--watch", is_flag=True, help="Run all three services, again and again, until it is stopped.")
@click.option(
    "--interval",
    metavar="SECONDS",
    type=click.FloatRange(1, 86_400),
    help="How long to wait between two rounds of --watch. Default: LOTGATE_SYNC_INTERVAL_S, else 300.",
)
@click.pass_context
def sync(
    context: click.Context,
    watch: bool,
    interval: float | None,
    database: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
) -> None:
    """Bring what ShipStation shipped into a migrated database, through one parser, one guard and one writer.

    Three services: `shipments` (labels), `status` (orders that changed), `manual` (orders made in
    ShipStation). Each has a watermark that moves only after everything was fetched and written; each can be
    run again at any time, with the same outcome. What the date guard or the parser refuses goes to a
    quarantine (`lotgate sync quarantine`). The key and secret come from SHIPSTATION_API_KEY and
    SHIPSTATION_API_SECRET.
    """
    if context.invoked_subcommand is not None:
        if watch:
            raise UsageError("--watch runs all three services.", hint="Leave the service's name out.")
        if as_json or any(value is not None for value in (interval, database, controls)):
            raise UsageError(
                f"Options come after the service: lotgate sync {context.invoked_subcommand} --database FILE.",
                hint="Before it they are for --watch.",
            )
        return
    if not watch:
        raise UsageError(
            "Which service?",
            hint="lotgate sync shipments, lotgate sync status, lotgate sync manual, or lotgate sync --watch.",
        )
    _watch(interval, database, controls, lock_timeout, as_json=as_json)


@sync.command(
    epilog="Example: lotgate sync shipments --database /srv/orders/ora.db --dry-run",
    short_help="Labels: new ones, late ones, voided ones.",
)
@_run_options
def shipments(**options: Any) -> None:
    """Read labels by create date since the watermark, by ship date for the last days, and by void date."""
    _run_once("shipments", options)


@sync.command(
    epilog="Example: lotgate sync status --database /srv/orders/ora.db",
    short_help="Orders that changed in ShipStation.",
)
@_run_options
def status(**options: Any) -> None:
    """Read the orders that changed since the watermark, each by its own address, with all its labels.

    An answer with another id than the one asked for changes nothing.
    """
    _run_once("status", options)


@sync.command(
    epilog="Example: lotgate sync manual --database /srv/orders/ora.db",
    short_help="Orders made in ShipStation.",
)
@_run_options
def manual(**options: Any) -> None:
    """The same as `status`, for orders that were made in ShipStation (and are in no inbox)."""
    _run_once("manual", options)


@sync.command(
    epilog="Example: lotgate sync quarantine --database /srv/orders/ora.db --json",
    short_help="What the guard or the parser refused.",
)
@debug_option
@json_option
@lock_timeout_option
@database_option
def quarantine(database: str | None, lock_timeout: float, as_json: bool) -> None:
    """List what waits for a person: refused labels and lines, with the reason and what can be done."""
    from dataclasses import asdict

    from lotgate.commands.sync_text import print_quarantine
    from lotgate.config import load_settings
    from lotgate.sqlite_files import open_live
    from lotgate.sync.tables import open_entries

    settings = load_settings(database=database)
    with open_live(settings.database, lock_timeout=lock_timeout) as live:
        entries = open_entries(live.connection)
    if as_json:
        click.echo(json.dumps({"quarantine": [asdict(entry) for entry in entries]}, indent=2))
    else:
        print_quarantine(entries)


def _run_once(service: Service, options: dict[str, Any]) -> None:
    from lotgate.commands.sync_text import print_report

    as_json = options.pop("as_json")
    report = _runner(**options, as_json=as_json)(service)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        print_report(report)


def _watch(
    interval: float | None,
    database: str | None,
    controls: str | None,
    lock_timeout: float,
    *,
    as_json: bool,
) -> None:
    from lotgate.commands.sync_text import print_report
    from lotgate.config import load_settings
    from lotgate.sync.services import SERVICES
    from lotgate.sync.watch import watch as run_watch

    def tell(service: Service, outcome: SyncReport | LotgateError) -> None:
        if isinstance(outcome, LotgateError):
            click.echo(f"{service}: {outcome.message} {outcome.hint or ''}".rstrip(), err=True)
        elif as_json:
            click.echo(json.dumps(outcome.as_json()))
        else:
            print_report(outcome)

    run = _runner(database=database, controls=controls, lock_timeout=lock_timeout, as_json=as_json)
    settings = load_settings(database=database, controls=controls)
    try:
        run_watch(SERVICES, run, tell, interval_s=settings.sync.interval_s if interval is None else interval)
    except KeyboardInterrupt:
        click.echo("Stopped, between orders.", err=True)


def _runner(
    *,
    database: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
    work_dir: str | None = None,
    since: str | None = None,
    backfill: bool = False,
    retry: bool = False,
    dry_run: bool = False,
) -> Callable[[Service], SyncReport]:
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.controls import load_controls
    from lotgate.dbt_run import find_project, read_vars
    from lotgate.parser import is_real_day
    from lotgate.shipstation.client import open_client
    from lotgate.sqlite_files import check_file
    from lotgate.sync.engine import run_sync
    from lotgate.sync.job import Job
    from lotgate.sync.rules import make_rules

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    if since is not None and not (is_real_day(since) and since >= FIRST_DAY):
        raise UsageError(f"--since {since} is no day since {FIRST_DAY}.", hint="Write it as YYYY-MM-DD.")
    live = check_file(settings.database)
    found = load_controls(settings.controls)
    variables = read_vars(find_project())
    reporter = SilentReporter() if as_json else make_reporter()
    guard_days = None if backfill else settings.sync.guard_days

    def run(service: Service) -> SyncReport:
        job = Job(
            service=service,
            settings=settings.sync,
            rules=lambda today, skus: make_rules(today, guard_days, skus, found, variables),
            discovered_lot_status=str(variables["discovered_lot_status"]),
            chunk_s=settings.swap.chunk_ms / 1000,
            since=since,
            retry=retry,
            dry_run=dry_run,
        )
        return run_sync(
            live,
            job,
            lambda: open_client(settings.shipstation, reporter=reporter),
            lock_timeout=lock_timeout,
            reporter=reporter,
        )

    return run
