"""ShipStation's times: US Pacific wall clock without a zone, in its answers and in our requests.

Here such a time is a naive ``datetime``; whatever has a zone is aware. Naive times are compared as they
stand. In November the hour from 01:00 comes twice, so that 01:30 may be either; in March the hour from 02:00
does not come at all. Whoever reads by time therefore overlaps its windows by two hours or more
(``docs/shipstation.md``, section 0).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["PACIFIC", "Window", "parse_stamp", "to_pacific", "to_utc", "write_stamp"]

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
SECOND: Final = timedelta(seconds=1)

_STAMP: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.(?P<fraction>[0-9]+))?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def parse_stamp(text: str) -> datetime:
    """A time as ShipStation writes it, naive Pacific; a day alone is its midnight.

    Any number of fraction digits is read and cut to microseconds. A zone at the end (``Z``, ``+02:00``),
    which ShipStation does not send, is converted. Raises ValueError for anything else.

    >>> parse_stamp("2025-10-05T20:30:05.5830000")
    datetime.datetime(2025, 10, 5, 20, 30, 5, 583000)
    """
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError("not a time as ShipStation writes it")
    stamp = datetime.fromisoformat(f"{found['day']}T{found['time'] or '00:00'}")
    stamp += timedelta(microseconds=int((found["fraction"] or "0")[:6].ljust(6, "0")))
    zone = found["zone"]
    if zone is None:
        return stamp
    offset = timedelta(0)
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    try:
        return to_pacific(stamp.replace(tzinfo=timezone(offset)))
    except OverflowError as error:
        raise ValueError("a time outside the calendar") from error


def write_stamp(naive: datetime) -> str:
    """A naive Pacific time for a request: ``YYYY-MM-DD HH:MM:SS``, cut to the second, never with an offset.

    Raises ValueError for an aware one.
    """
    if naive.tzinfo is not None:
        raise ValueError("ShipStation's times have no zone: convert it with to_pacific first")
    return naive.isoformat(sep=" ", timespec="seconds")


def to_pacific(aware: datetime) -> datetime:
    """The Pacific wall clock at a moment, naive. Raises ValueError where the time has no zone."""
    if aware.tzinfo is None:
        raise ValueError("a time without a zone is no moment")
    return aware.astimezone(PACIFIC).replace(tzinfo=None, fold=0)


def to_utc(naive_pacific: datetime) -> datetime:
    """The moment of a Pacific wall clock time: the first of two in November.

    In the hour that does not exist in March, the clock is read as if it had not been set forward. Raises
    ValueError for an aware time.
    """
    if naive_pacific.tzinfo is not None:
        raise ValueError("that time has a zone already")
    return naive_pacific.replace(tzinfo=PACIFIC, fold=0).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to ``end``, naive Pacific, both included. Raises ValueError where that is none."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("a window has naive Pacific times")
        if self.start > self.end:
            raise ValueError("the window ends before it starts")

    def padded(self, before: timedelta, after: timedelta) -> Window:
        """A window that begins ``before`` earlier and ends ``after`` later."""
        return Window(self.start - before, self.end + after)

    def __contains__(self, stamp: datetime) -> bool:
        return self.start <= stamp <= self.end

    def in_whole_seconds(self) -> Window:
        """The smallest window of whole seconds around this one: what a request can say."""
        end = self.end.replace(microsecond=0)
        return Window(self.start.replace(microsecond=0), end if end == self.end else end + SECOND)
