"""Expectations about what the legacy database derived from its shipments: weekly history and stock.

Weeks run from Monday to Sunday; only complete weeks are history, and a week without shipments is a zero.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations import legacy_rows
from lotgate_expectations.expressions import trimmed, trimmed_or_null, whole_number
from lotgate_expectations.health import LegacyHealthExpectation
from lotgate_expectations.health_items import DAYS
from lotgate_expectations.reading import Row, stream
from lotgate_expectations.stock import SIGNS, read_stock, units_between
from lotgate_expectations.unit_sums import SkuDay

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

KNOWN_TYPES = (*SIGNS, "ship")
"""The transaction types that the system knows. Ship moves no stock: shipped_items is counted."""

_WEEK = timedelta(days=7)
_ITEM_COLUMNS = ("sku_lot", "base_sku", "ship_date", "quantity_shipped")
_HISTORY_COLUMNS = ("start_date", "end_date", "sku", "quantity_shipped")
_HISTORY = f"""
select {trimmed("start_date")}, {trimmed("end_date")}, {trimmed("sku")},
    {whole_number("quantity_shipped")}
from weekly_shipped_history
order by 1, 2, 3
"""


class _UnitsHealthExpectation(LegacyHealthExpectation):
    """What the checks share that count the units of legacy rows."""

    max_quantity: int | SuiteParameterDict
    min_lot_digits: int | SuiteParameterDict

    def units(self, engine: SqlAlchemyExecutionEngine, after: str = "") -> Counter[SkuDay]:
        """Units of the legacy rows by parsed SKU and day, at least those after a day."""
        reader = legacy_rows.TextReader(
            legacy_rows.known_skus(engine),
            min_lot_digits=int(self.min_lot_digits),  # type: ignore[arg-type]
        )
        return legacy_rows.units_by_sku_and_day(engine, reader, int(self.max_quantity), after)  # type: ignore[arg-type]


class ExpectHistoryToMatchItems(_UnitsHealthExpectation):
    """Expect every line of weekly_shipped_history to have the units of its days' rows.

    The history often goes further back than shipped_items: only lines that begin on or after the first day of
    which a row was saved in time are looked at. Shown are the week, the SKU, the stored units and those of
    the rows. Lines whose days are no real days are another check's.

    Args:
        late_days: A row created so many days after its ship date is a late import.
        max_quantity: A quantity above this counts as none.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"late_days": {"$PARAMETER": "late_import_days"}, "max_quantity": {"$PARAMETER": "max_quantity"},
        "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: the legacy weekly history, which counted voided labels once.
    """

    late_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("late_days", "max_quantity", "min_lot_digits")
    shown_columns: ClassVar[tuple[str, ...]] = (
        "start_date",
        "end_date",
        "sku",
        "history_units",
        "item_units",
    )

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "weekly_shipped_history": _HISTORY_COLUMNS,
            "shipped_items": (*_ITEM_COLUMNS, "created_at"),
            "inventory_current": ("sku",),
        }

    def nothing_to_check(self, engine: SqlAlchemyExecutionEngine) -> str | None:
        return super().nothing_to_check(engine) or _no_history(engine)

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        history = list(stream(engine, _HISTORY))
        by_sku: dict[str, list[tuple[str, int]]] = {}
        for (sku, day), units in sorted(self.units(engine).items()):
            by_sku.setdefault(sku, []).append((day, units))
        sums = {
            sku: ([day for day, _ in days], [0, *accumulate(units for _, units in days)])
            for sku, days in by_sku.items()
        }
        first = _first_recorded_day(engine, int(self.late_days))  # type: ignore[arg-type]
        for start, end, sku, stored in history:
            if is_real_day(start) and is_real_day(end) and first is not None and start >= first:
                days, totals = sums.get(sku, ([], [0]))
                shipped = totals[max(bisect_right(days, end), bisect_left(days, start))]
                shipped -= totals[bisect_left(days, start)]
                if stored != shipped:
                    yield start, end, sku, stored, shipped


class ExpectHistoryToHaveWholeWeeks(LegacyHealthExpectation):
    """Expect every line of weekly_shipped_history to be a week from Monday to Sunday that was over.

    Shown are the line's days and SKU.

    Args:
        snapshot_day: The UTC day of the snapshot.

    Example:
        {"snapshot_day": {"$PARAMETER": "snapshot_day"}}

    Source: the legacy weekly history: only complete weeks are history.
    """

    snapshot_day: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("snapshot_day",)
    shown_columns: ClassVar[tuple[str, ...]] = ("start_date", "end_date", "sku")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"weekly_shipped_history": _HISTORY_COLUMNS}

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        for start, end, sku, _ in stream(engine, _HISTORY):
            if not _is_week(start, end) or end >= str(self.snapshot_day):
                yield start, end, sku


class ExpectHistoryToHaveNoGaps(LegacyHealthExpectation):
    """Expect weekly_shipped_history to have a line for every SKU and week, with a zero where nothing shipped.

    Looked at are the weeks from the first of the history to the last that was over on the day of the latest
    shipment, for each SKU of inventory_current. Shown are the missing weeks' first days and the SKU.

    Args:
        snapshot_day: The UTC day of the snapshot; shipments dated later do not count.

    Example:
        {"snapshot_day": {"$PARAMETER": "snapshot_day"}}

    Source: the legacy weekly history: averages are taken over its weeks.
    """

    snapshot_day: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("snapshot_day",)
    shown_columns: ClassVar[tuple[str, ...]] = ("start_date", "sku")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "weekly_shipped_history": _HISTORY_COLUMNS,
            "shipped_items": ("ship_date",),
            "inventory_current": ("sku",),
        }

    def nothing_to_check(self, engine: SqlAlchemyExecutionEngine) -> str | None:
        return super().nothing_to_check(engine) or _no_history(engine)

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        present = {(start, sku) for start, end, sku, _ in stream(engine, _HISTORY) if _is_week(start, end)}
        today = str(self.snapshot_day)
        days = stream(
            engine, f"select {trimmed('ship_date')} from (select distinct ship_date from shipped_items)"
        )
        latest = max((day for (day,) in days if is_real_day(day) and day <= today), default="")
        if not present or not latest:
            return
        start, until = date.fromisoformat(min(present)[0]), date.fromisoformat(latest)
        while start + _WEEK <= until:
            for sku in sorted(legacy_rows.known_skus(engine)):
                if (start.isoformat(), sku) not in present:
                    yield start.isoformat(), sku
            start += _WEEK


class _StockHealthExpectation(_UnitsHealthExpectation):
    """What the checks of stock are told."""

    baseline_date: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("baseline_date", "max_quantity", "min_lot_digits")
    shown_columns: ClassVar[tuple[str, ...]] = ("sku", "stored_on_hand", "computed_on_hand")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "inventory_current": ("id", "sku", "current_quantity"),
            "configuration_params": ("id", "category", "parameter_name", "value", "sku"),
            "inventory_transactions": ("date", "sku", "quantity", "transaction_type"),
            "shipped_items": _ITEM_COLUMNS,
        }

    def nothing_to_check(self, engine: SqlAlchemyExecutionEngine) -> str | None:
        missing = super().nothing_to_check(engine)
        if missing:
            return missing
        if not read_stock(engine).baselines:
            return "no stock baseline in configuration_params"
        stored = "select 1 from inventory_current where current_quantity is not null limit 1"
        return None if any(stream(engine, stored)) else "no stored stock in inventory_current"

    def on_hand(self, engine: SqlAlchemyExecutionEngine) -> Iterator[tuple[str, int | None, int | None]]:
        """SKU, stock as stored, and what movements and legacy rows add up to; None where not known."""
        stock = read_stock(engine)
        after = str(self.baseline_date)
        shipped = self.units(engine, after)
        for sku, stored in sorted(stock.stored.items()):
            baseline = stock.baselines.get(sku)
            computed = None
            if baseline is not None:
                moved = units_between(stock.moved, sku, after, "9999-12-31")
                computed = baseline + moved - units_between(shipped, sku, after, "9999-12-31")
            yield sku, stored, computed


class ExpectStoredStockToMatchMovements(_StockHealthExpectation):
    """Expect the stored stock of every SKU to be what baseline, movements and shipments add up to.

    SKUs without a baseline are left out. Shown are the SKU and both figures.

    Args:
        baseline_date: The day at whose end the baseline was counted.
        max_quantity: A quantity above this counts as none.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"baseline_date": {"$PARAMETER": "stock_baseline_date"},
        "max_quantity": {"$PARAMETER": "max_quantity"}, "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: models/audit/audit_stock.yml (the business rule).
    """

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        return (line for line in self.on_hand(engine) if line[2] is not None and line[1] != line[2])


class ExpectStockNotToBeNegative(_StockHealthExpectation):
    """Expect no SKU to have a stock below nothing, stored or computed.

    Shown are the SKU and both figures.

    Args:
        baseline_date: The day at whose end the baseline was counted.
        max_quantity: A quantity above this counts as none.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"baseline_date": {"$PARAMETER": "stock_baseline_date"},
        "max_quantity": {"$PARAMETER": "max_quantity"}, "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: models/audit/audit_stock.yml (the business rule).
    """

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        return (line for line in self.on_hand(engine) if min(line[1] or 0, line[2] or 0) < 0)


class ExpectTransactionTypesToBeKnown(LegacyHealthExpectation):
    """Expect every stock transaction to have a type whose effect on stock is known, a real day and a SKU.

    What has none is not counted. Shown are the transaction, its day, its SKU and its units.

    Source: models/intermediate/int_stock_movements.yml.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("id", "date", "sku", "quantity")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"inventory_transactions": ("id", "date", "sku", "quantity", "transaction_type")}

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        query = f"""
            select id, date, sku, quantity, lower({trimmed("transaction_type")}),
                substr({trimmed("date")}, 1, 10), {trimmed_or_null("sku")}, {whole_number("quantity")}
            from inventory_transactions
            order by id
        """
        for id_, day, sku, quantity, type_, read_day, read_sku, units in stream(engine, query):
            if type_ not in KNOWN_TYPES or not is_real_day(read_day) or read_sku is None or units is None:
                yield id_, day, sku, quantity


def _no_history(engine: SqlAlchemyExecutionEngine) -> str | None:
    if any(stream(engine, "select 1 from weekly_shipped_history limit 1")):
        return None
    return "no weeks in weekly_shipped_history"


def _first_recorded_day(engine: SqlAlchemyExecutionEngine, late_days: int) -> str | None:
    """The first ship date with a row that is no late import; a row without a time is none. None without."""
    DAYS.make(engine)
    query = f"select {trimmed('ship_date')}, min(created_on) from {DAYS.name} group by ship_date order by 1"
    for day, created in stream(engine, query):
        if not is_real_day(day):
            continue
        is_late = is_real_day(created) and (
            date.fromisoformat(created) - date.fromisoformat(day) >= timedelta(days=late_days)
        )
        if not is_late:
            return str(day)
    return None


def _is_week(start: str | None, end: str | None) -> bool:
    """Whether two texts are a Monday and the Sunday after it."""
    if not (is_real_day(start) and is_real_day(end)):
        return False
    first = date.fromisoformat(start)
    return first.weekday() == 0 and date.fromisoformat(end) - first == timedelta(days=6)
