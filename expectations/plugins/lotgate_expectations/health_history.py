"""Expectations about the stored weekly history as a table: one line for each SKU and week, and known SKUs.

What its weeks and units should be is looked at in ``health_stock``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from lotgate.parser import is_real_day
from lotgate_expectations import legacy_rows
from lotgate_expectations.expressions import trimmed, trimmed_or_null
from lotgate_expectations.health import LegacyHealthExpectation
from lotgate_expectations.reading import Row, stream

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

_LINES = f"""
select {trimmed("sku")}, {trimmed("start_date")}, {trimmed("end_date")}
from weekly_shipped_history
order by 1, 2, 3
"""


class ExpectHistoryToHaveEachDayOnce(LegacyHealthExpectation):
    """Expect no two lines of weekly_shipped_history to hold the same days of a SKU.

    A week that is there twice, or overlaps another, counts its units twice. Lines whose days are no real days
    are another check's. Shown are the SKU, the line's days, and those of the line before it.

    Source: docs/reporting.md (stored weeks).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("sku", "start_date", "end_date", "other_start", "other_end")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"weekly_shipped_history": ("start_date", "end_date", "sku")}

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        # the line that reaches furthest so far: an overlap need not be with the neighbour
        last: tuple[str, str, str] | None = None
        for sku, start, end in stream(engine, _LINES):
            if sku is None or not (is_real_day(start) and is_real_day(end)):
                continue
            if last is not None and last[0] == sku and start <= last[2]:
                yield sku, start, end, last[1], last[2]
            if last is None or last[0] != sku or end > last[2]:
                last = (sku, start, end)


class ExpectHistoryToNameKnownSkus(LegacyHealthExpectation):
    """Expect every line of weekly_shipped_history to be of a SKU of inventory_current.

    Shown are the SKU and the number of its lines.

    Source: docs/reporting.md (stored weeks).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("sku", "lines")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"weekly_shipped_history": ("sku",), "inventory_current": ("sku",)}

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        known = legacy_rows.known_skus(engine)
        query = f"select {trimmed_or_null('sku')}, count(*) from weekly_shipped_history group by 1 order by 1"
        return (line for line in stream(engine, query) if line[0] not in known)
