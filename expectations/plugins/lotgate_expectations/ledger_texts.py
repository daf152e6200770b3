"""Expectations that the row ledger reads texts, dates and quantities as the Python parser does.

A second opinion beside the models' SQL, row by row. Source: docs/rules.md section 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import is_real_day, trim
from lotgate_expectations import legacy_rows
from lotgate_expectations.attaching import attached
from lotgate_expectations.computed import ComputedRowsExpectation
from lotgate_expectations.expressions import is_stored_day, plausible_units, whole_number
from lotgate_expectations.once import SharedTable
from lotgate_expectations.reading import Row, data_source_engine, stream
from lotgate_expectations.rows import identifier, literal
from lotgate_expectations.unit_sums import LEDGER_SUMS

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

FAILURES = (
    "unparseable_sku",
    "sku_conflict",
    "unknown_sku",
    "implausible_lot",
    "invalid_ship_date",
    "invalid_quantity",
    "orphan_order",
)
"""The parse failures in their order; the first that applies is a row's reason."""

_WHOLE_QUANTITY = (
    "case typeof(quantity_shipped) when 'integer' then quantity_shipped"
    f" else {whole_number('quantity_shipped')} end"
)
_STAYS = "disposition in ('keep', 'redate', 'merge')"
_TEXTS = SharedTable(
    "lotgate_ledger_texts",
    f"""
    select distinct
        cast(sku_lot as text) as sku_lot,
        cast(base_sku as text) as base_sku,
        +sku_code as sku_code,
        +lot_number as lot_number,
        {_STAYS} as stays
    from audit_row_ledger
    """,
)
_READINGS = f"select distinct sku_lot, base_sku, sku_code, lot_number from {_TEXTS.name}"
_READ = f"""
select legacy_id, cast(sku_lot as text), cast(base_sku as text), sku_code, lot_number,
    {_WHOLE_QUANTITY}, units
from audit_row_ledger
order by legacy_id
"""
_STAYING_TEXTS = f"select distinct sku_lot, base_sku from {_TEXTS.name} where stays"
_JUDGED = f"""
select legacy_id, cast(sku_lot as text), cast(base_sku as text), cast(ship_date as text),
    {_WHOLE_QUANTITY}, cast(order_number as text), disposition, reason
from audit_row_ledger
"""
_NO_DAYS = f"select ship_date from {LEDGER_SUMS.name} where not {is_stored_day('ship_date')}"
_HEADERS = "select cast(order_number as text) from shipped_orders"
_SHIPSTATION_ORDERS = """
select distinct order_number from int_shipstation_shipments where not_counted_because is null
"""


class _ReadingExpectation(ComputedRowsExpectation):
    """What both expectations below are told."""

    comparison_data_source_name: str
    max_quantity: int | SuiteParameterDict
    min_lot_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = (
        "comparison_data_source_name",
        "max_quantity",
        "min_lot_digits",
    )

    def reader(self, engine: SqlAlchemyExecutionEngine) -> legacy_rows.TextReader:
        """The Python parser, with the snapshot's SKUs and the candidate's sku_variants."""
        legacy = data_source_engine(self.comparison_data_source_name)
        return legacy_rows.TextReader(
            legacy_rows.known_skus(legacy),
            legacy_rows.variants(engine),
            int(self.min_lot_digits),  # type: ignore[arg-type]
        )

    def units(self, quantity: int | None) -> int | None:
        """The units that a whole quantity counts as."""
        most = int(self.max_quantity)  # type: ignore[arg-type]
        return quantity if quantity is not None and 1 <= quantity <= most else None


class ExpectLedgerToReadAsTheParser(_ReadingExpectation):
    """Expect every row's SKU, lot and units in the ledger to be what its texts and its quantity say.

    The texts are read by the Python parser, with the SKUs of the snapshot and the lines of sku_variants.csv.
    Unexpected is a row that the ledger reads otherwise. Source: docs/rules.md section 1.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        max_quantity: A quantity above this counts as none.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"comparison_data_source_name": "legacy", "max_quantity": {"$PARAMETER": "max_quantity"},
        "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}
    """

    shown_columns: ClassVar[tuple[str, ...]] = (
        "legacy_id",
        "sku_code",
        "lot_number",
        "units",
        "sku_code_read",
        "lot_number_read",
        "units_read",
    )

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        reader = self.reader(engine)
        _TEXTS.make(engine)
        # a million rows have a few thousand texts: row by row only where something is wrong
        if all(
            _meaning(reader, sku_lot, base_sku) == (sku_code, lot_number)
            for sku_lot, base_sku, sku_code, lot_number in stream(engine, _READINGS)
        ) and not any(stream(engine, self._other_units())):
            return
        for legacy_id, sku_lot, base_sku, sku_code, lot_number, quantity, units in stream(engine, _READ):
            read = (*_meaning(reader, sku_lot, base_sku), self.units(quantity))
            if (sku_code, lot_number, units) != read:
                yield legacy_id, sku_code, lot_number, units, *read

    def _other_units(self) -> str:
        units = plausible_units("quantity_shipped", int(self.max_quantity))  # type: ignore[arg-type]
        return f"select 1 from audit_row_ledger where units is not ({units}) limit 1"


def _meaning(
    reader: legacy_rows.TextReader, sku_lot: str | None, base_sku: str | None
) -> tuple[str | None, str | None]:
    parsed = reader.read(sku_lot, base_sku)
    return parsed.sku_code, parsed.lot_number


class ExpectUnreadableRowsToBeQuarantined(_ReadingExpectation):
    """Expect a row that cannot be read to be in quarantine with that reason, and no other row to have it.

    What a person may do instead: remove or hold any such row, and redate one whose date alone is wrong.
    Unexpected is a row with a failure that is treated otherwise, and one with the reason of a failure that it
    does not have. Source: docs/rules.md section 1, "Parse failures", and section 5.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        max_quantity: A quantity above this is invalid.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"comparison_data_source_name": "legacy", "max_quantity": {"$PARAMETER": "max_quantity"},
        "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("legacy_id", "disposition", "reason", "failure")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        reader = self.reader(engine)
        name = self.comparison_data_source_name
        query = f"{_JUDGED} order by legacy_id"
        for table in (_TEXTS, LEDGER_SUMS):
            table.make(engine)
        if all(reader.read(*texts).failure is None for texts in stream(engine, _STAYING_TEXTS)):
            # every text of a row that stays can be read: only rows that anything else points at are looked at
            query = f"{_JUDGED} where {self._is_worth_a_look(name)} order by legacy_id"
        with attached(engine, (name,)):
            judged = list(stream(engine, query))
        orders = self._known({trim(row[5]) for row in judged}, engine)
        for legacy_id, sku_lot, base_sku, ship_date, quantity, order_number, disposition, reason in judged:
            failure = reader.read(sku_lot, base_sku).failure
            if failure is None:
                beside_date = None
                if self.units(quantity) is None:
                    beside_date = "invalid_quantity"
                elif trim(order_number) and trim(order_number) not in orders:
                    beside_date = "orphan_order"
                is_day = is_real_day(trim(ship_date))
                failure = beside_date if is_day else "invalid_ship_date"
                if not is_day and beside_date is None and (disposition, reason) == ("redate", "decided"):
                    continue
            if failure is None:
                if reason in FAILURES:
                    yield legacy_id, disposition, reason, None
            elif (disposition, reason) not in (
                ("quarantine", failure),
                ("quarantine", "held"),
                ("remove", "decided"),
            ):
                yield legacy_id, disposition, reason, failure

    def _known(self, orders: set[str], engine: SqlAlchemyExecutionEngine) -> set[str]:
        """Those of the trimmed order numbers that a header has or ShipStation knows."""
        headers = stream(data_source_engine(self.comparison_data_source_name), _HEADERS)
        known = {number for (text,) in headers if (number := trim(text)) in orders}
        return known | {order for (order,) in stream(engine, _SHIPSTATION_ORDERS)}

    def _is_worth_a_look(self, legacy: str) -> str:
        """SQL for rows that leave, and for rows of which the date, the quantity or the order may be wrong."""
        units = plausible_units("quantity_shipped", int(self.max_quantity))  # type: ignore[arg-type]
        failures = ", ".join(map(literal, FAILURES))
        return (
            "(coalesce(disposition, '') not in ('keep', 'redate', 'merge')"
            f" or coalesce(reason, 'decided') in ('decided', {failures})"
            f" or ship_date is null or ship_date in ({_NO_DAYS})"
            f" or ({units}) is null"
            f" or order_number not in (select order_number from {identifier(legacy)}.shipped_orders"
            " where order_number is not null))"
        )
