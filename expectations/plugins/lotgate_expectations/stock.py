"""Expectations about the owner's totals: units of a day, stock at the end of a day.

Stock is computed here from the snapshot's own tables and the candidate's shipments, beside the models.
Source: docs/rules.md; on-hand = baseline + receipts + repacks + adjustments - shipments after the baseline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations import unit_sums
from lotgate_expectations.computed import ComputedRowsExpectation
from lotgate_expectations.expressions import trimmed, trimmed_or_null, whole_number
from lotgate_expectations.reading import Row, data_source_engine, stream, stream_named
from lotgate_expectations.rows import NoRowsExpectation
from lotgate_expectations.unit_sums import SkuDay

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

# The same types as in the macro transaction_sign, written down again on purpose: a second opinion that took
# them from the models would repeat their mistake.
SIGNS = {"receive": 1, "repack": 1, "adjust up": 1, "adjust down": -1}
"""What a transaction type does to stock. Shipments are counted from shipped_items, never from here."""

_LAST_DAY = "9999-12-31"

_BASELINES = f"""
select {trimmed("sku")}, {whole_number(trimmed("value"))}
from configuration_params
where
    {trimmed("category")} = 'InitialInventory' and {trimmed("parameter_name")} = 'EOD_Prior_Week'
    and {trimmed_or_null("sku")} is not null
order by id
"""
_TRANSACTIONS = f"""
select
    {trimmed("sku")}, lower({trimmed("transaction_type")}), substr({trimmed("date")}, 1, 10),
    {whole_number("quantity")}
from inventory_transactions
"""
_STORED = f"select {trimmed('sku')}, {whole_number('current_quantity')} from inventory_current order by id"


@dataclass(frozen=True)
class Stock:
    """What the snapshot knows of stock: units at the baseline, moved by SKU and day, and as stored."""

    baselines: dict[str, int | None]
    moved: Counter[SkuDay]
    stored: dict[str, int | None]


def read_stock(legacy: SqlAlchemyExecutionEngine) -> Stock:
    """Reads stock from the snapshot; of several baselines of a SKU the one with the lowest id counts."""
    baselines: dict[str, int | None] = {}
    for sku, units in stream(legacy, _BASELINES):
        baselines.setdefault(sku, units)
    moved: Counter[SkuDay] = Counter()
    for sku, type_, day, quantity in stream(legacy, _TRANSACTIONS):
        if type_ in SIGNS and quantity is not None and is_real_day(day):
            moved[sku, day] += SIGNS[type_] * quantity
    stored: dict[str, int | None] = {}
    for sku, units in stream(legacy, _STORED):
        stored.setdefault(sku, units)
    return Stock(baselines, moved, stored)


def units_between(sums: Counter[SkuDay], sku: str, after: str, until: str) -> int:
    """Units of a SKU on real days after one day and up to another."""
    return sum(
        units
        for (one, day), units in sums.items()
        if one == sku and after < day <= until and is_real_day(day)
    )


class ExpectStockToFollowFromSnapshot(ComputedRowsExpectation):
    """Expect audit_stock to be what the snapshot's stock tables, the ledger and the candidate add up to.

    There is a line for each SKU now and for each line of expected_on_hand.csv. Every figure is counted anew;
    unexpected is one that differs, and a line that is missing, there twice or there for nothing. Source:
    models/audit/audit_stock.yml.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        baseline_date: The day at whose end the baseline was counted.

    Example:
        {"comparison_data_source_name": "legacy", "baseline_date": {"$PARAMETER": "stock_baseline_date"}}
    """

    comparison_data_source_name: str
    baseline_date: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("comparison_data_source_name", "baseline_date")
    shown_columns: ClassVar[tuple[str, ...]] = (
        "sku_code",
        "as_of_date",
        "figure",
        "audit_stock",
        "counted_anew",
    )

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        legacy = data_source_engine(self.comparison_data_source_name)
        counted = self._counted(engine, read_stock(legacy))
        seen: set[SkuDay] = set()
        for line in stream_named(engine, "select * from audit_stock order by sku_code, as_of_date"):
            key = (line["sku_code"], line["as_of_date"])
            if key in seen or key not in counted:
                yield (*key, "the line itself", "there twice" if key in seen else "there", "not there")
                continue
            seen.add(key)
            for name, figure in counted[key].items():
                if line[name] != figure:
                    yield (*key, name, line[name], figure)
        for key in sorted(counted.keys() - seen):
            yield (*key, "the line itself", "not there", "there")

    def _counted(
        self, engine: SqlAlchemyExecutionEngine, stock: Stock
    ) -> dict[SkuDay, dict[str, int | None]]:
        before, after = unit_sums.legacy_units(engine), unit_sums.candidate_units(engine)
        baseline_date = str(self.baseline_date)
        moments: list[tuple[str, str, int | None]] = [
            (sku, "", None) for (sku,) in stream(engine, "select sku_code from skus")
        ]
        moments += stream(engine, _EXPECTED_ON_HAND)
        counted: dict[SkuDay, dict[str, int | None]] = {}
        for sku, as_of_date, expected in moments:
            until = as_of_date or _LAST_DAY
            baseline = stock.baselines.get(sku)
            moved, was, is_ = (
                units_between(sums, sku, baseline_date, until) for sums in (stock.moved, before, after)
            )
            counted[sku, as_of_date] = {
                "baseline_units": baseline,
                "moved_units": moved,
                "legacy_shipped_units": was,
                "candidate_shipped_units": is_,
                "stored_on_hand": None if as_of_date else stock.stored.get(sku),
                "legacy_on_hand": None if baseline is None else baseline + moved - was,
                "candidate_on_hand": None if baseline is None else baseline + moved - is_,
                "expected_on_hand": expected,
            }
        return counted


_EXPECTED_ON_HAND = "select sku_code, as_of_date, expected_quantity from expected_on_hand"


class ExpectOnHandToBeAsCounted(ComputedRowsExpectation):
    """Expect the candidate's stock to be what the owner counted, for each line of expected_on_hand.csv.

    Computed from the snapshot's baseline and transactions and the candidate's shipments up to the day; the
    models' stock is not looked at. Unexpected is a line with another stock, or with none since the SKU has no
    baseline; both figures are shown.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        baseline_date: The day at whose end the baseline was counted.

    Example:
        {"comparison_data_source_name": "legacy", "baseline_date": {"$PARAMETER": "stock_baseline_date"}}

    Source: docs/design.md section 5 (expected_on_hand.csv).
    """

    comparison_data_source_name: str
    baseline_date: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("comparison_data_source_name", "baseline_date")
    shown_columns: ClassVar[tuple[str, ...]] = (
        "sku_code",
        "as_of_date",
        "expected_on_hand",
        "candidate_on_hand",
    )

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        stock = read_stock(data_source_engine(self.comparison_data_source_name))
        shipped = unit_sums.candidate_units(engine)
        after = str(self.baseline_date)
        for sku, day, expected in stream(engine, f"{_EXPECTED_ON_HAND} order by sku_code, as_of_date"):
            baseline = stock.baselines.get(sku)
            on_hand = None
            if baseline is not None:
                moved = units_between(stock.moved, sku, after, day)
                on_hand = baseline + moved - units_between(shipped, sku, after, day)
            if on_hand != expected:
                yield sku, day, expected, on_hand


class ExpectUnitsToBeAsCounted(NoRowsExpectation):
    """Expect the candidate's units of a day to be those of its line in expected_units.csv.

    Counted from the candidate's rows. Unexpected is a day with other units; both figures are shown.

    Source: docs/design.md section 5 (expected_units.csv).
    """

    def query(self) -> str:
        return """
            select
                expected_units.ship_date,
                expected_units.expected_units,
                coalesce(sum(shipped_items.quantity_shipped), 0) as candidate_units
            from expected_units
            left join shipped_items on expected_units.ship_date = shipped_items.ship_date
            group by expected_units.rowid
            having coalesce(sum(shipped_items.quantity_shipped), 0) is not expected_units.expected_units
            order by expected_units.ship_date
        """
