"""The rows of a good candidate that mutations name, each found by what it is and not by its id.

They are looked up in order, before anything is spoiled; a query may name those above it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_PLAIN = (
    "(select items.*, ledger.legacy_id from shipped_items as items"
    " inner join audit_row_ledger as ledger on ledger.legacy_id = items.id and ledger.reason = 'clean'"
    " where items.lot_id is not null and items.tracking_number is not null and items.order_number in"
    " (select order_number from shipped_items group by order_number having count(*) = 1))"
)
"""Rows that nothing speaks against, with lot and tracking number, each the only one of its order."""

_LIKE_ROW = f"select min(plain.id) from {_PLAIN} as plain, shipped_items as row where row.id = :row and"


def _header(number: str) -> str:
    return f"select id from shipped_orders where order_number = {number}"


def _ledger(condition: str) -> str:
    return f"select min(legacy_id) from audit_row_ledger where {condition}"


PICKS = {
    # an ordinary row, and rows that share most with it: swapped with these, nothing shows in the totals
    "row": (
        f"select min(row.id) from {_PLAIN} as row"
        f" inner join {_PLAIN} as one on one.ship_date = row.ship_date"
        " and one.quantity_shipped = row.quantity_shipped and one.sku_id <> row.sku_id"
        f" inner join {_PLAIN} as two on two.ship_date = row.ship_date and two.lot_id = row.lot_id"
        " and two.quantity_shipped <> row.quantity_shipped where row.quantity_shipped > 1"
    ),
    "order": "select order_number from shipped_items where id = :row",
    "lot": "select lot_id from shipped_items where id = :row",
    "sku": "select sku_id from shipped_items where id = :row",
    "other_sku_key": "select min(sku_id) from skus where sku_id <> :sku",
    "beside": (
        f"{_LIKE_ROW} plain.ship_date = row.ship_date and plain.lot_id = row.lot_id"
        " and plain.quantity_shipped <> row.quantity_shipped"
    ),
    "other_day": (
        f"{_LIKE_ROW} plain.ship_date > row.ship_date and plain.lot_id = row.lot_id"
        " and plain.quantity_shipped = row.quantity_shipped"
        " and substr(plain.ship_date, 1, 7) = substr(row.ship_date, 1, 7)"
    ),
    "other_lot": (
        f"{_LIKE_ROW} plain.sku_id = row.sku_id and plain.lot_id <> row.lot_id"
        " and plain.quantity_shipped = row.quantity_shipped"
    ),
    "other_sku": (
        f"{_LIKE_ROW} plain.ship_date = row.ship_date and plain.sku_id <> row.sku_id"
        " and plain.quantity_shipped = row.quantity_shipped"
    ),
    # a row whose order's date is known
    "ordered": (
        f"select min(plain.id) from {_PLAIN} as plain inner join int_orders as orders"
        " on orders.order_number = plain.order_number and orders.order_date is not null"
    ),
    "order_day": (
        "select orders.order_date from shipped_items as items inner join int_orders as orders"
        " on orders.order_number = items.order_number where items.id = :ordered"
    ),
    # a row whose SKU text is no other's
    "rare": (
        f"select min(plain.id) from {_PLAIN} as plain where shipstation_sku_raw in"
        " (select shipstation_sku_raw from shipped_items group by shipstation_sku_raw having count(*) = 1)"
    ),
    # rows of other fates
    "redated": _ledger("reason = 'shipstation_other_day' and lot_number is null"),
    "merged": _ledger("reason = 'lotless_twin'"),
    "respelled": "select max(legacy_id) from audit_row_ledger where reason = 'respelled_twin'",
    "removed": _ledger("reason = 'historical_resync'"),
    "cancelled": _ledger("reason = 'cancelled_never_shipped'"),
    "held": _ledger("reason = 'held' and sku_code is not null"),
    "decided": _ledger("reason = 'decided' and disposition = 'redate'"),
    "recovered": "select min(candidate_id) from int_recovered_lines where lot_number is not null",
    "recovered_elsewhere": (
        "select max(candidate_id) from int_recovered_lines where lot_number is not null"
        " and shipment_id <> (select shipment_id from int_recovered_lines where candidate_id = :recovered)"
    ),
    # lots
    "unshipped_lot": (
        "select min(lot_id) from lots"
        " where lot_id not in (select lot_id from shipped_items where lot_id is not null)"
    ),
    "stocked_lot": "select min(lot_id) from lots where initial_qty is not null",
    "discovered_lot": (
        "select min(lot_id) from lots inner join skus using (sku_id) inner join audit_lots"
        " using (sku_code, lot_number) where is_discovered = 1"
    ),
    "foreign_lot": "select min(lot_id) from lots where sku_id <> :sku",
    # headers
    "header": _header(":order"),
    "header_beside": _header("(select order_number from shipped_items where id = :beside)"),
    "taken_out": "select min(header_id) from audit_order_header_changes where change = 'taken_out'",
    "corrected": "select min(header_id) from audit_order_header_changes where change = 'date_corrected'",
    "added": "select min(header_id) from audit_order_header_changes where change = 'added'",
}


def pick(candidate: Path) -> dict[str, Any]:
    """The values of all picks in a candidate; each must be there."""
    picks: dict[str, Any] = {}
    with closing(sqlite3.connect(candidate)) as connection:
        for name, query in PICKS.items():
            found = connection.execute(query, picks).fetchone()
            assert found is not None, f"the candidate has nothing for the pick {name}"
            assert found[0] is not None, f"the candidate has nothing for the pick {name}"
            picks[name] = found[0]
    return picks
