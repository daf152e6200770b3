"""Expectations that units are conserved: legacy rows = ledger, ledger and recovered lines = candidate.

Source: docs/rules.md; docs/design.md sections 2 and 5 for the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day
from lotgate_expectations import legacy_rows, unit_sums
from lotgate_expectations.computed import ComputedRowsExpectation
from lotgate_expectations.expressions import plausible_units
from lotgate_expectations.reading import Row, data_source_engine, stream_named
from lotgate_expectations.rows import NoRowsExpectation, identifier
from lotgate_expectations.unit_sums import SkuDay

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

DISPOSITIONS = ("keep", "redate", "merge", "remove", "quarantine")
NO_SKU, NO_DAY = "(unreadable)", "(no real day)"

Period = Literal["day", "month"]


class ExpectUnitsToMatchLegacyRows(ComputedRowsExpectation):
    """Expect the ledger's units by SKU and month to be those of the legacy rows, read anew from their texts.

    Every legacy row's text, date and quantity is read with the Python parser, which is not the models' SQL.
    Unexpected is a SKU and month with other units; both figures are shown. Source: docs/rules.md section 1.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        max_quantity: A quantity above this counts as none.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"comparison_data_source_name": "legacy", "max_quantity": {"$PARAMETER": "max_quantity"},
        "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}
    """

    comparison_data_source_name: str
    max_quantity: int | SuiteParameterDict
    min_lot_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = (
        "comparison_data_source_name",
        "max_quantity",
        "min_lot_digits",
    )
    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "month", "legacy_units", "ledger_units")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        legacy = data_source_engine(self.comparison_data_source_name)
        reader = legacy_rows.TextReader(
            legacy_rows.known_skus(legacy),
            legacy_rows.variants(engine),
            int(self.min_lot_digits),  # type: ignore[arg-type]
        )
        most = int(self.max_quantity)  # type: ignore[arg-type]
        before = legacy_rows.units_by_sku_and_day(legacy, reader, most)
        return _different(_by_month(before), _by_month(unit_sums.legacy_units(engine)))


class ExpectLegacyUnitsToBeAccountedFor(NoRowsExpectation):
    """Expect the dispositions to add up to the units of the legacy rows, in the ledger and in the balance.

    Unexpected is a total that is not the snapshot's: the ledger's over the five dispositions, or the
    balance's. Shown are the totals of each disposition. Source: docs/design.md, "audit_unit_balance".

    Args:
        max_quantity: A quantity above this counts as none.

    Example:
        {"max_quantity": {"$PARAMETER": "max_quantity"}}
    """

    max_quantity: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("max_quantity",)
    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        units = plausible_units("quantity_shipped", int(self.max_quantity))  # type: ignore[arg-type]
        in_ledger = ", ".join(
            f"coalesce(sum(case disposition when '{one}' then units end), 0) as {one}_units"
            for one in DISPOSITIONS
        )
        in_balance = ", ".join(f"coalesce(sum({one}_units), 0)" for one in DISPOSITIONS)
        added = " + ".join(f"{one}_units" for one in DISPOSITIONS)
        return f"""
            with totals as (
                select 'row ledger' as "table", {in_ledger} from audit_row_ledger
                union all
                select 'unit balance', {in_balance} from audit_unit_balance
            ),
            legacy as (
                select coalesce(sum({units}), 0) as legacy_units from legacy.shipped_items
            )
            select totals.*, {added} as added_up, legacy.legacy_units
            from totals, legacy
            where {added} <> legacy.legacy_units
        """


class ExpectCandidateUnitsToFollowFromLedger(ComputedRowsExpectation):
    """Expect the candidate to have the units of kept and redated rows and recovered lines, by SKU and period.

    Redated rows count on their new day. Unexpected is a SKU and period with other units; both figures are
    shown. Source: docs/rules.md section 6.

    Args:
        period: day or month.

    Example:
        {"period": "day"}
    """

    period: Period

    success_keys: ClassVar[tuple[str, ...]] = ("period",)
    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "period", "explained_units", "candidate_units")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        explained, candidate = unit_sums.explained_units(engine), unit_sums.candidate_units(engine)
        if self.period == "month":
            explained, candidate = _by_month(explained), _by_month(candidate)
        return _different(explained, candidate)


class ExpectUnitBalanceToFollowFromLedger(ComputedRowsExpectation):
    """Expect audit_unit_balance to be what the ledger, the recovered lines and the candidate add up to.

    Every column of every SKU and day is counted anew, so that an edited balance is found. Unexpected is a
    figure that differs, a SKU and day that is missing, there twice or there for nothing. Source:
    models/audit/audit_unit_balance.yml.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "ship_date", "figure", "balance", "counted_anew")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        counted = counted_balance(engine)
        seen: set[SkuDay] = set()
        query = "select * from audit_unit_balance order by sku_code, ship_date"
        for stored in stream_named(engine, query):
            key = (stored["sku_code"], stored["ship_date"])
            if key in seen or key not in counted:
                yield (*key, "the line itself", "there twice" if key in seen else "there", "not there")
                continue
            seen.add(key)
            for name, figure in counted[key].items():
                if stored[name] != figure:
                    yield (*key, name, stored[name], figure)
        for key in sorted(counted.keys() - seen):
            yield (*key, "the line itself", "not there", "there")


class ExpectDailyUnitsToFollowFromBalance(NoRowsExpectation):
    """Expect audit_daily_units to be the sums of audit_unit_balance and of ShipStation's counted lines.

    ShipStation's figure is counted anew from audit_shipstation_lines. It is none on a day that no complete
    fetch covers; which days are covered is known where a line counts or a legacy row lies on the day.
    Unexpected is a figure that differs, or a day that only one side has. Source: docs/rules.md section 3.
    """

    def query(self) -> str:
        return """
            with balance as materialized (
                select ship_date, sum(legacy_units) as legacy_units, sum(candidate_units) as candidate_units
                from audit_unit_balance group by ship_date
            ),
            counted as materialized (
                select ship_date, sum(quantity) as units
                from audit_shipstation_lines
                where outcome in ('recovered', 'same_day', 'other_day', 'other_quantity')
                group by ship_date
            ),
            covered as materialized (
                select ship_date, max(is_day_covered) as is_covered
                from int_shipped_items where ship_date is not null group by ship_date
            ),
            expected as materialized (
                select
                    balance.ship_date,
                    balance.legacy_units,
                    balance.candidate_units,
                    case
                        when counted.units is not null then counted.units
                        when covered.is_covered = 1 then 0
                    end as shipstation_units,
                    counted.units is not null or covered.is_covered is not null as is_coverage_known
                from balance
                left join counted on balance.ship_date = counted.ship_date
                left join covered on balance.ship_date = covered.ship_date
            ),
            numbered as materialized (
                select audit_daily_units.*, count(*) over (partition by ship_date) as lines
                from audit_daily_units
            )
            select
                expected.ship_date,
                stored.legacy_units,
                expected.legacy_units as counted_legacy_units,
                stored.candidate_units,
                expected.candidate_units as counted_candidate_units,
                stored.shipstation_units,
                expected.shipstation_units as counted_shipstation_units
            from expected
            left join numbered as stored on expected.ship_date = stored.ship_date
            where
                stored.lines is not 1
                or stored.legacy_units is not expected.legacy_units
                or stored.candidate_units is not expected.candidate_units
                or (expected.is_coverage_known and stored.shipstation_units is not expected.shipstation_units)
                or (not expected.is_coverage_known and coalesce(stored.shipstation_units, 0) <> 0)
            union all
            select ship_date, legacy_units, null, candidate_units, null, shipstation_units, null
            from audit_daily_units
            where ship_date is null or ship_date not in (select ship_date from expected)
        """


class ExpectColumnToBeZero(NoRowsExpectation):
    """Expect a figure of a table of this data source to be 0 in every row, and to be there.

    Args:
        table: The table.
        column: The figure.
        key_columns: The columns that name a row; they are shown beside the figure.

    Example:
        {"table": "audit_unit_balance", "column": "residual", "key_columns": ["sku_code", "ship_date"]}

    Source: models/audit/audit_unit_balance.yml (residual).
    """

    table: str
    column: str
    key_columns: list[str]

    success_keys: ClassVar[tuple[str, ...]] = ("table", "column", "key_columns")

    def query(self) -> str:
        shown = ", ".join(identifier(name) for name in (*self.key_columns, self.column))
        return f"select {shown} from {identifier(self.table)} where {identifier(self.column)} is not 0"


class ExpectRowsToFollowFromLedger(NoRowsExpectation):
    """Expect the candidate to have as many rows as the ledger keeps and redates, and lines were recovered.

    Unexpected is one row with the two counts. Source: docs/rules.md section 6.
    """

    def query(self) -> str:
        return """
            with counted as (
                select
                    (select count(*) from audit_row_ledger where disposition = 'keep') as kept,
                    (select count(*) from audit_row_ledger where disposition = 'redate') as redated,
                    (select count(*) from int_recovered_lines) as recovered,
                    (select count(*) from shipped_items) as candidate_rows
            )
            select * from counted where kept + redated + recovered <> candidate_rows
        """


def counted_balance(engine: SqlAlchemyExecutionEngine) -> dict[SkuDay, dict[str, int]]:
    """The columns of audit_unit_balance by SKU and day, counted from the tables that it is made from."""
    ledger = unit_sums.ledger_units(engine)
    sums: dict[str, Counter[SkuDay]] = {
        **{f"{one}_units": ledger.get(one, Counter()) for one in DISPOSITIONS},
        "redated_in_units": unit_sums.redated_in_units(engine),
        "recovered_units": unit_sums.recovered_units(engine),
        "candidate_units": unit_sums.candidate_units(engine),
    }
    keys = {key for counter in (*sums.values(), *ledger.values()) for key in counter}
    counted = {}
    for key in keys:
        line = {name: counter[key] for name, counter in sums.items()}
        legacy = sum(counter[key] for counter in ledger.values())
        unexplained = abs(legacy - sum(line[f"{one}_units"] for one in DISPOSITIONS)) + abs(
            line["candidate_units"]
            - (line["keep_units"] + line["redated_in_units"] + line["recovered_units"])
        )
        counted[key] = {"legacy_units": legacy, **line, "residual": unexplained}
    return counted


def _by_month(sums: Counter[SkuDay]) -> Counter[SkuDay]:
    months: Counter[SkuDay] = Counter()
    for (sku, day), units in sums.items():
        months[sku, day[:7] if is_real_day(day) else ""] += units
    return months


def _different(one: Counter[SkuDay], other: Counter[SkuDay]) -> Iterator[Row]:
    for sku, period in sorted(one.keys() | other.keys()):
        if one[sku, period] != other[sku, period]:
            yield sku or NO_SKU, period or NO_DAY, one[sku, period], other[sku, period]
