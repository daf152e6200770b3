"""ShipStation's rate limit: a fixed window of so many requests for each key, and what it measured.

The window begins with a key's first request, and the next one with the first request after its end
(docs/shipstation.md, section 4). The seconds are real ones, whatever the simulated clock shows.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lotgate.shipstation.simulator.switches import Switches

__all__ = ["RateLimit", "Standing"]


@dataclass(frozen=True)
class Standing:
    """Where a key stands after a request. ``reset_s`` is whole seconds to the next window."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """The three headers that every reply has."""
        return {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(self.remaining),
            "X-Rate-Limit-Reset": str(self.reset_s),
        }


class RateLimit:
    """Counts requests in windows. Thread safe."""

    def __init__(self, switches: Switches, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = switches.rate_limit
        self._window_s = switches.window_s
        self._round = math.floor if switches.reset_rounding == "down" else math.ceil
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}
        self._violations = 0
        self._peak = 0

    def take(self, key: str) -> Standing:
        """Counts one request of ``key``; refused ones count towards the peak as well."""
        with self._lock:
            now = self._monotonic()
            start, count = self._windows.get(key, (now, 0))
            if now - start >= self._window_s:
                start, count = now, 0
            count += 1
            self._windows[key] = (start, count)
            self._peak = max(self._peak, count)
            self._violations += count > self._limit
            return Standing(
                allowed=count <= self._limit,
                limit=self._limit,
                remaining=max(0, self._limit - count),
                reset_s=self._round(self._window_s - (now - start)),
            )

    @property
    def violations(self) -> int:
        """Requests that were over the limit."""
        with self._lock:
            return self._violations

    @property
    def peak(self) -> int:
        """The most requests that one key sent in one window."""
        with self._lock:
            return self._peak
