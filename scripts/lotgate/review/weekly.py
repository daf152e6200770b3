"""What the weekly page shows, read from the reports of a candidate. Source: docs/reporting.md."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lotgate.parser import is_real_day

__all__ = [
    "ChargeDay",
    "LotLine",
    "Period",
    "SkuLine",
    "Week",
    "charge_totals",
    "read_charge_week",
    "read_lots_in_use",
    "read_period",
    "read_sku_lines",
    "read_weeks",
]

PERIOD_SQL = """
select as_of_date, last_full_date, last_week_start, first_recorded_week_start, first_week_start,
    average_weeks
from report_period
"""
SKUS_SQL = """
select
    report.sku_code, skus.product_name, report.last_week_units, report.average_hundredths, report.weeks_known,
    report.on_hand_units, report.days_left, report.pallets, report.reorder_point, report.alert_level,
    report.uncounted_movements, report.later_movements, report.later_shipped_units, report.stored_on_hand,
    report.stored_average, report.stored_average_unit, week.stored_units
from report_skus as report
left join skus on report.sku_code = skus.sku_code
left join report_period as period on period.as_of_date = report.as_of_date
left join report_weekly_shipped as week
    on week.sku_code = report.sku_code and week.week_start = period.last_week_start
order by report.sku_code
"""
WEEKS_SQL = """
select sku_code, week_start, units, units_from, stored_units
from report_weekly_shipped
where week_start > (select date(last_week_start, (-7 * average_weeks) || ' days') from report_period)
order by sku_code, week_start
"""
LOTS_SQL = """
select
    sku_code, lot_number, received_date, available_units, shipped_units, shipped_since_baseline, left_units,
    balance, last_ship_date
from report_lot_balances
where status = 'active'
order by sku_code, lot_number
"""
CHARGES_SQL = """
select
    charge_date, orders, units, pallets, skus_without_pallets, order_cents, unit_cents, pallet_cents,
    total_cents
from report_charge_days
where charge_date between :monday and :sunday
order by charge_date
"""


@dataclass(frozen=True)
class Period:
    """The days of the report; the weeks are Mondays. ``first_week`` is None without a complete week.

    ``average_weeks`` are the weeks over which averages are taken.
    """

    as_of: str
    last_full: str
    last_week: str
    first_recorded_week: str | None
    first_week: str | None
    average_weeks: int

    @property
    def sunday(self) -> str:
        """The last day of the last complete week."""
        return (date.fromisoformat(self.last_week) + timedelta(days=6)).isoformat()


@dataclass(frozen=True)
class SkuLine:
    """One SKU: units, hundredths of a unit for ``average``; None for what is not known."""

    sku_code: str
    product_name: str | None
    last_week: int | None
    average: int | None
    weeks: int
    on_hand: int | None
    days_left: int | None
    pallets: int | None
    reorder_point: int | None
    alert_level: str | None
    uncounted: int
    later_movements: int
    later_shipped: int
    stored_on_hand: int | None
    stored_average: int | None
    stored_average_unit: str | None
    stored_last_week: int | None

    @property
    def stored_stock_differs(self) -> bool:
        """Is another stock stored than the report has?"""
        return self.stored_on_hand is not None and self.stored_on_hand != self.on_hand

    @property
    def stored_week_differs(self) -> bool:
        """Is the last week stored with other units?"""
        return self.stored_last_week is not None and self.stored_last_week != self.last_week

    @property
    def stored_average_differs(self) -> bool:
        """Is the stored average another, in hundredths and in whole units?"""
        return self.stored_average is not None and self.stored_average_unit is None


@dataclass(frozen=True)
class Week:
    """Units of a SKU's week, None where unknown, and the table that says so."""

    monday: str
    units: int | None
    source: str
    stored: int | None


@dataclass(frozen=True)
class LotLine:
    """One active lot: what came in, what shipped, what is left; None for what is not known."""

    sku_code: str
    lot_number: str
    received: str | None
    available: int | None
    shipped: int
    since_baseline: int
    left: int | None
    balance: str
    last_shipped: str | None


@dataclass(frozen=True)
class ChargeDay:
    """What is charged for a day, or for several together, in cents; None for pallets that are not known."""

    day: str
    orders: int
    units: int
    pallets: int | None
    skus_without_pallets: int
    order_cents: int
    unit_cents: int
    pallet_cents: int | None
    total_cents: int | None


def read_period(connection: sqlite3.Connection) -> Period | None:
    """The days of the report; None where the database knows no day. ValueError for what is no day."""
    row = connection.execute(PERIOD_SQL).fetchone()
    if row is None:
        return None
    for day in row[:-1]:
        _check_day(day)
    return Period(*row)


def _check_day(day: object) -> None:
    """Days are compared and drawn, so they must be some."""
    if day is not None and not (isinstance(day, str) and is_real_day(day)):
        raise ValueError("a day of it is no day")


def read_sku_lines(connection: sqlite3.Connection) -> tuple[SkuLine, ...]:
    """The SKUs of the report, by code."""
    return tuple(SkuLine(*row) for row in connection.execute(SKUS_SQL))


def read_weeks(connection: sqlite3.Connection) -> dict[str, list[Week]]:
    """The complete weeks that the average is taken over, by SKU, in order."""
    weeks: dict[str, list[Week]] = {}
    for sku, monday, units, source, stored in connection.execute(WEEKS_SQL):
        _check_day(monday)
        known = None if units is None else int(units)
        weeks.setdefault(sku, []).append(Week(monday, known, str(source), stored))
    return weeks


def read_lots_in_use(connection: sqlite3.Connection) -> tuple[LotLine, ...]:
    """The active lots with their balance."""
    return tuple(LotLine(*row) for row in connection.execute(LOTS_SQL))


def read_charge_week(connection: sqlite3.Connection) -> tuple[ChargeDay, ...]:
    """The days of the last complete week with what is charged for them."""
    period = read_period(connection)
    if period is None:
        return ()
    rows = connection.execute(CHARGES_SQL, {"monday": period.last_week, "sunday": period.sunday})
    return tuple(ChargeDay(*row) for row in rows)


def charge_totals(days: Sequence[ChargeDay]) -> ChargeDay:
    """The days together; what is unknown on one of them is unknown in the sum. Pallets are pallet-days."""

    def total(values: Sequence[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return ChargeDay(
        "Total",
        sum(day.orders for day in days),
        sum(day.units for day in days),
        total([day.pallets for day in days]),
        max((day.skus_without_pallets for day in days), default=0),
        sum(day.order_cents for day in days),
        sum(day.unit_cents for day in days),
        total([day.pallet_cents for day in days]),
        total([day.total_cents for day in days]),
    )
