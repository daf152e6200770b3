"""The reports in plain Python, from a candidate's target tables and the snapshot, apart from the models.

Source: docs/reporting.md. Only what the models say in SQL is done again here: units by week, averages, stock,
days left, pallets, lots, charges.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from reference.values import real_day, whole_number

SIGNS = {"receive": 1, "repack": 1, "adjust up": 1, "adjust down": -1}
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
PACIFIC_WINTER = timedelta(hours=8)
NEAR_DAYS = 45
YEARS = range(1970, 9999)


@dataclass(frozen=True)
class Settings:
    """The project's variables: days, weeks, cents."""

    baseline: date = date(2025, 9, 19)
    late_import_days: int = 30
    average_weeks: int = 52
    report_weeks: int = 520
    order_cents: int = 425
    unit_cents: int = 75
    pallet_cents: int = 45


@dataclass(frozen=True)
class Reports:
    """The rows of the reports, in the models' columns and order."""

    period: list[tuple[Any, ...]]
    weeks: list[tuple[Any, ...]]
    skus: list[tuple[Any, ...]]
    lots: list[tuple[Any, ...]]
    charges: list[tuple[Any, ...]]


def blank(value: object) -> str | None:
    text = None if value is None else str(value).strip(" \t\n\r\x0b\x0c\xa0")
    return text or None


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def as_day(text: object) -> date | None:
    found = real_day(text) if isinstance(text, str) else None
    return date.fromisoformat(found) if found else None


class Books:
    """What is read, once."""

    def __init__(self, db: sqlite3.Connection, settings: Settings) -> None:
        self.settings = settings
        self.skus = db.execute("select sku_code, pallet_count, reorder_point from main.skus").fetchall()
        self.items = db.execute(
            "select s.sku_code, i.ship_date, i.quantity_shipped, i.created_at, i.shipstation_shipment_id,"
            " i.lot_id from main.shipped_items i join main.skus s using (sku_id)"
        ).fetchall()
        self.orders = db.execute("select ship_date, order_number from main.shipped_orders").fetchall()
        self.lots = db.execute(
            "select l.lot_id, s.sku_code, l.initial_qty, l.manual_adjustment"
            " from main.lots l join main.skus s using (sku_id) order by l.lot_id"
        ).fetchall()
        self.updated = [t for (t,) in db.execute("select last_updated from legacy.inventory_current")]
        self.stored = db.execute(
            "select sku, start_date, end_date, quantity_shipped"
            " from legacy.weekly_shipped_history order by id"
        ).fetchall()
        self.moves = db.execute(
            "select sku, date, quantity, transaction_type from legacy.inventory_transactions"
        ).fetchall()
        self.parameters = db.execute(
            "select sku, category, parameter_name, value from legacy.configuration_params order by id"
        ).fetchall()

    def stored_weeks(self) -> dict[tuple[str | None, date], int]:
        found: dict[tuple[str | None, date], int] = {}
        for sku, start, end, units in self.stored:
            first, last, number = as_day(blank(start)), as_day(blank(end)), whole_number(units)
            if first and last and number is not None and first.weekday() == 0 and last - first == 6 * DAY:
                found.setdefault((blank(sku), first), number)
        return found

    def newest(self) -> date | None:
        """The Pacific day of the newest time near a shipment, or the newest ship date."""
        times = [created for _, _, _, created, shipment, _ in self.items if shipment is None]
        shipped = {as_day(day) for _, day, _, _, shipment, _ in self.items if shipment is None}
        days = {day for day in shipped if day is not None and day.year in YEARS}
        known = []
        for text in (*times, *self.updated):
            found = blank(text) or ""
            try:
                # a day alone is its midnight; a time needs its seconds
                time = datetime.fromisoformat(found if len(found) in {10, *range(19, 40)} else "")
                time = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
            except (ValueError, OverflowError):
                continue
            if time.year in YEARS and (
                not days or any(abs((time.date() - day).days) <= NEAR_DAYS for day in days)
            ):
                known.append(time - PACIFIC_WINTER)
        return max(known).date() if known else max(days, default=None)

    def first_recorded(self, as_of: date) -> date | None:
        days = []
        earliest: dict[str, list[str]] = {}
        for _, day, _, created, shipment, _ in self.items:
            if shipment is None:
                earliest.setdefault(day, [])
                if created is not None:
                    earliest[day].append(created)
        for day, created in earliest.items():
            made = as_day(min(created)[:10]) if created else None
            late = (
                made is not None and (made - date.fromisoformat(day)).days >= self.settings.late_import_days
            )
            if not late and date.fromisoformat(day) <= as_of:
                days.append(date.fromisoformat(day))
        return min(days, default=None)


def reports(db: sqlite3.Connection, settings: Settings | None = None) -> Reports:
    """Computes everything from a connection to the candidate with the snapshot attached as ``legacy``."""
    settings = settings or Settings()
    books = Books(db, settings)
    as_of = books.newest()
    if as_of is None:
        return Reports([], [], [], _lots(books), [])
    last_full = as_of - DAY
    last_week = monday_of(last_full + DAY) - WEEK
    earliest = last_week - WEEK * (settings.report_weeks - 1)
    recorded = books.first_recorded(as_of)
    recorded_week = monday_of(recorded + 6 * DAY) if recorded else None
    stored = books.stored_weeks()
    begins = [week for _, week in stored if earliest <= week <= last_week]
    if recorded_week is not None and recorded_week <= last_week:
        begins.append(max(recorded_week, earliest))
    first_week = min(begins, default=None)
    period = [
        (
            *(
                None if day is None else day.isoformat()
                for day in (as_of, last_full, last_week, recorded, recorded_week, first_week, as_of)
            ),
            settings.average_weeks,
        )
    ]

    shipped: Counter[tuple[str, date]] = Counter()
    daily: Counter[tuple[str, date]] = Counter()
    for sku, text, units, *_ in books.items:
        day = date.fromisoformat(text)
        shipped[sku, monday_of(day)] += units
        daily[sku, day] += units
    weeks = []
    known: dict[str, dict[date, int]] = {sku: {} for sku, *_ in books.skus}
    for sku, *_ in sorted(books.skus):
        for week in _series(first_week, last_week, WEEK):
            is_recorded = recorded_week is not None and week >= recorded_week
            units = shipped[sku, week] if is_recorded else stored.get((sku, week))
            source = (
                "shipped_items" if is_recorded else "unknown" if units is None else "weekly_shipped_history"
            )
            if units is not None:
                known[sku][week] = units
            weeks.append((sku, week.isoformat(), units, source, shipped[sku, week], stored.get((sku, week))))

    stock = Stock(books, daily)
    skus = []
    for sku, pallet_count, reorder_point in sorted(books.skus):
        window = [
            units
            for week, units in known[sku].items()
            if last_week - WEEK * settings.average_weeks < week <= last_week
        ]
        average = Fraction(sum(window), len(window)) if window else None
        on_hand = stock.on_hand(sku, as_of)
        days_left = None
        if average and on_hand is not None:
            days_left = max(0, math.floor(on_hand / (average / 7)))
        level = None
        if on_hand is not None:
            low = reorder_point is not None and on_hand <= reorder_point
            level = "critical" if on_hand <= 0 else "low" if low else "normal"
        skus.append(
            (
                sku,
                known[sku].get(last_week),
                len(window),
                None if average is None else math.floor(average * 100 + Fraction(1, 2)),
                on_hand,
                days_left,
                _pallets(on_hand, pallet_count),
                level,
                stock.uncounted[sku],
                *stock.later(sku, as_of),
            )
        )
    return Reports(period, weeks, skus, _lots(books), _charges(books, stock, daily, recorded, as_of))


class Stock:
    """Units on hand by SKU and day."""

    def __init__(self, books: Books, daily: Counter[tuple[str, date]]) -> None:
        self.books = books
        self.daily = daily
        self.baselines: dict[str, int | None] = {}
        for sku, category, name, value in books.parameters:
            if (blank(category), blank(name)) == ("InitialInventory", "EOD_Prior_Week") and blank(sku):
                self.baselines.setdefault(str(blank(sku)), whole_number(value))
        self.uncounted: Counter[str] = Counter()
        self.moved: Counter[tuple[str, date]] = Counter()
        self.movements: Counter[tuple[str, date]] = Counter()
        for sku, text, quantity, kind in books.moves:
            day, units = as_day((blank(text) or "")[:10]), whole_number(quantity)
            kind = (blank(kind) or "").lower()
            if day is None or units is None or kind not in (*SIGNS, "ship"):
                self.uncounted[str(blank(sku))] += 1
            elif kind in SIGNS:
                self.moved[str(blank(sku)), day] += SIGNS[kind] * units
                self.movements[str(blank(sku)), day] += 1

    def later(self, sku: str, than: date) -> tuple[int, int]:
        """Movements and shipped units of later days."""
        return (
            sum(number for (one, day), number in self.movements.items() if one == sku and day > than),
            sum(units for (one, day), units in self.daily.items() if one == sku and day > than),
        )

    def on_hand(self, sku: str, until: date) -> int | None:
        baseline = self.baselines.get(sku)
        if baseline is None or until < self.books.settings.baseline:
            return None
        after = self.books.settings.baseline

        def total(sums: Counter[tuple[str, date]]) -> int:
            return sum(units for (one, day), units in sums.items() if one == sku and after < day <= until)

        return baseline + total(self.moved) - total(self.daily)


def _pallets(on_hand: int | None, pallet_count: int | None) -> int | None:
    if on_hand is None:
        return None
    if on_hand <= 0:
        return 0
    return math.ceil(Fraction(on_hand, pallet_count)) if pallet_count and pallet_count > 0 else None


def _series(first: date | None, last: date, step: timedelta) -> Iterator[date]:
    while first is not None and first <= last:
        yield first
        first += step


def _lots(books: Books) -> list[tuple[Any, ...]]:
    found = []
    for lot, sku, initial, adjusted in books.lots:
        units = [(as_day(day), n) for _, day, n, _, _, one in books.items if one == lot]
        since = sum(n for day, n in units if day and day > books.settings.baseline)
        available = None if initial is None else initial + (adjusted or 0)
        left = None if available is None else available - since
        word = "unknown" if left is None else "overdrawn" if left < 0 else "covered"
        found.append((lot, sku, available, sum(n for _, n in units), since, left, word))
    return found


def _charges(
    books: Books, stock: Stock, daily: Counter[tuple[str, date]], recorded: date | None, as_of: date
) -> list[tuple[Any, ...]]:
    settings = books.settings
    found = []
    limit = as_of - WEEK * settings.report_weeks
    for day in _series(None if recorded is None else max(recorded, limit), as_of - DAY, DAY):
        orders = len({number for text, number in books.orders if text == day.isoformat()})
        units = sum(n for (_, one), n in daily.items() if one == day)
        each = [_pallets(stock.on_hand(sku, day), count) for sku, count, _ in books.skus]
        counted = [one for one in each if one is not None]
        pallets = sum(counted) if counted else None
        cents = (orders * settings.order_cents, units * settings.unit_cents)
        for_pallets = None if pallets is None else pallets * settings.pallet_cents
        found.append(
            (
                day.isoformat(),
                orders,
                units,
                pallets,
                len(each) - len(counted),
                *cents,
                for_pallets,
                None if for_pallets is None else sum(cents) + for_pallets,
            )
        )
    return found
