"""Expectations about lines that are recorded twice: none that is left, and merges that a person looks at."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import ParsedSku, is_real_day, trim
from lotgate_expectations import expressions
from lotgate_expectations.dates import ORDER_DAYS, wrong_dates
from lotgate_expectations.expressions import trimmed
from lotgate_expectations.once import SharedTable
from lotgate_expectations.parsing import parser_of
from lotgate_expectations.reading import Row, found, stream
from lotgate_expectations.rows import FoundRowsExpectation, NoRowsExpectation

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine

_SHOWN = ("lotless_id", "lotted_id", "order_number", "sku_code", "quantity_shipped")


class ExpectNoLotlessTwins(FoundRowsExpectation):
    """Expect no line without a lot beside a line with one of the same order, SKU and units.

    Such a pair is one line recorded twice. The rules allow it where a person decided one of the two, where
    one was recovered from ShipStation (two parcels), where the lot is not what the legacy row said but
    ShipStation's, and where the lotted line has its lot in base_sku while a third row of the order and SKU
    has one in sku_lot, with which both are compared instead. Shown are the two ids, the order, SKU and units.

    Args:
        min_lot_digits: A lot has at least this many digits.
        allowed: Whether to look for the pairs that the rules allow, not for all others. Default False.

    Example:
        {"min_lot_digits": {"$PARAMETER": "min_lot_digits"}, "allowed": false}

    Source: docs/rules.md sections 4 (rule 4) and 6 (SKU text and lot of a remaining row).
    """

    min_lot_digits: int | SuiteParameterDict
    allowed: bool = False

    success_keys: ClassVar[tuple[str, ...]] = ("min_lot_digits", "allowed")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        engine: SqlAlchemyExecutionEngine = execution_engine  # type: ignore[assignment]
        pairs = list(stream(engine, _PAIRS))
        rest = [pair for pair in pairs if not pair[-1]]
        outranked = self._outranked(engine, rest) if rest else set()
        return found(
            _SHOWN,
            (
                pair[:-1]
                for pair in pairs
                if bool(pair[-1] or (trim(pair[2]), pair[3], pair[1]) in outranked) is self.allowed
            ),
        )

    def _outranked(self, engine: SqlAlchemyExecutionEngine, pairs: list[Row]) -> set[tuple[str, str, int]]:
        """Order, SKU and id of the lotted rows beside which a third row has a lot in a better place."""
        parse = parser_of(engine, int(self.min_lot_digits))  # type: ignore[arg-type]
        orders = {trim(pair[2]) for pair in pairs}
        rows = stream(
            engine,
            f"select legacy_id, {trimmed('order_number')}, cast(sku_lot as text), cast(base_sku as text),"
            f" {trimmed('ship_date')}, units from audit_row_ledger where {trimmed('order_number')} in"
            f" (select {trimmed('order_number')} from ({_PAIRS}))",
        )
        places: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for legacy_id, order, sku_lot, base_sku, ship_date, units in rows:
            if order not in orders or units is None or not is_real_day(ship_date):
                continue  # a row that cannot be read has no say
            parsed: ParsedSku = parse(sku_lot, base_sku)
            if parsed.failure is None and parsed.sku_code is not None:
                places[order, parsed.sku_code][legacy_id] = _PLACES[parsed.lot_position]
        return {
            (*key, legacy_id)
            for key, of in places.items()
            for legacy_id, place in of.items()
            if place < max(of.values())
        }


_PLACES = {None: 0, "base_sku": 1, "sku_lot": 2}
_PAIRS = """
with

pairs as materialized (

    select
        lotless.id as lotless_id,
        lotted.id as lotted_id,
        lotless.order_number,
        lotless.sku_id,
        lotless.quantity_shipped
    -- a cross join is done in the order written: from the few without a lot, by the index on order_number
    from shipped_items as lotless
    cross join shipped_items as lotted
        on
            lotted.order_number = lotless.order_number
            and lotted.sku_id = lotless.sku_id
            and lotted.quantity_shipped = lotless.quantity_shipped
    where lotless.lot_id is null and lotted.lot_id is not null

),

judged as (

    select
        pairs.*,
        coalesce(lotless_row.reason = 'decided', 0)
        or coalesce(lotted_row.reason = 'decided', 0)
        or lotless_line.candidate_id is not null
        or lotted_line.candidate_id is not null
        or lotless_row.candidate_lot_number is not lotless_row.lot_number
        or lotted_row.candidate_lot_number is not lotted_row.lot_number as is_allowed
    from pairs
    left join audit_row_ledger as lotless_row on lotless_row.legacy_id = pairs.lotless_id
    left join audit_row_ledger as lotted_row on lotted_row.legacy_id = pairs.lotted_id
    left join int_recovered_lines as lotless_line on lotless_line.candidate_id = pairs.lotless_id
    left join int_recovered_lines as lotted_line on lotted_line.candidate_id = pairs.lotted_id

)

select
    judged.lotless_id,
    judged.lotted_id,
    judged.order_number,
    skus.sku_code,
    judged.quantity_shipped,
    judged.is_allowed
from judged
left join skus on skus.sku_id = judged.sku_id
order by judged.lotless_id, judged.lotted_id
"""


class ExpectMergedRowsToShareTheirDay(NoRowsExpectation):
    """Expect a row that was merged by rule to have had the day of the row that stays, if its day was sound.

    A day is sound when it is a real one, not before the order's, and not the wrong date of an incident, or
    when ShipStation has the line on that very day. Unexpected is a merged row with another sound day: two
    records of one line, or two shipments that look alike. Rows that a person merged are left out. Shown are
    the two ids, the order and the two days.

    Example:
        {}

    Source: docs/rules.md section 4 (rules 3 and 4).
    """

    shared: ClassVar[tuple[SharedTable, ...]] = (ORDER_DAYS,)

    def query(self) -> str:
        # The ledger by no index: SQLite would expect few rows, and make no index for the days it joins.
        return f"""
            with merged as materialized (
                select
                    ledger.legacy_id,
                    ledger.merged_into_id,
                    ledger.order_number,
                    {trimmed("ledger.order_number")} as trimmed_number,
                    {trimmed("ledger.ship_date")} as ship_date,
                    items.ship_date as day_that_stays
                from audit_row_ledger as ledger
                inner join main.shipped_items as items on items.id = ledger.merged_into_id
                where +ledger.disposition = 'merge' and +ledger.reason <> 'decided'
            )
            select
                merged.legacy_id,
                merged.merged_into_id,
                merged.order_number,
                merged.ship_date,
                merged.day_that_stays
            from merged
            left join {ORDER_DAYS.name} as order_days on order_days.number = merged.trimmed_number
            where merged.ship_date <> merged.day_that_stays
                and {expressions.is_real_day("merged.ship_date")}
                and (
                    merged.legacy_id in (
                        select legacy_id from audit_shipstation_lines
                        where outcome = 'same_day' and legacy_id is not null
                    )
                    or (
                        merged.ship_date not in ({wrong_dates()})
                        and (
                            order_days.order_date is null
                            or merged.ship_date >= order_days.order_date
                        )
                    )
                )
            order by merged.legacy_id
        """
