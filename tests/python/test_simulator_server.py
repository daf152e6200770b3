"""The simulator as a server: credentials, the rate limit and its headers, the clock, the log, its end."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.shipstation.simulator import Faults, SetClock, Store, Switches, TickingClock, serve
from lotgate.shipstation.simulator.limits import RateLimit
from shipstation_fixtures import ENVIRON, FREE, NOW, Simulate, busy_store, simulate

__all__ = ["simulate"]  # the fixture

PAIR = (ENVIRON["SHIPSTATION_API_KEY"], ENVIRON["SHIPSTATION_API_SECRET"])
LIMITS = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")


class Seconds:
    """A monotonic clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "pair", [None, ("simulator", "wrong"), ("wrong", "simulator"), ("", ""), ("sïmulator", "é")]
)
def test_a_wrong_pair_is_refused(simulate: Simulate, pair: tuple[str, str] | None) -> None:
    response = requests.get(simulate(busy_store(1)).url + "/stores", auth=pair, timeout=5)
    assert response.status_code == 401
    assert response.json() == {"Message": "Authorization has been denied for this request."}
    assert set(LIMITS) <= set(response.headers)


def test_the_right_pair_may_be_another_one(simulate: Simulate) -> None:
    simulator = simulate(key="k-1", secret="s:1")
    assert requests.get(simulator.url + "/stores", auth=("k-1", "s:1"), timeout=5).status_code == 200
    assert requests.get(simulator.url + "/stores", auth=PAIR, timeout=5).status_code == 401


def test_every_reply_tells_the_limit(simulate: Simulate) -> None:
    seconds = Seconds()
    simulator = simulate(busy_store(1), Switches(rate_limit=40), monotonic=seconds)
    told = []
    for path in ("/stores", "/orders", "/orders/7", "/shipments?page=x"):
        response = requests.get(simulator.url + path, auth=PAIR, timeout=5)
        told.append(tuple(response.headers[name] for name in LIMITS))
        assert "Retry-After" not in response.headers
        seconds.now += 1.5
    assert told == [("40", "39", "60"), ("40", "38", "58"), ("40", "37", "57"), ("40", "36", "55")]


def test_over_the_limit_it_says_so_until_the_window_ends(simulate: Simulate) -> None:
    seconds = Seconds()
    simulator = simulate(busy_store(1), Switches(rate_limit=3), monotonic=seconds)

    def status() -> int:
        return requests.get(simulator.url + "/stores", auth=PAIR, timeout=5).status_code

    assert [status() for _ in range(5)] == [200, 200, 200, 429, 429]
    response = requests.get(simulator.url + "/stores", auth=PAIR, timeout=5)
    assert response.text == '{"message": "Too Many Requests"}'
    assert [response.headers[name] for name in LIMITS] == ["3", "0", "60"]
    assert (simulator.rate_violations, simulator.peak_per_window) == (3, 6)
    seconds.now += 59.9
    assert status() == 429
    seconds.now += 0.2
    assert [status() for _ in range(4)] == [200, 200, 200, 429]
    assert (simulator.rate_violations, simulator.peak_per_window) == (5, 7)


def test_retry_after_only_where_wanted(simulate: Simulate) -> None:
    simulator = simulate(None, Switches(rate_limit=1, retry_after=True), monotonic=Seconds())
    answers = [requests.get(simulator.url + "/stores", auth=PAIR, timeout=5) for _ in range(2)]
    assert [answer.headers.get("Retry-After") for answer in answers] == [None, "60"]


@pytest.mark.parametrize(("rounding", "reset"), [("down", 59), ("up", 60)])
def test_the_reset_is_in_whole_seconds(rounding: str, reset: int) -> None:
    seconds = Seconds()
    limit = RateLimit(Switches(reset_rounding=rounding), seconds)  # type: ignore[arg-type]
    limit.take("a")
    seconds.now += 0.5
    assert limit.take("a").reset_s == reset


def test_each_key_has_its_own_window(simulate: Simulate) -> None:
    simulator = simulate(None, Switches(rate_limit=2), monotonic=Seconds())
    for pair in (PAIR, ("other", "key")):
        for _ in range(2):
            response = requests.get(simulator.url + "/stores", auth=pair, timeout=5)
        assert response.headers["X-Rate-Limit-Remaining"] == "0"
    assert simulator.rate_violations == 0


def test_the_limit_holds_for_many_threads(simulate: Simulate) -> None:
    simulator = simulate(None, Switches(rate_limit=25), monotonic=Seconds())
    statuses: list[int] = []

    def run() -> None:
        with requests.Session() as session:
            session.auth = PAIR
            statuses.extend(session.get(simulator.url + "/stores", timeout=5).status_code for _ in range(10))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), statuses.count(429)) == (25, 15)
    assert [entry.number for entry in simulator.log] == list(range(1, 41))


def test_a_limit_needs_a_window() -> None:
    for wrong in ({"rate_limit": 0}, {"window_s": 0.0}):
        with pytest.raises(ValueError, match="rate limit"):
            Switches(**wrong)  # type: ignore[arg-type]


def test_the_date_is_the_clocks(simulate: Simulate) -> None:
    clock = SetClock(NOW)
    simulator = simulate(clock=clock)

    def date() -> datetime:
        return parsedate_to_datetime(
            requests.get(simulator.url + "/stores", auth=PAIR, timeout=5).headers["Date"]
        )

    assert date() == datetime(2030, 3, 14, 19, 0, 0, tzinfo=UTC)
    clock.advance(timedelta(days=300, seconds=1.9))
    assert date() == datetime(2031, 1, 8, 19, 0, 1, tzinfo=UTC)


def test_a_ticking_clock_goes_on() -> None:
    clock = TickingClock(datetime(2030, 1, 2, 3, 4, 5))
    first, second = clock(), clock()
    assert (
        datetime(2030, 1, 2, 11, 4, 5, tzinfo=UTC)
        <= first
        <= second
        < datetime(2030, 1, 2, 11, 5, tzinfo=UTC)
    )


def test_one_connection_serves_many_requests(simulate: Simulate) -> None:
    simulator = simulate(busy_store(3))
    with socket.create_connection(
        ("127.0.0.1", int(simulator.url.rpartition(":")[2])), timeout=5
    ) as connection:
        request = (
            b"GET /stores HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2ltdWxhdG9yOnNpbXVsYXRvcg==\r\n\r\n"
        )
        for _ in range(2):
            connection.sendall(request)
            received = b""
            while b"\r\n\r\n" not in received or not received.endswith(b"]"):
                received += connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_after_its_end_nothing_is_answered() -> None:
    with requests.Session() as session:
        session.auth = PAIR
        with serve(Store()) as simulator:
            assert session.get(simulator.url + "/stores", timeout=5).status_code == 200
        with pytest.raises(requests.ConnectionError):
            session.get(simulator.url + "/stores", timeout=5)
    assert len(simulator.log) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.0.2.1", "::", "example.com"])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(UsageError, match="loopback"), serve(Store(), host=host):
        pass


def test_a_port_in_use_and_one_that_cannot_be() -> None:
    with serve(Store()) as simulator:
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(EnvironmentFailed, match=f"Port {port} is in use"), serve(Store(), port=port):
            pass
    with pytest.raises(UsageError, match="70000 is no port"), serve(Store(), port=70_000):
        pass


def test_the_log_has_a_line_for_each_request(simulate: Simulate, tmp_path: Path) -> None:
    file = tmp_path / "requests.log"
    simulator = simulate(busy_store(3), faults=Faults(chances={"no-date": 1.0}), log_file=file)
    requests.get(
        simulator.url + "/shipments?pageSize=2&createDateStart=2030-03-11%2000:00:00", auth=PAIR, timeout=5
    )
    requests.get(simulator.url + "/orders/7", auth=PAIR, timeout=5)
    first, second = simulator.log
    assert (first.method, first.path, first.status, first.records) == ("GET", "/shipments", 200, 2)
    assert (second.path, second.status, second.records) == ("/orders/7", 404, None)
    lines = file.read_text().splitlines()
    assert lines == [first.line(), second.line()]
    head, tail = lines[0].split(" ms=")
    assert head == (
        "2030-03-14T19:00:00.000Z GET"
        " /shipments?pageSize=2&createDateStart=2030-03-11%2000:00:00 200 records=2"
    )
    assert tail.endswith(" fault=no-date")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_log_has_no_secrets_and_no_names(simulate: Simulate, tmp_path: Path) -> None:
    file = tmp_path / "requests.log"
    simulator = simulate(key="public-part", secret="hidden-part", log_file=file)
    query = (
        "apiKey=hidden-part&recipientName=Sample%20Person&customerName=Sample&itemKeyword=hidden-part&page=1"
    )
    requests.get(f"{simulator.url}/shipments?{query}", auth=("public-part", "hidden-part"), timeout=5)
    requests.get(f"{simulator.url}/a%0Ab?", auth=("public-part", "hidden-part"), timeout=5)
    text = file.read_text()
    assert "hidden-part" not in text
    assert "public-part" not in text
    assert "Sample" not in text
    assert "recipientName=***" in text
    assert "page=1" in text
    assert len(text.splitlines()) == 2


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(EnvironmentFailed, match="cannot be written"),
        serve(Store(), log_file=tmp_path / "a" / "b"),
    ):
        pass


def test_two_simulators_do_not_share(simulate: Simulate) -> None:
    one, other = simulate(busy_store(1)), simulate(busy_store(2), replace(FREE, numbers="1"))
    totals = [
        requests.get(each.url + "/orders", auth=PAIR, timeout=5).json()["total"] for each in (one, other)
    ]
    assert totals == [1, 2]
    assert (len(one.log), len(other.log)) == (1, 1)
