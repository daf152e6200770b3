"""The ledger, the units and what the owner expects."""

from __future__ import annotations

from spoils.case import (
    CLEAN,
    REDATED,
    REMOVED,
    RESYNC,
    TWIN,
    Case,
    ledger,
    source,
    sql,
    without_type,
)
from suites import spoil

LEDGER = (
    Case(
        "another value",
        ledger("created_at = created_at || 'x'", CLEAN),
        {"ledger_holds_every_legacy_row": 1},
        ("4101", "different: created_at"),
    ),
    Case(
        "another type",
        without_type,
        {"ledger_holds_every_legacy_row": 1},
        ("4101", "different: quantity_shipped"),
    ),
    Case(
        "a row lost",
        sql(f"delete from audit_row_ledger where legacy_id = {RESYNC}"),
        {
            "ledger_has_as_many_rows": 1,
            "ledger_holds_every_legacy_row": 1,
            "units_match_legacy_rows": 1,
            "legacy_units_are_accounted_for": 1,
            "balance_follows_from_ledger": 2,
        },
        ("476", "477"),
    ),
    Case(
        "a row twice",
        sql(
            "drop index idx_audit_row_ledger_legacy_id",
            f"insert into audit_row_ledger select * from audit_row_ledger where legacy_id = {RESYNC}",
        ),
        {
            "legacy_ids_are_unique": 2,
            "ledger_has_as_many_rows": 1,
            "units_match_legacy_rows": 1,
            "legacy_units_are_accounted_for": 1,
            "balance_follows_from_ledger": 2,
        },
    ),
    Case(
        "a row of nobody",
        ledger("legacy_id = null", RESYNC),
        {"legacy_ids_are_given": 1, "ledger_holds_every_legacy_row": 2},
    ),
    Case(
        "a column more",
        sql("alter table audit_row_ledger add column remark"),
        {"ledger_has_its_columns": None},
    ),
    Case(
        "an unknown disposition",
        ledger("disposition = 'sold'", RESYNC),
        {
            "dispositions_are_known": 1,
            "reasons_fit_dispositions": 1,
            "legacy_units_are_accounted_for": 1,
            "balance_follows_from_ledger": 2,
        },
    ),
    Case(
        "no disposition",
        ledger("disposition = null", RESYNC),
        {
            "dispositions_are_given": 1,
            "reasons_fit_dispositions": 1,
            "legacy_units_are_accounted_for": 1,
            "balance_follows_from_ledger": 2,
        },
    ),
    Case(
        "a reason of another disposition",
        ledger("reason = 'clean'", RESYNC),
        {"reasons_fit_dispositions": 1},
        ("4463", "remove", "clean"),
    ),
    Case(
        "no reason",
        ledger("reason = null", RESYNC),
        {"reasons_fit_dispositions": 1},
        ("4463", "remove", "(none)"),
    ),
    Case("no evidence", ledger("evidence = null", RESYNC), {"evidence_is_given": 1}),
    Case(
        "merged into nothing",
        ledger("merged_into_id = null", TWIN),
        {"merges_name_a_remaining_row": 1},
        ("4404", "merge", "(none)", "names no row"),
    ),
    Case(
        "merged into itself",
        ledger("merged_into_id = legacy_id", TWIN),
        {"merges_name_a_remaining_row": 1, "merges_fit_their_reason": 1},
        ("4404", "merge", "4404", "names itself"),
    ),
    Case(
        "merged into a row that leaves",
        ledger(f"merged_into_id = {RESYNC}", TWIN),
        {"merges_name_a_remaining_row": 1, "merges_fit_their_reason": 1},
        ("4404", "merge", "4463", "names a row that leaves"),
    ),
    Case(
        "merged into another order",
        ledger(f"merged_into_id = {CLEAN}", TWIN),
        {"merges_name_a_remaining_row": 1, "merges_fit_their_reason": 1},
        ("4404", "merge", "4101", "names a row of another order or SKU"),
    ),
    Case(
        "a kept row names another",
        ledger(f"merged_into_id = {TWIN}", CLEAN),
        {"merges_name_a_remaining_row": 1},
        ("4101", "keep", "4404", "is not merged and names a row"),
    ),
    Case(
        "a merge with the wrong reason",
        ledger("reason = 'respelled_twin'", TWIN),
        {"merges_fit_their_reason": 1},
        ("4404", "respelled_twin", "(none)", "6", "4638", "250300", "6"),
    ),
    Case(
        "redated to a day that is none",
        ledger("new_ship_date = '2025-02-30'", REDATED),
        {
            "redates_have_a_real_day": 1,
            "redates_follow_the_evidence": 1,
            "monthly_units_follow_from_ledger": 2,
            "daily_units_follow_from_ledger": 2,
            "balance_follows_from_ledger": 3,
        },
        ("4427", "redate", "2024-04-16", "2025-02-30"),
    ),
    Case(
        "a kept row with a new day",
        ledger("new_ship_date = '2025-10-06'", CLEAN),
        {"redates_have_a_real_day": 1},
        ("4101", "keep", "2025-09-08", "2025-10-06"),
    ),
    Case(
        "redated to a day that nobody named",
        sql(
            f"update shipped_items set ship_date = '2025-10-07' where id = {REDATED}",
            f"update audit_row_ledger set new_ship_date = '2025-10-07' where legacy_id = {REDATED}",
        ),
        {
            "redates_follow_the_evidence": 1,
            "balance_follows_from_ledger": 4,
            "units_are_as_counted": 1,
            "days_match_shipstation": 1,
            "differences_are_listed": 1,
        },
        ("4427", "shipstation_other_day", "2024-04-16", "2025-10-07"),
    ),
    Case(
        "redated to the day that it had",
        lambda work: [
            spoil(work, f"update audit_row_ledger set ship_date = '2025-10-06' where legacy_id = {REDATED}"),
            spoil(
                work,
                "update shipped_items set ship_date = '2025-10-06' where id = 4427",
                database="legacy.sqlite",
            ),
        ][0],
        {
            "redates_move_the_day": 1,
            "claims_fit_their_rows": 1,
            "balance_follows_from_ledger": 4,
            "stock_follows_from_snapshot": 4,
        },
        ("4427", "shipstation_other_day", "2025-10-06", "2025-10-06"),
    ),
    Case(
        "a decision without effect",
        sql(f"update quarantine_decisions set decision = 'hold' where legacy_id = {REMOVED}"),
        {"decisions_are_applied": 1},
        ("4426", "hold", "remove", "decided"),
    ),
    Case(
        "a decided row that nobody decided",
        sql(f"delete from quarantine_decisions where legacy_id = {REMOVED}"),
        {"decisions_are_applied": 1},
        ("4426", "(none)", "remove", "decided"),
    ),
    Case(
        "a row decided twice",
        sql(
            f"insert into quarantine_decisions select * from quarantine_decisions where legacy_id = {REMOVED}"
        ),
        {"decisions_are_applied": 2},
        ("4426", "remove", "remove", "decided"),
    ),
    Case(
        "a decision with a problem",
        sql(f"update audit_decisions set problem = 'no such row' where legacy_id = {REMOVED}"),
        {"decisions_are_applied": 1},
        ("4426", "remove", "remove", "decided"),
    ),
    Case(
        "a decision about another text",
        sql(f"update quarantine_decisions set base_sku = '99999' where legacy_id = {REMOVED}"),
        {"decisions_are_applied": 1},
        ("4426", "remove", "remove", "decided"),
    ),
    Case(
        "another lot than the text says",
        ledger("lot_number = '250999'", CLEAN),
        {"ledger_reads_as_the_parser": 1},
        ("4101", "17612", "250999", "15", "17612", "250237", "15"),
    ),
    Case(
        "another SKU than the text says",
        ledger("sku_code = '17612'", RESYNC),
        {
            "ledger_reads_as_the_parser": 1,
            "units_match_legacy_rows": 2,
            "balance_follows_from_ledger": 4,
        },
        ("4463", "17612", "(none)", "1", "17904", "(none)", "1"),
    ),
    Case(
        "an unreadable row treated as another",
        sql(
            "update audit_row_ledger set reason = 'unresolved_suspect' where legacy_id = 4253",
            "update audit_quarantine set reason = 'unresolved_suspect', is_undecided = 1"
            " where legacy_id = 4253",
            "delete from quarantine_decisions where legacy_id = 4253",
        ),
        {"unreadable_rows_are_quarantined": 1, "no_row_is_undecided": 1, "no_row_is_held": 4},
        ("4253", "quarantine", "unresolved_suspect", "implausible_lot"),
    ),
    Case(
        "a readable row called an orphan",
        sql(
            f"update audit_row_ledger set disposition = 'quarantine', reason = 'orphan_order'"
            f" where legacy_id = {RESYNC}"
        ),
        {
            "unreadable_rows_are_quarantined": 1,
            "no_row_is_undecided": 1,
            "quarantine_is_the_ledgers": 1,
            "balance_follows_from_ledger": 2,
        },
        ("4463", "quarantine", "orphan_order", "(none)"),
    ),
)

UNITS = (
    Case(
        "a unit too many in the ledger",
        ledger("units = units + 1", CLEAN),
        {
            "units_match_legacy_rows": 1,
            "ledger_reads_as_the_parser": 1,
            "legacy_units_are_accounted_for": 1,
            "monthly_units_follow_from_ledger": 1,
            "daily_units_follow_from_ledger": 1,
            "balance_follows_from_ledger": 3,
        },
        ("17612", "2025-09", "404", "405"),
    ),
    Case(
        "a unit too many in the balance",
        sql("update audit_unit_balance set keep_units = keep_units + 1 where rowid = 5"),
        {"legacy_units_are_accounted_for": 1, "balance_follows_from_ledger": 1},
        ("unit balance", "1363", "35", "52", "25", "24", "1499", "1498"),
    ),
    Case(
        "a row of the candidate lost",
        sql(f"delete from shipped_items where id = {CLEAN}"),
        {
            "candidate_rows_follow_from_ledger": 1,
            "monthly_units_follow_from_ledger": 1,
            "daily_units_follow_from_ledger": 1,
            "balance_follows_from_ledger": 2,
        },
        ("442", "10", "15", "466"),
    ),
    Case(
        "units moved to another month",
        sql(f"update shipped_items set ship_date = '2025-08-14' where id = {CLEAN}"),
        {
            "monthly_units_follow_from_ledger": 2,
            "daily_units_follow_from_ledger": 2,
            "balance_follows_from_ledger": 4,
        },
        ("17612", "2025-08", "8", "23"),
    ),
    Case(
        "units moved to another day",
        sql(f"update shipped_items set ship_date = '2025-09-09' where id = {CLEAN}"),
        {"daily_units_follow_from_ledger": 2, "balance_follows_from_ledger": 4},
        ("17612", "2025-09-08", "31", "16"),
    ),
    Case(
        "a residual",
        sql("update audit_unit_balance set residual = 1 where rowid = 5"),
        {"residuals_are_zero": 1, "balance_follows_from_ledger": 1},
        ("17612", "2025-09-08", "1"),
    ),
    Case(
        "a residual that is not known",
        sql("update audit_unit_balance set residual = null where rowid = 5"),
        {"residuals_are_zero": 1, "balance_follows_from_ledger": 1},
        ("17612", "2025-09-08", "(none)"),
    ),
    Case(
        "two edits of the balance that cancel out",
        sql(
            "update audit_unit_balance set merge_units = merge_units + 1, keep_units = keep_units - 1"
            " where rowid = 5"
        ),
        {"balance_follows_from_ledger": 2},
        ("17612", "2025-09-08", "keep_units", "30", "31"),
    ),
    Case(
        "a line of the balance gone",
        sql(
            "delete from audit_unit_balance where rowid in"
            " (select min(rowid) from audit_unit_balance where ship_date = '2025-10-06')"
        ),
        {
            "balance_follows_from_ledger": 1,
            "legacy_units_are_accounted_for": 1,
            "daily_table_follows_from_balance": 1,
            "shipstation_days_follow": 1,
        },
        ("17612", "2025-10-06", "the line itself", "not there", "there"),
    ),
    Case(
        "a line of the balance twice",
        sql("insert into audit_unit_balance select * from audit_unit_balance where rowid = 5"),
        {
            "balance_follows_from_ledger": 1,
            "legacy_units_are_accounted_for": 1,
            "daily_table_follows_from_balance": 1,
        },
        ("17612", "2025-09-08", "the line itself", "there twice", "not there"),
    ),
    Case(
        "other units on a day",
        sql(
            "update audit_daily_units set candidate_units = candidate_units + 1"
            " where ship_date = '2025-10-01'"
        ),
        {"daily_table_follows_from_balance": 1},
        ("2025-10-01", "93", "93", "94", "93", "(none)", "(none)"),
    ),
    Case(
        "a day of ShipStation hidden",
        sql("update audit_daily_units set shipstation_units = null where ship_date = '2025-10-06'"),
        {"daily_table_follows_from_balance": 1},
        ("2025-10-06", "223", "223", "331", "331", "(none)", "331"),
    ),
    Case(
        "a day of ShipStation invented",
        sql("update audit_daily_units set shipstation_units = 0 where ship_date = '2025-10-01'"),
        {"daily_table_follows_from_balance": 1},
        ("2025-10-01", "93", "93", "93", "93", "0", "(none)"),
    ),
    Case(
        "a day gone",
        sql("delete from audit_daily_units where ship_date = '2025-10-01'"),
        {"daily_table_follows_from_balance": 1},
        ("2025-10-01", "(none)", "93", "(none)", "93", "(none)", "(none)"),
    ),
    Case(
        "a day invented",
        sql("insert into audit_daily_units values ('2031-01-01', 0, 0, null)"),
        {"daily_table_follows_from_balance": 1},
        ("2031-01-01", "0", "(none)", "0", "(none)", "(none)", "(none)"),
    ),
)

OWNER = (
    Case(
        "another count of the owner",
        sql("update expected_units set expected_units = 332"),
        {"units_are_as_counted": 1},
        ("2025-10-06", "332", "331"),
    ),
    Case(
        "units counted on a day without any",
        sql("insert into expected_units values ('2031-01-01', 1, 'a count')"),
        {"units_are_as_counted": 1},
        ("2031-01-01", "1", "0"),
    ),
    Case(
        "another stock counted",
        sql(
            "update expected_on_hand set expected_quantity = 611",
            "update audit_stock set expected_on_hand = 611 where as_of_date <> ''",
        ),
        {"on_hand_is_as_counted": 1},
        ("17612", "2025-10-10", "611", "610"),
    ),
    Case(
        "stock counted of a SKU without a baseline",
        sql("insert into expected_on_hand values ('99999', '2025-10-10', 1, 'a count')"),
        {"on_hand_is_as_counted": 1, "stock_follows_from_snapshot": 1},
        ("99999", "2025-10-10", "1", "(none)"),
    ),
    Case(
        "a receipt forgotten",
        source("delete from inventory_transactions where transaction_type = 'Receive' and sku = '18675'"),
        {"stock_follows_from_snapshot": 3, "tables_are_those_of_the_live_database": 1},
        ("18675", "", "moved_units", "51", "3"),
    ),
    Case(
        "another baseline",
        source(
            "update configuration_params set value = '1018'"
            " where category = 'InitialInventory' and sku = '17612'"
        ),
        {"stock_follows_from_snapshot": 6, "on_hand_is_as_counted": 1},
        ("17612", "", "baseline_units", "1019", "1018"),
    ),
    Case(
        "a line of stock gone",
        sql("delete from audit_stock where as_of_date = '' and sku_code = '17904'"),
        {"stock_follows_from_snapshot": 1},
        ("17904", "", "the line itself", "not there", "there"),
    ),
    Case(
        "stock on hand edited",
        sql("update audit_stock set candidate_on_hand = 638 where as_of_date = '' and sku_code = '17612'"),
        {"stock_follows_from_snapshot": 1},
        ("17612", "", "candidate_on_hand", "638", "610"),
    ),
)
