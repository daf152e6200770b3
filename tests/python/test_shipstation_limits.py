"""ShipStation's rate limit and ShipStation's clock: what the headers of its replies are good for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lotgate.shipstation.failures import RequestFailed
from shipstation_canned import (  # noqa: F401
    DATE,
    TOO_MANY,
    Canned,
    Connect,
    FakeTime,
    Server,
    connected_transport,
    fake_time,
    limited,
    server_of_canned_replies,
)


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (Canned(429, TOO_MANY, limited(0, 17)), 18),
        (Canned(429, b"", limited(0, 0)), 1),
        (Canned(429, TOO_MANY), 60),
        (Canned(429, TOO_MANY, limited(0, "soon")), 60),
        (Canned(429, TOO_MANY, limited(0, -3)), 60),
        (Canned(429, TOO_MANY, limited(0, 10**12)), 60),
        (Canned(429, TOO_MANY, limited("none", 5)), 6),
        (Canned(429, TOO_MANY, limited(39, 5)), 6),
        (Canned(429, TOO_MANY, {**limited(0, 5), "Retry-After": "30"}), 30),
        (Canned(429, TOO_MANY, {**limited(0, 30), "Retry-After": "5"}), 31),
        (Canned(429, TOO_MANY, {"Retry-After": "86400"}), 600),
        (
            Canned(
                429,
                TOO_MANY,
                {"Retry-After": format_datetime(DATE + timedelta(seconds=90), usegmt=True)},
            ),
            90,
        ),
        (Canned(429, TOO_MANY, {"Retry-After": "presently"}), 60),
        # the message counts whatever the status, and in whatever form
        (Canned(200, TOO_MANY, limited(0, 9)), 10),
        (Canned(500, b'{"Message": "TOO MANY REQUESTS"}', limited(0, 9)), 10),
        (Canned(503, b"<html>Too Many Requests</html>", limited(0, 9)), 10),
        (Canned(401, b"Too many requests.", limited(0, 9)), 10),
    ],
)
def test_one_request_too_many_waits_for_the_next_window(
    reply: Canned, wait: float, server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [reply, Canned()]
    assert connect().get("/shipments") == {"ok": True}
    assert fake.waits == [pytest.approx(wait)]
    assert connect.notes == [f"waiting {wait} s for ShipStation's rate limit"]  # type: ignore[attr-defined]


def test_being_throttled_is_no_failed_attempt_but_not_for_ever(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    throttled = Canned(429, TOO_MANY, limited(0, 1))
    server.replies = [throttled] * 9 + [Canned(500, b""), Canned()]
    assert connect(attempts=2).get("/shipments") == {"ok": True}
    server.replies = [throttled]
    with pytest.raises(RequestFailed, match="one request too many, 10 times") as failed:
        connect(attempts=2).get("/shipments")
    assert not failed.value.page_may_be_at_fault
    assert "Another program" in (failed.value.hint or "")


def test_the_words_in_somebodys_note_are_not_taken_for_throttling(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    noted = {"orders": [{"customerNotes": "too many requests"}], "total": 1}
    server.replies = [Canned(body=json.dumps(noted).encode())]
    assert connect().get("/orders") == noted
    assert fake.waits == []


def test_waits_before_a_request_that_would_be_one_too_many(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [Canned(headers=limited(1, 20)), Canned(headers=limited(0, 12)), Canned()]
    transport = connect()
    transport.get("/a")
    assert fake.waits == []
    transport.get("/b")
    fake.time += 5
    transport.get("/c")
    assert fake.waits == [pytest.approx(8)]  # 12 + 1, less the 5 that went by


def test_a_reply_without_headers_does_not_make_the_count_forgotten(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [Canned(headers=limited(2, 20)), Canned(), Canned(), Canned()]
    transport = connect()
    for path in ("/a", "/b", "/c", "/d"):
        transport.get(path)
    assert fake.waits == [pytest.approx(21)]


def test_without_headers_no_more_than_40_requests_go_out_in_60_seconds(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    transport = connect()
    times = []
    for _ in range(125):
        transport.get("/a")
        times.append(fake.time)
        fake.time += 0.125
    assert all(later - earlier > 59.999 for earlier, later in zip(times, times[40:], strict=False))
    assert len(fake.waits) == 3
    assert times[-1] - times[0] < 190


@pytest.mark.parametrize("remaining", ["", "x", "-1", "1e3", "99999999999999999999", "٣", "0.5"])
def test_nonsense_in_the_headers_is_survived(
    remaining: str, server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [
        Canned(headers={"X-Rate-Limit-Remaining": remaining.encode().decode("latin-1")}, date=None)
    ]
    transport = connect()
    for _ in range(3):
        transport.get("/a")
    assert fake.waits == []


def test_the_servers_clock_is_read_from_good_replies_only(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [
        Canned(500, b"", date=DATE + timedelta(days=900)),
        Canned(date=DATE),
        Canned(date=None),
        Canned(headers={"Date": "yesterday"}, date=None),
        Canned(date=datetime(1985, 1, 1, tzinfo=UTC)),
        Canned(date=DATE + timedelta(seconds=9)),
        Canned(date=DATE + timedelta(seconds=10)),
        Canned(date=DATE - timedelta(hours=1)),
        Canned(date=DATE + timedelta(seconds=12)),
    ]
    transport = connect()
    assert transport.server_clock.utc(fake.time) is None
    transport.get("/a")
    assert transport.server_clock.utc(fake.time) == DATE
    fake.time += 10
    for _ in range(3):
        transport.get("/b")
        assert transport.server_clock.utc(fake.time) == DATE + timedelta(seconds=10)
    transport.get("/c")  # whole seconds: 9 may be 9.99, and does not set the clock back
    assert transport.server_clock.utc(fake.time) == DATE + timedelta(seconds=10)
    transport.get("/d")
    assert transport.server_clock.utc(fake.time) == DATE + timedelta(seconds=10)
    transport.get("/e")  # the server's clock was set back
    assert transport.server_clock.utc(fake.time) == DATE - timedelta(hours=1)
    transport.get("/f")
    assert transport.server_clock.utc(fake.time) == DATE + timedelta(seconds=12)


WAITING = """
import signal, sys, time
from lotgate.config import ShipStationSettings
from lotgate.shipstation.transport import Transport

def stop(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGTERM, stop)
transport = Transport(ShipStationSettings(url=sys.argv[1]), ("a", "b"))
transport.note = lambda text: print(text, flush=True)
try:
    transport.get("/a")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("reply", [Canned(429, TOO_MANY), Canned(503, b"", {"Retry-After": "50"})])
def test_a_wait_ends_at_once_with_sigterm(reply: Canned, server: Server) -> None:
    server.replies = [reply]
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, server.url],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert " s" in process.stdout.readline()
        before = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "interrupted\n"
        assert process.wait() == 0
        assert time.monotonic() - before < 5
