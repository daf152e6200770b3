"""Expectations about ship dates: inside the window, not before the order, not those of an incident."""

from __future__ import annotations

from typing import ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.days import is_outside
from lotgate_expectations.expressions import is_real_day, trimmed, trimmed_or_null
from lotgate_expectations.once import SharedTable
from lotgate_expectations.order_numbers import rows_with_numbers, spelled_numbers
from lotgate_expectations.rows import NoRowsExpectation, literal

# SQLite takes the other columns of a group from the row that has the maximum
ORDER_DAYS = SharedTable(
    "lotgate_order_days",
    f"""
    select
        order_number as number,
        max(id) as id,
        case when {is_real_day("day")} then day end as order_date
    from (
        select
            id,
            {trimmed_or_null("order_number")} as order_number,
            substr({trimmed("order_date")}, 1, 10) as day
        from legacy.orders_inbox
    )
    where order_number is not null
    group by order_number
    """,
    others=("legacy",),
    index="number",
)
"""For each order of the snapshot's inbox its number, trimmed, the id of the entry that counts, and its day,
NULL if it is none."""

SPELLED_LINES = spelled_numbers("lotgate_spelled_lines", "main.shipped_items")
_LINES_OF_ORDERS = rows_with_numbers(
    "items.id, items.order_number, +items.ship_date as ship_date, numbers.order_date",
    ORDER_DAYS.name,
    "main.shipped_items",
    SPELLED_LINES,
)
EARLY_LINES = SharedTable(
    "lotgate_early_lines",
    f"""
    select id, order_number, ship_date, order_date
    from ({_LINES_OF_ORDERS})
    where ship_date < order_date
    """,
)
"""The lines of shipped_items that shipped before the day of their order."""


class ExpectShipDatesInWindow(NoRowsExpectation):
    """Expect no line to have shipped outside a window, but for the dates that the live database has itself.

    A date of the live database that the rules keep is no doing of the migration; it can be looked for
    separately. Unexpected is a line with another date outside; shown are its id, order and ship date.

    Args:
        earliest: The first day that is expected; none by default.
        latest: The last day that is expected; none by default.
        legacy_dates: Whether to look for the dates of the live database, not for all others. Default False.

    Example:
        {"latest": {"$PARAMETER": "snapshot_day"}, "legacy_dates": false}

    Source: variable earliest_ship_date of dbt_project.yml; docs/rules.md section 4 (rule 9 keeps real days).
    """

    earliest: str | SuiteParameterDict | None = None
    latest: str | SuiteParameterDict | None = None
    legacy_dates: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("earliest", "latest", "legacy_dates")

    def query(self) -> str:
        return f"""
            select items.id, items.order_number, items.ship_date
            from shipped_items as items
            left join audit_row_ledger as ledger
                on ledger.legacy_id = items.id
                and ledger.disposition = 'keep'
                and {trimmed("ledger.ship_date")} = items.ship_date
            where {is_outside("items.ship_date", self.earliest, self.latest)}
                and ledger.legacy_id is {"not" if self.legacy_dates else ""} null
            order by items.id
        """


class ExpectShipDatesNotBeforeOrderDates(NoRowsExpectation):
    """Expect no line to have shipped before the day of its order, but for what the rules allow.

    The order's day is that of the snapshot's orders_inbox; of several entries the one with the highest id
    counts. The rules allow an earlier day where a person decided the row, where ShipStation has the line on
    that very day, where the day was taken from ShipStation, and for a line recovered from ShipStation. Shown
    are the row's id, order, ship date and order date.

    Args:
        allowed: Whether to look for the rows that the rules allow, not for all others. Default False.

    Example:
        {"allowed": false}

    Source: docs/rules.md sections 2 (suspect) and 4 (rules 5 to 8).
    """

    allowed: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("allowed",)
    shared: ClassVar[tuple[SharedTable, ...]] = (ORDER_DAYS, SPELLED_LINES, EARLY_LINES)

    def query(self) -> str:
        return f"""
            with explained as materialized ({_explained_days("decided", "shipstation_other_day")})
            select early.id, early.order_number, early.ship_date, early.order_date
            from {EARLY_LINES.name} as early
            left join explained on explained.id = early.id and explained.ship_date = early.ship_date
            where explained.id is {"not" if self.allowed else ""} null
            order by early.id
        """


class ExpectShipDatesNotOnWrongDates(NoRowsExpectation):
    """Expect no line on the wrong date of a known incident, but for what the rules allow.

    The incidents are those of incidents.csv. The rules allow such a day where a person decided the row, where
    ShipStation has the line on that very day, where the day was taken from ShipStation, for a line recovered
    from ShipStation, and where it is the correct date of another incident. Shown are the row's id, order and
    ship date.

    Args:
        allowed: Whether to look for the rows that the rules allow, not for all others. Default False.

    Example:
        {"allowed": false}

    Source: docs/rules.md sections 2 (suspect) and 4 (rules 5 to 8).
    """

    allowed: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("allowed",)

    def query(self) -> str:
        explained = _explained_days("decided", "shipstation_other_day", "incident_correct_date")
        return f"""
            with explained as materialized ({explained})
            select items.id, items.order_number, items.ship_date
            from shipped_items as items
            left join explained on explained.id = items.id and explained.ship_date = items.ship_date
            where items.ship_date in ({wrong_dates()})
                and explained.id is {"not" if self.allowed else ""} null
            order by items.id
        """


class ExpectFewLoadDaysPerShipDate(NoRowsExpectation):
    """Expect no ship date that rows of several days share although all of them were loaded long afterwards.

    A service that writes one constant date leaves that trace. A date that incidents.csv names is left out.
    Shown are the date, its late rows and units, and on how many days they were created.

    Args:
        late_days: A row is late when it was created this many days after it shipped, or more.
        created_days: A date is unexpected when its late rows were created on this many days, or more.

    Example:
        {"late_days": 30, "created_days": 3}

    Source: docs/rules.md section 4 (late_import); model audit_likely_incidents.
    """

    late_days: int | SuiteParameterDict
    created_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("late_days", "created_days")

    def query(self) -> str:
        created_day = f"substr({trimmed('items.created_at')}, 1, 10)"
        # texts of days compare like the days; the calendar comes last
        return f"""
            select
                items.ship_date,
                count(*) as late_rows,
                sum(items.quantity_shipped) as units,
                count(distinct {created_day}) as created_days
            from shipped_items as items
            where {created_day} >= date(items.ship_date, '+{self.late_days:d} days')
                and {is_real_day(created_day)}
                and items.ship_date not in ({wrong_dates()})
            group by items.ship_date
            having count(distinct {created_day}) >= {self.created_days:d}
            order by items.ship_date
        """


def wrong_dates() -> str:
    """SQL for the wrong dates of the known incidents."""
    return f"select {trimmed('wrong_ship_date')} from incidents where wrong_ship_date is not null"


def _explained_days(*reasons: str) -> str:
    """SQL for id and day of the rows whose day the ledger's reasons or ShipStation stand for."""
    return f"""
        select legacy_id as id, coalesce(new_ship_date, {trimmed("ship_date")}) as ship_date
        from audit_row_ledger
        where disposition in ('keep', 'redate') and reason in ({", ".join(map(literal, reasons))})
        union
        select legacy_id, ship_date
        from audit_shipstation_lines
        where outcome = 'same_day' and legacy_id is not null
        union
        select candidate_id, ship_date
        from int_recovered_lines
    """
