"""``lotgate recover``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import database_option, debug_option, json_option, work_dir_option

if TYPE_CHECKING:
    from lotgate.recover import Recovery

__all__ = ["print_recovery", "recover"]


@click.command(
    epilog="Example: lotgate recover --database /srv/orders/ora.db --from 2025-10-06 --to 2025-10-10",
    short_help="Fetch from ShipStation what was shipped on some days.",
)
@debug_option
@json_option
@work_dir_option
@database_option
@click.option("--from", "first", metavar="DAY", required=True, help="The first ship date, YYYY-MM-DD.")
@click.option("--to", "last", metavar="DAY", help="The last ship date, included. Default: the first.")
def recover(database: str | None, work_dir: str | None, first: str, last: str | None, as_json: bool) -> None:
    """Fetch what ShipStation knows about the shipments of some days, as evidence for the next build.

    Key and secret come from SHIPSTATION_API_KEY and SHIPSTATION_API_SECRET. The evidence is kept in the work
    directory; the live database is not touched. A fetch that did not arrive completely covers nothing and
    leaves the evidence as it was. Fetching days again is harmless, and replaces what was known of them.
    """
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.recover import check_days, recover_days
    from lotgate.shipstation.client import open_client
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import open_work_dir

    settings = load_settings(database=database, work_dir=work_dir)
    last = first if last is None else last
    check_days(first, last)
    live = check_file(settings.database)
    reporter = SilentReporter() if as_json else make_reporter()
    with (
        open_work_dir(settings.work_dir, live) as work,
        open_client(settings.shipstation, reporter=reporter) as client,
    ):
        recovery = recover_days(live, work, first, last, client=client, reporter=reporter)
    if as_json:
        click.echo(json.dumps(recovery.as_json(), indent=2))
    else:
        print_recovery(recovery)


def print_recovery(recovery: Recovery) -> None:
    """What came, and what to know about it."""
    stored = recovery.stored
    first, last = recovery.ship_date_from, recovery.ship_date_to
    window = first if first == last else f"{first} to {last}"
    click.echo(f"ShipStation, {window}, as of {recovery.fetched_at:%Y-%m-%d %H:%M:%S} (US Pacific):")
    click.echo(
        f"  {_count(stored.shipments, 'shipment')}: {stored.live} that count, {stored.voided} voided,"
        f" {_count(stored.returns, 'return')}; {stored.by_hand} of them shipped by hand, without a label"
    )
    click.echo(
        f"  {_count(stored.units, 'unit')}, {stored.by_hand_units} of them from the items of orders that were"
        f" shipped by hand; {_count(stored.ignored_lines, 'line')} ignored, being no goods"
    )
    for number, text in (
        (stored.without_items, "without any item: what they shipped is not known"),
        (
            recovery.orders_gone,
            "whose order ShipStation does not have any more: what they shipped is not known",
        ),
        (recovery.orders_elsewhere, "shipped by another warehouse: nothing of them counts"),
        (stored.updated_elsewhere, "of other days that were fetched before: brought up to date"),
    ):
        if number:
            click.echo(f"  {number} {text}")
    if recovery.includes_today:
        click.echo(f"  {last} is not over yet: fetch it again when it is.")
    click.echo(
        f"The evidence covers {_count(recovery.days_covered, 'day')} now"
        f" ({_count(recovery.requests, 'request')}): {recovery.evidence}"
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
