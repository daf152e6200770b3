"""The legacy rows of shipped_items, read by the Python parser: a second opinion beside the models' SQL.

Source: docs/rules.md section 1, lotgate.parser.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lotgate.parser import ParsedSku, Variant, is_real_day, parse_sku, trim
from lotgate_expectations.expressions import trimmed, trimmed_or_null, whole_number
from lotgate_expectations.once import SharedTable
from lotgate_expectations.reading import Row, missing_part, stream
from lotgate_expectations.rows import literal

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

DEFAULT_MIN_LOT_DIGITS = 5

_KNOWN_SKUS = (
    f"select distinct {trimmed('sku')} from inventory_current where {trimmed_or_null('sku')} is not null"
)
_VARIANTS = (
    f"select {trimmed('raw_sku')}, {trimmed('sku_code')}, {trimmed_or_null('lot_number')} from sku_variants"
)
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_UNIT_COLUMNS = ("sku_lot", "base_sku", "ship_date", "quantity_shipped")
_UNITS = SharedTable(
    "lotgate_legacy_units",
    f"""
    select
        cast(sku_lot as text) as sku_lot,
        cast(base_sku as text) as base_sku,
        cast(ship_date as text) as ship_date,
        case typeof(quantity_shipped)
            when 'integer' then quantity_shipped else {whole_number("quantity_shipped")}
        end as quantity,
        count(*) as row_count
    from shipped_items
    group by 3, 1, 2, 4
    """,
)
_TEXTS = SharedTable(
    "lotgate_legacy_texts",
    """
    select cast(sku_lot as text) as sku_lot, cast(base_sku as text) as base_sku, count(*) as row_count
    from shipped_items
    group by 1, 2
    """,
)


@dataclass
class TextReader:
    """Reads pairs of ``sku_lot`` and ``base_sku``; each pair is parsed once.

    ``known_skus`` are those of the legacy inventory, ``variants`` the lines of sku_variants.csv.
    """

    known_skus: frozenset[str]
    variants: dict[str, Variant] = field(default_factory=dict)
    min_lot_digits: int = DEFAULT_MIN_LOT_DIGITS
    _read: dict[tuple[str | None, str | None], ParsedSku] = field(default_factory=dict, repr=False)

    def read(self, sku_lot: str | None, base_sku: str | None) -> ParsedSku:
        """What the parser says of a pair of texts."""
        parsed = self._read.get((sku_lot, base_sku))
        if parsed is None:
            parsed = parse_sku(
                sku_lot,
                base_sku,
                known_skus=self.known_skus,
                variants=self.variants,
                min_lot_digits=self.min_lot_digits,
            )
            self._read[sku_lot, base_sku] = parsed
        return parsed


def known_skus(legacy: SqlAlchemyExecutionEngine) -> frozenset[str]:
    """The SKU codes of the legacy inventory_current, trimmed."""
    return frozenset(sku for (sku,) in stream(legacy, _KNOWN_SKUS))


def variants(candidate: SqlAlchemyExecutionEngine) -> dict[str, Variant]:
    """The lines of sku_variants.csv that the candidate was built with, by their trimmed text."""
    return {raw: Variant(sku, lot) for raw, sku, lot in stream(candidate, _VARIANTS)}


def texts(legacy: SqlAlchemyExecutionEngine) -> Iterator[Row]:
    """Every pair of sku_lot and base_sku of the legacy rows, as text, with the number of its rows."""
    table = _TEXTS if missing_part(legacy, "shipped_items", _UNIT_COLUMNS) else _UNITS
    table.make(legacy)
    query = f"select sku_lot, base_sku, sum(row_count) from {table.name} group by 1, 2 order by 1, 2"
    return stream(legacy, query)


def units_by_sku_and_day(
    legacy: SqlAlchemyExecutionEngine, reader: TextReader, max_quantity: int, after: str = ""
) -> Counter[tuple[str, str]]:
    """Units of the legacy rows by parsed SKU and ship date.

    The empty text stands for a SKU that cannot be read and for a date that is no real day. A quantity that is
    no whole number from 1 to ``max_quantity`` counts as none. With a day in ``after``, days up to that one
    may be left out.
    """
    _UNITS.make(legacy)
    query = f"select base_sku, sku_lot, ship_date, quantity, row_count from {_UNITS.name}"
    if after:
        query += f" where not (ship_date glob '{_DAY}' and ship_date <= {literal(after)})"
    skus: dict[tuple[str | None, str | None], str] = {}
    days: dict[str | None, str] = {}
    sums: Counter[tuple[str, str]] = Counter()
    for base_sku, sku_lot, ship_date, quantity, row_count in stream(legacy, query):
        sku = skus.get((base_sku, sku_lot))
        if sku is None:
            sku = skus[base_sku, sku_lot] = reader.read(sku_lot, base_sku).sku_code or ""
        day = days.get(ship_date)
        if day is None:
            text = trim(ship_date)
            day = days[ship_date] = text if is_real_day(text) else ""
        if quantity is not None and 1 <= quantity <= max_quantity:
            sums[sku, day] += quantity * row_count
    return sums
