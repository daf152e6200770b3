"""Spoiled rows of shipped_items."""

from __future__ import annotations

from mutations import ids
from mutations.model import Mutation, Step, swap

_COPIED = "sku_id, lot_id, quantity_shipped, order_number, tracking_number, created_at"
_NEXT = "(select max(id) + 1 from shipped_items)"
_COPY = f"insert into shipped_items (id, ship_date, shipstation_sku_raw, {_COPIED}, shipstation_shipment_id)"


def _rows(name: str, *steps: Step, by: tuple[str, ...], schema: bool = False) -> Mutation:
    return Mutation(name, steps, by, ("shipped_items",), schema=schema)


def _set(assignment: str, row: str = "row") -> str:
    return f"update shipped_items set {assignment} where id = :{row}"


def _moved(to: str) -> tuple[str, str]:
    """A unit that one row loses and another gains."""
    return _set("quantity_shipped = quantity_shipped - 1"), _set(
        "quantity_shipped = quantity_shipped + 1", to
    )


def _swapped(other: str, *columns: str) -> Step:
    return swap("shipped_items", "id", "row", other, *columns)


def _stays(row: str) -> str:
    """A row of the ledger that is to leave, put into the table."""
    return (
        f"{_COPY} select legacy_id, ledger.ship_date, 'a text of its own', sku_id, lot_id, units,"
        " (select order_number from shipped_orders where order_number = ledger.order_number), null,"
        " ledger.created_at, null from audit_row_ledger as ledger left join skus using (sku_code)"
        f" left join lots using (sku_id, lot_number) where legacy_id = :{row}"
    )


KEYS = (
    _rows("a SKU key that names nothing", _set("sku_id = 999"), by=(ids.SKU_EXISTS, ids.SOUND)),
    _rows("a lot key that names nothing", _set("lot_id = 999"), by=(ids.LOT_EXISTS, ids.SOUND)),
    _rows("an order that has no header", _set("order_number = '999995'"), by=(ids.ORDER_EXISTS, ids.SOUND)),
    _rows("an order number lost", _set("order_number = null"), by=(ids.LEDGER, ids.SNAPSHOT)),
    _rows("a lot of another SKU", _set("lot_id = :foreign_lot"), by=(ids.LOT_OF_SKU, ids.LEDGER)),
    _rows(
        "a row doubled, its unique index gone",
        "drop index uniq_shipped_items_key",
        f"{_COPY} select {_NEXT}, ship_date, shipstation_sku_raw, {_COPIED}, null"
        " from shipped_items where id = :row",
        schema=True,
        by=(ids.KEY, ids.INVENTED, ids.ITEM_CONTRACT),
    ),
    _rows(
        "a row doubled, its SKU text written another way",
        f"{_COPY} select {_NEXT}, ship_date, replace(shipstation_sku_raw, ' ', ''), {_COPIED}, null"
        " from shipped_items where id = :row",
        by=(ids.INVENTED, ids.ROW_COUNT, ids.DAYS),
    ),
)

UNITS = (
    _rows("a unit moved to another day", *_moved("other_day"), by=(ids.DAYS, ids.LEDGER, ids.SNAPSHOT)),
    _rows("a unit moved to another SKU", *_moved("other_sku"), by=(ids.DAYS, ids.LEDGER, ids.SNAPSHOT)),
    _rows("a unit moved to another lot", *_moved("other_lot"), by=(ids.LEDGER, ids.SNAPSHOT)),
    _rows(
        "a unit moved to another order: two changes that cancel out on their day and SKU",
        *_moved("beside"),
        by=(ids.LEDGER, ids.SNAPSHOT),
    ),
    _rows("a unit more", _set("quantity_shipped = quantity_shipped + 1"), by=(ids.DAYS, ids.SNAPSHOT)),
    _rows("more units than can be", _set("quantity_shipped = 1000001"), by=(ids.QUANTITIES, ids.SNAPSHOT)),
)

DATES = (
    _rows(
        "a date shifted by a day", _set("ship_date = date(ship_date, '+1 day')"), by=(ids.DAYS, ids.SNAPSHOT)
    ),
    _rows(
        "every date shifted by a day",
        "update shipped_items set ship_date = date(ship_date, '+1 day')",
        by=(ids.DAYS, ids.SNAPSHOT, ids.RECOVERY),
    ),
    _rows("a date that is no day", _set("ship_date = '2025-02-30'"), by=(ids.REAL_DAYS, ids.SNAPSHOT)),
    _rows("a date in the future", _set("ship_date = '2099-01-05'"), by=(ids.PAST, ids.SNAPSHOT)),
    _rows("a date of another century", _set("ship_date = '1999-01-04'"), by=(ids.TOO_EARLY, ids.SNAPSHOT)),
    _rows(
        "a date before the order's",
        _set("ship_date = date(:order_day, '-1 day')", "ordered"),
        by=(ids.BEFORE_ORDER, ids.SNAPSHOT),
    ),
    _rows("an incident's wrong date", _set("ship_date = '2024-04-16'"), by=(ids.INCIDENT, ids.SNAPSHOT)),
    _rows(
        "a redated row with its old date",
        _set("ship_date = (select ship_date from audit_row_ledger where legacy_id = :redated)", "redated"),
        by=(ids.LEDGER, ids.DAYS),
    ),
    _rows(
        "two dates exchanged, every total as before",
        _swapped("other_day", "ship_date"),
        by=(ids.LEDGER, ids.SNAPSHOT),
    ),
)

LOST_AND_INVENTED = (
    _rows("a row lost", "delete from shipped_items where id = :row", by=(ids.ROW_COUNT, ids.LEDGER)),
    _rows("every row lost", "delete from shipped_items", by=(ids.ROW_COUNT, ids.LEDGER, ids.RECOVERY)),
    _rows(
        "a row invented",
        f"{_COPY} select {_NEXT}, ship_date, '17904 - 250240', 2, 5, 1, order_number, null, created_at, null"
        " from shipped_items where id = :row",
        by=(ids.INVENTED, ids.SNAPSHOT),
    ),
    _rows(
        "a row invented as if it had been recovered",
        f"{_COPY} select {_NEXT}, ship_date, shipstation_sku_raw, {_COPIED}, 318299999"
        " from shipped_items where id = :row",
        by=(ids.INVENTED, ids.SHIPMENTS),
    ),
    _rows("a row replaced by an equal one of another id", _set("id = 99999"), by=(ids.INVENTED, ids.LEDGER)),
    _rows(
        "two rows with exchanged ids",
        _swapped("beside", "ship_date", "shipstation_sku_raw", *_COPIED.split(", ")),
        by=(ids.LEDGER, ids.SNAPSHOT),
    ),
    _rows("a merged row that stays", _stays("merged"), by=(ids.INVENTED, ids.ROW_COUNT)),
    _rows("a removed row that stays", _stays("removed"), by=(ids.INVENTED, ids.ROW_COUNT)),
)

IDENTITY = (
    _rows(
        "two lots exchanged, every total as before",
        _swapped("other_lot", "lot_id", "shipstation_sku_raw"),
        by=(ids.LEDGER, ids.TEXTS_COME),
    ),
    _rows(
        "two SKUs exchanged, every total as before",
        _swapped("other_sku", "sku_id", "lot_id", "shipstation_sku_raw"),
        by=(ids.LEDGER, ids.TEXTS_COME),
    ),
    _rows(
        "a lot forgotten, and the text with it",
        _set("lot_id = null, shipstation_sku_raw = (select sku_code from skus where sku_id = :sku)"),
        by=(ids.LEDGER, ids.TEXTS_COME),
    ),
    _rows(
        "a SKU text written another way",
        _set("shipstation_sku_raw = replace(shipstation_sku_raw, ' ', '')"),
        by=(ids.TEXTS_COME,),
    ),
    _rows("a SKU text that cannot be read", _set("shipstation_sku_raw = 'see note'"), by=(ids.TEXTS_SAY,)),
    _rows("two order numbers exchanged", _swapped("beside", "order_number"), by=(ids.LEDGER, ids.SNAPSHOT)),
    _rows("two tracking numbers exchanged", _swapped("beside", "tracking_number"), by=(ids.SNAPSHOT,)),
    _rows("a tracking number lost", _set("tracking_number = null"), by=(ids.SNAPSHOT,)),
    _rows("a time of creation changed", _set("created_at = '2025-09-30 00:00:00'"), by=(ids.SNAPSHOT,)),
)

RECOVERED = (
    _rows(
        "a shipment's id on a row of the live database",
        _set("shipstation_shipment_id = 318204220"),
        by=(ids.SHIPMENTS, ids.ONE_ORDER, ids.LEDGER),
    ),
    _rows(
        "a recovered row with the shipment of another order",
        "update shipped_items set shipstation_shipment_id = (select shipstation_shipment_id"
        " from shipped_items where id = :recovered_elsewhere) where id = :recovered",
        by=(ids.ONE_ORDER, ids.RECOVERY, ids.SHIPMENTS),
    ),
    _rows("a recovered row lost", "delete from shipped_items where id = :recovered", by=(ids.RECOVERY,)),
    _rows(
        "a recovered row doubled",
        f"{_COPY} select {_NEXT}, ship_date, shipstation_sku_raw, {_COPIED}, shipstation_shipment_id + 1"
        " from shipped_items where id = :recovered",
        by=(ids.INVENTED, ids.SHIPMENTS, ids.RECOVERED_UNITS),
    ),
    _rows(
        "a recovered row moved by a day",
        _set("ship_date = date(ship_date, '+1 day')", "recovered"),
        by=(ids.RECOVERY, ids.SHIPMENTS, ids.RECOVERED_UNITS),
    ),
    _rows(
        "a unit more on a recovered row",
        _set("quantity_shipped = quantity_shipped + 1", "recovered"),
        by=(ids.RECOVERY, ids.SHIPMENTS, ids.RECOVERED_UNITS),
    ),
    _rows(
        "a recovered row with another label",
        _set("tracking_number = 'DEMO0'", "recovered"),
        by=(ids.RECOVERY,),
    ),
)

ROWS = (*KEYS, *UNITS, *DATES, *LOST_AND_INVENTED, *IDENTITY, *RECOVERED)
