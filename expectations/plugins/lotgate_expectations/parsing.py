"""The one parser of SKU-lot texts, set up with what a candidate knows, for reading its texts anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from lotgate.parser import ParsedSku, Variant, parse_sku, trim
from lotgate_expectations.reading import stream

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

Parse: TypeAlias = Callable[[str | None, str | None], ParsedSku]
"""From ``sku_lot`` and ``base_sku`` to their meaning."""

DISTINCT_TEXTS = 100_000


def parser_of(engine: SqlAlchemyExecutionEngine, min_lot_digits: int) -> Parse:
    """The parser with the candidate's SKUs and variants; it reads each pair of texts once.

    It is a second opinion beside the models' SQL (docs/rules.md section 1).
    """
    known = frozenset(code for (code,) in stream(engine, "select sku_code from skus"))
    variants = variants_of(engine)

    @lru_cache(maxsize=DISTINCT_TEXTS)
    def parse(sku_lot: str | None, base_sku: str | None) -> ParsedSku:
        return parse_sku(
            sku_lot, base_sku, known_skus=known, variants=variants, min_lot_digits=min_lot_digits
        )

    return parse


def variants_of(engine: SqlAlchemyExecutionEngine) -> dict[str, Variant]:
    """The lines of sku_variants.csv, by their trimmed text."""
    return {
        trim(raw): Variant(trim(sku_code), trim(lot) or None)
        for raw, sku_code, lot in stream(engine, "select raw_sku, sku_code, lot_number from sku_variants")
    }
