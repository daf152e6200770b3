"""Spoiled rows of shipped_items."""

from __future__ import annotations

from mutations.model import Mutation, Step, swap


def _rows(name: str, *steps: Step, by: str, schema: bool = False) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), ("shipped_items",), schema=schema)


def _set(assignment: str, row: str = "row") -> str:
    return f"update shipped_items set {assignment} where id = :{row}"


def _swapped(other: str, *columns: str) -> Step:
    return swap("shipped_items", "id", "row", other, *columns)


_COPIED = (
    "sku_id, lot_id, quantity_shipped, order_number, tracking_number, created_at"
)
_LAST = "(select max(id) + 1 from shipped_items)"

ROWS = (
    # keys
    _rows("a SKU key that names nothing", _set("sku_id = 999"), by="shipped_items.sku_exists"),
    _rows("a lot key that names nothing", _set("lot_id = 999"), by="shipped_items.lot_exists"),
    _rows("an order that has no header", _set("order_number = '999995'"), by="shipped_items.order_exists"),
    _rows("an order number lost", _set("order_number = null"), by=""),
    _rows("an order number blanked", _set("order_number = ''"), by=""),
    _rows(
        "a row doubled, its unique index gone",
        "drop index uniq_shipped_items_key",
        f"insert into shipped_items (id, ship_date, shipstation_sku_raw, {_COPIED})"
        f" select {_LAST}, ship_date, shipstation_sku_raw, {_COPIED} from shipped_items where id = :row",
        schema=True,
        by="",
    ),
    _rows(
        "a row doubled with its SKU text written another way",
        f"insert into shipped_items (id, ship_date, shipstation_sku_raw, {_COPIED})"
        f" select {_LAST}, ship_date, replace(shipstation_sku_raw, ' ', ''), {_COPIED}"
        " from shipped_items where id = :row",
        by="",
    ),
    # units moved: no total over everything changes
    _rows(
        "a unit moved to another day",
        _set("quantity_shipped = quantity_shipped - 1"),
        _set("quantity_shipped = quantity_shipped + 1", "other_day"),
        by="",
    ),
    _rows(
        "a unit moved to another SKU",
        _set("quantity_shipped = quantity_shipped - 1"),
        _set("quantity_shipped = quantity_shipped + 1", "other_sku"),
        by="",
    ),
    _rows(
        "a unit moved to another lot",
        _set("quantity_shipped = quantity_shipped - 1"),
        _set("quantity_shipped = quantity_shipped + 1", "other_lot"),
        by="",
    ),
    _rows(
        "a unit moved to another order of the day: two changes that cancel out",
        _set("quantity_shipped = quantity_shipped - 1"),
        _set("quantity_shipped = quantity_shipped + 1", "beside"),
        by="",
    ),
    # dates
    _rows("a date shifted by a day", _set("ship_date = date(ship_date, '+1 day')"), by=""),
    _rows("every date shifted by a day", "update shipped_items set ship_date = date(ship_date, '+1 day')", by=""),
    _rows("a date that is no day", _set("ship_date = '2025-02-30'"), by=""),
    _rows("a date with a time", _set("ship_date = ship_date || ' 00:00:00'"), by=""),
    _rows("a date in the future", _set("ship_date = '2099-01-05'"), by=""),
    _rows("a date of another century", _set("ship_date = '1999-01-04'"), by=""),
    _rows("a date before the order's", _set("ship_date = date(:order_day, '-1 day')", "ordered"), by=""),
    _rows("a date that is an incident's wrong one", _set("ship_date = '2024-04-16'"), by=""),
    _rows(
        "a redated row with its old date",
        _set("ship_date = (select ship_date from audit_row_ledger where legacy_id = :redated)", "redated"),
        by="",
    ),
    _rows("two dates exchanged, every total as before", _swapped("other_day", "ship_date"), by=""),
    # rows lost, rows invented
    _rows("a row lost", "delete from shipped_items where id = :row", by=""),
    _rows(
        "a day lost",
        "delete from shipped_items where ship_date = (select ship_date from shipped_items where id = :row)",
        by="",
    ),
    _rows("every row lost", "delete from shipped_items", by=""),
    _rows(
        "a row invented",
        f"insert into shipped_items (id, ship_date, shipstation_sku_raw, {_COPIED})"
        f" select {_LAST}, ship_date, '17904 - 250240', 2, 5, 1, order_number, tracking_number, created_at"
        " from shipped_items where id = :row",
        by="",
    ),
    _rows(
        "a row invented as if it were recovered",
        f"insert into shipped_items (id, ship_date, shipstation_sku_raw, {_COPIED}, shipstation_shipment_id)"
        f" select {_LAST}, ship_date, shipstation_sku_raw, {_COPIED}, 318299999"
        " from shipped_items where id = :row",
        by="",
    ),
    _rows("a row replaced by an equal one of another id", _set("id = 99999"), by=""),
    _rows(
        "two rows with exchanged ids",
        swap("shipped_items", "id", "row", "beside", "ship_date", "shipstation_sku_raw", *_COPIED.split(", ")),
        by="",
    ),
    *(
        _rows(
            f"a row that is {fate} stays in the table",
            "insert into shipped_items (id, ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped,"
            " order_number, created_at) select legacy_id, ledger.ship_date, 'a text of its own', sku_id, lot_id,"
            " units, (select order_number from shipped_orders where order_number = ledger.order_number),"
            " ledger.created_at from audit_row_ledger as ledger"
            " inner join skus on skus.sku_code = coalesce(ledger.sku_code, '17612')"
            f" left join lots using (sku_id, lot_number) where legacy_id = :{fate}",
            by="",
        )
        for fate in ("merged", "removed", "held")
    ),
    # quantities
    _rows("a unit more", _set("quantity_shipped = quantity_shipped + 1"), by=""),
    _rows("no units", _set("quantity_shipped = 0"), by=""),
    _rows("fewer than no units", _set("quantity_shipped = -2"), by=""),
    _rows("more units than can be believed", _set("quantity_shipped = 1000001"), by=""),
    # what a line is of
    _rows(
        "two lots exchanged, every total as before", _swapped("other_lot", "lot_id", "shipstation_sku_raw"), by=""
    ),
    _rows("two lots exchanged, their texts left", _swapped("other_lot", "lot_id"), by=""),
    _rows(
        "two SKUs exchanged, every total as before",
        _swapped("other_sku", "sku_id", "lot_id", "shipstation_sku_raw"),
        by="",
    ),
    _rows("a lot forgotten", _set("lot_id = null"), by=""),
    _rows(
        "a lot forgotten, and the text with it",
        "update shipped_items set lot_id = null, shipstation_sku_raw ="
        " (select sku_code from skus where sku_id = shipped_items.sku_id) where id = :row",
        by="",
    ),
    _rows("a lot of another SKU", _set("lot_id = :foreign_lot"), by=""),
    _rows(
        "another lot of the SKU, in key and text",
        "update shipped_items set (lot_id, shipstation_sku_raw) = (select lot_id, sku_code || ' - ' || lot_number"
        " from lots inner join skus using (sku_id) where lots.sku_id = :sku and lot_id <> :lot limit 1)"
        " where id = :row",
        by="",
    ),
    _rows("a SKU text written another way", _set("shipstation_sku_raw = replace(shipstation_sku_raw, ' ', '')"), by=""),
    _rows("a SKU text that cannot be read", _set("shipstation_sku_raw = 'see note'"), by=""),
    # who it belongs to
    _rows("two order numbers exchanged", _swapped("beside", "order_number"), by=""),
    _rows("two tracking numbers exchanged", _swapped("beside", "tracking_number"), by=""),
    _rows("a tracking number lost", _set("tracking_number = null"), by=""),
    _rows("a time of creation changed", _set("created_at = '2025-09-30 00:00:00'"), by=""),
    _rows("a shipment's id on a row that has none", _set("shipstation_shipment_id = 318204220"), by=""),
    _rows(
        "a shipment's id on a row of another order",
        "update shipped_items set shipstation_shipment_id = (select shipstation_shipment_id from shipped_items"
        " where id = :recovered_elsewhere) where id = :recovered",
        by="",
    ),
    # recovered lines
    _rows("a recovered row lost", "delete from shipped_items where id = :recovered", by=""),
    _rows(
        "a recovered row doubled",
        f"insert into shipped_items (id, ship_date, shipstation_sku_raw, {_COPIED}, shipstation_shipment_id)"
        f" select {_LAST}, ship_date, shipstation_sku_raw, {_COPIED}, shipstation_shipment_id + 1"
        " from shipped_items where id = :recovered",
        by="",
    ),
    _rows("a recovered row moved by a day", _set("ship_date = date(ship_date, '+1 day')", "recovered"), by=""),
    _rows("a unit more on a recovered row", _set("quantity_shipped = quantity_shipped + 1", "recovered"), by=""),
    _rows("a recovered row without its shipment", _set("shipstation_shipment_id = null", "recovered"), by=""),
    _rows("a recovered row with another label", _set("tracking_number = 'DEMO0'", "recovered"), by=""),
)
