"""Spoiled tables that explain the candidate: ledger, quarantine, balances, changes, lines, copies of controls."""

from __future__ import annotations

from mutations.model import Mutation, Step, swap


def _ledger(name: str, *steps: Step, by: str, schema: bool = False) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), ("audit_row_ledger",), schema=schema)


def _table(table: str, name: str, *steps: Step, by: str, schema: bool = False) -> Mutation:
    return Mutation(name, steps, tuple(by.split()), (table,), schema=schema)


def _set(assignment: str, row: str = "row") -> str:
    return f"update audit_row_ledger set {assignment} where legacy_id = :{row}"


LEDGER = (
    _ledger("a ledger row lost", "delete from audit_row_ledger where legacy_id = :row", by=""),
    _ledger("the ledger row of a merged row lost", "delete from audit_row_ledger where legacy_id = :merged", by=""),
    _ledger("a ledger row invented", "insert into audit_row_ledger (legacy_id, disposition, reason, evidence) values (1, 'remove', 'historical_resync', 'none')", by=""),
    _ledger(
        "a ledger row doubled, its unique index gone",
        "drop index idx_audit_row_ledger_legacy_id",
        "insert into audit_row_ledger select * from audit_row_ledger where legacy_id = :row",
        by="",
        schema=True,
    ),
    _ledger("an original quantity changed in the ledger", _set("quantity_shipped = quantity_shipped + 1"), by=""),
    _ledger("an original quantity became a text in the ledger", _set("quantity_shipped = 'x' || quantity_shipped"), by=""),
    _ledger("an original date changed in the ledger", _set("ship_date = date(ship_date, '+1 day')", "merged"), by=""),
    _ledger("an original text trimmed in the ledger", _set("sku_lot = replace(sku_lot, ' ', '')"), by=""),
    _ledger("an original order number changed in the ledger", _set("order_number = '999995'", "removed"), by=""),
    _ledger("a time of creation lost in the ledger", _set("created_at = null", "merged"), by=""),
    _ledger("a kept row is said to be removed", _set("disposition = 'remove', reason = 'historical_resync'"), by=""),
    _ledger("a held row is said to be removed", _set("disposition = 'remove', reason = 'decided'", "held"), by=""),
    _ledger("a removed row is said to be kept", _set("disposition = 'keep', reason = 'clean'", "removed"), by=""),
    _ledger("a disposition that does not exist", _set("disposition = 'drop'", "removed"), by=""),
    _ledger("a disposition lost", _set("disposition = null", "removed"), by=""),
    _ledger("a reason of another disposition", _set("reason = 'lotless_twin'"), by=""),
    _ledger("a reason that does not exist", _set("reason = 'because'", "merged"), by=""),
    _ledger("another reason of the same disposition", _set("reason = 'respelled_twin'", "merged"), by=""),
    _ledger("a row removed for another reason", _set("reason = 'cancelled_never_shipped'", "removed"), by=""),
    _ledger("a row cancelled for another reason", _set("reason = 'historical_resync'", "cancelled"), by=""),
    _ledger("a clean row said to be a late import", _set("reason = 'late_import'"), by=""),
    _ledger("a clean row said to be unknown to ShipStation", _set("reason = 'unknown_to_shipstation'"), by=""),
    _ledger("a row said to be decided that nobody decided", _set("reason = 'decided'"), by=""),
    _ledger("a decided row said to be redated by the rules", _set("reason = 'shipstation_other_day'", "decided"), by=""),
    _ledger("evidence lost", _set("evidence = null"), by=""),
    _ledger("evidence blanked", _set("evidence = ''"), by=""),
    _ledger("units changed in the ledger", _set("units = units + 1", "merged"), by=""),
    _ledger("two changes of units in the ledger that cancel out", _set("units = units - 1"), _set("units = units + 1", "beside"), by=""),
    _ledger("a SKU changed in the ledger", _set("sku_code = '17904'", "removed"), by=""),
    _ledger("a lot changed in the ledger", _set("lot_number = '250300'", "removed"), by=""),
    _ledger("the lot of a kept row changed in the ledger", _set("candidate_lot_number = '250300'"), by=""),
    _ledger("a merge into no row", _set("merged_into_id = null", "merged"), by=""),
    _ledger("a merge into a row that was removed", _set("merged_into_id = :removed", "merged"), by=""),
    _ledger("a merge into a row of another order", _set("merged_into_id = :row", "merged"), by=""),
    _ledger("a merge into itself", _set("merged_into_id = :merged", "merged"), by=""),
    _ledger("a kept row that names a merge", _set("merged_into_id = :beside"), by=""),
    _ledger("a redate by another day", _set("new_ship_date = date(new_ship_date, '+1 day')", "redated"), by=""),
    _ledger("a decided redate by another day", _set("new_ship_date = date(new_ship_date, '+1 day')", "decided"), by=""),
    _ledger("a redate without a day", _set("new_ship_date = null", "redated"), by=""),
    _ledger("a new date for a kept row", _set("new_ship_date = ship_date"), by=""),
)

AUDIT_TABLES = (
    _table("audit_quarantine", "a held row waits for a decision", "update audit_quarantine set is_undecided = 1 where legacy_id = :held", by=""),
    _table("audit_quarantine", "a quarantined row lost from the list", "delete from audit_quarantine where legacy_id = :held", by=""),
    _table("audit_quarantine", "a row invented in the quarantine", "insert into audit_quarantine (legacy_id, reason, is_undecided) values (:row, 'held', 0)", by=""),
    _table("audit_quarantine", "another reason in the quarantine", "update audit_quarantine set reason = 'orphan_order' where legacy_id = :held", by=""),
    _table("audit_quarantine", "other units in the quarantine", "update audit_quarantine set units = units + 1 where legacy_id = :held", by=""),
    _table("audit_quarantine", "another order in the quarantine", "update audit_quarantine set order_number = '999995' where legacy_id = :held", by=""),
    _table("audit_unit_balance", "a residual", "update audit_unit_balance set residual = 1 where rowid = 1", by=""),
    _table("audit_unit_balance", "a residual that is unknown", "update audit_unit_balance set residual = null where rowid = 1", by=""),
    _table("audit_unit_balance", "a balance edited on both sides", "update audit_unit_balance set legacy_units = legacy_units + 1, keep_units = keep_units + 1, candidate_units = candidate_units + 1 where rowid = 1", by=""),
    _table("audit_unit_balance", "units exchanged between two balances of a day",
        "update audit_unit_balance set keep_units = keep_units + 1, legacy_units = legacy_units + 1, candidate_units = candidate_units + 1 where ship_date = '2025-10-06' and sku_code = '17612'",
        "update audit_unit_balance set keep_units = keep_units - 1, legacy_units = legacy_units - 1, candidate_units = candidate_units - 1 where ship_date = '2025-10-06' and sku_code = '17904'",
        by=""),
    _table("audit_unit_balance", "a balance lost", "delete from audit_unit_balance where rowid = 1", by=""),
    _table("audit_unit_balance", "every balance lost", "delete from audit_unit_balance", by=""),
    _table("audit_daily_units", "another total of a day", "update audit_daily_units set candidate_units = candidate_units + 1 where rowid = 2", by=""),
    _table("audit_daily_units", "another total of ShipStation's", "update audit_daily_units set shipstation_units = shipstation_units + 1 where shipstation_units is not null", by=""),
    _table("audit_daily_units", "a day lost from the totals", "delete from audit_daily_units where rowid = 2", by=""),
    _table("audit_stock", "another stock", "update audit_stock set candidate_on_hand = candidate_on_hand + 1 where rowid = 2", by=""),
    _table("audit_stock", "another baseline", "update audit_stock set baseline_units = baseline_units + 1 where rowid = 2", by=""),
    _table("audit_stock", "a stock lost", "delete from audit_stock where rowid = 3", by=""),
    _table("audit_stock", "a counted stock edited to fit", "update audit_stock set expected_on_hand = expected_on_hand + 1 where expected_on_hand is not null", by=""),
    _table("audit_stock", "a stored stock edited", "update audit_stock set stored_on_hand = stored_on_hand + 1 where stored_on_hand is not null", by=""),
    _table("audit_order_header_changes", "a header change lost", "delete from audit_order_header_changes where header_id = :corrected", by=""),
    _table("audit_order_header_changes", "a header change invented", "insert into audit_order_header_changes values (:header, :order, 'date_corrected', 'implausible_header_date', '2024-04-16', (select ship_date from shipped_orders where id = :header), 1, 1)", by=""),
    _table("audit_order_header_changes", "another reason of a header change", "update audit_order_header_changes set reason = 'no_items_left' where header_id = :corrected", by=""),
    _table("audit_order_header_changes", "another new date of a header", "update audit_order_header_changes set new_ship_date = date(new_ship_date, '+1 day') where header_id = :corrected", by=""),
    _table("audit_order_header_changes", "another old date of a header", "update audit_order_header_changes set old_ship_date = date(old_ship_date, '+1 day') where header_id = :corrected", by=""),
    _table("audit_order_header_changes", "another number of lines of a changed header", "update audit_order_header_changes set candidate_items = candidate_items + 1 where header_id = :corrected", by=""),
    _table("audit_lots", "a discovered lot that is not reported", "update audit_lots set is_discovered = 0 where is_discovered = 1", by=""),
    _table("audit_lots", "a lot lost from the report", "delete from audit_lots where is_discovered = 0", by=""),
    _table("audit_lots", "a lot said to be left out", "update audit_lots set left_out_because = 'unknown_sku' where is_discovered = 0", by=""),
    _table("audit_decisions", "a decision that could not be applied", "update audit_decisions set problem = 'is not quarantined' where decision_id = 1", by=""),
    _table("audit_decisions", "a decision lost", "delete from audit_decisions where decision_id = 1", by=""),
    _table("audit_decisions", "a decision that nobody took", "insert into audit_decisions (decision_id, legacy_id, decision) values (99, :row, 'remove')", by=""),
    _table("audit_likely_incidents", "a likely incident invented", "insert into audit_likely_incidents (wrong_ship_date, rows_on_date) values ('2025-09-09', 3)", by=""),
    _table("audit_shipstation_lines", "a line of ShipStation lost", "delete from audit_shipstation_lines where outcome = 'same_day'", by=""),
    _table("audit_shipstation_lines", "one line of ShipStation lost", "delete from audit_shipstation_lines where rowid = (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')", by=""),
    _table("audit_shipstation_lines", "a line of ShipStation with more units", "update audit_shipstation_lines set quantity = quantity + 1 where rowid = (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')", by=""),
    _table("audit_shipstation_lines", "a counted line said to be voided", "update audit_shipstation_lines set outcome = 'voided' where rowid = (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')", by=""),
    _table("audit_shipstation_lines", "a recovered line said to be claimed", "update audit_shipstation_lines set outcome = 'same_day', legacy_id = :row where rowid = (select min(rowid) from audit_shipstation_lines where outcome = 'recovered')", by=""),
    _table("audit_shipstation_lines", "a voided line said to be counted", "update audit_shipstation_lines set outcome = 'same_day', legacy_id = :row where rowid = (select min(rowid) from audit_shipstation_lines where outcome = 'voided')", by=""),
    _table("audit_shipstation_lines", "a line claimed by another row", "update audit_shipstation_lines set legacy_id = :row where rowid = (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')", by=""),
    _table("int_recovered_lines", "a recovered line lost from its list", "delete from int_recovered_lines where candidate_id = :recovered", by=""),
    _table("int_recovered_lines", "a recovered line with more units", "update int_recovered_lines set quantity = quantity + 1 where candidate_id = :recovered", by=""),
    _table("int_recovered_lines", "a recovered line of another day", "update int_recovered_lines set ship_date = date(ship_date, '+1 day') where candidate_id = :recovered", by=""),
)

CONTROLS = (
    _table("expected_units", "an expected total lowered", "update expected_units set expected_units = 330", by=""),
    _table("expected_units", "an expected total deleted", "delete from expected_units", by=""),
    _table("expected_on_hand", "an expected stock changed", "update expected_on_hand set expected_quantity = 611", by=""),
    _table("expected_on_hand", "an expected stock deleted", "delete from expected_on_hand", by=""),
    _table("quarantine_decisions", "a decision changed", "update quarantine_decisions set decision = 'remove' where legacy_id = :held", by=""),
    _table("quarantine_decisions", "a decision deleted", "delete from quarantine_decisions where legacy_id = :held", by=""),
    _table("quarantine_decisions", "a decision about another row", "update quarantine_decisions set legacy_id = :row where legacy_id = :held", by=""),
    _table("quarantine_decisions", "another decider", "update quarantine_decisions set decided_by = 'nobody' where legacy_id = :held", by=""),
    _table("incidents", "an incident deleted", "delete from incidents", by=""),
    _table("incidents", "an incident's correct date changed", "update incidents set correct_ship_date = '2025-10-07'", by=""),
    _table("incidents", "an incident's wrong date changed", "update incidents set wrong_ship_date = '2024-04-17'", by=""),
    _table("incidents", "an incident's window changed", "update incidents set created_from = '2025-10-06 16:15:00'", by=""),
    _table("sku_variants", "a SKU text explained another way", "insert into sku_variants values ('17612 - 250300', '17612', '250237', '')", by=""),
    _table("sku_variants", "a SKU text no longer explained", "delete from sku_variants", by=""),
)
