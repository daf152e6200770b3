"""Expectations about columns of days: real ones, and inside a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations.reading import found, stream
from lotgate_expectations.rows import FoundRowsExpectation, NoRowsExpectation, identifier, literal

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine


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
        engine: SqlAlchemyExecutionEngine = execution_engine  # type: ignore[assignment]
        column, table = identifier(self.column), identifier(self.table)
        rows = f"from {table} where {column} is not null" + (
            f" and ({self.row_filter})" if self.row_filter else ""
        )
        # there are few days and many rows
        values = stream(engine, f"select {column}, count(*) {rows} group by 1 order by 1")
        wrong = [
            (value, count)
            for value, count in values
            # a column that is declared NOT NULL can hold one: SQLite takes the declaration's word for it
            if value is not None and not (isinstance(value, str) and is_real_day(value))
        ]
        select = f"select {', '.join(map(identifier, self.shown))} {rows} and {column} is "
        first = (
            row for value, _ in wrong for row in stream(engine, f"{select} {_as_literal(value)} order by 1")
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

    Example:
        {"table": "lots", "column": "received_date", "shown": ["lot_id", "received_date"],
        "latest": {"$PARAMETER": "snapshot_day"}}

    Source: the lots of docs/rules.md section 6; nothing is received after the snapshot was taken.
    """

    table: str
    column: str
    shown: list[str]
    earliest: str | SuiteParameterDict | None = None
    latest: str | SuiteParameterDict | None = None

    success_keys: ClassVar[tuple[str, ...]] = ("table", "column", "shown", "earliest", "latest")

    def query(self) -> str:
        return f"""
            select {", ".join(map(identifier, self.shown))}
            from {identifier(self.table)}
            where {is_outside(identifier(self.column), self.earliest, self.latest)}
            order by 1
        """


def is_outside(
    day: str, earliest: str | SuiteParameterDict | None, latest: str | SuiteParameterDict | None
) -> str:
    """SQL for a day outside a window, whose bounds may be open. ValueError for a bound that is no day."""
    bounds = [(sign, str(bound)) for sign, bound in (("<", earliest), (">", latest)) if bound is not None]
    if not bounds or not all(is_real_day(bound) for _, bound in bounds):
        raise ValueError(f"{earliest!r} and {latest!r} must be days YYYY-MM-DD, one of them at least.")
    return f"({' or '.join(f'{day} {sign} {literal(bound)}' for sign, bound in bounds)})"


def _as_literal(value: Any) -> str:
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return literal(value) if isinstance(value, str) else repr(value)
