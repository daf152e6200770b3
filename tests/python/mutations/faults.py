"""Faulty builds: what one model made is wrong, and everything after it follows from that."""

from __future__ import annotations

from mutations.model import Fault


def _fault(name: str, model: str, statement: str, by: str) -> Fault:
    return Fault(name, model, statement, tuple(by.split()))


def _disposition(assignment: str, row: str = "row") -> str:
    return f"update int_row_dispositions set {assignment} where legacy_id = :{row}"


_FATE = "int_row_dispositions"

FAULTS = (
    _fault("a legacy row overlooked", "stg_legacy__shipped_items", "delete from stg_legacy__shipped_items where legacy_id = :row", ""),
    _fault("a legacy row read twice", "stg_legacy__shipped_items", "insert into stg_legacy__shipped_items select 90001, order_number || '1', sku_lot, base_sku, tracking_number, quantity_shipped, ship_date, created_at, legacy_ship_date, legacy_base_sku, legacy_sku_lot, legacy_quantity_shipped, legacy_order_number, legacy_created_at from stg_legacy__shipped_items where legacy_id = :row", ""),
    _fault("a quantity read wrongly", "stg_legacy__shipped_items", "update stg_legacy__shipped_items set quantity_shipped = 7 where legacy_id = :row", ""),
    _fault("a quantity parsed wrongly", "int_shipped_items", "update int_shipped_items set quantity_shipped = 7 where legacy_id = :row", ""),
    _fault("a date read wrongly", "int_shipped_items", "update int_shipped_items set ship_date = date(ship_date, '+1 day') where legacy_id = :row", ""),
    _fault("a SKU text read as another SKU", "int_sku_texts", "update int_sku_texts set sku_code = '17904' where sku_lot = (select sku_lot from audit_row_ledger where legacy_id = :row)", ""),
    _fault("a SKU text read as another lot", "int_sku_texts", "update int_sku_texts set lot_number = '250300' where sku_lot = (select sku_lot from audit_row_ledger where legacy_id = :row)", ""),
    _fault("a SKU text that cannot be read any more", "int_sku_texts", "update int_sku_texts set failure = 'unparseable_sku' where sku_lot = (select sku_lot from audit_row_ledger where legacy_id = :row)", ""),
    _fault("an order number read wrongly", "int_shipped_items", "update int_shipped_items set order_number = (select order_number from int_shipped_items where legacy_id = :beside), header_order_number = (select order_number from int_shipped_items where legacy_id = :beside) where legacy_id = :row", ""),
    _fault("an order's date overlooked", "int_orders", "update int_orders set order_date = null", ""),
    _fault("an order's date read wrongly", "int_orders", "update int_orders set order_date = date(order_date, '-700 days')", ""),
    _fault("an inbox status overlooked", "int_orders", "update int_orders set inbox_status = null", ""),
    _fault("an incident overlooked: suspects are kept", "int_suspects", "delete from int_suspects", ""),
    _fault("one suspect overlooked", "int_suspects", "delete from int_suspects where legacy_id = :cancelled", ""),
    _fault("a re-synced row overlooked as suspect", "int_suspects", "delete from int_suspects where legacy_id = :removed", ""),
    _fault("a row taken for suspect", "int_suspects", "insert into int_suspects select :row, order_number, ship_date, order_date, shipstation_day, has_incident, correct_ship_date, is_created_in_window, is_correct_date_covered, is_known_to_shipstation, has_other_item_on_correct_date, is_header_on_correct_date, inbox_status, is_cancelled, has_sign_of_shipment, has_sign_of_newer_order, does_owners_rule_apply, true_ship_date from int_suspects where legacy_id = :removed", ""),
    _fault("twins overlooked", "int_twins", "delete from int_twins where twin_reason = 'lotless_twin'", ""),
    _fault("respelled twins overlooked", "int_twins", "delete from int_twins where twin_reason = 'respelled_twin'", ""),
    _fault("a clean row removed as cancelled", _FATE, _disposition("disposition = 'remove', reason = 'cancelled_never_shipped'"), ""),
    _fault("a clean row removed as re-synced", _FATE, _disposition("disposition = 'remove', reason = 'historical_resync'"), ""),
    _fault("a clean row quarantined", _FATE, _disposition("disposition = 'quarantine', reason = 'unresolved_suspect'"), ""),
    _fault("a clean row redated as the incident says", _FATE, _disposition("disposition = 'redate', reason = 'incident_correct_date', new_ship_date = '2025-10-06'"), ""),
    _fault("a clean row redated as ShipStation says", _FATE, _disposition("disposition = 'redate', reason = 'shipstation_other_day', new_ship_date = '2025-10-06'"), ""),
    _fault("a clean row merged into another order's", _FATE, _disposition("disposition = 'merge', reason = 'respelled_twin', merged_into_id = :beside"), ""),
    _fault("a merged row kept", _FATE, _disposition("disposition = 'keep', reason = 'clean', merged_into_id = null", "merged"), ""),
    _fault("a respelled row kept", _FATE, _disposition("disposition = 'keep', reason = 'clean', merged_into_id = null", "respelled"), ""),
    _fault("a cancelled row kept", _FATE, _disposition("disposition = 'keep', reason = 'clean'", "cancelled"), ""),
    _fault("a re-synced row kept", _FATE, _disposition("disposition = 'keep', reason = 'clean'", "removed"), ""),
    _fault("a redated row kept on its wrong date", _FATE, _disposition("disposition = 'keep', reason = 'clean', new_ship_date = null", "redated"), ""),
    _fault("a redated row removed", _FATE, _disposition("disposition = 'remove', reason = 'historical_resync', new_ship_date = null", "redated"), ""),
    _fault("a redated row a day off", _FATE, _disposition("new_ship_date = '2025-10-07'", "redated"), ""),
    _fault("a merged row removed as re-synced", _FATE, _disposition("disposition = 'remove', reason = 'historical_resync', merged_into_id = null", "merged"), ""),
    _fault("a clean row of two split shipments merged as lotless", _FATE, _disposition("disposition = 'merge', reason = 'lotless_twin', merged_into_id = :beside"), ""),
    _fault("a decision overlooked", "int_decisions", "delete from int_decisions where legacy_id = :decided", ""),
    _fault("a decision applied to another row", "int_decisions", "update int_decisions set legacy_id = :row where legacy_id = :decided", ""),
    _fault("a decision that nobody took", "int_decisions", "insert into int_decisions (decision_id, legacy_id, decision) values (99, :row, 'remove')", ""),
    _fault("a claim overlooked: the line is recovered beside its row", "int_shipstation_claims", "delete from int_shipstation_claims where line_id = (select min(line_id) from int_shipstation_claims where is_exact = 1)", ""),
    _fault("a claim invented: a line is not recovered", "int_shipstation_claims", "insert into int_shipstation_claims select line_id, :row, 1, 1, ship_date, quantity from int_recovered_lines where candidate_id = :recovered", ""),
    _fault("a line of ShipStation overlooked", "int_shipstation_lines", "delete from int_shipstation_lines where line_id = (select line_id from int_recovered_lines where candidate_id = :recovered)", ""),
    _fault("a line of ShipStation with fewer units", "int_shipstation_lines", "update int_shipstation_lines set quantity = quantity + 1 where line_id = (select line_id from int_recovered_lines where candidate_id = :recovered)", ""),
    _fault("a shipment of ShipStation overlooked", "int_shipstation_shipments", "delete from int_shipstation_shipments where shipment_id = (select shipment_id from int_recovered_lines where candidate_id = :recovered)", ""),
    _fault("a shipment of ShipStation said to be voided", "int_shipstation_shipments", "update int_shipstation_shipments set not_counted_because = 'voided' where shipment_id = (select shipment_id from int_recovered_lines where candidate_id = :recovered)", ""),
    _fault("a voided shipment counted", "int_shipstation_shipments", "update int_shipstation_shipments set not_counted_because = null where not_counted_because = 'voided'", ""),
    _fault("a recovered line lost", "int_recovered_lines", "delete from int_recovered_lines where candidate_id = :recovered", ""),
    _fault("recovered lines with the ids of legacy rows", "int_recovered_lines", "update int_recovered_lines set candidate_id = :held where candidate_id = :recovered", ""),
    _fault("a recovered line of another day", "int_recovered_lines", "update int_recovered_lines set ship_date = date(ship_date, '+1 day') where candidate_id = :recovered", ""),
    _fault("a SKU text taken from ShipStation that is another's", "int_shipstation_texts", "update int_shipstation_texts set shipstation_sku_raw = '17612 - 250237', lot_number = '250237' where legacy_id = :redated", ""),
    _fault("SKU texts of ShipStation overlooked", "int_shipstation_texts", "delete from int_shipstation_texts", ""),
    _fault("a lot overlooked that was never shipped", "int_lots", "delete from int_lots where is_shipped = 0", ""),
    _fault("a lot of another status", "int_lots", "update int_lots set status = 'inactive' where is_discovered = 1", ""),
    _fault("a lot left out", "int_lots", "update int_lots set left_out_because = 'unknown_sku' where is_shipped = 0", ""),
    _fault("a wrong header date not corrected", "int_order_header_changes", "delete from int_order_header_changes where header_id = :corrected", ""),
    _fault("an empty header not taken out", "int_order_header_changes", "delete from int_order_header_changes where header_id = :taken_out", ""),
    _fault("a sound header date corrected", "int_order_header_changes", "insert into int_order_header_changes select order_number, order_number, id, 'date_corrected', 'implausible_header_date', ship_date, '2025-10-06', 1, 1, null, null from shipped_orders where id = :header", ""),
    _fault("a header without wrong taken out", "int_order_header_changes", "insert into int_order_header_changes select order_number, order_number, id, 'taken_out', 'no_items_left', ship_date, null, 0, 0, null, null from shipped_orders where id = (select min(id) from shipped_orders where order_number not in (select order_number from shipped_items where order_number is not null))", ""),
    _fault("stock movements overlooked", "int_stock_movements", "delete from int_stock_movements where sku_code = '17612'", ""),
)
