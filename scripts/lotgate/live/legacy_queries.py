"""What the legacy system's readers ask, so that a rehearsal can ask it before and after.

They are the representative reads of the reporter, the dashboard, the upload and the charge report, word by
word; the numbers are those of docs/swap.md, "Readers". Parameters are taken from the database itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

__all__ = ["QUERIES", "answers", "parameters"]

QUERIES: Mapping[str, str] = {
    "R1": "select count(*) from shipped_orders where ship_date >= :since",
    "R2": "select id, ship_date, order_number, total_items, shipstation_order_id, created_at"
    " from shipped_orders order by ship_date desc, id desc limit 1000",
    "R3": "select ship_date, sku_lot, base_sku, quantity_shipped, order_number from shipped_items"
    " where ship_date between :d1 and :d2 order by ship_date desc, id desc limit 5000",
    "R4": "select ship_date, count(distinct order_number) from shipped_orders"
    " where ship_date between :d1 and :d2 group by ship_date order by ship_date",
    "R5": "select ship_date, base_sku, sum(quantity_shipped) from shipped_items"
    " where ship_date between :d1 and :d2 group by ship_date, base_sku order by 1, 2",
    "R6": "select sum(quantity_shipped) from shipped_items where ship_date between :d1 and :d2",
    "R7": "select i.order_number, i.ship_date, i.base_sku, coalesce(i.sku_lot, ''), i.quantity_shipped,"
    " coalesce(o.shipstation_order_id, ''), coalesce(i.tracking_number, '')"
    " from shipped_items i left join shipped_orders o on o.order_number = i.order_number"
    " where i.ship_date = :d and i.base_sku = :sku order by i.order_number",
    "R12": "select ship_date, base_sku, quantity_shipped, sku_lot from shipped_items order by ship_date desc",
    "R13": "select start_date, end_date, sku, quantity_shipped from weekly_shipped_history"
    " where sku = :sku order by start_date desc limit 52",
    "R14": "select sku, product_name, current_quantity, weekly_avg_cents, alert_level, reorder_point,"
    " last_updated from inventory_current order by sku",
    "R16": "select li.sku, li.lot, coalesce(sum(si.quantity_shipped), 0) from lot_inventory li"
    " left join shipped_items si on si.base_sku = li.sku and si.sku_lot = li.lot group by li.id",
    "R17": "select sku, lot from sku_lot where active = 1",
    "R18": "select id, order_number, order_date from orders_inbox where status = 'pending'"
    " and order_number not in (select order_number from shipped_orders)",
    "R21": "select order_number, base_sku, quantity_shipped from shipped_items"
    " where order_number is not null order by 1, 2",
    "R22": "select max(cast(order_number as integer)) from shipped_orders"
    " where order_number not glob '*[^0-9]*' and cast(order_number as integer) < 200000",
}

IN_ANY_ORDER = frozenset({"R7", "R12", "R16", "R17", "R18", "R21"})
"""Their rows, or those that are equal in what they sort by, come as SQLite finds them: another index,
another order. What they answer is the rows."""


def parameters(connection: sqlite3.Connection) -> dict[str, object]:
    """Days and a SKU that the database has: the last 60 days of shipments, the busiest day and SKU."""
    table = "shipped_items"
    (last,) = connection.execute(f"select max(ship_date) from {table} where ship_date <= '9'").fetchone()
    day, sku = connection.execute(
        f"select ship_date, base_sku from {table} group by 1, 2"
        " order by sum(quantity_shipped) desc, 1, 2 limit 1"
    ).fetchone() or (last, None)
    (first,) = connection.execute("select date(?, '-60 days')", (last,)).fetchone()
    return {"since": first, "d1": first, "d2": last, "d": day, "sku": sku}


def answers(
    connection: sqlite3.Connection, given: Mapping[str, object]
) -> dict[str, list[tuple[object, ...]]]:
    """Every query's answer; of one on a table or column that this database does not have, SQLite's error.

    Rows whose order a query leaves open are sorted, so that answers can be compared.
    """
    found = {}
    for name, query in QUERIES.items():
        try:
            rows = connection.execute(query, dict(given)).fetchall()
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise
            rows = [(str(error),)]
        found[name] = sorted(rows, key=repr) if name in IN_ANY_ORDER else rows
    return found
