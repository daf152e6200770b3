"""Expectations about SKU texts, read by the Python parser: a second opinion beside the models' SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import trim
from lotgate_expectations.attaching import attached
from lotgate_expectations.parsing import Parse, parser_of, variants_of
from lotgate_expectations.reading import Row, found, stream
from lotgate_expectations.rows import FoundRowsExpectation, literal

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine

# grouped with the ids of SKU and lot first, which is faster than with what these stand for
_TEXTS = """
    select
        texts.shipstation_sku_raw,
        texts.sku_id,
        texts.lot_id,
        skus.sku_code,
        lots.lot_number,
        texts.rows_with_it,
        texts.first_id
    from (
        select shipstation_sku_raw, sku_id, lot_id, count(*) as rows_with_it, min(id) as first_id
        from main.shipped_items
        group by shipstation_sku_raw, sku_id, lot_id
    ) as texts
    left join skus on skus.sku_id = texts.sku_id
    left join lots on lots.lot_id = texts.lot_id
    order by texts.first_id
"""
_HAS_USUAL_TEXT = (
    "items.shipstation_sku_raw = source.sku_lot and source.base_sku = skus.sku_code"
    " and items.shipstation_sku_raw = skus.sku_code || ' - ' || lots.lot_number"
)


class ExpectTextsToReadAsTheirRows(FoundRowsExpectation):
    """Expect the SKU text of every row of shipped_items to say the row's own SKU and lot.

    Each distinct text is read once. A text that was put together from a SKU and a bare lot, and that
    sku_variants.csv gives another meaning, is read as the legacy row has it. Unexpected is a row whose text
    says something else, or nothing; shown are the first such id for each text, SKU and lot, and their number.

    Args:
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md section 1 (the SKU text).
    """

    min_lot_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("min_lot_digits",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        engine: SqlAlchemyExecutionEngine = execution_engine  # type: ignore[assignment]
        parse = parser_of(engine, int(self.min_lot_digits))  # type: ignore[arg-type]
        variants = variants_of(engine)
        rows: list[Row] = []
        count = 0
        with attached(engine, ("legacy",)):
            for raw, sku_id, lot_id, sku_code, lot, of_text, first_id in list(stream(engine, _TEXTS)):
                parsed = parse(raw, None)
                if parsed.failure is None and (parsed.sku_code, parsed.lot_number) == (sku_code, lot):
                    continue
                if raw in variants:
                    of_text, first_id = _unexplained(engine, parse, (raw, sku_id, lot_id, sku_code, lot))
                if of_text:
                    rows.append((first_id, raw, sku_code, lot, of_text))
                    count += of_text
        return found(("id", "text", "sku_code", "lot_number", "rows_with_it"), rows, count)


def _unexplained(engine: SqlAlchemyExecutionEngine, parse: Parse, group: Row) -> tuple[int, int | None]:
    """How many rows of a text their legacy rows do not explain either, and the first of them."""
    raw, sku_id, lot_id, sku_code, lot = group
    ids = []
    for row_id, sku_lot, base_sku in stream(
        engine,
        "select items.id, cast(source.sku_lot as text), cast(source.base_sku as text)"
        " from main.shipped_items as items"
        " left join legacy.shipped_items as source on source.id = items.id"
        f" where items.shipstation_sku_raw = {literal(raw)}"
        f" and items.sku_id is {_or_null(sku_id)} and items.lot_id is {_or_null(lot_id)}"
        " order by items.id",
    ):
        parsed = parse(sku_lot, base_sku)
        if parsed.failure or (parsed.raw, parsed.sku_code, parsed.lot_number) != (raw, sku_code, lot):
            ids.append(row_id)
    return len(ids), min(ids, default=None)


def _or_null(number: int | None) -> str:
    return "null" if number is None else str(number)


class ExpectTextsToComeFromTheSnapshot(FoundRowsExpectation):
    """Expect the SKU text, SKU and lot of every migrated row to be those of the snapshot's row of that id.

    The snapshot's sku_lot and base_sku are read anew. The SKU is always theirs. Text and lot are theirs too,
    or those of a line that ShipStation has for this row; but a lot in sku_lot is never replaced by another.
    Unexpected is a row of which that is not so; shown are its id and what is wrong.

    Args:
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md sections 1 (the SKU text) and 6 (SKU text and lot of a remaining row).
    """

    min_lot_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("min_lot_digits",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        engine: SqlAlchemyExecutionEngine = execution_engine  # type: ignore[assignment]
        parse = parser_of(engine, int(self.min_lot_digits))  # type: ignore[arg-type]
        claimed: dict[int, set[str]] = {}
        for legacy_id, text in stream(
            engine,
            "select distinct legacy_id, cast(sku_text as text) from audit_shipstation_lines"
            " where outcome in ('same_day', 'other_day') and legacy_id is not null",
        ):
            claimed.setdefault(legacy_id, set()).add(trim(text))
        skus = dict(stream(engine, "select sku_id, sku_code from skus"))
        lots = dict(stream(engine, "select lot_id, lot_number from lots"))

        def problem(row: Row) -> str:
            row_id, raw, sku_id, lot_id, source_id, sku_lot, base_sku = row
            if source_id is None:
                return "not in the snapshot"
            parsed, lot = parse(sku_lot, base_sku), lots.get(lot_id)
            if parsed.failure:
                return f"the legacy text cannot be read: {parsed.failure}"
            if parsed.sku_code != skus.get(sku_id):
                return "another SKU than the legacy text says"
            if raw == parsed.raw:
                return "" if lot == parsed.lot_number else "another lot than the legacy text says"
            if raw not in claimed.get(row_id, ()):
                return "a text that neither the legacy row nor ShipStation has"
            if parsed.lot_position == "sku_lot" and lot != parsed.lot_number:
                return "the lot in sku_lot was replaced"
            return ""

        # Nearly all rows have the usual text of their lot. It is read once for each lot; where all of them
        # mean what they say, SQL can tell which rows need no look.
        usual = all(
            (parsed := parse(f"{sku_code} - {lot}", sku_code)).failure is None
            and (parsed.sku_code, parsed.lot_number) == (sku_code, lot)
            for sku_code, lot in stream(
                engine, "select sku_code, lot_number from lots join skus using (sku_id)"
            )
        )
        with attached(engine, ("legacy",)):
            rows = stream(
                engine,
                "select items.id, items.shipstation_sku_raw, items.sku_id, items.lot_id, source.id,"
                " cast(source.sku_lot as text), cast(source.base_sku as text)"
                " from main.shipped_items as items"
                " left join legacy.shipped_items as source on source.id = items.id"
                " left join skus on skus.sku_id = items.sku_id"
                " left join lots on lots.lot_id = items.lot_id and lots.sku_id = items.sku_id"
                " where items.shipstation_shipment_id is null"
                + (f" and ({_HAS_USUAL_TEXT}) is not true" if usual else "")
                + " order by items.id",
            )
            return found(("id", "problem"), ((row[0], text) for row in rows if (text := problem(row))))
