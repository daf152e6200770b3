"""What ``lotgate sync`` prints for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from lotgate.sync.permission import REPLACED

if TYPE_CHECKING:
    from lotgate.sync.engine import SyncReport
    from lotgate.sync.model import Refusal

__all__ = ["print_quarantine", "print_report"]

SKEW_TOLD_S = 120
SHOWN_LOTS = 20
ADVICE = {
    "future_ship_date": "waits: it is written once that day has come",
    "too_old": "if it is right: lotgate sync shipments --retry --backfill",
    "before_order_date": "look at the order in ShipStation; an order number used again looks like this",
    "unknown_sku": "add the SKU, or say in sku_variants.csv what the text means; then --retry",
    "unparseable_sku": "say in sku_variants.csv what the text means; then --retry",
    "sku_conflict": "say in sku_variants.csv what the text means; then --retry",
    "implausible_lot": "say in sku_variants.csv what the text means; then --retry",
    "invalid_ship_date": "correct the label in ShipStation; then --retry",
    "invalid_quantity": "correct the label in ShipStation; then --retry",
    "no_items": "look at the label in ShipStation: units may have left with it",
    "quantity_conflict": "correct the row in shipped_items, or void the label; then --retry",
    "lot_conflict": "correct the row in shipped_items, or the label; then --retry",
    "date_conflict": "correct the row in shipped_items, or the label; then --retry",
    "void_conflict": "the label was voided: correct the row in shipped_items, or delete it; then --retry",
    "wrong_answer": "nothing was changed; --retry asks again",
    "refused_by_database": "look at the constraint or trigger that it names; then --retry",
}


def print_report(report: SyncReport) -> None:
    """The run in figures, then what was refused and what to do about it."""
    written = report.written
    verb = "would be" if report.dry_run else "were"
    click.echo(
        f"sync {report.service}: {report.labels} labels read from {report.window[0]} to {report.window[1]}"
        f" (US Pacific), {report.requests} requests."
    )
    click.echo(
        f"{written.rows_added} rows {verb} added, {written.rows_changed} changed, {written.rows_removed}"
        f" taken out, {written.rows_adopted} known already and now bound to their shipment:"
        f" +{written.units_added} -{written.units_removed} units in {written.orders} orders."
    )
    if written.headers_added or written.headers_changed or written.headers_removed:
        click.echo(
            f"Order headers: {written.headers_added} added, {written.headers_changed} changed,"
            f" {written.headers_removed} taken out."
        )
    if written.lots_created:
        lots = sorted(written.lots_created)
        more = f" and {len(lots) - SHOWN_LOTS} more" if len(lots) > SHOWN_LOTS else ""
        click.echo(f"New lots, which only shipments know: {', '.join(lots[:SHOWN_LOTS])}{more}.")
    if written.ignored_lines:
        click.echo(f"{written.ignored_lines} lines are no goods (no SKU, no units, or a discount).")
    if report.settled:
        click.echo(f"{report.settled} entries of the quarantine {verb} settled.")
    if abs(report.clock_skew_s) >= SKEW_TOLD_S:
        click.echo(
            f"This machine's clock is {report.clock_skew_s:+.0f} s off; ShipStation's was used.", err=True
        )
    if report.refused:
        click.secho(
            f"{report.refused} {verb} refused and kept in quarantine, {report.refused_new} of them new:",
            fg="yellow",
        )
        _print_table(report.refusals)
        if report.refused > len(report.refusals):
            click.echo(f"  ... and {report.refused - len(report.refusals)} more.")
        _print_advice(refusal.reason for refusal in report.refusals)
    if report.old_ingestion_is_on:
        click.echo(
            f"{REPLACED} is still switched on in workflow_controls: if the old ingestion runs, stop it."
            " Two ingestions fight.",
            err=True,
        )
    if report.dry_run:
        click.echo("A dry run: nothing was written, and the watermark stands where it stood.")
    else:
        click.echo(f"Watermark: {report.watermark} (before: {report.watermark_before or 'none'}).")


def print_quarantine(entries: Sequence[Refusal]) -> None:
    """The open entries, and what to do about each reason."""
    if not entries:
        click.echo("The quarantine is empty.")
        return
    click.echo(f"{len(entries)} open entries:")
    _print_table(entries)
    _print_advice(entry.reason for entry in entries)


def _print_table(rows: Iterable[Refusal]) -> None:
    for row in rows:
        units = "" if row.quantity is None else f"{row.quantity} of "
        click.echo(
            f"  {row.reason}: {row.subject}, order {_shown(row.order_number or 'none')},"
            f" {units}{_shown(row.sku_text or 'no SKU')}, {_shown(row.ship_date or 'no date')}:"
            f" {_shown(row.detail, 200)}"
        )


def _shown(text: str, most: int = 60) -> str:
    """A text from outside on one line, without characters that could forge another."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return plain if len(plain) <= most else f"{plain[:most]}..."


def _print_advice(reasons: Iterable[str]) -> None:
    for reason, count in sorted(Counter(reasons).items()):
        click.echo(f"What to do, {reason} ({count}): {ADVICE[reason]}.")
