"""Expectations about days: real ones, inside the window, not before the order, not those of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations import expressions
from lotgate_expectations.reading import found, stream
from lotgate_expectations.rows import FoundRowsExpectation, NoRowsExpectation, identifier, literal

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine


class ExpectColumnValuesToBeRealDays(FoundRowsExpectation):
    """Expect the values of a column to be days of the calendar, written YYYY-MM-DD.

    GX's own expectations for dates do not work on texts in SQLite: some fail, and some pass wrongly. The
    calendar is lotgate.parser's. NULL is left to other expectations. Unexpected is a row with another value;
    shown are the columns of ``shown``.

    Args:
        table: The table.
        column: The column of days.
        shown: The columns that Data Docs show.
        row_filter: SQL that says which rows are looked at; all by default.

    Example:
        {"table": "shipped_items", "column": "ship_date", "shown": ["id", "ship_date"]}

    Source: docs/rules.md section 1 (dates).
    """

    table: str
    column: str
    shown: list[str]
    row_filter: str | None = None

    success_keys: ClassVar[tuple[str, ...]] = ("table", "column", "shown", "row_filter")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        column, table = identifier(self.column), identifier(self.table)
        rows = f"from {table} where {column} is not null" + (
            f" and ({self.row_filter})" if self.row_filter else ""
        )
        # there are few days and many rows
        values = stream(
            execution_engine,  # type: ignore[arg-type]
            f"select {column}, count(*) {rows} group by 1 order by 1",
        )
        wrong = [
            (value, count) for value, count in values if not isinstance(value, str) or not is_real_day(value)
        ]
        shown = ", ".join(map(identifier, self.shown))
        first = (
            row
            for value, _ in wrong
            for row in stream(
                execution_engine,  # type: ignore[arg-type]
                f"select {shown} {rows} and {column} is {_as_literal(value)}",
            )
        )
        return found(self.shown, first, sum(count for _, count in wrong))


class ExpectColumnValuesToBeInWindow(NoRowsExpectation):
    """Expect the days of a column to lie in a window.

    GX's own ExpectColumnValuesToBeBetween cannot compare texts. Texts that are days compare like the days;
    whether they are days is checked elsewhere. Unexpected is a row with an earlier or later day; shown are
    the columns of ``shown``.

    Args:
        table: The table.
        column: The column of days; NULL is left out.
        shown: The columns that Data Docs show.
        earliest: The first day that is expected; none by default.
        latest: The last day that is expected; none by default.
        row_filter: SQL that says which rows are looked at; all by default.

    Example:
        {"table": "lots", "column": "received_date", "shown": ["lot_id", "received_date"],
        "latest": {"$PARAMETER": "snapshot_day"}}

    Source: variable earliest_ship_date of dbt_project.yml; domain: not in the future.
    """

    table: str
    column: str
    shown: list[str]
    earliest: str | SuiteParameterDict | None = None
    latest: str | SuiteParameterDict | None = None
    row_filter: str | None = None

    success_keys: ClassVar[tuple[str, ...]] = (
        "table",
        "column",
        "shown",
        "earliest",
        "latest",
        "row_filter",
    )

    def query(self) -> str:
        shown = ", ".join(map(identifier, self.shown))
        return (
            f"select {shown} from {identifier(self.table)}"
            f" where ({outside(identifier(self.column), self.earliest, self.latest)})"
            + (f" and ({self.row_filter})" if self.row_filter else "")
            + " order by 1"
        )


class ExpectShipDatesInWindow(NoRowsExpectation):
    """Expect no line to have shipped outside a window, but for the dates that the live database has itself.

    A date of the live database that the rules keep is no doing of the migration; it can be looked for
    separately. Unexpected is a line with another date outside; shown are its id, order and ship date.

    Args:
        earliest: The first day that is expected; none by default.
        latest: The last day that is expected; none by default.
        legacy_dates: Whether to look for the dates of the live database, rather than for all others. Default
            False.

    Example:
        {"latest": {"$PARAMETER": "snapshot_day"}, "legacy_dates": false}

    Source: variable earliest_ship_date of dbt_project.yml; docs/rules.md section 4 (rule 9 keeps real days).
    """

    earliest: str | SuiteParameterDict | None = None
    latest: str | SuiteParameterDict | None = None
    legacy_dates: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("earliest", "latest", "legacy_dates")

    def query(self) -> str:
        return (
            "select items.id, items.order_number, items.ship_date from shipped_items as items"
            " left join audit_row_ledger as ledger on ledger.legacy_id = items.id"
            f" and ledger.disposition = 'keep' and {expressions.trimmed('ledger.ship_date')} = items.ship_date"
            f" where ({outside('items.ship_date', self.earliest, self.latest)})"
            f" and ledger.legacy_id is {'not ' if self.legacy_dates else ''}null order by items.id"
        )


class ExpectShipDatesNotBeforeOrderDates(NoRowsExpectation):
    """Expect no line to have shipped before the day of its order, but for what the rules allow.

    The order's day is that of the snapshot's orders_inbox; of several entries the one with the highest id
    counts. The rules allow an earlier day where a person decided the row, where ShipStation has the line on
    that very day, where its day was taken from ShipStation, and for a line recovered from ShipStation. Shown
    are the row's id, order, ship date and order date.

    Args:
        allowed: Whether to look for the rows that the rules allow, rather than for all others. Default False.

    Example:
        {"allowed": false}

    Source: docs/rules.md sections 2 (suspect) and 4 (rules 5 to 8); domain: no shipment before its order.
    """

    allowed: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("allowed",)
    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return (
            f"with order_days as materialized ({order_days()}), {_explained_days()}"
            " select items.id, items.order_number, items.ship_date, order_days.order_date"
            # a cross join is done in the order written, the days with an index made for it
            " from shipped_items as items"
            f" cross join order_days on {_same_order('items', 'order_days')}"
            " left join explained_days on explained_days.id = items.id"
            " where items.ship_date < order_days.order_date"
            f" and explained_days.id is {'not ' if self.allowed else ''}null"
        )


class ExpectShipDatesNotOnWrongDates(NoRowsExpectation):
    """Expect no line on the wrong date of a known incident, but for what the rules allow.

    The incidents are those of incidents.csv. The rules allow such a day where a person decided the row, where
    ShipStation has the line on that very day, where the day was taken from ShipStation, for a line recovered
    from ShipStation, and where it is the correct date of another incident. Shown are the row's id, order and
    ship date.

    Args:
        allowed: Whether to look for the rows that the rules allow, rather than for all others. Default False.

    Example:
        {"allowed": false}

    Source: docs/rules.md sections 2 (suspect) and 4 (rules 5 to 8).
    """

    allowed: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("allowed",)

    def query(self) -> str:
        return (
            f"with {_explained_days('incident_correct_date')}"
            " select items.id, items.order_number, items.ship_date"
            " from shipped_items as items"
            " left join explained_days on explained_days.id = items.id"
            f" where items.ship_date in ({wrong_dates()})"
            f" and explained_days.id is {'not ' if self.allowed else ''}null"
            " order by items.id"
        )


class ExpectFewLoadDaysPerShipDate(NoRowsExpectation):
    """Expect no ship date that rows of many different days share although all were loaded long afterwards.

    So look the traces of a service that writes one constant date. A date that incidents.csv names is left
    out. Shown are the date, its late rows and units, and on how many days they were created.

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
        created_day = f"substr({expressions.trimmed('items.created_at')}, 1, 10)"
        return (
            "select items.ship_date, count(*) as late_rows, sum(items.quantity_shipped) as units,"
            f" count(distinct {created_day}) as created_days"
            " from shipped_items as items"
            # texts of days compare like the days; the calendar comes last
            f" where {created_day} >= date(items.ship_date, '+{self.late_days:d} days')"
            f" and {expressions.is_real_day(created_day)}"
            f" and items.ship_date not in ({wrong_dates()})"
            f" group by items.ship_date having count(distinct {created_day}) >= {self.created_days:d}"
            " order by items.ship_date"
        )


def order_days() -> str:
    """SQL for each order of the snapshot's inbox: order_number, trimmed, and order_date, which may be NULL."""
    day = f"substr({expressions.trimmed('order_date')}, 1, 10)"
    return (
        # SQLite takes the other columns from the row that has the maximum
        "select order_number, max(id) as id,"
        f" case when {expressions.is_real_day('day')} then day end as order_date"
        f" from (select id, {expressions.trimmed_or_null('order_number')} as order_number, {day} as day"
        " from legacy.orders_inbox) where order_number is not null group by order_number"
    )


def wrong_dates() -> str:
    """SQL for the wrong dates of the known incidents."""
    return f"select {expressions.trimmed('wrong_ship_date')} from incidents where wrong_ship_date is not null"


def _same_order(items: str, orders: str) -> str:
    """A row's order number may have blanks at its ends, as its header has; few have, and the index knows."""
    return f"{expressions.trimmed(f'{items}.order_number')} = {orders}.order_number"


def _explained_days(*reasons: str) -> str:
    """SQL for the ids of rows whose day a person, ShipStation or another reason stands for."""
    named = ", ".join(map(literal, ("decided", "shipstation_other_day", *reasons)))
    return (
        "explained_days (id) as materialized ("
        f"select legacy_id from audit_row_ledger where disposition in ('keep', 'redate') and reason in ({named})"
        " union select legacy_id from audit_shipstation_lines"
        " where outcome = 'same_day' and legacy_id is not null"
        " union select candidate_id from int_recovered_lines)"
    )


def outside(
    column: str, earliest: str | SuiteParameterDict | None, latest: str | SuiteParameterDict | None
) -> str:
    """SQL for a day outside a window, whose bounds may be open. ValueError for a bound that is no day."""
    bounds = [(sign, str(day)) for sign, day in (("<", earliest), (">", latest)) if day is not None]
    if not bounds or not all(is_real_day(day) for _, day in bounds):
        raise ValueError(f"{earliest!r} and {latest!r} must be days YYYY-MM-DD, one of them at least.")
    return " or ".join(f"{column} {sign} {literal(day)}" for sign, day in bounds)


def _as_literal(value: Any) -> str:
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return literal(value) if isinstance(value, str) else repr(value)
