"""Answering a list request from the store: filter, sort, cut out the page; the sorted list is kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from lotgate.shipstation.simulator.filters import ListRequest
from lotgate.shipstation.simulator.rows import Row
from lotgate.shipstation.simulator.store import Store

__all__ = ["Lists", "Page"]

KEPT_LISTS = 8


@dataclass(frozen=True)
class Page:
    """The rows of one page, and what the reply says beside them."""

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int
    before: Row | None = None
    """The row that precedes the page, for faults that show it again."""


class Lists:
    """The lists of one store. A list is made anew when the store has changed since; thread safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], list[Row]] = OrderedDict()

    def page(self, request: ListRequest) -> Page:
        """The page asked for. One past the end has no rows; an empty list has no pages, and is page 1."""
        rows = self._rows(request)
        start = (request.page - 1) * request.page_size
        pages = -(-len(rows) // request.page_size)
        return Page(
            rows=tuple(rows[start : start + request.page_size]),
            total=len(rows),
            page=request.page if rows else 1,
            pages=pages,
            before=rows[start - 1] if 0 < start <= len(rows) else None,
        )

    def _rows(self, request: ListRequest) -> list[Row]:
        with self._lock, self._store.lock:
            key = (request.kind, request.identity, self._store.version)
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            tests = request.tests
            rows = [row for row in self._source(request) if all(test(row) for test in tests)]
            rows.sort(key=request.sort, reverse=request.descending)
            self._kept = OrderedDict(
                (old, kept) for old, kept in self._kept.items() if old[2] == self._store.version
            )
            self._kept[key] = rows
            while len(self._kept) > KEPT_LISTS:
                self._kept.popitem(last=False)
            return rows

    def _source(self, request: ListRequest) -> list[Row]:
        store = self._store
        if request.kind == "orders":
            return list(store.orders.values())
        if request.kind == "shipments":
            by_order = request.order_id is not None
            return list(store.labels_of(request.order_id) if by_order else store.labels.values())
        by_order = request.order_id is not None
        return list(store.marks_of(request.order_id) if by_order else store.marks.values())
