"""Spoiled tables that explain the candidate: ledger, balances, reports, copies of the controls."""

from __future__ import annotations

from mutations import ids
from mutations.model import Mutation, Step

_SAME_DAY = "(select min(rowid) from audit_shipstation_lines where outcome = 'same_day')"


def _table(table: str, name: str, *steps: Step, by: tuple[str, ...], schema: bool = False) -> Mutation:
    return Mutation(name, steps, by, (table,), schema=schema)


def _ledger(name: str, assignment: str, row: str, by: tuple[str, ...]) -> Mutation:
    statement = f"update audit_row_ledger set {assignment} where legacy_id = :{row}"
    return Mutation(name, (statement,), by, ("audit_row_ledger",))


LEDGER = (
    _table(
        "audit_row_ledger",
        "a ledger row lost",
        "delete from audit_row_ledger where legacy_id = :merged",
        by=(ids.EVERY_ROW, ids.AS_MANY_ROWS, ids.ACCOUNTED),
    ),
    _table(
        "audit_row_ledger",
        "a ledger row invented",
        "insert into audit_row_ledger (legacy_id, disposition, reason, evidence)"
        " values (1, 'remove', 'decided', 'none')",
        by=(ids.EVERY_ROW, ids.AS_MANY_ROWS, ids.DECISIONS),
    ),
    _table(
        "audit_row_ledger",
        "a ledger row doubled, its unique index gone",
        "drop index idx_audit_row_ledger_legacy_id",
        "insert into audit_row_ledger select * from audit_row_ledger where legacy_id = :row",
        by=(ids.LEDGER_UNIQUE, ids.AS_MANY_ROWS),
        schema=True,
    ),
    _ledger(
        "an original quantity changed", "quantity_shipped = quantity_shipped + 1", "row", (ids.EVERY_ROW,)
    ),
    _ledger(
        "an original date changed",
        "ship_date = date(ship_date, '+1 day')",
        "merged",
        (ids.EVERY_ROW, ids.BALANCE),
    ),
    _ledger(
        "a kept row said to be removed",
        "disposition = 'remove', reason = 'historical_resync'",
        "row",
        (ids.REMOVALS, ids.INVENTED, ids.ROW_COUNT),
    ),
    _ledger(
        "a held row said to be removed",
        "disposition = 'remove', reason = 'decided'",
        "held",
        (ids.DECISIONS, ids.QUARANTINE, ids.BALANCE),
    ),
    _ledger(
        "a removed row said to be kept",
        "disposition = 'keep', reason = 'clean'",
        "removed",
        (ids.LEDGER, ids.ROW_COUNT),
    ),
    _ledger(
        "a disposition that does not exist",
        "disposition = 'drop'",
        "removed",
        (ids.DISPOSITIONS, ids.ACCOUNTED),
    ),
    _ledger("a reason of another disposition", "reason = 'lotless_twin'", "row", (ids.REASONS,)),
    _ledger("another reason of a merge", "reason = 'respelled_twin'", "merged", (ids.MERGE_REASONS,)),
    _ledger("another reason of a removal", "reason = 'cancelled_never_shipped'", "removed", (ids.REMOVALS,)),
    _ledger("a clean row said to be a late import", "reason = 'late_import'", "row", (ids.LATE_IMPORTS,)),
    _ledger(
        "a clean row said to be unknown to ShipStation",
        "reason = 'unknown_to_shipstation'",
        "row",
        (ids.UNKNOWN_ROWS,),
    ),
    _ledger("a decision that nobody took", "reason = 'decided'", "row", (ids.DECISIONS,)),
    _ledger("evidence blanked", "evidence = ' '", "row", (ids.EVIDENCE,)),
    _ledger("units changed in the ledger", "units = units + 1", "merged", (ids.PARSER, ids.ACCOUNTED)),
    _table(
        "audit_row_ledger",
        "two changes of units in the ledger that cancel out",
        "update audit_row_ledger set units = units - 1 where legacy_id = :row",
        "update audit_row_ledger set units = units + 1 where legacy_id = :beside",
        by=(ids.PARSER, ids.LEDGER),
    ),
    _ledger("a SKU changed in the ledger", "sku_code = '18675'", "removed", (ids.PARSER, ids.LEGACY_UNITS)),
    _ledger(
        "the lot of a kept row changed in the ledger", "candidate_lot_number = '250300'", "row", (ids.LEDGER,)
    ),
    _ledger("a merge into a removed row", "merged_into_id = :removed", "merged", (ids.MERGE_TARGETS,)),
    _ledger("a merge into another order", "merged_into_id = :row", "merged", (ids.MERGE_TARGETS,)),
    _ledger("a kept row that names a merge", "merged_into_id = :beside", "row", (ids.MERGE_TARGETS,)),
    _ledger("a redate by another day", "new_ship_date = '2025-10-07'", "redated", (ids.REDATES, ids.LEDGER)),
    _ledger("a redate without a day", "new_ship_date = null", "redated", (ids.REDATE_DAYS, ids.LEDGER)),
)

BALANCES = (
    _table(
        "audit_unit_balance",
        "a residual",
        "update audit_unit_balance set residual = 1 where rowid = 1",
        by=(ids.RESIDUALS, ids.BALANCE),
    ),
    _table(
        "audit_unit_balance",
        "a balance edited on both sides",
        "update audit_unit_balance set legacy_units = legacy_units + 1, keep_units = keep_units + 1,"
        " candidate_units = candidate_units + 1 where rowid = 1",
        by=(ids.BALANCE, ids.ACCOUNTED, ids.DAY_TOTALS),
    ),
    _table(
        "audit_unit_balance",
        "units exchanged between two balances of a day",
        "update audit_unit_balance set legacy_units = legacy_units + iif(sku_code = '17612', 1, -1),"
        " keep_units = keep_units + iif(sku_code = '17612', 1, -1),"
        " candidate_units = candidate_units + iif(sku_code = '17612', 1, -1)"
        " where ship_date = '2025-10-06' and sku_code in ('17612', '17904')",
        by=(ids.BALANCE,),
    ),
    _table(
        "audit_daily_units",
        "another total of a day",
        "update audit_daily_units set candidate_units = candidate_units + 1 where rowid = 2",
        by=(ids.DAY_TOTALS,),
    ),
    _table(
        "audit_stock",
        "another stock on hand",
        "update audit_stock set candidate_on_hand = candidate_on_hand + 1 where rowid = 2",
        by=(ids.STOCK,),
    ),
    _table(
        "audit_stock",
        "a counted stock edited to fit",
        "update audit_stock set expected_on_hand = expected_on_hand + 1 where expected_on_hand is not null",
        by=(ids.STOCK,),
    ),
)

REPORTS = (
    _table(
        "audit_quarantine",
        "a row that waits for a decision",
        "update audit_quarantine set is_undecided = 1 where legacy_id = :held",
        by=(ids.QUARANTINE,),
    ),
    _table(
        "audit_quarantine",
        "a quarantined row lost from the list",
        "delete from audit_quarantine where legacy_id = :held",
        by=(ids.QUARANTINE,),
    ),
    _table(
        "audit_order_header_changes",
        "a header change lost",
        "delete from audit_order_header_changes where header_id = :corrected",
        by=(ids.HEADERS,),
    ),
    _table(
        "audit_order_header_changes",
        "another reason of a header change",
        "update audit_order_header_changes set reason = 'no_items_left' where header_id = :corrected",
        by=(ids.HEADER_REASONS,),
    ),
    _table(
        "audit_lots",
        "discovered lots that are not reported",
        "update audit_lots set is_discovered = 0",
        by=(ids.LOT_REPORT,),
    ),
    _table(
        "audit_decisions",
        "a decision lost from the report",
        "delete from audit_decisions where legacy_id = :held",
        by=(ids.DECISION_REPORT,),
    ),
    _table(
        "audit_decisions",
        "a decision that could not be applied",
        "update audit_decisions set problem = 'is not quarantined' where legacy_id = :held",
        by=(ids.DECISIONS,),
    ),
    _table(
        "audit_likely_incidents",
        "a likely incident invented",
        "insert into audit_likely_incidents (wrong_ship_date, rows_on_date) values ('2025-09-09', 3)",
        by=(ids.INCIDENT_REPORT,),
    ),
    _table(
        "audit_shipstation_lines",
        "a line of ShipStation lost from the report",
        f"delete from audit_shipstation_lines where rowid = {_SAME_DAY}",
        by=(ids.LINES_ADD_UP, ids.DAY_TOTALS),
    ),
    _table(
        "audit_shipstation_lines",
        "a counted line said to be voided",
        f"update audit_shipstation_lines set outcome = 'voided' where rowid = {_SAME_DAY}",
        by=(ids.LINES_ADD_UP, ids.DAY_TOTALS),
    ),
    _table(
        "audit_shipstation_lines",
        "a line claimed by another row",
        f"update audit_shipstation_lines set legacy_id = :row where rowid = {_SAME_DAY}",
        by=(ids.OUTCOMES,),
    ),
    _table(
        "int_recovered_lines",
        "a recovered line lost from its list",
        "delete from int_recovered_lines where candidate_id = :recovered",
        by=(ids.INVENTED, ids.COUNTED_LINES, ids.RECOVERED_LINES),
    ),
    _table(
        "int_recovered_lines",
        "a recovered line with more units",
        "update int_recovered_lines set quantity = quantity + 1 where candidate_id = :recovered",
        by=(ids.RECOVERY, ids.RECOVERED_LINES),
    ),
)

CONTROLS = (
    _table(
        "expected_units",
        "an expected total lowered in the candidate",
        "update expected_units set expected_units = 330",
        by=(ids.COUNTED_UNITS,),
    ),
    _table(
        "expected_units",
        "an expected total deleted in the candidate",
        "delete from expected_units",
        by=(ids.CONTROLS_READ,),
    ),
    _table(
        "expected_on_hand",
        "an expected stock deleted in the candidate",
        "delete from expected_on_hand",
        by=(ids.STOCK,),
    ),
    _table(
        "quarantine_decisions",
        "a decision changed in the candidate",
        "update quarantine_decisions set decision = 'remove' where legacy_id = :held",
        by=(ids.DECISIONS, ids.DECISION_REPORT),
    ),
    _table(
        "quarantine_decisions",
        "a decision deleted in the candidate",
        "delete from quarantine_decisions where legacy_id = :held",
        by=(ids.DECISIONS, ids.DECISION_REPORT),
    ),
    _table(
        "incidents", "the incidents deleted in the candidate", "delete from incidents", by=(ids.REMOVALS,)
    ),
    _table(
        "incidents",
        "an incident's window changed in the candidate",
        "update incidents set created_from = '2025-10-06 16:15:00'",
        by=(ids.REMOVALS,),
    ),
    _table(
        "incidents",
        "an incident's correct date changed in the candidate",
        "update incidents set correct_ship_date = '2025-10-07'",
        by=(ids.CONTROLS_READ,),
    ),
    _table(
        "sku_variants",
        "a SKU text explained another way in the candidate",
        "insert into sku_variants values ('17612 - 250300', '17612', '250237', '')",
        by=(ids.PARSER, ids.TEXTS_SAY),
    ),
)

WEEKLY = (
    _table(
        "report_weekly_shipped",
        "a week left out of the weekly report",
        "delete from report_weekly_shipped where rowid = 50",
        by=(ids.REPORTED_WEEKS,),
    ),
    _table(
        "report_skus",
        "another stock in the weekly report",
        "update report_skus set on_hand_units = on_hand_units + 28 where sku_code = '17612'",
        by=(ids.REPORTED_STOCK,),
    ),
    _table(
        "report_lot_balances",
        "a lot with more left than there is",
        "update report_lot_balances set left_units = left_units + 1 where lot_id = 2",
        by=(ids.REPORTED_LOTS,),
    ),
    _table(
        "report_charge_days",
        "a day charged for a pallet more",
        "update report_charge_days set pallet_cents = pallet_cents + 45, total_cents = total_cents + 45"
        " where charge_date = '2025-10-06'",
        by=(ids.REPORTED_CHARGES,),
    ),
)

EXPLANATIONS = (*LEDGER, *BALANCES, *REPORTS, *WEEKLY, *CONTROLS)
