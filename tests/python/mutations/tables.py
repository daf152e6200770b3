"""Spoiled SKUs, lots and order headers."""

from __future__ import annotations

from mutations.model import Mutation, Step, swap
from suites import rebuild


def _skus(name: str, *steps: Step, by: str) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), ("skus",))


def _lots(name: str, *steps: Step, by: str, schema: bool = False) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), ("lots",), schema=schema)


def _headers(name: str, *steps: Step, by: str) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), ("shipped_orders",))


def _sku(assignment: str) -> str:
    return f"update skus set {assignment} where sku_id = :sku"


def _lot(assignment: str, lot: str = "stocked_lot") -> str:
    return f"update lots set {assignment} where lot_id = :{lot}"


def _header(assignment: str, header: str = "header") -> str:
    return f"update shipped_orders set {assignment} where id = :{header}"


SKUS = (
    _skus("a blank product name", _sku("product_name = ' '"), by=""),
    _skus("a product named None", _sku("product_name = 'None'"), by=""),
    _skus("a product with another's name", _sku("product_name = (select product_name from skus where sku_id <> :sku)"), by=""),
    _skus("a SKU missing", "delete from skus where sku_id = :sku", by=""),
    _skus("a sixth SKU", "insert into skus (sku_code, product_name) values ('17700', 'Spare')", by=""),
    _skus("a SKU's code changed", _sku("sku_code = '17613'"), by=""),
    _skus(
        "two SKUs with exchanged codes",
        "update skus set sku_code = '-' || sku_code where sku_id in (1, 2)",
        "update skus set sku_code = case sku_id when 1 then '17904' else '17612' end where sku_id in (1, 2)",
        by="",
    ),
    _skus("a SKU's id changed", _sku("sku_id = 77"), by=""),
    _skus("a reorder point changed", _sku("reorder_point = reorder_point + 1"), by=""),
    _skus("units per pallet changed", _sku("pallet_count = pallet_count + 1"), by=""),
    _skus("a time of creation invented for a SKU", _sku("created_at = '2025-01-01 00:00:00'"), by=""),
)

LOTS = (
    _lots("a lot with too few digits", _lot("lot_number = '2502'"), by=""),
    _lots("a lot that is no number", _lot("lot_number = 'L25023'"), by=""),
    _lots("a lot's number changed", _lot("lot_number = '250238'"), by=""),
    _lots(
        "two lots of a SKU with exchanged numbers",
        swap("lots", "lot_id", "lot", "discovered_lot", "lot_number"),
        by="",
    ),
    _lots("a lot made inactive", _lot("status = 'inactive'", "discovered_lot"), by=""),
    _lots("a lot made active", _lot("status = 'active'", "unshipped_lot"), by=""),
    _lots("a lot of an unknown status", _lot("status = 'gone'"), by=""),
    _lots("a lot lost that was shipped", "delete from lots where lot_id = :lot", by=""),
    _lots("a lot lost that was never shipped", "delete from lots where lot_id = :unshipped_lot", by=""),
    _lots("a lot invented", "insert into lots (lot_number, sku_id) values ('259999', :sku)", by=""),
    _lots(
        "a lot doubled, its unique key gone",
        lambda bench: rebuild(
            bench.work_dir.path, "lots", (",\n        unique (sku_id, lot_number)", "")
        ),
        "insert into lots (lot_number, sku_id, status) select lot_number, sku_id, status from lots where lot_id = :lot",
        schema=True,
        by="",
    ),
    _lots("a lot given to another SKU", _lot("sku_id = 2", "lot"), by=""),
    _lots("a lot never shipped, given to another SKU", _lot("sku_id = 4", "unshipped_lot"), by=""),
    _lots("a lot of a SKU that does not exist", _lot("sku_id = 99", "unshipped_lot"), by=""),
    _lots("a lot's first quantity changed", _lot("initial_qty = initial_qty + 1"), by=""),
    _lots("a lot's first quantity lost", _lot("initial_qty = null"), by=""),
    _lots("a lot adjusted", _lot("manual_adjustment = 5"), by=""),
    _lots("a lot received a day later", _lot("received_date = date(received_date, '+1 day')"), by=""),
    _lots("a lot received on no day", _lot("received_date = '2025-09-31'"), by=""),
    _lots("a lot created at another time", _lot("created_at = '2025-01-01 00:00:00'"), by=""),
)

HEADERS = (
    _headers("a header lost", "delete from shipped_orders where id = :header", by=""),
    _headers("a header invented", "insert into shipped_orders (order_number) values ('999995')", by=""),
    _headers("a header's date shifted by a day", _header("ship_date = date(ship_date, '+1 day')"), by=""),
    _headers("a header with an incident's wrong date", _header("ship_date = '2024-04-16'"), by=""),
    _headers("a header's date lost", _header("ship_date = null"), by=""),
    _headers(
        "a corrected header with its old date",
        _header(
            "ship_date = (select old_ship_date from audit_order_header_changes where header_id = :corrected)",
            "corrected",
        ),
        by="",
    ),
    _headers(
        "two headers with exchanged ShipStation ids",
        swap("shipped_orders", "id", "header", "header_beside", "shipstation_order_id"),
        by="",
    ),
    _headers(
        "two headers with exchanged order numbers",
        swap("shipped_orders", "id", "header", "header_beside", "order_number"),
        by="",
    ),
    _headers("a header under another id", _header("id = 99999"), by=""),
    _headers("a header's number written with a blank", _header("order_number = order_number || ' '"), by=""),
    _headers("a header's carrier changed", _header("shipping_carrier_code = 'post'"), by=""),
    _headers("a header's items counted", _header("total_items = 1"), by=""),
    _headers("a header created at another time", _header("created_at = '2025-01-01 00:00:00'"), by=""),
    _headers("an address put into a header", _header("customer_email = 'none@example.invalid'"), by=""),
    _headers(
        "a header that was taken out, and is there",
        "insert into shipped_orders (id, order_number, ship_date, total_items)"
        " select header_id, order_number, old_ship_date, 0 from audit_order_header_changes"
        " where header_id = :taken_out",
        by="",
    ),
    _headers("an added header lost", "delete from shipped_orders where id = :added", by=""),
    _headers("an added header a day later", _header("ship_date = date(ship_date, '+1 day')", "added"), by=""),
    _headers(
        "an added header with another ShipStation id", _header("shipstation_order_id = '1'", "added"), by=""
    ),
)
