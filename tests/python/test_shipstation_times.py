"""ShipStation's times: what is read and written, daylight saving, and windows."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotgate.parser import is_real_day
from lotgate.shipstation.times import PACIFIC, Window, parse_stamp, to_pacific, to_utc, write_stamp


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2025-10-05T20:30:05.5830000", datetime(2025, 10, 5, 20, 30, 5, 583000)),
        ("2025-10-05T20:30:05.5839999", datetime(2025, 10, 5, 20, 30, 5, 583999)),
        ("2025-10-05T20:30:05.123456789012", datetime(2025, 10, 5, 20, 30, 5, 123456)),
        ("2025-10-05T20:30:42.98", datetime(2025, 10, 5, 20, 30, 42, 980000)),
        ("2025-10-05 20:30:05", datetime(2025, 10, 5, 20, 30, 5)),
        ("2025-10-05T20:30", datetime(2025, 10, 5, 20, 30)),
        ("2025-10-05", datetime(2025, 10, 5)),
        ("2025-12-31T23:59:59.9970000", datetime(2025, 12, 31, 23, 59, 59, 997000)),
        # a zone is converted, on both sides of the change
        ("2025-10-06T03:30:05Z", datetime(2025, 10, 5, 20, 30, 5)),
        ("2025-12-06T03:30:05.5Z", datetime(2025, 12, 5, 19, 30, 5, 500000)),
        ("2025-10-06T05:30:05+02:00", datetime(2025, 10, 5, 20, 30, 5)),
        ("2025-10-05T20:30:05-0700", datetime(2025, 10, 5, 20, 30, 5)),
        ("2026-01-01T07:30:00+00:00", datetime(2025, 12, 31, 23, 30)),
    ],
)
def test_reads_every_way_that_a_time_is_written(text: str, stamp: datetime) -> None:
    assert parse_stamp(text) == stamp


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 2025-10-05",
        "2025-10-05\n",
        "2025-02-29",
        "2025-10-05T24:00:00",
        "2025-10-05T20:30:60",
        "2025-10-05T20:30:05.",
        "2025-10-05T20:30:05.1 Z",
        "2025-10-05Z",
        "05/10/2025",
        "2025-1-5",
        "２０２５-10-05",
        "0001-01-01T00:00:00+14:00",
        "2025-10-05T20:30:05+25:00",
    ],
)
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_stamp(text)
    assert type(refused.value) is ValueError


@given(st.datetimes(min_value=datetime(1900, 1, 1)))
def test_what_is_written_is_read_again_to_the_second(stamp: datetime) -> None:
    assert parse_stamp(write_stamp(stamp)) == stamp.replace(microsecond=0)


def test_writes_no_offset_and_takes_no_zone() -> None:
    assert write_stamp(datetime(2025, 11, 2, 1, 30, 0, 999999)) == "2025-11-02 01:30:00"
    with pytest.raises(ValueError, match="no zone"):
        write_stamp(datetime(2025, 11, 2, 1, 30, tzinfo=PACIFIC))
    with pytest.raises(ValueError, match="without a zone"):
        to_pacific(datetime(2025, 11, 2))
    with pytest.raises(ValueError, match="a zone already"):
        to_utc(datetime(2025, 11, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("pacific", "utc"),
    [
        # clocks go forward on 2025-03-09 and 2026-03-08, back on 2025-11-02 and 2026-11-01
        ("2025-03-09T01:59:59", "2025-03-09T09:59:59"),
        ("2025-03-09T03:00:00", "2025-03-09T10:00:00"),
        ("2026-03-08T01:59:59", "2026-03-08T09:59:59"),
        ("2026-03-08T03:00:00", "2026-03-08T10:00:00"),
        ("2025-11-02T00:59:59", "2025-11-02T07:59:59"),
        ("2025-11-02T02:00:00", "2025-11-02T10:00:00"),
        ("2026-11-01T00:59:59", "2026-11-01T07:59:59"),
        ("2026-11-01T02:00:00", "2026-11-01T10:00:00"),
        ("2025-12-31T16:00:00", "2026-01-01T00:00:00"),
    ],
)
def test_pacific_and_utc_around_the_changes_of_the_clock(pacific: str, utc: str) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert to_utc(datetime.fromisoformat(pacific)) == moment
    assert to_pacific(moment) == datetime.fromisoformat(pacific)


@pytest.mark.parametrize("day", [datetime(2025, 11, 2), datetime(2026, 11, 1)])
def test_the_hour_that_comes_twice_is_read_as_the_first_and_both_have_one_text(day: datetime) -> None:
    first, second = day.replace(hour=8, minute=30), day.replace(hour=9, minute=30)
    assert to_pacific(first.replace(tzinfo=UTC)) == to_pacific(second.replace(tzinfo=UTC))
    assert to_pacific(second.replace(tzinfo=UTC)).fold == 0
    assert to_utc(day.replace(hour=1, minute=30)) == first.replace(tzinfo=UTC)
    # a window by text has both readings of the hour in it
    window = Window(day.replace(hour=1, minute=30), day.replace(hour=1, minute=30))
    assert to_pacific(first.replace(tzinfo=UTC)) in window
    assert to_pacific(second.replace(tzinfo=UTC)) in window


@pytest.mark.parametrize("day", [datetime(2025, 3, 9), datetime(2026, 3, 8)])
def test_the_hour_that_does_not_exist_goes_on_from_the_one_before(day: datetime) -> None:
    assert to_utc(day.replace(hour=2, minute=30)) == day.replace(hour=10, minute=30, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(2007, 3, 12), max_value=datetime(2037, 1, 1)))
def test_a_moment_survives_the_way_there_and_back_but_for_the_doubled_hour(stamp: datetime) -> None:
    moment = stamp.replace(tzinfo=UTC)
    late = moment - to_utc(to_pacific(moment))
    assert late in (timedelta(0), timedelta(hours=1))
    assert late == timedelta(0) or (moment.month == 11 and moment.hour == 9)


def test_windows_include_both_ends_and_are_padded_and_widened() -> None:
    window = Window(datetime(2025, 10, 6, 0, 0, 0, 583000), datetime(2025, 10, 6, 23, 59, 59, 3000))
    assert window.start in window
    assert window.end in window
    assert window.end + timedelta(microseconds=1) not in window
    assert window.start - timedelta(microseconds=1) not in window
    assert window.in_whole_seconds() == Window(datetime(2025, 10, 6), datetime(2025, 10, 7))
    assert window.in_whole_seconds().in_whole_seconds() == window.in_whole_seconds()
    padded = window.padded(timedelta(hours=2), timedelta(days=1))
    assert padded.start == window.start - timedelta(hours=2)
    assert padded.end == window.end + timedelta(days=1)


def test_refuses_windows_that_are_none() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Window(datetime(2025, 10, 6, 0, 0, 1), datetime(2025, 10, 6))
    with pytest.raises(ValueError, match="naive Pacific"):
        Window(datetime(2025, 10, 6, tzinfo=UTC), datetime(2025, 10, 7, tzinfo=UTC))
    assert datetime(2025, 10, 6) in Window(datetime(2025, 10, 6), datetime(2025, 10, 6))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("2025-10-06", True),
        ("2024-02-29", True),
        ("2025-02-29", False),
        ("2025-10-06T00:00", False),
        ("2025-13-01", False),
        ("", False),
        ("2025-1-06", False),
        ("2025-10-06 ", False),
    ],
)
def test_knows_a_day(text: str, is_one: bool) -> None:
    assert is_real_day(text) is is_one


ELSEWHERE = """
from datetime import datetime, UTC
from lotgate.parser import is_real_day
from lotgate.shipstation.times import parse_stamp, to_pacific, to_utc, write_stamp
print(to_pacific(datetime(2025, 11, 2, 9, 30, tzinfo=UTC)), to_utc(datetime(2026, 3, 8, 1, 59)),
      parse_stamp("2025-10-06T00:00:00Z"), write_stamp(datetime(2025, 12, 31, 23, 59, 59)))
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "America/New_York"])
def test_the_zone_of_the_machine_does_not_matter(zone: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env={**os.environ, "TZ": zone, "PYTHONTZPATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (
        "2025-11-02 01:30:00 2026-03-08 09:59:00+00:00 2025-10-05 17:00:00 2025-12-31 23:59:59"
    )
