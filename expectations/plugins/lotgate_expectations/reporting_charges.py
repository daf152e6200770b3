"""Expectations about what the reports derive: charges of a day, average, pallets, days left, alert level.

Counted anew with whole numbers and fractions, beside the models. Source: docs/reporting.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations import unit_sums
from lotgate_expectations.computed import ComputedRowsExpectation
from lotgate_expectations.reading import Row, data_source_engine, stream
from lotgate_expectations.stock import Stock, read_stock
from lotgate_expectations.unit_sums import SkuDay

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

_DAY = timedelta(days=1)


class ExpectChargesToAddUp(ComputedRowsExpectation):
    """Expect report_charge_days to have each day that is due, with its orders, units, pallets and cents.

    Due is each day from the beginning of the records to the last day that is over. Orders are counted from
    shipped_orders, units from shipped_items, pallets from the stock at the end of the day, which is counted
    from the snapshot. Shown are the day, the figure, and what the report has beside what is counted anew.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        baseline_date: The day at whose end the stock baseline was counted.
        report_weeks: How many weeks the reports go back at most.
        order_cents: Cents for each distinct order.
        unit_cents: Cents for each unit.
        pallet_cents: Cents for each pallet and calendar day.

    Example:
        {"comparison_data_source_name": "legacy", "baseline_date": {"$PARAMETER": "stock_baseline_date"},
        "report_weeks": {"$PARAMETER": "report_weeks"}, "order_cents": {"$PARAMETER": "order_charge_cents"},
        "unit_cents": {"$PARAMETER": "unit_charge_cents"}, "pallet_cents": {"$PARAMETER":
        "pallet_day_charge_cents"}}

    Source: models/reporting/report_charge_days.yml.
    """

    comparison_data_source_name: str
    baseline_date: str | SuiteParameterDict
    report_weeks: int | SuiteParameterDict
    order_cents: int | SuiteParameterDict
    unit_cents: int | SuiteParameterDict
    pallet_cents: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = (
        "comparison_data_source_name",
        "baseline_date",
        "report_weeks",
        "order_cents",
        "unit_cents",
        "pallet_cents",
    )
    shown_columns: ClassVar[tuple[str, ...]] = ("charge_date", "figure", "reported", "counted")

    _FIGURES: ClassVar[tuple[str, ...]] = (
        "orders",
        "units",
        "pallets",
        "skus_without_pallets",
        "order_cents",
        "unit_cents",
        "pallet_cents",
        "total_cents",
    )

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        due = dict(self._due(engine))
        lines = stream(engine, f"select charge_date, {', '.join(self._FIGURES)} from report_charge_days")
        for day, *reported in lines:
            counted = due.pop(day, None)
            if counted is None:
                yield day, "the day itself", "there", "not there"
                continue
            for name, one, other in zip(self._FIGURES, reported, counted, strict=True):
                if one != other:
                    yield day, name, one, other
        for day in due:
            yield day, "the day itself", "not there", "there"

    def _due(self, engine: SqlAlchemyExecutionEngine) -> Iterator[tuple[str, tuple[int | None, ...]]]:
        """Each day that is due, with its figures."""
        period = next(
            stream(engine, "select as_of_date, first_recorded_date, last_full_date from report_period"), None
        )
        if period is None or period[1] is None:
            return
        as_of, first, last = map(date.fromisoformat, period)
        first = max(first, as_of - timedelta(weeks=int(str(self.report_weeks))))
        orders = dict(
            stream(engine, "select ship_date, count(distinct order_number) from shipped_orders group by 1")
        )
        shipped = unit_sums.candidate_units(engine)
        units: Counter[str] = Counter()
        for (_, day), number in shipped.items():
            units[day] += number
        pallet_counts = dict(stream(engine, "select sku_code, pallet_count from skus"))
        stock = read_stock(data_source_engine(self.comparison_data_source_name))
        rates = (int(str(self.order_cents)), int(str(self.unit_cents)), int(str(self.pallet_cents)))
        after = str(self.baseline_date)
        # as long as a report goes back, so does its stock
        stocked_from = max(after, (as_of - timedelta(weeks=int(str(self.report_weeks)))).isoformat())
        changes = _changes(stock, shipped, after)
        on_hand: dict[str, int] = {
            sku: begun for sku in pallet_counts if (begun := stock.baselines.get(sku)) is not None
        }
        for day in sorted(day for day in changes if day < first.isoformat()):
            _move(on_hand, changes[day])
        while first <= last:
            text = first.isoformat()
            _move(on_hand, changes.get(text, {}))
            known = [
                one
                for sku, left in on_hand.items()
                if text >= stocked_from and (one := pallets_of(left, pallet_counts[sku])) is not None
            ]
            pallets = sum(known) if known else None
            cents = orders.get(text, 0) * rates[0], units[text] * rates[1]
            for_pallets = None if pallets is None else pallets * rates[2]
            total = None if for_pallets is None else sum(cents) + for_pallets
            yield (
                text,
                (
                    *(orders.get(text, 0), units[text], pallets, len(pallet_counts) - len(known)),
                    *(*cents, for_pallets, total),
                ),
            )
            first += _DAY


def _changes(stock: Stock, shipped: Counter[SkuDay], after: str) -> dict[str, Counter[str]]:
    """Day -> what came in less what shipped by SKU, after the baseline's day."""
    changes: dict[str, Counter[str]] = defaultdict(Counter)
    for sums, sign in ((stock.moved, 1), (shipped, -1)):
        for (sku, day), units in sums.items():
            if day > after and is_real_day(day):
                changes[day][sku] += sign * units
    return changes


def _move(on_hand: dict[str, int], changes: dict[str, int]) -> None:
    for sku, units in changes.items():
        if sku in on_hand:
            on_hand[sku] += units


def pallets_of(on_hand: int | None, pallet_count: int | None) -> int | None:
    """Pallets of so many units, a begun one counted whole; None where one of the two is not known."""
    if on_hand is None:
        return None
    if on_hand <= 0:
        return 0
    return ceil(Fraction(on_hand, pallet_count)) if pallet_count and pallet_count > 0 else None


class ExpectReportedSkusToFollow(ComputedRowsExpectation):
    """Expect the average, pallets, days left and alert level of report_skus to follow from weeks and stock.

    The weeks are those of report_weekly_shipped and the stock that of report_skus, which other checks count
    anew. Shown are the SKU, the figure, and what the report has beside what is computed anew.

    Args:
        average_weeks: Over how many complete weeks the average is taken.

    Example:
        {"average_weeks": {"$PARAMETER": "average_weeks"}}

    Source: models/reporting/report_skus.yml.
    """

    average_weeks: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("average_weeks",)
    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "figure", "reported", "counted")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        days = [day for (day,) in stream(engine, "select last_week_start from report_period")]
        if not days:
            return
        last = date.fromisoformat(days[0])
        first = (last - timedelta(weeks=int(str(self.average_weeks)) - 1)).isoformat()
        known: dict[str, dict[str, int]] = defaultdict(dict)
        for sku, week, units in stream(
            engine, "select sku_code, week_start, units from report_weekly_shipped"
        ):
            if first <= week <= days[0] and units is not None:
                known[sku][week] = units
        lines = stream(
            engine,
            "select sku_code, skus.pallet_count, skus.reorder_point, on_hand_units, last_week_units,"
            " weeks_known, average_hundredths, pallets, days_left, alert_level"
            " from report_skus join skus using (sku_code) order by sku_code",
        )
        names = (
            "last_week_units",
            "weeks_known",
            "average_hundredths",
            "pallets",
            "days_left",
            "alert_level",
        )
        for sku, pallet_count, reorder_point, on_hand, *reported in lines:
            weeks = known[sku]
            average = Fraction(sum(weeks.values()), len(weeks)) if weeks else None
            counted = (
                weeks.get(days[0]),
                len(weeks),
                None if average is None else floor(average * 100 + Fraction(1, 2)),
                pallets_of(on_hand, pallet_count),
                None
                if average is None or average <= 0 or on_hand is None
                else max(0, floor(on_hand / (average / 7))),
                _level(on_hand, reorder_point),
            )
            for name, one, other in zip(names, reported, counted, strict=True):
                if one != other:
                    yield sku, name, one, other


def _level(on_hand: int | None, reorder_point: int | None) -> str | None:
    if on_hand is None:
        return None
    if on_hand <= 0:
        return "critical"
    return "low" if reorder_point is not None and on_hand <= reorder_point else "normal"
