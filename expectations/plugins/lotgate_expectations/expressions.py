"""SQL for what docs/rules.md says of texts, days and numbers, written apart from the models' macros."""

from __future__ import annotations

from lotgate.parser import BLANKS

_BLANKS = f"char({', '.join(str(ord(blank)) for blank in BLANKS)})"


def trimmed(value: str) -> str:
    """A value as text, without blanks at both ends (docs/rules.md section 1)."""
    return f"trim(cast({value} as text), {_BLANKS})"


def trimmed_or_null(value: str) -> str:
    """A value as trimmed text; NULL where it is blank."""
    return f"nullif({trimmed(value)}, '')"


def is_blank(value: str) -> str:
    """Whether a value is NULL or says nothing but blanks; never NULL."""
    # what begins with a printable ASCII character is not trimmed: no blank lies between these two
    return f"({value} is null or ({value} not between '!' and 'zz' and {trimmed(value)} = ''))"


def is_real_day(text: str) -> str:
    """Whether a text, exactly as it is, is a day YYYY-MM-DD of the calendar, years 0001 to 9999; never NULL.

    ``date()`` is no help: SQLite 3.40 leaves 2025-02-30 as it is and is wrong about the year 300.
    """
    year, month, day = (
        f"cast(substr({text}, {start}, {length}) as integer)" for start, length in ((1, 4), (6, 2), (9, 2))
    )
    leap = f"(({year} % 4 = 0 and {year} % 100 <> 0) or {year} % 400 = 0)"
    last = f"case {month} when 2 then 28 + {leap} else 30 + (({month} + {month} / 8) % 2) end"
    return (
        f"(coalesce({text} glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]', 0)"
        # GLOB ends at a NUL character
        f" and length(cast({text} as blob)) = 10"
        f" and {year} >= 1 and {month} between 1 and 12 and {day} between 1 and"
        # most days need no look at the calendar
        f" case when {day} <= 28 then 28 else {last} end)"
    )


def is_stored_day(value: str) -> str:
    """Whether a stored value, blanks aside, is a day of the calendar; never NULL."""
    # few values need trimming
    return f"({is_real_day(value)} or {is_real_day(trimmed(value))})"


def whole_number(value: str) -> str:
    """A stored value as a whole number: 3, 3.0 and '3' are 3; NULL for anything else."""
    text = trimmed(value)
    return (
        f"case typeof({value}) when 'integer' then {value}"
        f" when 'real' then case when abs({value}) <= 1e15 and {value} = cast({value} as integer)"
        f" then cast({value} as integer) end"
        f" when 'text' then case when {text} <> '' and {text} not glob '*[^0-9]*' and length({text}) <= 15"
        f" and instr({text}, char(0)) = 0 then cast({text} as integer) end end"
    )


def plausible_units(value: str, max_quantity: int) -> str:
    """A stored value as units; NULL where it is no whole number from 1 to ``max_quantity``."""
    number = whole_number(value)
    return f"case when ({number}) between 1 and {max_quantity:d} then ({number}) end"
