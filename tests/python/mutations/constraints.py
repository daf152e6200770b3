"""Candidates whose tables do not have the constraints of their contract, or which have other tables."""

from __future__ import annotations

from mutations.model import Mutation, Step
from suites import rebuild


def _schema(name: str, *steps: Step, by: str, tables: tuple[str, ...] = (), breaks: bool = False) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), tables, schema=True, breaks=breaks)


def _defined(table: str, before: str, after: str = "") -> Step:
    return lambda bench: rebuild(bench.work_dir.path, table, (before, after))


CONSTRAINTS = (
    _schema("a line's reference to SKUs dropped", _defined("shipped_items", ' references "skus" (sku_id)'), by=""),
    _schema("a line's reference to lots dropped", _defined("shipped_items", ' references "lots" (lot_id)'), by=""),
    _schema("a line's reference to headers dropped", _defined("shipped_items", ' references "shipped_orders" (order_number)'), by=""),
    _schema("a lot's reference to SKUs dropped", _defined("lots", ' references "skus" (sku_id) on delete cascade'), by=""),
    _schema("a lot that stays when its SKU goes", _defined("lots", " on delete cascade"), by=""),
    _schema("a reference to another table", _defined("shipped_items", 'references "lots" (lot_id)', 'references "skus" (sku_id)'), by=""),
    _schema("the unique key dropped", "drop index uniq_shipped_items_key", by=""),
    _schema("the unique key not unique", "drop index uniq_shipped_items_key", "create index uniq_shipped_items_key on shipped_items (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0))", by=""),
    _schema("the unique key without the shipment", "drop index uniq_shipped_items_key", "create unique index uniq_shipped_items_key on shipped_items (order_number, shipstation_sku_raw, shipstation_shipment_id)", by=""),
    _schema("the unique key for some rows only", "drop index uniq_shipped_items_key", "create unique index uniq_shipped_items_key on shipped_items (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0)) where id > 0", by=""),
    _schema("the unique key of lots dropped", _defined("lots", ",\n        unique (sku_id, lot_number)"), by=""),
    _schema("the unique code of SKUs dropped", _defined("skus", "sku_code text not null unique", "sku_code text not null"), by=""),
    _schema("the unique number of headers dropped", _defined("shipped_orders", "order_number text unique", "order_number text"), by=""),
    _schema("an index dropped", "drop index idx_shipped_items_ship_date", by=""),
    _schema("the check of quantities dropped", _defined("shipped_items", " check (quantity_shipped > 0)"), by=""),
    _schema("the check of quantities weakened", _defined("shipped_items", "quantity_shipped > 0", "quantity_shipped > -1"), by=""),
    _schema("the check of dates dropped", _defined("shipped_items", " and cast(substr(ship_date, 9, 2) as integer) between 1 and", " and 1 <"), by=""),
    _schema("the check of statuses dropped", _defined("lots", " check (status in ('active', 'inactive'))"), by=""),
    _schema("a value that need not be given", _defined("shipped_items", "sku_id integer not null", "sku_id integer"), by=""),
    _schema("a default lost", _defined("skus", " default 50"), by=""),
    _schema("any type allowed", _defined("shipped_items", ") strict", ")"), by=""),
    _schema("ids that can come again", _defined("shipped_items", " autoincrement"), by=""),
    _schema("a column of another type", _defined("shipped_items", "shipstation_shipment_id integer", "shipstation_shipment_id text"), by="", tables=("shipped_items",)),
    _schema("a column added", "alter table shipped_items add column note text", by="", tables=("shipped_items",)),
    _schema("a column dropped", "alter table skus drop column created_at", by="", tables=("skus",)),
    _schema("a column under another name", "alter table lots rename column received_date to received_on", by="", tables=("lots",), breaks=True),
    _schema("a column computed", "alter table shipped_items add column sku_lot text as ('') virtual", by="", tables=("shipped_items",)),
    _schema("columns in another order", _defined("skus", "reorder_point integer default 50,\n        pallet_count integer,", "pallet_count integer,\n        reorder_point integer default 50,"), by="", tables=("skus",)),
    _schema("a trigger on lines", "create trigger meddle after insert on shipped_items begin delete from shipped_items where id = new.id; end", by=""),
    _schema("a trigger on an explaining table", "create trigger meddle after insert on audit_decisions begin delete from shipped_items; end", by=""),
    _schema("a view added", "create view open_orders as select * from shipped_orders", by=""),
    _schema("a view in place of a table of the ledger", "alter table audit_stock rename to audit_stock_old", "create view audit_stock as select * from audit_stock_old", by="", tables=("audit_stock", "audit_stock_old")),
    _schema("a table added", "create table notes (id integer primary key)", by="", tables=("notes",)),
    _schema("a legacy table added", "create table orders_inbox (id integer primary key)", by="", tables=("orders_inbox",)),
    _schema("a target table missing", "drop table shipped_orders", by="", tables=("shipped_orders",), breaks=True),
    _schema("an explaining table missing", "drop table audit_stock", by="", tables=("audit_stock",), breaks=True),
    _schema("a target table under another name", "alter table lots rename to lots_new", by="", tables=("lots", "lots_new"), breaks=True),
)
