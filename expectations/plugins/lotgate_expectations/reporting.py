"""Expectations about the reports: they add up, and what the legacy services stored says the same.

Every figure is counted anew from the candidate's tables and the snapshot, beside the models. Source:
docs/reporting.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations import unit_sums
from lotgate_expectations.computed import ComputedRowsExpectation
from lotgate_expectations.reading import Row, data_source_engine, stream
from lotgate_expectations.rows import NoRowsExpectation, literal
from lotgate_expectations.stock import read_stock, units_between

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

_WEEK = timedelta(days=7)
_STORED = "weekly_shipped_history"


class ExpectWeeklyReportToAddUp(ComputedRowsExpectation):
    """Expect report_weekly_shipped to have the units of shipped_items, for each SKU and complete week.

    The weeks run from Monday to Sunday, from the report's first to its last, each SKU has each of them, and
    only a week before the records began is not counted from shipped_items. Unexpected is a week that is
    missing, superfluous or another; shown are the SKU, the Monday, the report's units and those counted anew.

    Source: models/reporting/report_weekly_shipped.yml.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "week_start", "reported_units", "counted_units")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        skus = [sku for (sku,) in stream(engine, "select sku_code from skus")]
        first, last, recorded = next(
            stream(
                engine,
                "select first_week_start, last_week_start, first_recorded_week_start from report_period",
            ),
            (None, None, None),
        )
        counted: Counter[tuple[str, str]] = Counter()
        for (sku, day), units in unit_sums.candidate_units(engine).items():
            if is_real_day(day):
                real = date.fromisoformat(day)
                counted[sku, (real - timedelta(days=real.weekday())).isoformat()] += units
        due = {(sku, week) for sku in skus for week in _weeks(first, last)}
        lines = stream(
            engine,
            "select sku_code, week_start, week_end, units, units_from, shipped_units, stored_units"
            " from report_weekly_shipped",
        )
        for sku, week, end, units, source, shipped, stored in lines:
            if (sku, week) not in due:
                yield sku, week, units, "no such week"
                continue
            due.remove((sku, week))
            is_recorded = recorded is not None and week >= recorded
            wanted = counted[sku, week] if is_recorded else stored
            named = "shipped_items" if is_recorded else "unknown" if stored is None else _STORED
            sunday = (date.fromisoformat(week) + timedelta(days=6)).isoformat()
            if (units, source, shipped, end) != (wanted, named, counted[sku, week], sunday):
                yield sku, week, units, wanted
        for sku, week in sorted(due):
            yield sku, week, "not there", counted[sku, week]


def _weeks(first: str | None, last: str | None) -> Iterator[str]:
    if first is None or last is None:
        return
    monday = date.fromisoformat(first)
    monday -= timedelta(days=monday.weekday())
    while monday.isoformat() <= last:
        yield monday.isoformat()
        monday += _WEEK


class ExpectReportedStockToFollow(ComputedRowsExpectation):
    """Expect report_skus to have the stock that baseline, movements and shipments add up to, of each SKU.

    Counted anew up to the day of the report. Unexpected is a SKU with another stock; shown are both figures.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        baseline_date: The day at whose end the baseline was counted.

    Example:
        {"comparison_data_source_name": "legacy", "baseline_date": {"$PARAMETER": "stock_baseline_date"}}

    Source: docs/reporting.md (units on hand).
    """

    comparison_data_source_name: str
    baseline_date: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("comparison_data_source_name", "baseline_date")
    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "as_of_date", "reported_units", "counted_units")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        days = [day for (day,) in stream(engine, "select as_of_date from report_period")]
        if not days:
            return
        stock = read_stock(data_source_engine(self.comparison_data_source_name))
        shipped = unit_sums.candidate_units(engine)
        after = str(self.baseline_date)
        query = (
            "select sku_code, report_skus.sku_code is not null, on_hand_units"
            " from skus left join report_skus using (sku_code) order by sku_code"
        )
        for sku, is_there, reported in stream(engine, query):
            baseline = stock.baselines.get(sku)
            counted = None
            if baseline is not None and days[0] >= after:
                moved = units_between(stock.moved, sku, after, days[0])
                counted = baseline + moved - units_between(shipped, sku, after, days[0])
            if not is_there or reported != counted:
                yield sku, days[0], reported, counted


class ExpectLotBalancesToAddUp(NoRowsExpectation):
    """Expect report_lot_balances to have every lot, with the units of its lines and what is left of it.

    Shown are the lot, the units reported and those counted anew.

    Args:
        baseline_date: The day at whose end the stock baseline was counted.

    Example:
        {"baseline_date": {"$PARAMETER": "stock_baseline_date"}}

    Source: models/reporting/report_lot_balances.yml.
    """

    baseline_date: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("baseline_date",)

    def query(self) -> str:
        after = literal(str(self.baseline_date))
        return f"""
            with counted as (
                select lot_id, initial_qty + coalesce(manual_adjustment, 0) as available,
                    coalesce(units, 0) as units, coalesce(since, 0) as since
                from lots
                left join (
                    select lot_id, sum(quantity_shipped) as units,
                        sum(iif(ship_date > {after}, quantity_shipped, 0)) as since
                    from shipped_items where lot_id is not null group by lot_id
                ) using (lot_id)
            )
            select lot_id, report.shipped_units, counted.units
            from counted left join report_lot_balances as report using (lot_id)
            where (report.available_units, report.shipped_units, report.shipped_since_baseline,
                report.left_units, report.balance)
            is not (available, units, since, available - since, case
                when available is null then 'unknown' when since > available then 'overdrawn' else 'covered'
            end)
            union all
            select lot_id, shipped_units, null from report_lot_balances
            where lot_id not in (select lot_id from lots)
            order by 1
        """


class ExpectReportDayToBePast(NoRowsExpectation):
    """Expect the day of the report not to be after the day of the snapshot.

    It is the newest time that the database has; a later one is a wrong time in it, or report_date is. Shown
    is the day.

    Args:
        snapshot_day: The UTC day of the snapshot.

    Example:
        {"snapshot_day": {"$PARAMETER": "snapshot_day"}}

    Source: models/reporting/report_period.yml.
    """

    snapshot_day: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("snapshot_day",)

    def query(self) -> str:
        day = literal(str(self.snapshot_day))
        return f"select as_of_date from report_period where as_of_date > {day} or last_full_date > {day}"
