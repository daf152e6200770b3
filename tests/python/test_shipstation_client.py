"""The client against the simulated API: what it asks for, what it takes for an answer, what it refuses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from lotgate.config import ShipStationSettings
from lotgate.console import PlainReporter, SilentReporter
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.shipstation.asking import Question
from lotgate.shipstation.client import (
    Client,
    Credentials,
    CredentialsRefused,
    FetchIncomplete,
    WrongAnswer,
    open_client,
)
from lotgate.shipstation.paging import Place
from lotgate.shipstation.simulator import Faults, Scripted, SetClock, Simulator, Store, Switches, TickingClock
from lotgate.shipstation.spool import Spool, open_spool
from lotgate.shipstation.times import Window
from shipstation_canned import FakeTime, fake_time
from shipstation_fixtures import NOW, Simulate, busy_store, settings_for, simulate

__all__ = ["fake_time", "simulate"]

DAY = timedelta(days=1)
MONDAY = datetime(2030, 3, 11)


@pytest.fixture
def spool() -> Iterator[Spool]:
    with open_spool() as opened:
        yield opened


Ask = Callable[..., Client]


@pytest.fixture
def ask(fake: FakeTime) -> Iterator[Ask]:
    with ExitStack() as opened:

        def start(simulator: Simulator, **settings: object) -> Client:
            client = open_client(
                settings_for(simulator, **settings),
                reporter=SilentReporter(),
                clock=fake.clock,
                sleep=fake.sleep,
            )
            return opened.enter_context(client)

        yield start


def test_credentials_are_shown_nowhere() -> None:
    credentials = Credentials.from_environment(
        {"SHIPSTATION_API_KEY": " k3y\n", "SHIPSTATION_API_SECRET": "s3cret"}
    )
    assert (credentials.key, credentials.secret) == ("k3y", "s3cret")
    assert repr(credentials) == str(credentials) == "Credentials()"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "SHIPSTATION_API_KEY and SHIPSTATION_API_SECRET are not set"),
        ({"SHIPSTATION_API_KEY": "k3y"}, "SHIPSTATION_API_SECRET is not set"),
        ({"SHIPSTATION_API_KEY": " ", "SHIPSTATION_API_SECRET": "s3cret"}, "SHIPSTATION_API_KEY is not set"),
        ({"SHIPSTATION_API_KEY": "k:y", "SHIPSTATION_API_SECRET": "s3cret"}, "a character"),
        ({"SHIPSTATION_API_KEY": "k3y", "SHIPSTATION_API_SECRET": "s3\ncret"}, "a character"),
    ],
)
def test_missing_or_impossible_credentials_are_a_wrong_use(environ: dict[str, str], message: str) -> None:
    with (
        pytest.raises(UsageError, match=message) as failed,
        open_client(ShipStationSettings(), reporter=SilentReporter(), environ=environ),
    ):
        pass
    for value in environ.values():
        assert not value.strip() or value not in f"{failed.value} {failed.value.hint}"


def test_refused_credentials_name_the_variables(
    simulate: Simulate, spool: Spool, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    simulator = simulate(busy_store())
    monkeypatch.setenv("SHIPSTATION_API_SECRET", "wr0ng")
    with pytest.raises(CredentialsRefused) as failed:
        ask(simulator).read_shipments(spool, shipped=("2030-03-11", "2030-03-11"))
    assert "SHIPSTATION_API_SECRET" in (failed.value.hint or "")
    assert "wr0ng" not in f"{failed.value!r} {failed.value.hint}"
    assert len(simulator.log) == 2


def test_nothing_is_sent_before_the_first_call_and_every_request_is_counted(
    simulate: Simulate, spool: Spool, ask: Ask
) -> None:
    simulator = simulate(busy_store(7))
    client = ask(simulator, page_size=3)
    assert (client.requests, len(simulator.log)) == (0, 0)
    assert client.read_shipments(spool, shipped=("2030-03-11", "2030-03-11")) == 7
    assert client.requests == len(simulator.log) == 3


def test_shipments_by_every_filter(simulate: Simulate, spool: Spool, ask: Ask) -> None:
    store = Store()
    first = store.add_order("100901", [("17612 - 250300", 3)], MONDAY)
    label = store.add_shipment(first, MONDAY + timedelta(hours=20, minutes=30), ship_date="2030-03-12")
    second = store.add_order("100902", [("17904 - 250240", 1)], MONDAY)
    voided = store.add_shipment(second, MONDAY + DAY)
    store.void_shipment(voided, MONDAY + DAY + timedelta(hours=1))
    returned = store.add_shipment(None, MONDAY + DAY, is_return=True, without_list=True)
    client = ask(simulate(store))

    def found(**filters: object) -> set[int]:
        with open_spool() as own:
            count = client.read_shipments(own, **filters)  # type: ignore[arg-type]
            ids = {shipment.shipment_id for shipment in own.shipments()}
        assert count == len(ids)
        return ids

    assert found(shipped=("2030-03-12", "2030-03-12")) == {label, voided, returned}
    assert found(shipped=("2030-03-11", "2030-03-11")) == set()
    assert found(created=Window(MONDAY, MONDAY + timedelta(hours=21))) == {label}
    assert found(created=Window(MONDAY + DAY, MONDAY + DAY)) == {voided, returned}
    assert found(voided=Window(MONDAY, MONDAY + 2 * DAY)) == {voided}
    assert found(order_id=second) == {voided}
    assert found(order_id=5) == set()
    client.read_shipments(spool, order_id=first)
    (shipment,) = spool.shipments()
    assert (shipment.order_number, shipment.ship_date) == ("100901", "2030-03-12")
    assert [(item.sku, item.quantity) for item in shipment.items] == [("17612 - 250300", 3)]


@pytest.mark.parametrize("bounds", ["inclusive", "exclusive"])
@pytest.mark.parametrize("fractions", ["honour", "cut"])
@pytest.mark.parametrize("offsets", ["honour", "reject"])
def test_windows_hold_exactly_what_lies_in_them_however_the_filters_work(
    bounds: str, fractions: str, offsets: str, simulate: Simulate, spool: Spool, ask: Ask
) -> None:
    store = Store()
    ids = []
    for place in range(-8, 9):
        moment = MONDAY + timedelta(milliseconds=500 * place)
        ids.append(store.add_order(f"{200000 + place}", [("17612", 1)], moment))
        store.add_shipment(ids[-1], moment)
        store.edit_order(ids[-1], moment)
    switches = Switches(rate_limit=10**6, order_bounds=bounds, fractions=fractions, offsets=offsets)  # type: ignore[arg-type]
    client = ask(simulate(store, switches))
    window = Window(MONDAY - timedelta(milliseconds=1500), MONDAY + timedelta(milliseconds=2000))
    assert client.read_orders(spool, modified=window) == 8
    assert [order.order_id for order in spool.orders()] == ids[5:13]
    assert client.read_orders(spool, created=window) == 8
    assert spool.counts().orders == 8
    assert client.read_orders(spool, created=Window(MONDAY - timedelta(seconds=1), MONDAY)) == 3
    assert client.read_shipments(spool, created=window) == 8
    assert {shipment.order_id for shipment in spool.shipments()} == set(ids[5:13])


@pytest.mark.parametrize("ship_filter", ["day", "time"])
def test_fulfillments_of_the_last_day_are_found_whatever_its_date_means(
    ship_filter: str, simulate: Simulate, spool: Spool, ask: Ask
) -> None:
    store = Store()
    order = store.add_order("100903", [("17612", 2)], MONDAY)
    mark = store.add_fulfillment(order, MONDAY + timedelta(hours=9), shipped=MONDAY + timedelta(hours=9))
    store.add_fulfillment(order, MONDAY + DAY, shipped=MONDAY + DAY)
    switches = Switches(rate_limit=10**6, fulfillment_ship_filter=ship_filter)  # type: ignore[arg-type]
    client = ask(simulate(store, switches))
    assert client.read_fulfillments(spool, shipped=("2030-03-11", "2030-03-11")) == 1
    (found,) = spool.fulfillments()
    assert (found.fulfillment_id, found.ship_date, found.order_id) == (mark, "2030-03-11", order)
    assert client.read_fulfillments(spool, created=Window(MONDAY, MONDAY + 2 * DAY)) == 2
    assert client.read_fulfillments(spool, order_id=order) == 2
    assert client.read_fulfillments(spool, order_id=order + 1) == 0


@pytest.mark.parametrize("numbers", ["mixed", "1", "1.0", "1.00"])
def test_numbers_are_read_however_they_are_written(
    numbers: str, simulate: Simulate, spool: Spool, ask: Ask
) -> None:
    simulator = simulate(busy_store(3), Switches(rate_limit=10**6, numbers=numbers))  # type: ignore[arg-type]
    ask(simulator).read_shipments(spool, shipped=("2030-03-11", "2030-03-11"))
    assert [shipment.items[0].quantity for shipment in spool.shipments()] == [1, 2, 3]


def test_one_order_by_its_own_address(simulate: Simulate, ask: Ask) -> None:
    store = busy_store(2)
    simulator = simulate(store)
    client = ask(simulator)
    (first, _) = store.orders
    order = client.order(first)
    assert order is not None
    assert (order.order_id, order.order_number, order.status) == (first, "100001", "shipped")
    assert client.order(first + 1000) is None
    simulator.faults = Faults(chances={"foreign-id": 1.0})
    with pytest.raises(WrongAnswer, match=f"asked for order {first} and answered with another"):
        client.order(first)


def test_the_incident_a_list_that_answers_with_one_old_order_whatever_is_asked(
    simulate: Simulate, spool: Spool, ask: Ask
) -> None:
    store = busy_store()
    old = store.add_order("100000", [("17612", 1)], datetime(2028, 4, 16), status="shipped")
    faults = Faults(chances={"foreign-order": 1.0}, foreign_order_id=old)
    simulator = simulate(store, faults=faults)
    with pytest.raises(WrongAnswer, match="list of orders has a record that was not asked for") as failed:
        ask(simulator).read_orders(spool, modified=Window(MONDAY, NOW))
    assert failed.value.exit_code == 1
    assert spool.counts().orders == 0


def test_labels_of_another_order_are_refused(simulate: Simulate, spool: Spool, ask: Ask) -> None:
    store = busy_store()
    simulator = simulate(store, faults=Faults(chances={"foreign-shipment": 1.0}))
    with pytest.raises(WrongAnswer, match="list of shipments"):
        ask(simulator).read_shipments(spool, order_id=next(iter(store.orders)))
    assert spool.counts().shipments == 0


def test_a_server_that_reads_our_times_in_another_zone_is_found_out(
    simulate: Simulate, spool: Spool, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight hours would be missing at one end, and others be there too many at the other."""
    simulator = simulate(busy_store(80))
    client = ask(simulator)
    written = "lotgate.shipstation.asking.write_stamp"
    monkeypatch.setattr(written, lambda stamp: (stamp + timedelta(hours=7)).isoformat(" ", "seconds"))
    with pytest.raises(WrongAnswer):
        client.read_shipments(spool, created=Window(MONDAY, MONDAY + timedelta(hours=12)))


def test_windows_must_have_ended_by_shipstations_clock(simulate: Simulate, spool: Spool, ask: Ask) -> None:
    simulator = simulate(busy_store())
    client = ask(simulator)
    with pytest.raises(FetchIncomplete, match=r"12:00:31 has not ended .* 2030-03-14 12:00") as no:
        client.read_shipments(spool, created=Window(MONDAY, NOW + timedelta(seconds=30, milliseconds=1)))
    assert "in the past" in (no.value.hint or "")
    assert [entry.path for entry in simulator.log] == ["/stores"]
    assert client.read_shipments(spool, created=Window(MONDAY, client.now())) == 7
    # ship dates may lie in the future
    assert client.read_shipments(spool, shipped=("2030-03-11", "2030-12-31")) == 7


@pytest.mark.parametrize("days", [("2030-03-12", "2030-03-11"), ("2030-02-30", "2030-03-11"), ("", "x")])
def test_ship_dates_must_be_days_in_order(
    days: tuple[str, str], simulate: Simulate, spool: Spool, ask: Ask
) -> None:
    client = ask(simulate())
    for read in (client.read_shipments, client.read_fulfillments):
        with pytest.raises(UsageError, match="ship dates"):
            read(spool, shipped=days)
    assert client.requests == 0


def test_where_a_record_lies_as_to_what_was_asked_for() -> None:
    question: Question[tuple[datetime, str | None]] = Question(lambda: NOW.replace(tzinfo=UTC) + DAY)
    window = Window(MONDAY, MONDAY + DAY)
    question.within(window, "modifyDate", "modified", lambda one: one[0], margin=DAY / 24, may_move=True)
    question.shipped(("2030-03-11", "2030-03-12"), lambda one: one[1], further_days=1)
    assert question.query == {
        "modifyDateStart": "2030-03-10 23:00:00",
        "modifyDateEnd": "2030-03-12 01:00:00",
        "shipDateStart": "2030-03-11",
        "shipDateEnd": "2030-03-13",
    }
    assert question.place((MONDAY, "2030-03-11")) is Place.inside
    assert question.place((MONDAY + DAY, "2030-03-12")) is Place.inside
    assert question.place((MONDAY - DAY / 48, "2030-03-12")) is Place.beside
    assert question.place((MONDAY, "2030-03-13")) is Place.beside
    assert question.place((MONDAY + 2 * DAY, "2030-03-12")) is Place.moved
    assert question.place((MONDAY - DAY, "2030-03-12")) is Place.elsewhere
    for day in ("2030-03-10", "2030-03-14", None):
        assert question.place((MONDAY + 2 * DAY, day)) is Place.elsewhere


@pytest.mark.parametrize("wrong", [-7200.0, -3.0, 0.0, 5.0, 86400.0 * 400])
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York"])
def test_now_is_shipstations_time_whatever_this_machine_thinks(
    wrong: float, zone: str, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        start = datetime(2030, 12, 31, 23, 59, 58)
        simulator = simulate(clock=TickingClock(start))
        true = start.replace(tzinfo=UTC).timestamp() + 8 * 3600
        with open_client(
            settings_for(simulator), reporter=SilentReporter(), wall_clock=lambda: true + wrong
        ) as client:
            assert start - timedelta(seconds=1) <= client.now() <= start + timedelta(seconds=1)
            assert client.clock_skew_s == pytest.approx(wrong, abs=2)
            assert client.requests == 1
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert os.environ.get("TZ") is None


def test_now_goes_on_by_itself_and_follows_the_servers_clock(simulate: Simulate) -> None:
    clock = SetClock(NOW)
    simulator = simulate(busy_store(), clock=clock)
    passed = [100.0]
    with (
        open_client(settings_for(simulator), reporter=SilentReporter(), clock=lambda: passed[0]) as client,
        open_spool() as spool,
    ):
        assert client.now() == NOW
        passed[0] += 3600.75
        assert client.now() == NOW + timedelta(hours=1)  # in whole seconds
        assert client.requests == 1
        clock.advance(timedelta(days=1))
        client.read_shipments(spool, order_id=1)
        assert client.now() == NOW + timedelta(days=1)


def test_now_in_the_hour_that_comes_twice(simulate: Simulate, spool: Spool, ask: Ask) -> None:
    store = Store()
    for utc_hour in (8, 9):  # 01:30 twice
        order = store.add_order(f"10000{utc_hour}", [("17612", 1)], datetime(2025, 11, 1))
        store.add_shipment(order, datetime(2025, 11, 2, 1, 30))
    simulator = simulate(store, clock=SetClock(datetime(2025, 11, 2, 9, 40, tzinfo=UTC)))
    client = ask(simulator)
    assert client.now() == datetime(2025, 11, 2, 1, 40)
    assert client.read_shipments(spool, created=Window(datetime(2025, 11, 1, 23), client.now())) == 2
    # by text the first hour went on to 01:59:59, and that is over
    assert (
        client.read_shipments(spool, created=Window(datetime(2025, 11, 1), datetime(2025, 11, 2, 1, 59))) == 2
    )


def test_without_a_date_there_is_no_time_and_no_window(simulate: Simulate, spool: Spool, ask: Ask) -> None:
    simulator = simulate(busy_store(), faults=Faults(chances={"no-date": 1.0}))
    client = ask(simulator)
    with pytest.raises(EnvironmentFailed, match="what time it is"):
        client.now()
    with pytest.raises(EnvironmentFailed, match="what time it is"):
        client.read_shipments(spool, created=Window(MONDAY, NOW))
    simulator.faults = Faults()
    assert client.now() == NOW


def test_tells_what_it_reads_and_what_it_waits_for_and_nothing_else(
    simulate: Simulate, spool: Spool, fake: FakeTime, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = Faults(
        script=[Scripted("throttled-reset-0", "/shipments", 1), Scripted("bad-gateway", "/shipments", 2)]
    )
    simulator = simulate(busy_store(), faults=faults)
    with open_client(
        settings_for(simulator), reporter=PlainReporter(), clock=fake.clock, sleep=fake.sleep
    ) as client:
        client.read_shipments(spool, shipped=("2030-03-11", "2030-03-12"))
        simulator.faults = Faults(script=[Scripted("throttled-no-headers", "*", 1)])
        client.order(next(iter(simulator.store.orders)))
    lines = capsys.readouterr().err.splitlines()
    title = "Reading shipments shipped 2030-03-11 to 2030-03-12"
    assert lines[0] == f"{title} ..."
    assert lines[1] == f"{title}: waiting 1 s for ShipStation's rate limit ..."
    assert lines[2].startswith(f"{title}: ShipStation: status 502; asking again in ")
    assert lines[3:] == ["Asking ...", "Asking: waiting 60 s for ShipStation's rate limit ..."]


def test_the_rate_limit_is_never_exceeded(simulate: Simulate, spool: Spool) -> None:
    simulator = simulate(busy_store(60), Switches(rate_limit=8, window_s=1.0))
    before = time.monotonic()
    with open_client(settings_for(simulator, page_size=3), reporter=SilentReporter()) as client:
        assert client.read_shipments(spool, shipped=("2030-03-11", "2030-03-12")) == 60
    assert time.monotonic() - before < 8
    assert simulator.rate_violations == 0
    assert simulator.peak_per_window == 8
    assert len(simulator.log) == 20
