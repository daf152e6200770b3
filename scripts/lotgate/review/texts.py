"""How values are written on the pages: numbers, times, and characters that a reader could not see."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["hundredths", "moment", "number", "short", "signed", "visible"]

# The same set stands in assets/table.js; a test compares what the two show.
ODD = re.compile(
    "[\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
BLANKS_AT_ENDS = re.compile("^ +| +$")


def visible(value: object) -> str:
    """A text in which nothing hides: control characters, odd blanks and marks that turn the reading direction
    are written out, and so are blanks at the ends. None is the empty text.

    >>> visible("17612\\u00a0- 250300 ")
    '17612⟨U+00A0⟩- 250300␣'
    """
    if value is None:
        return ""
    text = ODD.sub(lambda odd: f"⟨U+{ord(odd[0]):04X}⟩", str(value))
    return BLANKS_AT_ENDS.sub(lambda blanks: "␣" * len(blanks[0]), text)


def number(value: object) -> str:
    """A number with commas between the thousands; anything else as ``visible`` writes it."""
    if isinstance(value, int | float):
        return f"{value:,}".replace("-", "−")
    return visible(value)


def hundredths(value: int) -> str:
    """A whole number of hundredths, such as cents, with two digits after the point: 4250 is 42.50."""
    return f"{value / 100:,.2f}".replace("-", "−")


def signed(value: int) -> str:
    """A difference: +108, −107, 0."""
    return f"+{value:,}" if value > 0 else number(value)


def short(value: str) -> str:
    """The first characters of a hash, enough to tell it from another."""
    return f"{visible(value[:12])}…" if len(value) > 12 else visible(value)


def moment(value: str) -> str:
    """A time of ISO 8601 as a person writes it, in UTC; anything else as it is."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return visible(value)
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
