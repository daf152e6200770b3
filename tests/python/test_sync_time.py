"""Sync and the calendar: clocks that change, midnight, year's end, other zones, a clock that is wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lotgate.shipstation.times import to_pacific
from sync_cases import Ingestion

TEXT = "17612 - 250300"


def at(sync: Ingestion, utc: datetime) -> datetime:
    """Sets ShipStation's clock; returns what it shows in US Pacific."""
    sync.clock.set(utc.replace(tzinfo=UTC))
    return to_pacific(sync.clock())


@pytest.fixture
def zone() -> Iterator[None]:
    """Puts this process's time zone back afterwards."""
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    "midnight",
    [
        datetime(2025, 3, 9, 9, 30),  # 01:30 PST; the clocks go forward at 10:00 UTC
        datetime(2025, 11, 2, 8, 30),  # 01:30 PDT; they go back at 09:00 UTC, and 01:30 comes again
        datetime(2025, 12, 31, 23, 0),
        datetime(2026, 1, 1, 7, 45),  # 23:45 of the old year in US Pacific
        datetime(2026, 7, 1, 6, 55),
    ],
)
def test_labels_around_a_change_are_all_found_once(sync: Ingestion, midnight: datetime) -> None:
    """A label every ten minutes for four hours, and a sync every half an hour."""
    moment = at(sync, midnight - timedelta(hours=2))
    start = midnight - timedelta(hours=2)
    for step in range(25):
        moment = at(sync, start + timedelta(minutes=10 * step))
        sync.ship(f"{600005 + 10 * step}", (TEXT, 1), at=moment)
        if step % 3 == 2:
            at(sync, start + timedelta(minutes=10 * step, seconds=30))
            sync.run("shipments" if step % 2 else "status")
    at(sync, start + timedelta(minutes=250))
    sync.run_all()
    assert sum(sync.units().values()) == 25
    assert sync.units() == sync.truth(f"{moment:%Y-%m-%d}")


def test_the_day_is_the_pacific_one(sync: Ingestion) -> None:
    """At 22:30 Central on the 5th it is the 5th in US Pacific, and in UTC the 6th."""
    moment = at(sync, datetime(2025, 10, 6, 3, 30))
    assert f"{moment:%Y-%m-%d}" == "2025-10-05"
    sync.ship("600105", (TEXT, 2), at=moment)
    tomorrow = sync.store.add_order("600115", [(TEXT, 1)], moment)
    sync.store.add_shipment(tomorrow, moment, ship_date="2025-10-06")
    at(sync, datetime(2025, 10, 6, 3, 40))
    sync.run()
    assert sync.units() == {("600105", "17612", "250300", "2025-10-05"): 2}
    assert [reason for _, reason in sync.quarantine()] == ["future_ship_date"]
    at(sync, datetime(2025, 10, 6, 7, 10))  # ten minutes past midnight there
    sync.run()
    assert sum(sync.units().values()) == 3


@pytest.mark.parametrize("name", ["Asia/Tokyo", "Pacific/Auckland", "America/New_York", "UTC"])
@pytest.mark.usefixtures("zone")
def test_the_machines_zone_does_not_matter(sync: Ingestion, name: str) -> None:
    os.environ["TZ"] = name
    time.tzset()
    moment = at(sync, datetime(2025, 10, 6, 3, 30))
    sync.ship("600105", (TEXT, 2), at=moment)
    at(sync, datetime(2025, 10, 6, 3, 40))
    sync.run_all()
    assert sync.units() == {("600105", "17612", "250300", "2025-10-05"): 2}
    assert sync.watermark() == "2025-10-05T20:30:00"


def test_a_clock_that_is_wrong_is_told_and_not_used(sync: Ingestion) -> None:
    """The simulator's year is not this machine's: the whole run goes by ShipStation's clock."""
    moment = at(sync, datetime(2019, 5, 6, 19, 0))
    sync.ship("600105", (TEXT, 2), at=moment)
    at(sync, datetime(2019, 5, 6, 19, 10))
    report = sync.run()
    assert report.clock_skew_s > 365 * 86_400
    assert sync.units() == {("600105", "17612", "250300", "2019-05-06"): 2}
    assert sync.watermark() == "2019-05-06T12:00:00"
