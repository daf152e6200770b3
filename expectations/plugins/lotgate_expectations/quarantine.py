"""Expectations about what waits for a person, and what a person should look at.

Source: docs/rules.md sections 4 and 5.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.expressions import is_real_day, trimmed
from lotgate_expectations.once import SharedTable
from lotgate_expectations.rows import NoRowsExpectation, identifier
from lotgate_expectations.unit_sums import LEDGER_SUMS

_ORIGINALS = ("order_number", "base_sku", "sku_lot", "quantity_shipped", "ship_date")


class ExpectNoQuarantinedRows(NoRowsExpectation):
    """Expect no row of the ledger to be in quarantine, undecided or knowingly held.

    Shown are the id, the order, the date and the units, and the reason.

    Args:
        which: undecided (nobody has decided about the row) or held (a decision leaves it there).

    Example:
        {"which": "undecided"}

    Source: docs/rules.md section 5 (hold).
    """

    which: Literal["undecided", "held"]

    success_keys: ClassVar[tuple[str, ...]] = ("which",)

    def query(self) -> str:
        return f"""
            select legacy_id, order_number, ship_date, units, reason
            from audit_row_ledger
            where disposition = 'quarantine' and reason is {"" if self.which == "held" else "not"} 'held'
            order by legacy_id
        """


class ExpectQuarantineToBeThatOfTheLedger(NoRowsExpectation):
    """Expect audit_quarantine to list exactly the rows that the ledger quarantines, as the ledger has them.

    Undecided is every one but the held ones, and each has a proposal. Unexpected is a row that only one of
    the two has, that is there twice, or that differs. Source: models/audit/audit_quarantine.yml.
    """

    def query(self) -> str:
        same = " and ".join(
            f"listed.{identifier(name)} is ledger.{identifier(name)}"
            for name in (*_ORIGINALS, "units", "reason", "evidence")
        )
        # with the plus sign SQLite does not take the rows for few, and makes an index for the join
        return f"""
            with ledger as (select * from audit_row_ledger where +disposition = 'quarantine')
            select
                ledger.legacy_id,
                case when listed.legacy_id is null then 'not listed' else 'listed otherwise' end as problem
            from ledger
            left join audit_quarantine as listed on ledger.legacy_id = listed.legacy_id
            where not coalesce(
                {same}
                and listed.is_undecided is (ledger.reason is not 'held')
                and {trimmed("listed.proposal")} <> '',
                0
            )
            union all
            select listed.legacy_id, 'listed and not in quarantine'
            from audit_quarantine as listed
            left join ledger on listed.legacy_id = ledger.legacy_id
            where ledger.legacy_id is null
            union all
            select legacy_id, 'listed more than once'
            from audit_quarantine
            group by legacy_id
            having count(*) > 1
            order by 1
        """


class ExpectNoLikelyIncidents(NoRowsExpectation):
    """Expect no ship date to look like a bad batch that incidents.csv does not name.

    Such a date is shared by rows that were created on several days, all long after it. It is counted from the
    ledger. Shown are the date, its late rows, their units and the number of days. Source: docs/rules.md
    section 2.

    Args:
        created_days: From this many days of creation on, a date is reported.
        late_days: A row created this many days or more after its ship date is late.

    Example:
        {"created_days": {"$PARAMETER": "likely_incident_created_days"},
        "late_days": {"$PARAMETER": "late_import_days"}}
    """

    created_days: int | SuiteParameterDict
    late_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("created_days", "late_days")
    shared: ClassVar[tuple[SharedTable, ...]] = (LEDGER_SUMS,)

    def query(self) -> str:
        return constant_date_query(
            LEDGER_SUMS.name,
            int(self.created_days),  # type: ignore[arg-type]
            int(self.late_days),  # type: ignore[arg-type]
            "where days.ship_date not in (select wrong_ship_date from incidents)",
        )


def constant_date_query(sums: str, created_days: int, late_days: int, where: str = "") -> str:
    """SQL for the ship dates that late rows, created on many different days, share.

    ``sums`` is a table, or a query in brackets, of ship_date, created_on, row_count and units.
    """
    return f"""
        with stored as materialized (
            select ship_date, created_on, sum(row_count) as row_count, sum(units) as units
            from {sums}
            group by ship_date, created_on
        ),
        days as materialized (
            select {trimmed("ship_date")} as ship_date, created_on, row_count, units from stored
        )
        select
            ship_date,
            sum(row_count) as late_rows,
            sum(units) as late_units,
            count(distinct created_on) as created_days
        from days
        {where or "where 1 = 1"}
            and {is_real_day("ship_date")}
            and {is_real_day("created_on")}
            and created_on >= date(ship_date, '+{late_days:d} days')
        group by ship_date
        having count(distinct created_on) >= {created_days:d}
        order by ship_date
    """
