"""Candidates whose tables do not have the constraints of their contract, or that hold something else."""

from __future__ import annotations

from mutations import ids
from mutations.model import Mutation, Step, defined

_KEY = "order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0)"


def _schema(
    name: str,
    *steps: Step,
    by: tuple[str, ...],
    tables: tuple[str, ...] = (),
    breaks: bool = False,
    unsound: bool = False,
) -> Mutation:
    return Mutation(name, steps, by, tables, schema=True, breaks=breaks, unsound=unsound)


def _items(name: str, before: str, after: str = "", tables: tuple[str, ...] = ()) -> Mutation:
    return _schema(name, defined("shipped_items", before, after), by=(ids.ITEM_CONTRACT,), tables=tables)


def _key(name: str, instead: str) -> Mutation:
    return _schema(name, "drop index uniq_shipped_items_key", instead, by=(ids.ITEM_CONTRACT,))


DEFINITIONS = (
    _items("a line's reference to SKUs dropped", ' references "skus" (sku_id)'),
    _items("a line's reference to lots dropped", ' references "lots" (lot_id)'),
    _items("a line's reference to headers dropped", ' references "shipped_orders" (order_number)'),
    _schema(
        "a lot's reference to SKUs dropped",
        defined("lots", ' references "skus" (sku_id) on delete cascade'),
        by=(ids.LOT_CONTRACT,),
    ),
    _schema("the unique key dropped", "drop index uniq_shipped_items_key", by=(ids.ITEM_CONTRACT,)),
    _key("the unique key not unique", f"create index uniq_shipped_items_key on shipped_items ({_KEY})"),
    _schema(
        "the unique code of SKUs dropped",
        defined("skus", "sku_code text not null unique", "sku_code text not null"),
        by=(ids.SKU_CONTRACT,),
    ),
    # without it the references to it are errors
    _schema(
        "the unique number of headers dropped",
        defined("shipped_orders", "order_number text unique", "order_number text"),
        by=(ids.HEADER_CONTRACT, ids.SOUND),
        unsound=True,
    ),
    _schema("an index dropped", "drop index idx_shipped_items_ship_date", by=(ids.ITEM_CONTRACT,)),
    _items("the check of quantities dropped", " check (quantity_shipped > 0)"),
    _items(
        "the check of dates weakened",
        " and cast(substr(ship_date, 9, 2) as integer) between 1 and",
        " and 1 <",
    ),
    _schema(
        "the check of statuses dropped",
        defined("lots", " check (status in ('active', 'inactive'))"),
        by=(ids.LOT_CONTRACT,),
    ),
    _items("a value that need not be given", "sku_id integer not null", "sku_id integer"),
    _items("any type allowed: STRICT lost", ") strict", ")"),
    _items("ids that can come again: AUTOINCREMENT lost", " autoincrement"),
    _items(
        "a column of another type",
        "shipstation_shipment_id integer",
        "shipstation_shipment_id text",
        tables=("shipped_items",),
    ),
    _schema(
        "a column added",
        "alter table shipped_items add column note text",
        by=(ids.ITEM_COLUMNS, ids.ITEM_CONTRACT),
        tables=("shipped_items",),
    ),
    _schema(
        "a column under another name",
        "alter table lots rename column received_date to received_on",
        by=(ids.LOT_COLUMNS, ids.LOT_CONTRACT, ids.LOTS),
        tables=("lots",),
        breaks=True,
    ),
    _schema(
        "columns in another order",
        defined(
            "skus",
            "reorder_point integer default 50,\n        pallet_count integer,",
            "pallet_count integer,\n        reorder_point integer default 50,",
        ),
        by=(ids.SKU_COLUMNS,),
        tables=("skus",),
    ),
)

OBJECTS = (
    _schema(
        "a trigger on the lines",
        "create trigger meddle after insert on shipped_items begin delete from shipped_items; end",
        by=(ids.ITEM_CONTRACT, ids.ONLY_TABLES),
    ),
    _schema(
        "a trigger on another table",
        "create trigger meddle after insert on audit_decisions begin delete from shipped_items; end",
        by=(ids.ONLY_TABLES,),
    ),
    _schema("a view added", "create view open_orders as select * from shipped_orders", by=(ids.ONLY_TABLES,)),
    _schema(
        "a view in place of a table",
        "alter table audit_stock rename to audit_stock_old",
        "create view audit_stock as select * from audit_stock_old",
        by=(ids.ONLY_TABLES,),
        tables=("audit_stock", "audit_stock_old"),
    ),
    _schema("a table added", "create table notes (id integer)", by=(ids.ONLY_TABLES,), tables=("notes",)),
    _schema(
        "a carried-over table added",
        "create table workflows (id integer)",
        by=(ids.ONLY_TABLES, ids.UNTOUCHED),
        tables=("workflows",),
    ),
    _schema(
        "a target table missing",
        "drop table shipped_orders",
        by=(ids.SOUND, ids.ONLY_TABLES, ids.HEADERS, ids.ORDER_EXISTS),
        breaks=True,
        unsound=True,
    ),
    _schema(
        "an explaining table missing",
        "drop table audit_stock",
        by=(ids.ONLY_TABLES, ids.STOCK),
        tables=("audit_stock",),
        breaks=True,
    ),
)

CONSTRAINTS = (*DEFINITIONS, *OBJECTS)
