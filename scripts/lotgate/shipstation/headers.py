"""What the headers of ShipStation's replies tell: how many requests are left, and what time it is there.

ShipStation allows 40 requests in a fixed window of a minute for each pair of key and secret, and says in
three headers of every reply how many the window allows, how many are left, and in how many whole seconds the
next one begins (``docs/shipstation.md``, section 4). Headers may be missing or nonsense; nothing here
raises for that.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["RateLimit", "ServerClock"]

REQUESTS: Final = 40
WINDOW_S: Final = 60.0
# whole seconds are sent, so that the next window begins within the second after
GRACE_S: Final = 1.0
# what is further away is nonsense: the window is a minute
LONGEST_RESET_S: Final = 5 * WINDOW_S
LONGEST_RETRY_AFTER_S: Final = 10 * WINDOW_S
PLAUSIBLE_YEARS: Final = range(2000, 2200)


class RateLimit:
    """How long to wait before a request, so that the limit is never exceeded by our own requests.

    While replies have the headers, these decide: they also know of other programs with the same key. Without
    them, our own count does: no more than 40 requests in 60 seconds. Times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._remaining: int | None = None  # as of the last reply that said so, less what was sent since
        self._ends_at = -math.inf  # when that window is over for sure
        self._told = False  # did the last reply have the headers
        self._blocked_until = -math.inf
        self._sent: deque[float] = deque(maxlen=REQUESTS)

    def wait_s(self, now: float) -> float:
        """How long to wait before the next request is sent; 0 for not at all."""
        until = self._blocked_until
        if self._remaining is not None and self._remaining <= 0:
            until = max(until, self._ends_at)
        if not self._told and len(self._sent) == REQUESTS:
            until = max(until, self._sent[0] + WINDOW_S + GRACE_S)  # some arrive later than others
        return max(0.0, until - now)

    def sent(self, now: float) -> None:
        """A request goes out."""
        self._sent.append(now)
        if now >= self._ends_at:
            self._remaining = None  # a new window, of which the reply will tell
        elif self._remaining is not None:
            self._remaining -= 1

    def replied(self, headers: Mapping[str, str], now: float) -> None:
        """A reply came, of whatever status."""
        remaining = _whole(headers.get("X-Rate-Limit-Remaining"), largest=10**6)
        self._told = remaining is not None
        if remaining is None:
            return
        reset = _reset(headers)
        self._remaining = remaining
        self._ends_at = now + (WINDOW_S if reset is None else reset + GRACE_S)

    def throttled(self, headers: Mapping[str, str], now: float) -> None:
        """ShipStation refused a request as one too many."""
        reset = _reset(headers)
        wait = WINDOW_S if reset is None else reset + GRACE_S
        self._blocked_until = now + max(wait, retry_after(headers) or 0.0)


class ServerClock:
    """The server's time, from the ``Date`` of its replies and a local clock that nobody sets.

    It is a lower bound: replies have whole seconds and take a while, and a window that ends by this clock
    must lie in the past for the server, too. It is never more than a second and a reply's time behind.
    """

    def __init__(self) -> None:
        self._zero: datetime | None = None  # the server's time at 0 of the local clock

    def replied(self, headers: Mapping[str, str], sent_at: float, now: float) -> None:
        """A reply came at ``now`` to a request sent at ``sent_at``; a date that is none changes nothing."""
        date = _date(headers.get("Date"))
        if date is None or date.year not in PLAUSIBLE_YEARS:
            return
        zero = date - timedelta(seconds=now)
        highest = date + timedelta(seconds=1 - sent_at)  # the date was written after the request was sent
        # an estimate that this reply refutes came from a wrong date, or the server's clock was set back
        if self._zero is None or not zero <= self._zero <= highest:
            self._zero = zero

    def utc(self, now: float) -> datetime | None:
        """The server's time in UTC; None where no reply had a date."""
        return None if self._zero is None else self._zero + timedelta(seconds=now)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the header ``Retry-After`` asks for, at most ten minutes; None where it is no time.

    It has seconds or a date, which is measured against the reply's own ``Date``.
    """
    text = headers.get("Retry-After")
    seconds: float | None = _whole(text, largest=10**9)
    if seconds is None:
        until, date = _date(text), _date(headers.get("Date"))
        if until is None or date is None:
            return None
        seconds = max(0.0, (until - date).total_seconds())
    return min(float(seconds), LONGEST_RETRY_AFTER_S)


def _reset(headers: Mapping[str, str]) -> int | None:
    return _whole(headers.get("X-Rate-Limit-Reset"), largest=int(LONGEST_RESET_S))


def _whole(text: str | None, *, largest: int) -> int | None:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(largest))):
        return None
    number = int(text)
    return number if number <= largest else None


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
