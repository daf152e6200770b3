"""Faulty builds: what one model made is wrong, and everything after it follows from that."""

from __future__ import annotations

from mutations import ids
from mutations.model import Fault

_FATE = "int_row_dispositions"
_TEXT = "where sku_lot = (select sku_lot from stg_legacy__shipped_items where legacy_id = :rare)"
_COLUMNS = (
    "sku_lot, base_sku, tracking_number, quantity_shipped, ship_date, created_at, legacy_ship_date,"
    " legacy_base_sku, legacy_sku_lot, legacy_quantity_shipped, legacy_order_number, legacy_created_at"
)


def _fate(name: str, disposition: str, reason: str, row: str, by: tuple[str, ...], more: str = "") -> Fault:
    """Another disposition of a row."""
    assignment = f"disposition = '{disposition}', reason = '{reason}'{more}"
    return Fault(name, _FATE, f"update {_FATE} set {assignment} where legacy_id = :{row}", by)


READING = (
    Fault(
        "a legacy row overlooked",
        "stg_legacy__shipped_items",
        "delete from stg_legacy__shipped_items where legacy_id = :row",
        (ids.EVERY_ROW, ids.AS_MANY_ROWS, ids.LEGACY_UNITS),
    ),
    Fault(
        "a quantity read wrongly",
        "stg_legacy__shipped_items",
        "update stg_legacy__shipped_items set quantity_shipped = quantity_shipped + 1 where legacy_id = :row",
        (ids.PARSER, ids.LEGACY_UNITS, ids.SNAPSHOT),
    ),
    Fault(
        "two quantities read wrongly that cancel out",
        "stg_legacy__shipped_items",
        "update stg_legacy__shipped_items set quantity_shipped = quantity_shipped"
        " + iif(legacy_id = :row, -1, 1) where legacy_id in (:row, :beside)",
        (ids.PARSER, ids.SNAPSHOT),
    ),
    Fault(
        "a date read wrongly",
        "int_shipped_items",
        "update int_shipped_items set ship_date = date(ship_date, '+1 day') where legacy_id = :row",
        (ids.SNAPSHOT, ids.DAYS),
    ),
    Fault(
        "a SKU text read as another SKU",
        "int_sku_texts",
        f"update int_sku_texts set sku_code = '18675' {_TEXT}",
        (ids.PARSER, ids.TEXTS_SAY, ids.TEXTS_COME),
    ),
    Fault(
        "a SKU text read as another lot",
        "int_sku_texts",
        f"update int_sku_texts set lot_number = '259999' {_TEXT}",
        (ids.PARSER, ids.TEXTS_SAY, ids.TEXTS_COME),
    ),
    Fault(
        "a SKU text that is not read any more",
        "int_sku_texts",
        f"update int_sku_texts set failure = 'unparseable_sku' {_TEXT}",
        (ids.UNREADABLE,),
    ),
    Fault(
        "an order number read wrongly",
        "int_shipped_items",
        "update int_shipped_items set (order_number, header_order_number) = (select order_number,"
        " header_order_number from int_shipped_items where legacy_id = :other_sku) where legacy_id = :row",
        (ids.SNAPSHOT, ids.LEDGER),
    ),
    Fault(
        "the dates of orders overlooked",
        "int_orders",
        "update int_orders set order_date = null",
        (ids.BEFORE_ORDER, ids.DECISIONS),
    ),
)

FATES = (
    Fault("no suspects", "int_suspects", "delete from int_suspects", (ids.INCIDENT, ids.BEFORE_ORDER)),
    _fate("a clean row removed as cancelled", "remove", "cancelled_never_shipped", "row", (ids.REMOVALS,)),
    _fate("a clean row removed as synced again", "remove", "historical_resync", "row", (ids.REMOVALS,)),
    _fate(
        "a redated row removed",
        "remove",
        "historical_resync",
        "redated",
        (ids.REMOVALS,),
        ", new_ship_date = null",
    ),
    _fate("a clean row quarantined", "quarantine", "unresolved_suspect", "row", (ids.UNDECIDED,)),
    _fate(
        "a clean row redated to an incident's correct date",
        "redate",
        "incident_correct_date",
        "row",
        (ids.REDATES,),
        ", new_ship_date = '2025-10-06'",
    ),
    _fate(
        "a suspect kept on its wrong date",
        "keep",
        "clean",
        "redated",
        (ids.INCIDENT, ids.BEFORE_ORDER),
        ", new_ship_date = null",
    ),
    _fate("a cancelled row kept", "keep", "clean", "cancelled", (ids.BEFORE_ORDER, ids.INCIDENT)),
    _fate(
        "a clean row merged into another order",
        "merge",
        "respelled_twin",
        "row",
        (ids.MERGE_TARGETS,),
        ", merged_into_id = :beside",
    ),
    _fate(
        "a row without a lot kept beside its twin",
        "keep",
        "clean",
        "merged",
        (ids.TWINS,),
        ", merged_into_id = null",
    ),
    _fate(
        "a row kept beside its twin with another spelling",
        "keep",
        "clean",
        "respelled",
        (ids.RESPELLED,),
        ", merged_into_id = null",
    ),
    Fault(
        "a decision overlooked",
        "int_decisions",
        "delete from int_decisions where legacy_id = :decided",
        (ids.DECISIONS, ids.UNDECIDED),
    ),
    Fault(
        "a decision applied that nobody took",
        "int_decisions",
        "insert into int_decisions (decision_id, legacy_id, decision) values (99, :row, 'remove')",
        (ids.DECISIONS, ids.DECISION_REPORT),
    ),
)

SHIPSTATION = (
    Fault(
        "a claim overlooked: its line is recovered beside its row",
        "int_shipstation_claims",
        "delete from int_shipstation_claims where legacy_id = (select min(claims.legacy_id)"
        " from int_shipstation_claims as claims inner join audit_row_ledger as ledger"
        " on ledger.legacy_id = claims.legacy_id where claims.is_exact = 1 and ledger.reason = 'clean')",
        (ids.DOUBLES,),
    ),
    Fault(
        "a claim invented: its line is not recovered",
        "int_shipstation_claims",
        "insert into int_shipstation_claims select line_id, :row, 1, 1, ship_date, quantity"
        " from int_recovered_lines where candidate_id = :recovered",
        (ids.CLAIMS,),
    ),
    Fault(
        "a shipment with more units than it has",
        "int_shipstation_lines",
        "update int_shipstation_lines set quantity = quantity + 1"
        " where line_id = (select line_id from int_recovered_lines where candidate_id = :recovered)",
        (ids.LINES_ADD_UP, ids.RECOVERED_LINES),
    ),
    Fault(
        "a shipment overlooked",
        "int_shipstation_shipments",
        "delete from int_shipstation_shipments where shipment_id ="
        " (select shipment_id from int_recovered_lines where candidate_id = :recovered)",
        (ids.COUNTED_UNITS,),
    ),
    Fault(
        "voided shipments counted",
        "int_shipstation_shipments",
        "update int_shipstation_shipments set not_counted_because = null"
        " where not_counted_because = 'voided'",
        (ids.COUNTED_UNITS,),
    ),
    Fault(
        "a recovered line lost",
        "int_recovered_lines",
        "delete from int_recovered_lines where candidate_id = :recovered",
        (ids.COUNTED_LINES, ids.LINES_ADD_UP),
    ),
    Fault(
        "a recovered line under the id of a legacy row",
        "int_recovered_lines",
        "update int_recovered_lines set candidate_id = :held where candidate_id = :recovered",
        (ids.RECOVERY, ids.RECOVERED_ROWS),
    ),
    Fault(
        "a recovered line of another day",
        "int_recovered_lines",
        "update int_recovered_lines set ship_date = '2025-10-07' where candidate_id = :recovered",
        (ids.RECOVERED_LINES, ids.SHIPMENTS),
    ),
    Fault(
        "no SKU text taken from ShipStation",
        "int_shipstation_texts",
        "delete from int_shipstation_texts",
        (ids.KNOWN_LOTS,),
    ),
    Fault(
        "another SKU text than ShipStation's",
        "int_shipstation_texts",
        "update int_shipstation_texts set shipstation_sku_raw = '17612 - 250237', lot_number = '250237'"
        " where legacy_id = :redated",
        (ids.TEXTS_COME,),
    ),
)

OTHERS = (
    Fault(
        "lots of another status",
        "int_lots",
        "update int_lots set status = 'inactive' where is_discovered = 1",
        (ids.LOT_STATUS,),
    ),
    Fault(
        "a wrong header date not corrected",
        "int_order_header_changes",
        "delete from int_order_header_changes where header_id = :corrected",
        (ids.HEADER_DATES,),
    ),
    Fault(
        "an empty header not taken out",
        "int_order_header_changes",
        "delete from int_order_header_changes where header_id = :taken_out",
        (ids.EMPTIED,),
    ),
    Fault(
        "a sound header date corrected",
        "int_order_header_changes",
        "insert into int_order_header_changes select order_number, order_number, id, 'date_corrected',"
        " 'implausible_header_date', ship_date, ship_date, 1, 1, null, null"
        " from shipped_orders where id = :header",
        (ids.HEADER_GROUNDS,),
    ),
    Fault(
        "receipts overlooked",
        "int_stock_movements",
        "delete from int_stock_movements where sku_code = '17612'",
        (ids.STOCK,),
    ),
)

FAULTS = (*READING, *FATES, *SHIPSTATION, *OTHERS)
