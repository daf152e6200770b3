"""Ids as ShipStation hands them out: each kind of row counts up in a range of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable

from lotgate.shipstation.simulator.rows import Line

__all__ = ["FULFILLMENTS", "ORDERS", "SHIPMENTS", "Ids", "Items"]

ORDERS = 800_000_000
SHIPMENTS = 900_000_000
FULFILLMENTS = 12_000_000
ITEMS = 700_000_000

Items = Iterable[Line | tuple[str | None, int]]
"""Lines, or pairs of SKU text and quantity, which get an id of their own."""


class Ids:
    """The last id of each range. Not thread safe: the store's lock guards it."""

    def __init__(self) -> None:
        self._last: Counter[int] = Counter()

    def new(self, first: int, given: int | None, taken: Container[int]) -> int:
        """``given``, or the next number after all that were given in this range. ValueError for a double."""
        number = given if given is not None else max(self._last[first], first) + 1
        if given is not None and number in taken:
            raise ValueError(f"{number} is there already")
        self._last[first] = max(self._last[first], number)
        return number

    def lines(self, items: Items) -> tuple[Line, ...]:
        """The items as lines."""
        return tuple(
            item if isinstance(item, Line) else Line(self.new(ITEMS, None, ()), *item) for item in items
        )

    def note_lines(self, lines: Iterable[Line]) -> None:
        """Later items get other ids than these lines have."""
        for line in lines:
            self._last[ITEMS] = max(self._last[ITEMS], line.order_item_id or 0)
