"""Every row that the candidate has not just as the legacy table has it, and every row that is reported."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lotgate.parser import trim
from lotgate.review.columnar import Column, Table

__all__ = ["COLUMNS", "ChangedRows", "read_changed_rows"]

COLUMNS = (
    Column("legacy_id", "Row", "number"),
    Column("order_number", "Order", "code"),
    Column("new_order_number", "Order after", "code", mark="order", optional=True),
    Column("ship_date", "Ship date", "day", group="Before"),
    Column("base_sku", "base_sku", "code", group="Before"),
    Column("sku_lot", "sku_lot", "label", group="Before"),
    Column("new_ship_date", "Ship date", "day", group="After", mark="date"),
    Column("sku_code", "SKU", "code", group="After", mark="SKU"),
    Column("lot_number", "Lot", "code", group="After", mark="lot"),
    Column("shipstation_sku_raw", "Text", "label", group="After", mark="text"),
    Column("units", "Units", "number", mark="units"),
    Column("disposition", "Disposition"),
    Column("reason", "Reason"),
    Column("changes", "Changes"),
    Column("merged_into_id", "Merged into", "number", optional=True),
    Column("evidence", "Evidence", "prose", below=True),
)
FACETS = ("disposition", "reason", "changes")

ROW = """
select
    ledger.legacy_id, ledger.order_number, items.order_number, ledger.ship_date, ledger.base_sku,
    ledger.sku_lot, items.ship_date, skus.sku_code, lots.lot_number, items.shipstation_sku_raw,
    ledger.units, ledger.disposition, ledger.reason, ledger.merged_into_id, ledger.evidence,
    items.id is not null,
    cast(items.order_number as text) is not cast(ledger.order_number as text),
    items.ship_date is not cast(ledger.ship_date as text),
    items.shipstation_sku_raw is not cast(ledger.sku_lot as text)
        and items.shipstation_sku_raw is not cast(ledger.base_sku as text),
    lots.lot_number is not ledger.lot_number,
    skus.sku_code is not ledger.sku_code or (
        instr(coalesce(ledger.sku_lot, ''), skus.sku_code) = 0
        and instr(coalesce(ledger.base_sku, ''), skus.sku_code) = 0
    ),
    items.quantity_shipped is not ledger.units
from audit_row_ledger as ledger
left join shipped_items as items on ledger.legacy_id = items.id
left join skus on items.sku_id = skus.sku_id
left join lots on items.lot_id = lots.lot_id
"""
# Those that are not simply kept come first; the condition is tried after the joins only where it must be.
REPORTED = (
    f"{ROW} where ledger.disposition is not 'keep' or ledger.reason is not 'clean' order by ledger.legacy_id"
)
KEPT = f"""{ROW} where ledger.disposition = 'keep' and ledger.reason = 'clean' and (
    items.id is null
    or cast(items.order_number as text) is not cast(ledger.order_number as text)
    or items.ship_date is not cast(ledger.ship_date as text)
    or (
        items.shipstation_sku_raw is not cast(ledger.sku_lot as text)
        and items.shipstation_sku_raw is not cast(ledger.base_sku as text)
    )
    or lots.lot_number is not ledger.lot_number
    or skus.sku_code is not ledger.sku_code
    or (
        instr(coalesce(ledger.sku_lot, ''), skus.sku_code) = 0
        and instr(coalesce(ledger.base_sku, ''), skus.sku_code) = 0
    )
    or items.quantity_shipped is not ledger.units
) order by ledger.legacy_id"""
RECOVERED = """
select
    lines.candidate_id, items.order_number, items.ship_date, skus.sku_code, lots.lot_number,
    items.shipstation_sku_raw, lines.quantity, lines.shipment_id
from int_recovered_lines as lines
left join shipped_items as items on lines.candidate_id = items.id
left join skus on items.sku_id = skus.sku_id
left join lots on items.lot_id = lots.lot_id
order by lines.candidate_id
"""


@dataclass
class ChangedRows:
    """The rows of the page, and how many of them each disposition and reason has (those left out too)."""

    table: Table = field(default_factory=lambda: Table(COLUMNS))
    listed: Counter[tuple[str, str]] = field(default_factory=Counter)


def read_changed_rows(connection: sqlite3.Connection) -> ChangedRows:
    """All ledger rows but those that are kept clean and unchanged, and the recovered lines.

    What is compared is the candidate's own row, not what the ledger says of it.
    """
    found = ChangedRows()
    for rows in (_ledger(connection, REPORTED), _recovered(connection), _ledger(connection, KEPT)):
        for row in rows:
            found.table.add(row)
            found.listed[str(row[11]), str(row[12])] += 1
    return found


def _ledger(connection: sqlite3.Connection, sql: str) -> Iterator[tuple[object, ...]]:
    for row in connection.execute(sql):
        legacy_id, order, new_order, date, base_sku, sku_lot, new_date, sku, lot, text = row[:10]
        units, disposition, reason, merged_into, evidence, stays, *differs = row[10:]
        yield (
            legacy_id,
            order,
            new_order if stays and differs[0] else None,
            date,
            base_sku,
            sku_lot,
            new_date,
            sku,
            lot,
            text,
            units,
            disposition,
            reason,
            _changes(base_sku, sku_lot, text, differs) if stays else "leaves",
            merged_into,
            evidence,
        )


def _changes(base_sku: object, sku_lot: object, text: object, differs: list[int]) -> str:
    """Which values of a row that stays are others than before, in words."""
    order, date, text_differs, lot, sku, units = differs
    words = []
    if date:
        words.append("date")
    if text_differs:
        before = [trim(value) for value in (base_sku, sku_lot) if isinstance(value, str)]
        words.append("blanks" if text in before else "text")
    words += [
        word
        for word, is_other in (("SKU", sku), ("lot", lot), ("order", order), ("units", units))
        if is_other
    ]
    return ", ".join(words) or "nothing"


def _recovered(connection: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    for line in connection.execute(RECOVERED):
        candidate_id, order, date, sku, lot, text, units, shipment = line
        yield (
            candidate_id, order, None, None, None, None, date, sku, lot, text, units,
            "recovered", "only_in_shipstation", "is added", None, _shipment(shipment),
        )  # fmt: skip


def _shipment(number: int) -> str:
    """A negative number is the fulfillment of an order that was shipped by hand, without a label."""
    if number >= 0:
        return f"ShipStation's shipment {number}"
    return f"shipped by hand: ShipStation's fulfillment {-number}; the units are the order's"
