"""The suite ``reconciliation``: a good candidate passes, and each check sees its subject broken.

Every check has a case that spoils a copy of the demo's candidate, or of its snapshot, in one respect. The
case names all checks that fail then, with what they count, and the first row that the check shows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from compiled_models import CompiledModels
from lotgate.generator import generate
from lotgate.legacy_schema import Shape
from reference.building import write_example
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from suite_candidates import build, hold_all_undecided
from suites import checks_of, copy_of, failed, rebuild, run_suite, spoil, unconstrained

SUITE = "reconciliation"
DEMO_FINDINGS: dict[str, int | None] = {"no_row_is_held": 5}
# what rows wait for, what a shipment may rightly differ in, and what was only noticed
NOT_A_FAULT = {"days_match_shipstation", "no_row_is_held", "no_likely_incident", "redates_move_the_day"}
SEVERITIES = {
    "warning": {"days_match_shipstation", "no_likely_incident", "redates_move_the_day"},
    "info": {"no_row_is_held"},
}
# checks of GX's own, which show a count and no rows
STOCK = {
    *("legacy_ids_are_unique", "legacy_ids_are_given", "ledger_has_its_columns"),
    *("dispositions_are_known", "dispositions_are_given", "evidence_is_given"),
}

CLEAN = "(select min(legacy_id) from audit_row_ledger where reason = 'clean' and lot_number is not null)"
RESYNC = "(select min(legacy_id) from audit_row_ledger where reason = 'historical_resync')"
TWIN = "(select min(legacy_id) from audit_row_ledger where reason = 'lotless_twin')"
REDATED = "(select min(legacy_id) from audit_row_ledger where reason = 'shipstation_other_day')"
HELD = "(select min(legacy_id) from audit_row_ledger where reason = 'held')"
REMOVED = "(select min(legacy_id) from audit_row_ledger where disposition = 'remove' and reason = 'decided')"
RECOVERED = "(select min(candidate_id) from int_recovered_lines)"
EXACT = "(select min(line_id) from int_shipstation_claims where pass = 1)"

Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One way to spoil a work directory.

    ``found`` are all the checks that fail then and did not before, with their counts; the first is the one
    that the case is about, and ``row`` is the first row that it shows.
    """

    name: str
    spoil: Spoil
    found: Mapping[str, int | None]
    row: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def check(self) -> str:
        return next(iter(self.found))


def sql(*statements: str) -> Spoil:
    """Statements on the candidate."""
    return lambda work: spoil(work, *statements)


def source(*statements: str) -> Spoil:
    """Statements on the snapshot."""
    return lambda work: spoil(work, *statements, database="legacy.sqlite")


def ledger(change: str, row: str) -> Spoil:
    """A change to one row of the ledger."""
    return sql(f"update audit_row_ledger set {change} where legacy_id = {row}")


def without_type(work: Path) -> None:
    """3 becomes 3.0, in a ledger that allows it."""
    rebuild(work, "audit_row_ledger", ("quantity_shipped INT", "quantity_shipped"))
    ledger("quantity_shipped = quantity_shipped * 1.0", CLEAN)(work)


def recovered_twice(work: Path) -> None:
    columns = (
        "line_id, shipment_id, shipstation_order_id, order_number, header_order_number, tracking_number,"
        " ship_date, created_at, sku_code, lot_number, shipstation_sku_raw, quantity"
    )
    unconstrained(work, "int_recovered_lines")
    spoil(
        work,
        f"insert into int_recovered_lines select 9999, {columns} from int_recovered_lines"
        f" where candidate_id = {RECOVERED}",
    )


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

SHIPSTATION = (
    Case(
        "a unit more in an item",
        sql(
            "update audit_shipstation_lines set quantity = quantity + 1 where rowid in"
            " (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')"
        ),
        {
            "shipstation_lines_add_up": 1,
            "daily_table_follows_from_balance": 1,
            "shipstation_days_follow": 1,
            "differences_are_listed": 1,
        },
    ),
    Case(
        "a counted line dropped",
        sql(
            f"delete from int_shipstation_lines where line_id = {EXACT}",
            f"delete from int_shipstation_claims where line_id = {EXACT}",
        ),
        {"shipstation_lines_add_up": 1},
    ),
    Case(
        "a line that nobody claims",
        sql(f"delete from int_shipstation_claims where line_id = {EXACT}"),
        {"counted_lines_are_in_candidate": 1, "shipstation_outcomes_follow": 1},
    ),
    Case(
        "a line that a row stands for, recovered",
        sql(
            "insert into int_shipstation_claims"
            " select lines.line_id, ledger.legacy_id, 5, 0, lines.ship_date, lines.quantity"
            " from int_recovered_lines as lines inner join audit_row_ledger as ledger"
            " on ledger.order_number = lines.order_number and ledger.sku_code = lines.sku_code"
            " and ledger.ship_date = lines.ship_date and ledger.disposition = 'keep' limit 1"
        ),
        {"counted_lines_are_in_candidate": 1},
    ),
    Case(
        "a claim on another order's line",
        sql(f"update int_shipstation_claims set legacy_id = {CLEAN} where line_id = {EXACT}"),
        {"claims_fit_their_rows": 1, "shipstation_outcomes_follow": 1},
    ),
    Case(
        "a claim with other units",
        sql(f"update int_shipstation_claims set quantity = quantity + 1 where line_id = {EXACT}"),
        {"claims_fit_their_rows": 1},
    ),
    Case(
        "an outcome edited",
        sql(
            "update audit_shipstation_lines set outcome = 'other_day' where rowid in"
            " (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')"
        ),
        {"shipstation_outcomes_follow": 1},
    ),
    Case(
        "a line recovered twice",
        recovered_twice,
        {
            "recovered_lines_are_shipstations": 1,
            "recovered_lines_are_in_candidate": 1,
            "candidate_rows_follow_from_ledger": 1,
            "monthly_units_follow_from_ledger": 1,
            "daily_units_follow_from_ledger": 1,
            "balance_follows_from_ledger": 2,
        },
        ("318204220", "17612", "2025-10-06", "2", "2", "1"),
    ),
    Case(
        "a voided line recovered",
        sql(
            "update audit_shipstation_lines set outcome = 'voided' where rowid in"
            " (select min(rowid) from audit_shipstation_lines where outcome = 'recovered')"
        ),
        {
            "recovered_lines_are_shipstations": 1,
            "shipstation_lines_add_up": 1,
            "recovered_units_match_shipstation": 1,
            "daily_table_follows_from_balance": 1,
            "shipstation_days_follow": 1,
            "differences_are_listed": 1,
        },
        ("318204220", "18675", "2025-10-06", "1", "2", "(none)"),
    ),
    Case(
        "a recovered row with another text",
        sql(
            "update shipped_items set shipstation_sku_raw = shipstation_sku_raw || '?'"
            f" where id = {RECOVERED}"
        ),
        {"recovered_lines_are_in_candidate": 1},
        ("4658", "318204220", "17612", "2025-10-06", "1", "recovered, and not so in the candidate"),
    ),
    Case(
        "a row from elsewhere",
        sql(f"update shipped_items set shipstation_shipment_id = 5 where id = {CLEAN}"),
        {"recovered_lines_are_in_candidate": 1, "recovered_units_match_shipstation": 1},
        ("4101", "5", "17612", "2025-09-08", "15", "in the candidate, and not recovered"),
    ),
    Case(
        "a recovered row without its shipment",
        sql(f"update shipped_items set shipstation_shipment_id = null where id = {RECOVERED}"),
        {"recovered_units_match_shipstation": 1, "recovered_lines_are_in_candidate": 1},
        ("2025-10-06", "74", "75"),
    ),
    Case(
        "other units than ShipStation counts",
        sql(
            "update audit_daily_units set shipstation_units = 332 where ship_date = '2025-10-06'",
        ),
        {"daily_table_follows_from_balance": 1},
        ("2025-10-06", "223", "223", "331", "331", "332", "331"),
    ),
)

# ShipStation against the tables, by day and SKU and by order
COMPARISON = (
    Case(
        "other units of a SKU than ShipStation counts",
        sql(
            "update audit_shipstation_days set shipstation_units = 74 where sku_code = '18675'",
            "update audit_shipstation_days set shipstation_units = 36 where sku_code = '18795'",
        ),
        {"days_match_shipstation": 2, "shipstation_days_follow": 2},
        ("2025-10-06", "18675", "26", "36", "74"),
    ),
    Case(
        "a unit more in the candidate",
        sql(
            "update shipped_items set quantity_shipped = quantity_shipped + 1"
            " where id in (select max(id) from shipped_items where ship_date = '2025-10-06')"
        ),
        {
            "days_match_shipstation": 1,
            "daily_units_follow_from_ledger": 1,
            "monthly_units_follow_from_ledger": 1,
            "balance_follows_from_ledger": 2,
            "units_are_as_counted": 1,
            "recovered_lines_are_in_candidate": 1,
            "recovered_units_match_shipstation": 1,
            "stock_follows_from_snapshot": 2,
            "differences_are_listed": 1,
        },
    ),
    Case(
        "other legacy units in the comparison",
        sql("update audit_shipstation_days set legacy_units = 0 where sku_code = '17904'"),
        {"shipstation_days_follow": 1},
        ("2025-10-06", "17904", "0", "29", "38", "38", "38", "38"),
    ),
    Case(
        "a day and SKU of the comparison gone",
        sql("delete from audit_shipstation_days where sku_code = '17914'"),
        {"shipstation_days_follow": 1, "days_match_shipstation": 1},
        ("2025-10-06", "17914", "(none)", "23", "(none)", "45", "(none)", "45"),
    ),
    Case(
        "a day and SKU of the comparison twice",
        sql("insert into audit_shipstation_days select * from audit_shipstation_days where rowid = 1"),
        {"shipstation_days_follow": 1, "days_match_shipstation": 1},
    ),
    Case(
        "a day of the comparison invented",
        sql("insert into audit_shipstation_days values ('2025-10-07', '17612', 0, 0, 0)"),
        {"shipstation_days_follow": 1},
        ("2025-10-07", "17612", "0", "(none)", "0", "(none)", "0", "(none)"),
    ),
    Case(
        "a difference not listed",
        sql("delete from audit_shipstation_differences where order_number = '690015'"),
        {"differences_are_listed": 1},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is not listed"),
    ),
    Case(
        "a difference listed twice",
        sql(
            "insert into audit_shipstation_differences select * from audit_shipstation_differences"
            " where order_number = '690015'"
        ),
        {"differences_are_listed": 2},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is listed twice"),
    ),
    Case(
        "a difference with other units",
        sql(
            "update audit_shipstation_differences set candidate_units = 4 where order_number = '690015'",
        ),
        {"differences_are_listed": 1},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is listed with other units"),
    ),
    Case(
        "a difference of a cause that nobody knows",
        sql(
            "update audit_shipstation_differences set likely_cause = 'magic' where order_number = '690015'",
        ),
        {"differences_are_listed": 1},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is of no known cause"),
    ),
    Case(
        "a difference invented",
        sql(
            "update audit_shipstation_differences set order_number = '1' where order_number = '690015'",
        ),
        {"differences_are_listed": 2},
        ("2025-10-06", "1", "17612", "4", "10", "10", "is no difference"),
    ),
)

PEOPLE = (
    Case(
        "a quarantined row not listed",
        sql(f"delete from audit_quarantine where legacy_id = {HELD}"),
        {"quarantine_is_the_ledgers": 1},
        ("4141", "not listed"),
    ),
    Case(
        "a kept row listed",
        sql(f"insert into audit_quarantine (legacy_id) values ({CLEAN})"),
        {"quarantine_is_the_ledgers": 1},
        ("4101", "listed and not in quarantine"),
    ),
    Case(
        "a quarantined row listed twice",
        sql(f"insert into audit_quarantine select * from audit_quarantine where legacy_id = {HELD}"),
        {"quarantine_is_the_ledgers": 1},
        ("4141", "listed more than once"),
    ),
    Case(
        "a quarantined row listed as decided",
        sql(f"update audit_quarantine set is_undecided = 1 where legacy_id = {HELD}"),
        {"quarantine_is_the_ledgers": 1},
        ("4141", "listed otherwise"),
    ),
    Case(
        "a row that nobody decided",
        sql(
            f"delete from quarantine_decisions where legacy_id = {HELD}",
            f"update audit_quarantine set reason = 'unparseable_sku', is_undecided = 1"
            f" where legacy_id = {HELD}",
            f"update audit_row_ledger set reason = 'unparseable_sku' where legacy_id = {HELD}",
        ),
        {"no_row_is_undecided": 1, "no_row_is_held": 4},
        ("4141", "687335", "2025-09-10", "1", "unparseable_sku"),
    ),
    Case(
        "one row more held",
        sql(
            f"insert into quarantine_decisions (legacy_id, decision, order_number, base_sku, sku_lot,"
            f" quantity_shipped) select legacy_id, 'hold', order_number, base_sku, sku_lot, quantity_shipped"
            f" from audit_row_ledger where legacy_id = {RESYNC}",
            f"update audit_row_ledger set disposition = 'quarantine', reason = 'held'"
            f" where legacy_id = {RESYNC}",
        ),
        {"no_row_is_held": 6, "quarantine_is_the_ledgers": 1, "balance_follows_from_ledger": 2},
    ),
    Case(
        "an incident that nobody named",
        sql("delete from incidents"),
        {"no_likely_incident": 1},
        ("2024-04-16", "27", "107", "4"),
    ),
)

TABLES = (
    Case(
        "an emptied order not listed",
        sql(
            "delete from audit_order_header_changes where header_id in"
            " (select min(header_id) from audit_order_header_changes where change = 'taken_out')"
        ),
        {"emptied_orders_are_taken_out": 1, "headers_add_up": 1},
    ),
    Case(
        "a header lost",
        sql("delete from shipped_orders where id in (select min(id) from shipped_orders)"),
        {"headers_add_up": 1},
        ("293", "5", "7", "294"),
    ),
    Case(
        "a SKU invented",
        sql("insert into skus (sku_code, product_name) values ('17913', 'Something')"),
        {"skus_are_those_of_the_inventory": 1, "stock_follows_from_snapshot": 1},
        ("17913", "0", "1"),
    ),
    Case(
        "a SKU of the inventory missing",
        source("update inventory_current set sku = '17913' where sku = '18795'"),
        {
            "skus_are_those_of_the_inventory": 2,
            "unreadable_rows_are_quarantined": 62,
            "stock_follows_from_snapshot": 1,
        },
        ("17913", "1", "0"),
    ),
    Case(
        "a table forgotten",
        source("drop table workflows"),
        {"tables_are_those_of_the_live_database": 1},
        ("workflows", "7", "(none)"),
    ),
    Case(
        "rows of a table that is carried over lost",
        source("delete from workflows where id = 1"),
        {"tables_are_those_of_the_live_database": 1},
        ("workflows", "7", "6"),
    ),
    Case(
        "a table invented",
        source("create table surprise (id integer)"),
        {"tables_are_those_of_the_live_database": 1},
        ("surprise", "(none)", "0"),
    ),
    Case(
        "no snapshot, but another database",
        source("drop table lotgate_snapshot"),
        {"tables_are_those_of_the_live_database": 1},
        ("lotgate_snapshot", "(none)", "(none)"),
    ),
    Case(
        "a table that is to stay as it is, in the candidate",
        sql("create table Workflows (id integer)"),
        {"untouched_tables_stay_out": 1},
        ("Workflows", "carried over"),
    ),
)

CASES = (*LEDGER, *UNITS, *OWNER, *SHIPSTATION, *COMPARISON, *PEOPLE, *TABLES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_spoiled_is_found(case: Case, demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    case.spoil(work)
    found = run_suite(work, SUITE, **case.parameters)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found) == DEMO_FINDINGS | dict(case.found)
    shown = found[case.check]
    if case.check not in STOCK:
        assert shown.columns
        assert len(shown.rows) == min(shown.count or 0, 20)
        assert all(len(row) == len(shown.columns) for row in shown.rows)
    if case.row:
        assert shown.rows[0] == case.row


def test_every_check_is_spoiled_at_least_once() -> None:
    assert {case.check for case in CASES} == set(checks_of(SUITE))


def test_severities_are_as_agreed() -> None:
    checks = checks_of(SUITE)
    for severity in ("warning", "info"):
        assert {name for name, check in checks.items() if check["severity"] == severity} == SEVERITIES[
            severity
        ]
    assert {check["severity"] for check in checks.values()} == {"critical", "warning", "info"}


def test_the_demo_is_good(demo_build: Path, tmp_path: Path) -> None:
    found = run_suite(copy_of(demo_build, tmp_path / "work"), SUITE)
    assert failed(found) == DEMO_FINDINGS


@pytest.mark.parametrize("shape", list(Shape))
def test_good_candidates_of_every_shape_pass(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=600, seed=40 + len(shape), shape=shape, nasty=0.3)
    work = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "work")
    found = run_suite(work, SUITE)
    undecided = found["no_row_is_undecided"].count
    assert undecided
    assert failed(found, "critical") == {"no_row_is_undecided": undecided}
    # once a person has looked at them, nothing is left
    assert hold_all_undecided(work, made.controls) == undecided
    decided = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "decided")
    held = found["no_row_is_held"].count or 0
    found = run_suite(decided, SUITE)
    assert failed(found, "critical") == {}
    assert found["no_row_is_held"].count == held + undecided


RULES = [*EXAMPLES, *CORNER_CASES]


@pytest.mark.parametrize("part", range(4))
def test_the_corners_of_the_rules_are_no_faults(
    part: int, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    """The worked examples and the corner cases, but for those whose decisions cannot be applied."""
    looked_at = 0
    for number, example in enumerate(RULES[part::4]):
        files = write_example(example, tmp_path / f"files{number}")
        work = build(
            compiled_models, files.legacy, files.evidence, files.controls, tmp_path / f"work{number}"
        )
        with closing(sqlite3.connect(work / "candidate.sqlite")) as candidate:
            refused = candidate.execute("select count(*) from audit_decisions where problem is not null")
            if refused.fetchone()[0]:
                continue
        looked_at += 1
        faults = failed(run_suite(work, SUITE), "critical")
        assert faults.keys() <= {"no_row_is_undecided"}, example.name
    assert looked_at > 20


def test_parameters_are_needed(demo_build: Path, tmp_path: Path) -> None:
    """A parameter that says nothing is an error, never a pass."""
    work = copy_of(demo_build, tmp_path / "work")
    found = run_suite(work, SUITE, ["tables_are_those_of_the_live_database"], legacy_tables="{}")
    assert found["tables_are_those_of_the_live_database"].error


def test_a_table_that_the_snapshot_added_is_no_surprise(demo_build: Path, tmp_path: Path) -> None:
    """An optional table that the models read may be there, empty, without being in the live database."""
    work = copy_of(demo_build, tmp_path / "work")
    snapshot = json.loads((work / "snapshot.json").read_text(encoding="utf-8"))
    tables = {table["name"]: table["rows"] for table in snapshot["tables"] if table["rows"] is not None}
    del tables["lot_inventory"]
    check = "tables_are_those_of_the_live_database"
    full = run_suite(work, SUITE, [check], legacy_tables=json.dumps(tables))[check]
    assert full.rows == (("lot_inventory", "(none)", "5"),)
    spoil(work, "delete from lot_inventory", database="legacy.sqlite")
    assert run_suite(work, SUITE, [check], legacy_tables=json.dumps(tables))[check].success


def test_texts_that_are_no_utf8_are_compared_all_the_same(demo_build: Path, tmp_path: Path) -> None:
    """A BLOB may hold anything; the ledger has it as the legacy row has it."""
    work = copy_of(demo_build, tmp_path / "work")
    for database in ("candidate.sqlite", "legacy.sqlite"):
        with closing(sqlite3.connect(work / database)) as connection:
            table, key = (
                ("audit_row_ledger", "legacy_id") if "candidate" in database else ("shipped_items", "id")
            )
            if table == "shipped_items":
                unconstrained(work, table, database)
            connection.execute(f"update {table} set created_at = cast(x'ff' as blob) where {key} = 4101")
            connection.commit()
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found) == DEMO_FINDINGS
