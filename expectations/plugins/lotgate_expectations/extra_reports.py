"""Expectations about the tables that people read: what they report is what ledger and snapshot say."""

from __future__ import annotations

from typing import ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.expressions import is_blank, is_real_day, trimmed, trimmed_or_null
from lotgate_expectations.once import SharedTable
from lotgate_expectations.quarantine import constant_date_query
from lotgate_expectations.rows import NoRowsExpectation, literal
from lotgate_expectations.unit_sums import LEDGER_SUMS

_HEADER_REASONS = {
    "taken_out": "no_items_left",
    "date_corrected": "implausible_header_date",
    "added": "order_known_to_shipstation",
}


class ExpectLotReportToFollowFromTables(NoRowsExpectation):
    """Expect audit_lots to report every lot of the legacy lot tables and of the candidate, as it is.

    Which table knows the lot, whether a line has it, whether only lines know it, and its status in lots; a
    lot that is not in lots has a word for why. Unexpected is a lot that only one side has, or that differs;
    shown are SKU, lot and what is wrong.

    Example:
        {}

    Source: models/audit/audit_lots.yml, docs/rules.md section 6 (lots).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        known = " union all ".join(
            f"select {trimmed_or_null('sku')} as sku_code, {trimmed_or_null('lot')} as lot_number,"
            f" {int(table == 'lot_inventory')} as is_in_lot_inventory,"
            f" {int(table == 'sku_lot')} as is_in_sku_lot,"
            f" 0 as is_shipped, null as status from legacy.{table}"
            for table in ("lot_inventory", "sku_lot")
        )
        return f"""
            with lots_of_skus as materialized (
                select sku_code, lot_number, lot_id, status from lots inner join skus using (sku_id)
            ),
            expected as materialized (
                select
                    sku_code,
                    lot_number,
                    max(is_in_lot_inventory) as is_in_lot_inventory,
                    max(is_in_sku_lot) as is_in_sku_lot,
                    max(is_shipped) as is_shipped,
                    max(is_in_lot_inventory + is_in_sku_lot) = 0 as is_discovered,
                    max(status) as status
                from (
                    {known}
                    union all
                    select sku_code, lot_number, 0, 0,
                        lot_id in (select lot_id from main.shipped_items where lot_id is not null), status
                    from lots_of_skus
                )
                where sku_code is not null and lot_number is not null
                group by sku_code, lot_number
            ),
            judged as (
                select sku_code, lot_number, case
                    when report.lot_number is null then 'not reported'
                    when (
                        report.is_in_lot_inventory, report.is_in_sku_lot, report.is_shipped,
                        report.is_discovered
                    ) is not (
                        expected.is_in_lot_inventory, expected.is_in_sku_lot, expected.is_shipped,
                        expected.is_discovered
                    ) then 'another origin'
                    when expected.status is not null and report.left_out_because is not null
                        then 'said to be left out'
                    when expected.status is null and report.left_out_because is null
                        then 'left out without a word'
                    when expected.status is not null and report.status is not expected.status
                        then 'another status'
                end as problem
                from expected left join audit_lots as report using (sku_code, lot_number)
                union all
                select sku_code, lot_number, 'no such lot' from audit_lots
                where (sku_code, lot_number) not in (select sku_code, lot_number from expected)
            )
            select sku_code, lot_number, problem from judged where problem is not null
            order by sku_code, lot_number
        """


class ExpectDecisionReportToFollowFromControls(NoRowsExpectation):
    """Expect audit_decisions to have every line of quarantine_decisions.csv, and nothing else.

    Unexpected is a row and decision that one of the two has more often; shown are both with their numbers.

    Example:
        {}

    Source: models/audit/audit_decisions.yml, docs/rules.md section 5.
    """

    def query(self) -> str:
        return f"""
            with lines as (
                select cast(legacy_id as integer) as legacy_id, lower({trimmed("decision")}) as decision,
                    1 as in_controls, 0 as reported
                from quarantine_decisions
                union all
                select legacy_id, decision, 0, 1 from audit_decisions
            )
            select legacy_id, decision, sum(in_controls) as in_controls, sum(reported) as reported
            from lines
            group by legacy_id, decision
            having sum(in_controls) <> sum(reported)
            order by legacy_id, decision
        """


class ExpectIncidentReportToFollowFromLedger(NoRowsExpectation):
    """Expect audit_likely_incidents to report the dates that look like a bad batch, counted anew.

    Such a date is shared by rows that were created on several days, all long after it, and incidents.csv does
    not name it. Unexpected is a date with other figures, or that only one side has; shown are the date and
    both numbers of rows.

    Args:
        created_days: From this many days of creation on, a date is reported.
        late_days: A row created this many days or more after its ship date is late.

    Example:
        {"created_days": {"$PARAMETER": "likely_incident_created_days"},
        "late_days": {"$PARAMETER": "late_import_days"}}

    Source: models/audit/audit_likely_incidents.yml, docs/rules.md section 2.
    """

    created_days: int | SuiteParameterDict
    late_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("created_days", "late_days")
    shared: ClassVar[tuple[SharedTable, ...]] = (LEDGER_SUMS,)

    def query(self) -> str:
        counted = constant_date_query(
            LEDGER_SUMS.name,
            int(self.created_days),  # type: ignore[arg-type]
            int(self.late_days),  # type: ignore[arg-type]
            "where days.ship_date not in (select wrong_ship_date from incidents)",
        )
        return f"""
            with figures as (
                select ship_date, late_rows, late_units, created_days, late_rows as counted, 0 as reported
                from ({counted})
                union all
                select wrong_ship_date, rows_on_date, units_on_date, created_days, 0, rows_on_date
                from audit_likely_incidents
            )
            select ship_date, sum(counted) as late_rows, sum(reported) as late_rows_reported
            from figures
            group by ship_date, late_rows, late_units, created_days
            having count(*) <> 2
            order by ship_date
        """


class ExpectHeaderChangesToNameTheirReason(NoRowsExpectation):
    """Expect every listed change of a header to have the reason that goes with it.

    Unexpected is another reason or another change; shown are the header and both.

    Example:
        {}

    Source: docs/rules.md section 6 (shipped_orders).
    """

    def query(self) -> str:
        pairs = ", ".join(
            f"({literal(change)}, {literal(reason)})" for change, reason in _HEADER_REASONS.items()
        )
        return f"""
            select header_id, change, reason from audit_order_header_changes
            where coalesce((change, reason) not in (values {pairs}), 1)
            order by header_id
        """


class ExpectEvidenceToSaySomething(NoRowsExpectation):
    """Expect every row of the ledger to have evidence that is more than blanks.

    Shown are the row's id, its disposition and its reason.

    Example:
        {}

    Source: models/audit/audit_row_ledger.yml (evidence).
    """

    def query(self) -> str:
        return f"""
            select legacy_id, disposition, reason from audit_row_ledger
            where {is_blank("evidence")}
            order by legacy_id
        """


class ExpectLateImportsToBeNamed(NoRowsExpectation):
    """Expect a kept row to be called a late import exactly where it was created long after it shipped.

    Rows that ShipStation does not know are called that, late or not. Unexpected are rows of a ship date and a
    day of creation that have the other reason; shown are both days, the reason and the number of rows.

    Args:
        late_days: A row created this many days or more after its ship date is late.

    Example:
        {"late_days": {"$PARAMETER": "late_import_days"}}

    Source: docs/rules.md section 4, rule 9.
    """

    late_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("late_days",)
    shared: ClassVar[tuple[SharedTable, ...]] = (LEDGER_SUMS,)

    def query(self) -> str:
        return f"""
            with stored as materialized (
                select ship_date, created_on, reason, sum(row_count) as row_count
                from {LEDGER_SUMS.name}
                where disposition = 'keep' and reason in ('clean', 'late_import')
                group by ship_date, created_on, reason
            ),
            days as (select {trimmed("ship_date")} as ship_date, created_on, reason, row_count from stored)
            select ship_date, created_on, reason, row_count from days
            where (reason = 'late_import') <> ({is_real_day("created_on")}
                and {is_real_day("ship_date")}
                and created_on >= date(ship_date, '+{int(self.late_days):d} days'))
            order by ship_date, created_on
        """


class ExpectUnknownRowsToBeNamed(NoRowsExpectation):
    """Expect a kept row to be called unknown to ShipStation exactly where its claims say so.

    On a day that was fetched from ShipStation, a row is unknown unless the lines of that day that it claims
    add up to its units. On any other day nothing is known. Unexpected is a row with another reason; shown are
    its id, its day, its units, what it claims and its reason.

    Example:
        {}

    Source: docs/rules.md section 4, rule 9.
    """

    def query(self) -> str:
        return """
            with covered as materialized (
                select ship_date from audit_daily_units where shipstation_units is not null
            ),
            claimed as materialized (
                select legacy_id, ship_date, sum(quantity) as units from int_shipstation_claims
                group by legacy_id, ship_date
            ),
            kept as (
                select ledger.legacy_id, items.ship_date, ledger.units,
                    coalesce(claimed.units, 0) as claimed_units, ledger.reason,
                    items.ship_date in (select ship_date from covered)
                        and coalesce(claimed.units, 0) <> ledger.units as is_unknown
                from audit_row_ledger as ledger
                inner join main.shipped_items as items on items.id = ledger.legacy_id
                left join claimed
                    on claimed.legacy_id = ledger.legacy_id and claimed.ship_date = items.ship_date
                where ledger.disposition = 'keep'
                    and ledger.reason in ('clean', 'late_import', 'unknown_to_shipstation')
            )
            select legacy_id, ship_date, units, claimed_units, reason from kept
            where (reason = 'unknown_to_shipstation') <> is_unknown
            order by legacy_id
        """
