"""The other lists of the review: quarantine, decisions, headers, lots and stock, ShipStation's lines."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lotgate.review.columnar import Column, Table
from lotgate.review.words import LEFT_OUT, OUTCOMES

__all__ = [
    "LikelyIncident",
    "Lots",
    "Outcome",
    "Stock",
    "read_decisions",
    "read_headers",
    "read_likely_incidents",
    "read_lots",
    "read_outcomes",
    "read_quarantine",
    "read_shipstation_lines",
    "read_stock",
]

QUARANTINE = (
    Column("legacy_id", "Row", "number"),
    Column("state", "State"),
    Column("order_number", "Order", "code"),
    Column("ship_date", "Ship date", "day"),
    Column("base_sku", "base_sku", "code"),
    Column("sku_lot", "sku_lot", "label"),
    Column("quantity_shipped", "Quantity", "number"),
    Column("units", "Units", "number"),
    Column("reason", "Reason"),
    Column("evidence", "Evidence", "prose", below=True),
    Column("proposal", "Proposal", "prose", below=True),
)
QUARANTINE_SQL = """
select
    legacy_id, case when is_undecided then 'undecided' else 'held' end, order_number, ship_date,
    base_sku, sku_lot, quantity_shipped, units, reason, evidence, case when is_undecided then proposal end
from audit_quarantine
order by is_undecided desc, legacy_id
"""

DECISIONS = (
    Column("line", "Line", "number"),
    Column("legacy_id", "Row", "number"),
    Column("decision", "Decision"),
    Column("order_number", "Order", "code"),
    Column("ship_date", "Ship date", "day"),
    Column("base_sku", "base_sku", "code"),
    Column("sku_lot", "sku_lot", "label"),
    Column("units", "Units", "number"),
    Column("new_ship_date", "New ship date", "day"),
    Column("merged_into_id", "Merged into", "number", optional=True),
    Column("outcome", "What became of the row"),
    Column("problem", "Why it does not fit", "prose", optional=True),
)
DECISIONS_SQL = """
select
    decisions.decision_id, decisions.legacy_id, decisions.decision, ledger.order_number,
    ledger.ship_date, ledger.base_sku, ledger.sku_lot, ledger.units, decisions.new_ship_date,
    decisions.merged_into_id, ledger.disposition || ', ' || ledger.reason, decisions.problem
from audit_decisions as decisions
left join audit_row_ledger as ledger on decisions.legacy_id = ledger.legacy_id
order by decisions.decision_id
"""

HEADERS = (
    Column("header_id", "Header", "number"),
    Column("order_number", "Order", "code"),
    Column("change", "Change"),
    Column("old_ship_date", "Ship date before", "day"),
    Column("new_ship_date", "Ship date after", "day"),
    Column("legacy_items", "Items before", "number"),
    Column("candidate_items", "Items after", "number"),
    Column("reason", "Reason"),
)
HEADERS_SQL = """
select
    header_id, order_number, change, old_ship_date, new_ship_date, legacy_items, candidate_items, reason
from audit_order_header_changes
order by header_id
"""

LOTS = (
    Column("sku_code", "SKU", "code"),
    Column("lot_number", "Lot", "code"),
    Column("status", "Status"),
    Column("note", "To look at"),
    Column("known_to", "Known to", "prose"),
    Column("received_date", "Received", "day"),
    Column("initial_qty", "Received units", "number"),
    Column("manual_adjustment", "Adjusted by", "number"),
    Column("shipped_units", "Units shipped", "number"),
)
LOTS_SQL = """
with shipped as (
    select lot_id, sum(quantity_shipped) as units from shipped_items where lot_id is not null group by lot_id
),
active as (
    select sku_code, count(*) as active_lots
    from audit_lots where status = 'active' and left_out_because is null group by sku_code
)
select
    found.sku_code, found.lot_number, found.status, found.is_discovered, found.left_out_because,
    coalesce(active.active_lots, 0), found.is_in_lot_inventory, found.is_in_sku_lot, found.is_shipped,
    lots.received_date, lots.initial_qty, lots.manual_adjustment, coalesce(shipped.units, 0)
from audit_lots as found
left join active on found.sku_code = active.sku_code
left join skus on found.sku_code = skus.sku_code
left join lots on skus.sku_id = lots.sku_id and found.lot_number = lots.lot_number
left join shipped on lots.lot_id = shipped.lot_id
order by
    found.is_discovered desc, found.left_out_because is null,
    coalesce(active.active_lots, 0) > 1 and found.status = 'active' desc, found.sku_code, found.lot_number
"""

STOCK_SQL = """
select
    stock.sku_code, skus.product_name, stock.as_of_date, stock.baseline_units, stock.moved_units,
    stock.legacy_shipped_units, stock.candidate_shipped_units, stock.stored_on_hand, stock.legacy_on_hand,
    stock.candidate_on_hand, stock.expected_on_hand
from audit_stock as stock
left join skus on stock.sku_code = skus.sku_code
order by stock.sku_code, stock.as_of_date
"""

LINES = (
    Column("shipment_id", "Shipment", "number"),
    Column("line_index", "Line", "number"),
    Column("order_number", "Order", "code"),
    Column("ship_date", "Ship date", "day"),
    Column("sku_text", "Text", "label"),
    Column("sku_code", "SKU", "code"),
    Column("lot_number", "Lot", "code"),
    Column("quantity", "Units", "number"),
    Column("outcome", "Outcome"),
    Column("legacy_id", "Legacy row", "number"),
    Column("units_from", "Units from", optional=True),
)
LINES_SQL = """
select
    shipment_id, line_index, order_number, ship_date, sku_text, sku_code, lot_number, quantity, outcome,
    legacy_id, case when units_from = 'order' then 'the order, shipped by hand' end
from audit_shipstation_lines
where outcome is not 'same_day'
order by shipment_id, line_index
"""


@dataclass(frozen=True)
class LikelyIncident:
    """A ship date that looks like a bad batch, and the line to add to ``incidents.csv``."""

    wrong_ship_date: str
    rows: int
    units: int
    created_days: int
    created_from: str
    created_to: str
    line: str


@dataclass(frozen=True)
class Lots:
    """``table`` has every lot. The counts are of lots; ``several_active`` is one of SKUs."""

    table: Table
    discovered: int
    left_out: int
    several_active: int


@dataclass(frozen=True)
class Stock:
    """Units on hand of a SKU before and after, and what they are made of; ``as_of_date`` is empty for now."""

    sku_code: str
    product_name: str | None
    as_of_date: str
    baseline: int | None
    moved: int | None
    shipped_before: int | None
    shipped_after: int | None
    stored: int | None
    before: int | None
    after: int | None
    expected: int | None


@dataclass(frozen=True)
class Outcome:
    """How many of ShipStation's lines came to one outcome."""

    outcome: str
    lines: int
    units: int


def read_quarantine(connection: sqlite3.Connection) -> Table:
    """The quarantined rows, undecided ones first. What is held needs no proposal any more."""
    return _table(connection, QUARANTINE, QUARANTINE_SQL)


def read_decisions(connection: sqlite3.Connection) -> Table:
    """The decisions, and what became of their rows. Who decided and why stays in the owner's own file."""
    return _table(connection, DECISIONS, DECISIONS_SQL)


def read_headers(connection: sqlite3.Connection) -> Table:
    """The order headers that the candidate changes, adds or takes out."""
    return _table(connection, HEADERS, HEADERS_SQL)


def read_lots(connection: sqlite3.Connection) -> Lots:
    """Every lot: discovered ones, those left out, and those of a SKU with several active ones first."""
    table = Table(LOTS)
    discovered = left_out = 0
    several: set[str] = set()
    for row in connection.execute(LOTS_SQL):
        sku, lot, status, is_discovered, because, active, in_inventory, in_sku_lot, is_shipped, *amounts = row
        notes = []
        if because:
            left_out += 1
            notes.append(f"left out: {LEFT_OUT.get(because, because)}")
        elif is_discovered:
            discovered += 1
            notes.append("discovered")
        if status == "active" and active > 1 and not because:
            several.add(sku)
            notes.append(f"one of {active} active lots")
        known = (("lot_inventory", in_inventory), ("sku_lot", in_sku_lot), ("shipments", is_shipped))
        table.add(
            (sku, lot, status, "; ".join(notes), ", ".join(name for name, is_so in known if is_so), *amounts)
        )
    return Lots(table, discovered, left_out, len(several))


def read_stock(connection: sqlite3.Connection) -> tuple[Stock, ...]:
    """Units on hand now, and on the days that the owner counted."""
    return tuple(Stock(*row) for row in connection.execute(STOCK_SQL))


def read_likely_incidents(connection: sqlite3.Connection) -> tuple[LikelyIncident, ...]:
    """The ship dates that look like a bad batch, the largest first."""
    rows = connection.execute(
        "select * from audit_likely_incidents order by rows_on_date desc, wrong_ship_date"
    )
    return tuple(LikelyIncident(*row) for row in rows)


def read_outcomes(connection: sqlite3.Connection) -> tuple[Outcome, ...]:
    """What became of ShipStation's lines, in the order of ``words.OUTCOMES``."""
    rows = connection.execute(
        "select outcome, count(*), coalesce(sum(quantity), 0) from audit_shipstation_lines group by outcome"
    )
    order = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    found = [Outcome(str(outcome), lines, units) for outcome, lines, units in rows]
    return tuple(sorted(found, key=lambda row: (order.get(row.outcome, len(order)), row.outcome)))


def read_shipstation_lines(connection: sqlite3.Connection) -> Table:
    """ShipStation's lines that are not simply the same line on the same day."""
    return _table(connection, LINES, LINES_SQL)


def _table(connection: sqlite3.Connection, columns: tuple[Column, ...], sql: str) -> Table:
    table = Table(columns)
    for row in connection.execute(sql):
        table.add(row)
    return table
