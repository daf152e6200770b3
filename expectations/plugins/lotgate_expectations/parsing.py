"""The one parser of SKU-lot texts, set up with what a candidate knows, for reading its texts anew."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lotgate.parser import ParsedSku, Variant, parse_sku, trim
from lotgate_expectations.reading import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

DISTINCT_TEXTS = 100_000


def parser_of(
    engine: SqlAlchemyExecutionEngine, min_lot_digits: int
) -> Callable[[str | None, str | None], ParsedSku]:
    """A function from ``sku_lot`` and ``base_sku`` to their meaning, with the candidate's SKUs and variants.

    It is a second opinion beside the models' SQL (docs/rules.md section 1).
    """
    known = frozenset(code for (code,) in stream(engine, "select sku_code from skus"))
    variants = {
        trim(raw): Variant(trim(sku_code), trim(lot) or None)
        for raw, sku_code, lot in stream(engine, "select raw_sku, sku_code, lot_number from sku_variants")
    }

    @lru_cache(maxsize=DISTINCT_TEXTS)
    def parse(sku_lot: str | None, base_sku: str | None) -> ParsedSku:
        return parse_sku(
            sku_lot, base_sku, known_skus=known, variants=variants, min_lot_digits=min_lot_digits
        )

    return parse
