"""The invented world that generated databases tell of: SKUs, lots, days, incidents and what was fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

SKUS: Final = ("17612", "17904", "17914", "18675", "18795")
NAMES: Final = {
    "17612": "PT Kit",
    "17904": "Travel Kit",
    "17914": "PPR Kit",
    "18675": "Ortho Protect",
    "18795": "OraPro Paste",
}
LOTS: Final = {
    "17612": ("250237", "250300", "240312"),
    "17904": ("250240", "240276"),
    "17914": ("250297", "250123"),
    "18675": ("240231", "250189"),
    "18795": ("11001", "11002", "250341"),
}
"""Lots that `sku_lot` knows; the first of a SKU is also one of the five frozen rows of `lot_inventory`."""
DISCOVERED_LOT: Final = "230999"
"""A lot that no master table knows."""
DEFAULT_LOT: Final = "250070"
"""The default that was typed on manual orders and never shipped."""
PALLET_UNITS: Final = {"17612": 48, "17904": 81, "17914": 80, "18675": 48, "18795": 222}
BASELINE_DAY: Final = "2025-09-19"
BASELINE: Final = {"17612": 1019, "17904": 468, "17914": 1410, "18675": 714, "18795": 7719}
QUANTITIES: Final = (1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6, 6, 8, 10, 15, 16, 20, 40, 41)


@dataclass(frozen=True)
class Incident:
    """One line of incidents.csv."""

    wrong: str
    correct: str
    created_from: str
    created_to: str
    note: str


INCIDENT: Final = Incident(
    "2024-04-16",
    "2025-10-06",
    "2025-10-06 15:43:00",
    "2025-10-06 17:45:00",
    "Status sync shipped every open order on one old day",
)
"""The incident whose correct date ShipStation covers, when there is evidence."""
UNCOVERED_INCIDENT: Final = Incident(
    "2024-05-21", "2025-09-22", "2025-09-22 09:00:00", "2025-09-22 11:30:00", "The same fault, first seen"
)
"""An incident whose correct date is never covered; its wrong date is, since some orders did ship then."""
TWICE_FIRST: Final = Incident(
    "2024-06-11", "2025-09-29", "2025-09-29 10:00:00", "2025-09-29 12:00:00", "First of two runs"
)
TWICE_SECOND: Final = Incident(
    "2024-06-11", "", "2025-09-30 10:00:00", "2025-09-30 12:00:00", "Second run, true day unknown"
)
"""Two incidents with one wrong date: the window that holds the row decides which one is the row's."""
INCIDENTS: Final = (INCIDENT, UNCOVERED_INCIDENT, TWICE_FIRST, TWICE_SECOND)


@dataclass(frozen=True)
class Fetch:
    """One row of the evidence's `fetches`."""

    first_day: str
    last_day: str
    fetched_at: str
    complete: bool


COVERED_DAYS: Final = ("2025-10-06", "2025-10-07")
FUTURE_DAY: Final = "2025-10-15"
"""A day of a complete fetch that lies after the day of the fetch itself, and so is not covered."""
UNCOVERED_FETCHED_DAY: Final = "2025-09-16"
"""A day that only an incomplete fetch asked for."""
FETCHES: Final = (
    # Fetched before its day, so it covers nothing; nor does it take from the next one.
    Fetch("2025-10-06", "2025-10-06", "2025-10-05 21:10:00", True),
    Fetch("2025-10-06", "2025-10-07", "2025-10-08 06:00:00", True),
    Fetch("2025-10-14", "2025-10-16", "2025-10-14 18:00:00", True),
    Fetch("2024-05-21", "2024-05-21", "2025-10-08 06:05:00", True),
    Fetch("2025-09-15", "2025-09-19", "2025-10-08 06:10:00", False),
    # An incomplete fetch after a complete one takes nothing away.
    Fetch("2025-10-06", "2025-10-07", "2025-10-09 06:00:00", False),
)


@dataclass(frozen=True)
class Variant:
    """One line of sku_variants.csv."""

    raw: str
    sku: str
    lot: str


VARIANTS: Final = (
    Variant("17612 x 40", "17612", ""),
    Variant("18225", "17612", ""),
    Variant("PASTE-11001", "18795", "11001"),
    Variant("17904 - 77", "17904", "250240"),
    Variant("Travel kit, old box", "17904", ""),
    Variant("GIFT-1", "17000", ""),
)
"""`18225` would be a bare lot, `17904 - 77` a pack size, if the file did not explain them."""


def _weekdays(first: date, last: date) -> tuple[str, ...]:
    count = (last - first).days + 1
    days = (first + timedelta(days=offset) for offset in range(count))
    return tuple(day.isoformat() for day in days if day.weekday() < 5)


_NEVER_ORDINARY: Final = frozenset(
    [incident.wrong for incident in INCIDENTS] + ["2025-10-14", "2025-10-15", "2025-10-16"]
)
ORDINARY_DAYS: Final = tuple(
    day for day in _weekdays(date(2024, 1, 2), date(2025, 10, 31)) if day not in _NEVER_ORDINARY
)
"""Days on which ordinary orders ship: no incident's wrong date, no day of the odd fetch."""
SAFE_DAYS: Final = tuple(
    day
    for day in ORDINARY_DAYS
    if day not in COVERED_DAYS and day not in {incident.correct for incident in INCIDENTS}
)
"""Days that neither an incident nor complete evidence has anything to say about."""
AFTER_DAYS: Final = ("2025-10-02", "2025-10-03", "2025-10-08", "2025-10-09", "2025-10-10")
"""Safe days on which orders of the incident's days truly shipped."""


def shifted(day: str, days: int) -> str:
    """The day `days` days after (or before) `day`."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
