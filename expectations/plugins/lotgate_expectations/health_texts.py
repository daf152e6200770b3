"""Expectations about the SKU texts of the legacy shipped_items: can they be read, and are they written alike?

Read by the parser alone; what sku_variants.csv explains is explained later. Source: docs/rules.md section 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.parser import ParsedSku
from lotgate_expectations import legacy_rows
from lotgate_expectations.expressions import trimmed
from lotgate_expectations.health import GroupedHealthExpectation
from lotgate_expectations.reading import Row, stream

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

_MASTER_LOTS = " union ".join(
    f"select {trimmed('sku')}, {trimmed('lot')} from {table}" for table in ("sku_lot", "lot_inventory")
)


class _TextHealthExpectation(GroupedHealthExpectation):
    """What the checks of SKU texts share: the pairs of texts, each read once, with the number of its rows."""

    min_lot_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("min_lot_digits",)
    shown_columns: ClassVar[tuple[str, ...]] = ("sku_lot", "base_sku", "read_as", "rows")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_items": ("sku_lot", "base_sku"), "inventory_current": ("sku",)}

    def readings(
        self, engine: SqlAlchemyExecutionEngine
    ) -> Iterator[tuple[str | None, str | None, ParsedSku, int]]:
        """Every pair of texts, what the parser makes of it, and how many rows have it."""
        reader = legacy_rows.TextReader(
            legacy_rows.known_skus(engine),
            min_lot_digits=int(self.min_lot_digits),  # type: ignore[arg-type]
        )
        for sku_lot, base_sku, rows in legacy_rows.texts(engine):
            yield sku_lot, base_sku, reader.read(sku_lot, base_sku), rows


class ExpectTextsToBeReadable(_TextHealthExpectation):
    """Expect the SKU texts of legacy rows not to fail in certain ways.

    Read by the parser alone, without sku_variants.csv. Shown are the texts, how they fail and the number of
    their rows; counted are rows.

    Args:
        failures: Which failures to look for: unparseable_sku, sku_conflict, unknown_sku, implausible_lot.
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"failures": ["implausible_lot"], "min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md section 1 (parse failures).
    """

    failures: list[str]

    success_keys: ClassVar[tuple[str, ...]] = ("failures", "min_lot_digits")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        for sku_lot, base_sku, parsed, rows in self.readings(engine):
            if parsed.failure in self.failures:
                yield sku_lot, base_sku, parsed.failure, rows


class ExpectTextsToBeSpelledAlike(_TextHealthExpectation):
    """Expect the SKU texts of legacy rows to be written in one way.

    That is ``SKU - LOT`` beside the SKU, or an empty sku_lot beside the SKU. Shown are other texts that mean
    the same, what they are read as, and the number of their rows; counted are rows. Texts that cannot be read
    are another check's.

    Args:
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md section 1 (the SKU text).
    """

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        for sku_lot, base_sku, parsed, rows in self.readings(engine):
            if parsed.failure is None:
                sku, lot = parsed.sku_code, parsed.lot_number
                canonical = f"{sku} - {lot}" if lot else ""
                if (sku_lot, base_sku) != (canonical, sku):
                    yield sku_lot, base_sku, canonical or sku, rows


class ExpectShippedLotsToBeInMasters(_TextHealthExpectation):
    """Expect every lot that a row names to be one that sku_lot or lot_inventory has for its SKU.

    Where both tables are empty, no lot can be known. Shown are SKU, lot and the number
    of rows; counted are rows.

    Args:
        min_lot_digits: A lot has at least this many digits.

    Example:
        {"min_lot_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md section 6 (discovered lots).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("sku_code", "lot_number", "rows")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        masters = {"sku_lot": ("sku", "lot"), "lot_inventory": ("sku", "lot")}
        return {**super().needs(), **masters}

    def nothing_to_check(self, engine: SqlAlchemyExecutionEngine) -> str | None:
        missing = super().nothing_to_check(engine)
        if missing or any(stream(engine, f"{_MASTER_LOTS} limit 1")):
            return missing
        return "no lots in sku_lot and lot_inventory"

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        known = set(stream(engine, _MASTER_LOTS))
        counts: dict[tuple[str, str], int] = {}
        for _, _, parsed, rows in self.readings(engine):
            if parsed.failure is None and parsed.sku_code and parsed.lot_number:
                pair = (parsed.sku_code, parsed.lot_number)
                if pair not in known:
                    counts[pair] = counts.get(pair, 0) + rows
        for pair in sorted(counts):
            yield *pair, counts[pair]
