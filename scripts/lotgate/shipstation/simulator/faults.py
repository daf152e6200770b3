"""What can go wrong with an answer, on demand: alone, at a scripted request, or by chance with a seed.

The faults are those that clients of ShipStation have met (docs/shipstation.md, sections 4, 5 and 7).
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lotgate.shipstation.simulator.store import Store

__all__ = ["FAULTS", "BetweenPages", "Faults", "Request", "Scripted"]


@dataclass(frozen=True)
class Request:
    """A request as faults and hooks see it.

    ``path`` is normalised (``/orders``, ``/orders/{id}``); ``nth`` counts its requests from 1.
    """

    path: str
    query: Mapping[str, str]
    page: int
    nth: int


BetweenPages = Callable[[Store, Request], None]


# What each fault does to an answer. The first group replaces the answer, the second changes a page.
REPLACING = {
    "server-error": "500 with a JSON body",
    "bad-gateway": "502 with an HTML body",
    "unavailable": "503 with an empty body",
    "gateway-timeout": "504 with an HTML body",
    "html": "200 with an HTML body",
    "empty-body": "200 with an empty body",
    "truncated-json": "200 with JSON that ends early",
    "cut-short": "200 with a body that is shorter than its Content-Length, then the connection closes",
    "reset": "the connection is reset without an answer",
    "random-401": "401 with good credentials",
    "throttled-reset-0": "429 whose X-Rate-Limit-Reset is 0",
    "throttled-no-headers": "429 without rate limit headers",
}
CHANGING = {
    "slow": "the answer takes slow_s seconds longer",
    "no-date": "the Date header is missing",
    "null-record": "a record of the page is null",
    "unreadable-record": "a record of the page has lost its id",
    "empty-middle-page": "a page before the last has no records",
    "duplicate-rows": "the last record of the page before is there again",
    "shifted-page": "the page starts one record early, so that one is read twice and one not at all",
    "changing-total": "total (and pages with it) is one higher",
    "unknown-keys": "records, items and the reply have keys that nobody has documented",
    "unknown-status": "orders that are not shipped have a status that nobody has documented",
    "foreign-order": "the orders list holds one foreign old order, whatever was asked",
    "foreign-id": "/orders/{id} answers with another order",
    "foreign-shipment": "shipments asked for by orderId are another order's",
    "insert-between-pages": "a label for a new order is made before a further page is read",
    "void-between-pages": "a label is voided before a further page is read",
    "edit-between-pages": "an order is edited before a further page is read",
}
FAULTS: Mapping[str, str] = {**REPLACING, **CHANGING}
"""Name -> what it does."""

# Faults that leave an answer usable, or that stay as long as they are on: no patience of a client helps.
LASTING = frozenset(
    {"foreign-order", "foreign-id", "foreign-shipment", "no-date", "unknown-keys", "unknown-status"}
)


@dataclass(frozen=True)
class Scripted:
    """The ``nth`` request (from 1) to ``path`` suffers ``fault``; path ``*`` counts all requests."""

    fault: str
    path: str
    nth: int


class Faults:
    """Which faults befall which request; the same requests in the same order meet the same ones. Thread safe.

    ``chances``: name -> probability for each request. ``script``: faults at certain requests. ``in_a_row``:
    at most so many requests in succession suffer, by chance, a fault that may spoil their answer or their
    list, so that a client with enough patience arrives; None for no such bound. ``poisoned``: ids
    of rows whose page answers 500 while it has more than ``poison_ends_at`` rows (0: always).
    ``slow_s``: how long a slow answer takes. ``between_pages(store, request)`` is called before each further
    page of a list is read. Raises ValueError for an unknown name.
    """

    def __init__(
        self,
        *,
        chances: Mapping[str, float] | None = None,
        script: Iterable[Scripted] = (),
        seed: int = 0,
        in_a_row: int | None = 2,
        poisoned: Iterable[int] = (),
        poison_ends_at: int = 1,
        slow_s: float = 2.0,
        foreign_order_id: int | None = None,
        between_pages: BetweenPages | None = None,
    ) -> None:
        self.chances = dict(chances or {})
        self.script = tuple(script)
        for name in (*self.chances, *(step.fault for step in self.script)):
            if name not in FAULTS:
                raise ValueError(f"there is no fault {name!r}; the faults are: {', '.join(FAULTS)}")
        self.poisoned = frozenset(poisoned)
        self.poison_ends_at = poison_ends_at
        self.slow_s = slow_s
        self.foreign_order_id = foreign_order_id
        self.between_pages = between_pages
        self._in_a_row = in_a_row
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._row = 0
        self._asked: Counter[str] = Counter()
        self._met: dict[str, int] = defaultdict(int)

    def count(self, path: str) -> int:
        """Counts a request to ``path``; returns how many there were, this one included."""
        with self._lock:
            self._asked["*"] += 1
            self._asked[path] += 1
            return self._asked[path]

    def draw(self, request: Request) -> tuple[str, ...]:
        """The faults of one request: at most one that replaces the answer, any number that change it."""
        with self._lock:
            found = [
                step.fault
                for step in self.script
                if (step.path == request.path and step.nth == request.nth)
                or (step.path == "*" and step.nth == self._asked["*"])
            ]
            drawn = [name for name, chance in sorted(self.chances.items()) if self._random.random() < chance]
            harmful = [name for name in drawn if name not in LASTING]
            if harmful and self._in_a_row is not None and self._row >= self._in_a_row:
                drawn = [name for name in drawn if name in LASTING]
                harmful = []
            self._row = self._row + 1 if harmful else 0
            found += drawn
            replacing = [name for name in found if name in REPLACING]
            kept = [name for name in dict.fromkeys(found) if name not in REPLACING or name == replacing[0]]
            for name in kept:
                self._met[name] += 1
            return tuple(kept)

    def pick(self, count: int) -> int:
        """A place among ``count``, by the seed."""
        with self._lock:
            return self._random.randrange(count)

    def fork(self) -> random.Random:
        """A random source of its own for one change of the store, by the seed."""
        with self._lock:
            return random.Random(self._random.random())

    @property
    def met(self) -> dict[str, int]:
        """Fault -> how many requests met it so far."""
        with self._lock:
            return dict(self._met)
