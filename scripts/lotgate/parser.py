"""The one parser of SKU-lot texts (docs/rules.md section 1).

The legacy system keeps SKU and lot as free text in two columns, `sku_lot` and `base_sku`. This module
alone says, on the Python side, what such a pair means; the models hold the same rules as a macro.

>>> parse_sku('17612 - 250300', '17612', known_skus={'17612'})
ParsedSku(raw='17612 - 250300', sku_code='17612', lot_number='250300', lot_position='sku_lot', failure=None)
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeGuard

__all__ = [
    "BLANKS",
    "LotPosition",
    "ParseFailure",
    "ParsedSku",
    "Variant",
    "is_real_day",
    "parse_sku",
    "trim",
]

LotPosition: TypeAlias = Literal["sku_lot", "base_sku"]
ParseFailure: TypeAlias = Literal["unparseable_sku", "sku_conflict", "unknown_sku", "implausible_lot"]

# Unicode's White_Space property and U+FEFF, spelled out: str.strip() and \s also take U+001C to U+001F for
# blanks, do not take U+FEFF, and may change with Python's Unicode tables.
BLANKS: Final[str] = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""All characters that count as blank, each once."""

# Neighbouring parts have no character in common and the quantifiers are possessive, so matching is linear.
_SKU_TEXT: Final = re.compile(rf"([0-9]++)(?:[{BLANKS}]*+-[{BLANKS}]*+([0-9]++))?+")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DIGITS: Final = re.compile(r"[0-9]++")


@dataclass(frozen=True, slots=True)
class Variant:
    """What one line of `sku_variants.csv` says a text means; `lot_number` is None where the line has none."""

    sku_code: str
    lot_number: str | None


@dataclass(frozen=True, slots=True)
class ParsedSku:
    """What a pair of `sku_lot` and `base_sku` means, or why it means nothing.

    raw: the deciding text (`shipstation_sku_raw`). For a failure the trimmed `sku_lot`, or the trimmed
        `base_sku` where `sku_lot` is blank. None where both are blank.
    sku_code, lot_number: as read. None under `unparseable_sku` and `sku_conflict`, where nothing can be
        believed; under `unknown_sku` and `implausible_lot` what was read. `lot_number` is also None where
        there is no lot.
    lot_position: the column that the lot was read from; None where there is no lot.
    failure: the first parse failure that applies, or None.
    """

    raw: str | None
    sku_code: str | None
    lot_number: str | None
    lot_position: LotPosition | None
    failure: ParseFailure | None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text, read: a SKU with or without a lot."""

    sku_code: str
    lot_number: str | None
    # Text that a variants line explains is never taken for a bare lot.
    explained: bool


_NO_VARIANTS: Final[Mapping[str, Variant]] = MappingProxyType({})


def trim(text: str | None) -> str:
    """`text` without blanks at both ends; the empty text for None (docs/rules.md section 1)."""
    return "" if text is None else text.strip(BLANKS)


def is_real_day(text: str | None) -> TypeGuard[str]:
    """Whether `text`, exactly as it is, is a real day `YYYY-MM-DD` of the years 0001 to 9999.

    Nothing is trimmed: pass `trim(text)` to forgive blanks at the ends (docs/rules.md section 1).
    """
    match = _DAY.fullmatch(text) if text is not None else None
    if match is None:
        return False
    year, month, day = (int(part) for part in match.groups())
    # The length of the month, rather than date(): a wrong day is an everyday case here, no exception.
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def parse_sku(
    sku_lot: str | None,
    base_sku: str | None,
    *,
    known_skus: Collection[str],
    variants: Mapping[str, Variant] = _NO_VARIANTS,
    min_lot_digits: int = 5,
) -> ParsedSku:
    """What the pair of texts means (docs/rules.md section 1, "The SKU text" and its four parse failures).

    known_skus: the SKU codes of `inventory_current`, trimmed; a set, where many texts are parsed.
    variants: the lines of `sku_variants.csv`, by their trimmed `raw_sku`.
    min_lot_digits: a lot with fewer digits is not believed (`17612-40` is a pack size).

    Never raises for any text, and takes time linear in the length of the texts.
    """
    lot_text, base_text = trim(sku_lot), trim(base_sku)
    raw = lot_text or base_text or None

    def failed(failure: ParseFailure) -> ParsedSku:
        return ParsedSku(raw, None, None, None, failure)

    first, second = _read(lot_text, variants), _read(base_text, variants)
    decided: ParsedSku
    if not lot_text:
        if second is None:
            return failed("unparseable_sku")
        decided = _parsed(base_text, second, "base_sku")
    elif first is None:
        return failed("unparseable_sku")
    elif not base_text:
        decided = _parsed(lot_text, first, "sku_lot")
    elif second is None:
        return failed("sku_conflict")
    elif first.sku_code == second.sku_code:
        # Where `sku_lot` only repeats the SKU the lot of `base_sku` counts, else it is second to sku_lot's.
        repeats = first.lot_number is None and second.lot_number is not None
        decided = _parsed(base_text, second, "base_sku") if repeats else _parsed(lot_text, first, "sku_lot")
    elif first.lot_number is None and not first.explained and first.sku_code not in known_skus:
        bare_lot = first.sku_code
        decided = ParsedSku(f"{second.sku_code} - {bare_lot}", second.sku_code, bare_lot, "sku_lot", None)
    else:
        return failed("sku_conflict")

    if decided.sku_code not in known_skus:
        return ParsedSku(raw, decided.sku_code, decided.lot_number, decided.lot_position, "unknown_sku")
    if not _is_plausible_lot(decided.lot_number, min_lot_digits):
        return ParsedSku(raw, decided.sku_code, decided.lot_number, decided.lot_position, "implausible_lot")
    return decided


def _read(text: str, variants: Mapping[str, Variant]) -> _Reading | None:
    """One trimmed text; None where it is blank or does not parse."""
    if not text:
        return None
    variant = variants.get(text)
    if variant is not None:
        return _Reading(variant.sku_code, variant.lot_number, explained=True)
    match = _SKU_TEXT.fullmatch(text)
    return None if match is None else _Reading(match[1], match[2], explained=False)


def _parsed(raw: str, reading: _Reading, position: LotPosition) -> ParsedSku:
    lot = reading.lot_number
    return ParsedSku(raw, reading.sku_code, lot, None if lot is None else position, None)


def _is_plausible_lot(lot: str | None, min_digits: int) -> bool:
    """Whether there is no lot, or one of enough digits (a variants line may hold anything else)."""
    return lot is None or (len(lot) >= min_digits and _DIGITS.fullmatch(lot) is not None)
