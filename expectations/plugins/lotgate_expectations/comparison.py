"""An expectation that compares figures of two data sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from lotgate_expectations.reading import Row, column_names, data_source_engine, found, stream
from lotgate_expectations.rows import FoundRowsExpectation

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine


class ExpectFiguresToMatchComparison(FoundRowsExpectation):
    """Expect the figures that a query gives to be those of another data source's query, group by group.

    GX's own ExpectQueryResultsToMatchComparison reads 200 rows a side and says how many differ; this one
    reads all, and shows the two figures. Both queries select the same key columns, none, one or several, and
    then one figure. Unexpected is a group with another figure or another type of figure, and one that only
    one side has. All groups are held in memory.

    Args:
        base_query: SQL for this data source.
        comparison_data_source_name: The other data source.
        comparison_query: SQL for the other data source.

    Example:
        {"base_query": "select count(*) as row_count from audit_row_ledger",
        "comparison_data_source_name": "legacy",
        "comparison_query": "select count(*) as row_count from shipped_items"}

    Source: Great Expectations' ExpectQueryResultsToMatchComparison, for what it leaves out.
    """

    base_query: str
    comparison_data_source_name: str
    comparison_query: str

    success_keys: ClassVar[tuple[str, ...]] = (
        "base_query",
        "comparison_data_source_name",
        "comparison_query",
    )

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        other = data_source_engine(self.comparison_data_source_name)
        columns = column_names(execution_engine, self.base_query)  # type: ignore[arg-type]
        ours = _figures(stream(execution_engine, self.base_query))  # type: ignore[arg-type]
        theirs = _figures(stream(other, self.comparison_query))
        keys = list(ours) + [key for key in theirs if key not in ours]
        different = [
            (*key, ours.get(key), theirs.get(key))
            for key in keys
            if not _is_same(ours.get(key), theirs.get(key))
        ]
        return found((*columns, f"{columns[-1]} in {self.comparison_data_source_name}"), different)


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _figures(rows: Iterator[Row]) -> dict[Row, Any]:
    figures: dict[Row, Any] = {}
    for row in rows:
        if row[:-1] in figures:
            raise ValueError(f"The query gives the group {row[:-1]} twice.")
        figures[row[:-1]] = row[-1]
    return figures
