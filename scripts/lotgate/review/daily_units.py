"""Units per day, and by weeks, months or years where there are too many days to look at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lotgate.parser import is_real_day

__all__ = ["Units", "by_period", "days_around_changes", "read_daily_units"]

BARS = 72
"""As many bars as read well beside each other on a laptop."""
NEIGHBOURS = 2


@dataclass(frozen=True)
class Units:
    """Units of a day, or of the period that begins with it, before, after, and by ShipStation.

    ``label`` is the day, or the text that stands in its place. ``shipstation`` is None where no complete
    fetch covers it.
    """

    label: str
    before: int
    after: int
    shipstation: int | None

    @property
    def change(self) -> int:
        """Units more than before."""
        return self.after - self.before


def read_daily_units(connection: sqlite3.Connection) -> tuple[list[Units], list[Units]]:
    """The real days, in order, and the texts that are no day."""
    rows = connection.execute(
        "select ship_date, legacy_units, candidate_units, shipstation_units"
        " from audit_daily_units order by ship_date"
    )
    days: list[Units] = []
    others: list[Units] = []
    for row in rows:
        shipstation = None if row[3] is None else int(row[3])
        units = Units(str(row[0]), int(row[1]), int(row[2]), shipstation)
        (days if is_real_day(units.label) else others).append(units)
    return days, others


def days_around_changes(days: Sequence[Units]) -> list[Units]:
    """At most BARS days, in order: all where they are few, else those that change most with their neighbours.

    ShipStation's other count is a change too, the last to be looked at. Of equal ones the later counts.
    """
    if len(days) <= BARS:
        return list(days)

    def weight(place: int) -> tuple[int, int, int]:
        day = days[place]
        gap = 0 if day.shipstation is None else abs(day.after - day.shipstation)
        return (abs(day.change), gap, place)

    chosen: set[int] = set()
    for place in sorted(range(len(days)), key=weight, reverse=True):
        around = set(range(max(0, place - NEIGHBOURS), min(len(days), place + NEIGHBOURS + 1)))
        if len(chosen | around) > BARS:
            break
        chosen |= around
    return [days[place] for place in sorted(chosen)]


def by_period(days: Sequence[Units]) -> tuple[str, list[Units]]:
    """The whole time in at most BARS bars: ``week``, ``month``, ``year`` or ``decade``, and its units.

    A period without units is left out. ShipStation's units are known where each day with units is covered.
    """
    found: list[Units] = []
    for name, first_day in PERIODS:
        found = _grouped(days, first_day)
        if len(found) <= BARS:
            return name, found
    return PERIODS[-1][0], found[-BARS:]


def _monday(day: str) -> str:
    real = date.fromisoformat(day)
    return (real - timedelta(days=real.weekday())).isoformat()  # 0001-01-01 was one


PERIODS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("week", _monday),
    ("month", lambda day: day[:7]),
    ("year", lambda day: day[:4]),
    ("decade", lambda day: f"{day[:3]}0s"),
)


def _grouped(days: Iterable[Units], first_day: Callable[[str], str]) -> list[Units]:
    groups: dict[str, list[Units]] = {}
    for day in days:
        groups.setdefault(first_day(day.label), []).append(day)
    return [
        Units(
            label,
            sum(day.before for day in group),
            sum(day.after for day in group),
            None
            if any(day.shipstation is None for day in group)
            else sum(day.shipstation or 0 for day in group),
        )
        for label, group in groups.items()
    ]
