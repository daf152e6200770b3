"""ShipStation against the tables: what was fetched, the days by SKU, and every difference with its cause."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lotgate.parser import is_real_day
from lotgate.review.columnar import Column, Table
from lotgate.review.daily_units import Units
from lotgate.review.words import CAUSES

__all__ = [
    "Cause",
    "Coverage",
    "SkuDay",
    "by_day",
    "differing_days",
    "read_by_hand_units",
    "read_causes",
    "read_coverage",
    "read_differences",
    "read_sku_days",
]

DIFFERENCES = (
    Column("ship_date", "Ship date", "day"),
    Column("order_number", "Order", "code"),
    Column("sku_code", "SKU", "code"),
    Column("cause", "Likely cause"),
    Column("legacy_units", "Legacy", "number", "Units"),
    Column("shipstation_units", "ShipStation", "number", "Units"),
    Column("candidate_units", "Candidate", "number", "Units"),
    Column("after", "Afterwards"),
    Column("legacy_lot", "Legacy", "code", "Lot", optional=True),
    Column("shipstation_lot", "ShipStation", "code", "Lot", optional=True),
    Column("other_ship_date", "Other day", "day", optional=True),
    Column("legacy_id", "Legacy row", "number", optional=True),
    Column("shipment", "Shipment", optional=True),
)
DIFFERENCES_SQL = """
select
    ship_date, order_number, sku_code, likely_cause, legacy_units, shipstation_units, candidate_units,
    case when candidate_units = shipstation_units then 'as ShipStation' else 'still differs' end,
    legacy_lot, shipstation_lot, other_ship_date, legacy_id,
    case when shipment_id < 0 then 'by hand, ' || -shipment_id else cast(shipment_id as text) end
from audit_shipstation_differences
order by candidate_units = shipstation_units, ship_date, order_number, sku_code
"""
CAUSES_SQL = """
select
    likely_cause, count(*), sum(legacy_units), sum(shipstation_units), sum(candidate_units),
    sum(candidate_units <> shipstation_units)
from audit_shipstation_differences
group by likely_cause
"""
BY_HAND_SQL = """
select coalesce(sum(quantity), 0)
from audit_shipstation_lines
where
    units_from = 'order' and outcome in ('recovered', 'same_day', 'other_day', 'other_quantity')
"""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Coverage:
    """What was fetched: runs of covered days (first and last), and the fetches that were incomplete."""

    windows: tuple[tuple[str, str], ...]
    days: int
    incomplete: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class SkuDay:
    """A covered day and SKU with the units of the legacy rows, of ShipStation and of the candidate."""

    ship_date: str
    sku_code: str
    legacy: int
    shipstation: int
    candidate: int

    @property
    def differs(self) -> bool:
        """Has either table other units than ShipStation?"""
        return self.legacy != self.shipstation or self.candidate != self.shipstation


@dataclass(frozen=True)
class Cause:
    """The differences of one likely cause; in ``left`` of them the candidate still differs."""

    cause: str
    differences: int
    legacy: int
    shipstation: int
    candidate: int
    left: int


def read_coverage(connection: sqlite3.Connection) -> Coverage:
    """The covered days, and the fetches that cover nothing with the reason."""
    covered: list[tuple[date, date]] = []
    incomplete = []
    for first, last, fetched_on, is_complete, because in connection.execute(
        "select ship_date_from, ship_date_to, fetched_on, is_complete, incomplete_because"
        " from audit_shipstation_fetches order by ship_date_from, fetch_id"
    ):
        if not is_complete:
            incomplete.append((str(first), str(last), str(fetched_on), str(because or "")))
        elif is_real_day(first) and is_real_day(min(last, fetched_on)) and first <= min(last, fetched_on):
            covered.append((date.fromisoformat(first), date.fromisoformat(min(last, fetched_on))))
    windows = _united(covered)
    return Coverage(
        tuple((first.isoformat(), last.isoformat()) for first, last in windows),
        sum((last - first).days + 1 for first, last in windows),
        tuple(incomplete),
    )


def read_by_hand_units(connection: sqlite3.Connection) -> int:
    """The counted units of orders that were shipped by hand, without a label."""
    (units,) = connection.execute(BY_HAND_SQL).fetchone()
    return int(units)


def _united(windows: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    for first, last in sorted(windows):
        if found and first <= found[-1][1] + DAY:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def read_sku_days(connection: sqlite3.Connection) -> tuple[SkuDay, ...]:
    """The covered days by SKU, in order."""
    rows = connection.execute(
        "select ship_date, sku_code, legacy_units, shipstation_units, candidate_units"
        " from audit_shipstation_days order by ship_date, sku_code"
    )
    return tuple(
        SkuDay(str(day), str(sku), *(int(units) for units in figures)) for day, sku, *figures in rows
    )


def by_day(days: Iterable[SkuDay]) -> list[Units]:
    """The covered days with all SKUs together, for the chart."""
    sums: dict[str, list[int]] = {}
    for one in days:
        found = sums.setdefault(one.ship_date, [0, 0, 0])
        for place, units in enumerate((one.legacy, one.candidate, one.shipstation)):
            found[place] += units
    return [Units(day, *figures) for day, figures in sums.items() if is_real_day(day)]


def differing_days(days: Sequence[SkuDay], most: int) -> tuple[list[SkuDay], int]:
    """At most so many days and SKUs that differ, in order, and how many more there are.

    Those where the candidate still differs come before those that it brings to ShipStation's figure.
    """
    differing = [one for one in days if one.differs]
    chosen = sorted(differing, key=lambda one: one.candidate == one.shipstation)[:most]
    return sorted(chosen, key=lambda one: (one.ship_date, one.sku_code)), len(differing) - len(chosen)


def read_causes(connection: sqlite3.Connection) -> tuple[Cause, ...]:
    """The differences by cause, in the order of ``words.CAUSES``."""
    order = {cause: place for place, cause in enumerate(CAUSES)}
    found = [Cause(str(cause), *figures) for cause, *figures in connection.execute(CAUSES_SQL)]
    return tuple(sorted(found, key=lambda row: (order.get(row.cause, len(order)), row.cause)))


def read_differences(connection: sqlite3.Connection) -> Table:
    """Orders, SKUs and days on which legacy rows and ShipStation differ; what still differs comes first."""
    table = Table(DIFFERENCES)
    for row in connection.execute(DIFFERENCES_SQL):
        table.add(row)
    return table
