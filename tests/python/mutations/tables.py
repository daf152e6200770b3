"""Spoiled SKUs, lots and order headers."""

from __future__ import annotations

from mutations import ids
from mutations.model import Mutation, Step, defined, swap


def _skus(name: str, *steps: Step, by: tuple[str, ...]) -> Mutation:
    return Mutation(name, steps, by, ("skus",))


def _lots(name: str, *steps: Step, by: tuple[str, ...], schema: bool = False) -> Mutation:
    return Mutation(name, steps, by, ("lots",), schema=schema)


def _headers(name: str, *steps: Step, by: tuple[str, ...]) -> Mutation:
    return Mutation(name, steps, by, ("shipped_orders",))


def _sku(assignment: str) -> str:
    return f"update skus set {assignment} where sku_id = :sku"


def _lot(assignment: str, lot: str = "stocked_lot") -> str:
    return f"update lots set {assignment} where lot_id = :{lot}"


def _header(assignment: str, header: str = "header") -> str:
    return f"update shipped_orders set {assignment} where id = :{header}"


SKUS = (
    _skus("a blank product name", _sku("product_name = ' '"), by=(ids.NAMES, ids.INVENTORY)),
    _skus("a product named None", _sku("product_name = 'None'"), by=(ids.NAMES, ids.INVENTORY)),
    _skus("a product with another name", _sku("product_name = 'Brush'"), by=(ids.INVENTORY,)),
    _skus("a SKU missing", "delete from skus where sku_id = :sku", by=(ids.SKU_COUNT, ids.SKU_EXISTS)),
    _skus(
        "a sixth SKU",
        "insert into skus (sku_code, product_name) values ('17700', 'Spare')",
        by=(ids.SKU_COUNT, ids.INVENTORY, ids.LIVE_SKUS),
    ),
    _skus(
        "two SKUs with exchanged codes",
        swap("skus", "sku_id", "sku", "other_sku_key", "sku_code"),
        by=(ids.INVENTORY, ids.LEDGER, ids.TEXTS_SAY),
    ),
    _skus("a reorder point changed", _sku("reorder_point = reorder_point + 1"), by=(ids.INVENTORY,)),
)

LOTS = (
    _lots("a lot with too few digits", _lot("lot_number = '2502'"), by=(ids.LOT_NUMBERS, ids.LOTS)),
    _lots(
        "two lots of a SKU with exchanged numbers",
        swap("lots", "lot_id", "lot", "discovered_lot", "lot_number"),
        by=(ids.LOTS, ids.LEDGER, ids.TEXTS_SAY),
    ),
    _lots(
        "a discovered lot made inactive", _lot("status = 'inactive'", "discovered_lot"), by=(ids.LOT_STATUS,)
    ),
    _lots("an inactive lot made active", _lot("status = 'active'", "unshipped_lot"), by=(ids.LOT_STATUS,)),
    _lots("a lot of an unknown status", _lot("status = 'gone'"), by=(ids.LOT_STATUS_KNOWN, ids.LOT_STATUS)),
    _lots("a lot lost that was not", "delete from lots where lot_id = :unshipped_lot", by=(ids.LOTS,)),
    _lots("a lot invented", "insert into lots (lot_number, sku_id) values ('259999', :sku)", by=(ids.LOTS,)),
    _lots(
        "a lot doubled, its unique key gone",
        defined("lots", ",\n        unique (sku_id, lot_number)"),
        "insert into lots (lot_number, sku_id, status)"
        " select lot_number, sku_id, status from lots where lot_id = :lot",
        schema=True,
        by=(ids.LOT_UNIQUE, ids.LOT_CONTRACT),
    ),
    _lots(
        "a lot given to another SKU", _lot("sku_id = :other_sku_key", "lot"), by=(ids.LOT_OF_SKU, ids.LOTS)
    ),
    _lots("a lot of no SKU", _lot("sku_id = 99", "unshipped_lot"), by=(ids.LOT_SKU, ids.LOTS)),
    _lots("a lot's first quantity changed", _lot("initial_qty = initial_qty + 1"), by=(ids.LOTS,)),
    _lots("a lot received on no day", _lot("received_date = '2025-09-31'"), by=(ids.LOT_RECEIVED, ids.LOTS)),
)

HEADERS = (
    _headers(
        "a header lost", "delete from shipped_orders where id = :header", by=(ids.ORDER_EXISTS, ids.HEADERS)
    ),
    _headers(
        "a header invented",
        "insert into shipped_orders (order_number) values ('999995')",
        by=(ids.NEW_HEADERS, ids.HEADER_COUNT),
    ),
    _headers(
        "a header's date shifted by a day",
        _header("ship_date = date(ship_date, '+1 day')"),
        by=(ids.HEADERS,),
    ),
    _headers(
        "a corrected header with its old date",
        _header(
            "ship_date = (select old_ship_date from audit_order_header_changes where header_id = :corrected)",
            "corrected",
        ),
        by=(ids.HEADERS, ids.HEADER_DATES),
    ),
    _headers(
        "two headers with exchanged ShipStation ids",
        swap("shipped_orders", "id", "header", "header_beside", "shipstation_order_id"),
        by=(ids.HEADERS,),
    ),
    _headers(
        "two headers with exchanged order numbers",
        swap("shipped_orders", "id", "header", "header_beside", "order_number"),
        by=(ids.HEADERS,),
    ),
    _headers("a header under another id", _header("id = 99999"), by=(ids.HEADERS, ids.NEW_HEADERS)),
    _headers(
        "a header that was taken out, and is there",
        "insert into shipped_orders (id, order_number, ship_date, total_items)"
        " select header_id, order_number, old_ship_date, 0 from audit_order_header_changes"
        " where header_id = :taken_out",
        by=(ids.HEADERS, ids.HEADER_COUNT),
    ),
    _headers(
        "an added header lost",
        "delete from shipped_orders where id = :added",
        by=(ids.NEW_HEADERS, ids.ORDER_EXISTS),
    ),
    _headers(
        "an added header with another ShipStation id",
        _header("shipstation_order_id = '1'", "added"),
        by=(ids.NEW_HEADERS,),
    ),
)
