"""The simulator's time: aware UTC for the ``Date`` header, naive US Pacific for everything in the store.

ShipStation keeps times in the steps of a SQL Server ``datetime``: thirds of a hundredth of a second, which
print as 0, 3 or 7 ms (docs/shipstation.md, section 0).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

__all__ = ["PACIFIC", "Clock", "SetClock", "TickingClock", "pacific", "quantised", "utc_clock"]

PACIFIC = ZoneInfo("America/Los_Angeles")
STEPS_PER_SECOND = 300

Clock = Callable[[], datetime]


def utc_clock() -> datetime:
    """This machine's time, aware UTC."""
    return datetime.now(UTC)


def pacific(moment: datetime) -> datetime:
    """The naive Pacific wall clock at the aware ``moment``."""
    return moment.astimezone(PACIFIC).replace(tzinfo=None, fold=0)


def quantised(moment: datetime) -> datetime:
    """``moment`` rounded to the nearest step of 0, 3 or 7 ms; rounding up may reach the next second."""
    steps = (moment.microsecond * STEPS_PER_SECOND + 500_000) // 1_000_000
    milliseconds = (steps * 20 + 3) // 6
    return moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)


class TickingClock:
    """A clock that shows ``start`` (aware; naive means Pacific) when it is made, and ticks from then on."""

    def __init__(self, start: datetime) -> None:
        aware = start if start.tzinfo is not None else start.replace(tzinfo=PACIFIC)
        self._start = aware.astimezone(UTC)
        self._made = time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._made)


class SetClock:
    """A clock that stands still until it is moved: for tests of midnight, and of histories."""

    def __init__(self, moment: datetime) -> None:
        self._lock = threading.Lock()
        self._moment = moment
        self.set(moment)

    def __call__(self) -> datetime:
        with self._lock:
            return self._moment

    def set(self, moment: datetime) -> None:
        """Shows ``moment`` from now on (aware; naive means Pacific)."""
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=PACIFIC)
        with self._lock:
            self._moment = aware.astimezone(UTC)

    def advance(self, step: timedelta) -> None:
        """Moves it by ``step``, which may be negative."""
        with self._lock:
            self._moment += step
