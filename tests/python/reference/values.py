"""Reading single values: texts, whole numbers, days and times (docs/rules.md section 1)."""

from __future__ import annotations

import re
from typing import Final

from lotgate.parser import is_real_day, trim

_DIGITS: Final = re.compile("[0-9]+")
_INTEGER: Final = re.compile("-?[0-9]+")
# No integer of SQLite has more digits; int() on texts of any length would be slow, or refused.
_MOST_DIGITS: Final = 19


def whole_number(value: object) -> int | None:
    """The number that `value` is: an integer, an integral real, or a text of digits; else None."""
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        return digits_to_int(trim(value))
    return None


def digits_to_int(text: str) -> int | None:
    """The number that a text of ASCII digits stands for; None for any other text, or a number too large."""
    if _DIGITS.fullmatch(text) is None:
        return None
    significant = text.lstrip("0")
    return int(significant or "0") if len(significant) <= _MOST_DIGITS else None


def id_to_int(text: str) -> int | None:
    """A row id as written in a control file."""
    return int(text) if len(text) <= _MOST_DIGITS and _INTEGER.fullmatch(text) else None


def all_digits(text: str, at_least: int) -> bool:
    """Whether `text` consists of that many ASCII digits or more."""
    return len(text) >= at_least and _DIGITS.fullmatch(text) is not None


def real_day(text: str | None) -> str | None:
    """The trimmed text where it is a real day."""
    trimmed = trim(text)
    return trimmed if is_real_day(trimmed) else None


def timestamp(text: str | None) -> str:
    """The first 19 characters, `T` as a blank."""
    return trim(text)[:19].replace("T", " ")


def leading_day(text: str | None) -> str | None:
    """The first 10 characters where they are a real day."""
    return real_day(trim(text)[:10])
