"""What a list is asked for: the filters of the request, and the same conditions for what comes back.

ShipStation ignores filters that it does not know, and reads those that it knows in ways that are not all
written down. So every record is compared with what was asked for; one that lies elsewhere shows that the
list is about something else. This is how the status sync of the legacy system took one unrelated order for
the answer about every order that it asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Generic, TypeVar

from lotgate.errors import UsageError
from lotgate.parser import is_real_day, trim
from lotgate.shipstation.failures import FetchIncomplete
from lotgate.shipstation.paging import Place
from lotgate.shipstation.times import Window, to_pacific, to_utc, write_stamp

__all__ = ["Question"]

SECOND: Final = timedelta(seconds=1)
_Record = TypeVar("_Record")


@dataclass
class Question(Generic[_Record]):
    """The conditions of one list, all of which a record must meet. ``utc`` is the server's time."""

    utc: Callable[[], datetime]
    query: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    _conditions: list[Callable[[_Record], Place]] = field(default_factory=list)

    def within(
        self,
        window: Window | None,
        name: str,
        words: str,
        stamp: Callable[[_Record], datetime | None],
        *,
        margin: timedelta = timedelta(0),
        may_move: bool = False,
    ) -> None:
        """The record's time lies in the window; ``name`` is the filter's without ``Start`` and ``End``.

        ``margin`` is asked for besides, for filters that may not include their bounds. ``may_move`` says that
        the time may become later while the list is read. Raises FetchIncomplete where the window has not
        ended by the server's clock: what is still to come would be missing.
        """
        if window is None:
            return
        utc = self.utc()
        asked = window.in_whole_seconds()
        if to_utc(asked.end) > utc:
            raise FetchIncomplete(
                f"The window up to {write_stamp(asked.end)} has not ended by ShipStation's clock, which says"
                f" {write_stamp(to_pacific(utc))} (US Pacific).",
                hint="Ask for a window that lies in the past.",
            )
        end = asked.end if to_utc(asked.end + margin) > utc else asked.end + margin
        asked = Window(asked.start - margin, end)
        # fractions may be cut off before they are compared
        around = asked.padded(SECOND, SECOND)

        def place(record: _Record) -> Place:
            found = stamp(record)
            if found is None:
                return Place.elsewhere
            if found in window:
                return Place.inside
            if found in around:
                return Place.beside
            return Place.moved if may_move and found > around.end else Place.elsewhere

        self._ask(name, write_stamp(asked.start), write_stamp(asked.end))
        self.words.append(f"{words} {write_stamp(window.start)} to {write_stamp(window.end)}")
        self._conditions.append(place)

    def shipped(
        self,
        days: tuple[str, str] | None,
        ship_date: Callable[[_Record], str | None],
        *,
        further_days: int = 0,
    ) -> None:
        """The record's ship date is one of the days, first and last included.

        ``further_days`` are asked for besides, for ship dates with a time: the last day alone may mean its
        midnight. Raises UsageError for what are no days or in the wrong order.
        """
        if days is None:
            return
        first, last = days
        if not (is_real_day(first) and is_real_day(last)):
            raise UsageError(
                "The ship dates asked for are no days.", hint="Write them as YYYY-MM-DD, such as 2025-10-06."
            )
        if first > last:
            raise UsageError(
                f"The ship dates end ({last}) before they begin ({first}).", hint="Exchange them."
            )
        asked_last = (date.fromisoformat(last) + timedelta(days=further_days)).isoformat()

        def place(record: _Record) -> Place:
            found = ship_date(record)
            if found is None or not first <= found <= asked_last:
                return Place.elsewhere
            return Place.inside if found <= last else Place.beside

        self._ask("shipDate", first, asked_last)
        self.words.append(f"shipped {first} to {last}")
        self._conditions.append(place)

    def of_order(self, order_id: int | None, found: Callable[[_Record], int | None]) -> None:
        """The record belongs to that order."""
        if order_id is None:
            return
        self.query["orderId"] = str(order_id)
        self._conditions.append(lambda record: Place.inside if found(record) == order_id else Place.elsewhere)

    def of_number(self, order_number: str | None, found: Callable[[_Record], str | None]) -> None:
        """The record has that order number, blanks around it aside.

        The filter may mean "begins with", and may not see the case of letters: such numbers are passed over,
        and are no wrong answer.
        """
        if order_number is None:
            return
        self.query["orderNumber"] = order_number

        def place(record: _Record) -> Place:
            number = trim(found(record))
            if number == trim(order_number):
                return Place.inside
            begins = number.casefold().startswith(trim(order_number).casefold())
            return Place.beside if begins else Place.elsewhere

        self._conditions.append(place)

    def place(self, record: _Record) -> Place:
        """Where a record lies as to all conditions."""
        found = {condition(record) for condition in self._conditions}
        for place in (Place.elsewhere, Place.moved, Place.beside):
            if place in found:
                return place
        return Place.inside

    def _ask(self, name: str, start: str, end: str) -> None:
        self.query |= {f"{name}Start": start, f"{name}End": end}
