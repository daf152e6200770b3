"""Every fault of the simulated API, alone and mixed at random: a fetch is complete and true, or it fails.

The truth is compared with the simulator's own store, field by field.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from lotgate.console import SilentReporter
from lotgate.shipstation.client import (
    Client,
    CredentialsRefused,
    FetchIncomplete,
    RequestFailed,
    WrongAnswer,
    open_client,
)
from lotgate.shipstation.simulator import (
    FAULTS,
    Faults,
    Label,
    Mark,
    Order,
    SetClock,
    Simulator,
    Store,
    serve,
)
from lotgate.shipstation.spool import Spool, open_spool
from lotgate.shipstation.times import Window
from shipstation_canned import FakeTime
from shipstation_fixtures import ENVIRON, FREE, NOW, Simulate, settings_for, simulate

__all__ = ["simulate"]

START = datetime(2030, 3, 1, 8)
WEEK = Window(START - timedelta(hours=1), NOW - timedelta(hours=1))
MIXES = int(os.environ.get("LOTGATE_TEST_FAULT_MIXES", "60"))
SKUS = ("17612 - 250300", "17904-250240", "18795", None, "17914 - 250297")


def random_store(source: random.Random) -> Store:
    """Some days of labels, voids, returns, reprints, marks and edits, all before an hour ago."""
    store = Store()
    moment = START
    for number in range(source.randint(1, 60)):
        moment += timedelta(minutes=source.choice([0, 0, 1, 7, 45, 200]), milliseconds=source.randint(0, 999))
        items = [(source.choice(SKUS), source.randint(0, 9)) for _ in range(source.randint(0, 3))]
        order = store.add_order(f"{100000 + number}", items, moment)
        kind = source.random()
        if kind < 0.1:
            continue
        if kind < 0.2:
            mark = store.add_fulfillment(
                order, moment, shipped=moment + timedelta(hours=source.randint(0, 30))
            )
            if source.random() < 0.3:
                store.void_fulfillment(mark, moment + timedelta(minutes=1))
            continue
        day = f"{moment + timedelta(days=source.choice([-1, 0, 0, 0, 1])):%Y-%m-%d}"
        label = store.add_shipment(order, moment, ship_date=day, is_return=source.random() < 0.1)
        if source.random() < 0.2:
            store.void_shipment(label, moment + timedelta(minutes=3))
        elif source.random() < 0.2:
            store.reprint_shipment(label, moment + timedelta(minutes=3))
    return store


def label_fields(label: Label) -> tuple[Any, ...]:
    items = tuple((line.order_item_id, line.sku, line.quantity) for line in label.items or ())
    fields = (label.shipment_id, label.order_id, label.number, label.created, label.ship_date)
    return (*fields, label.tracking, label.is_return, label.voided, label.voided_at, items)


def order_fields(order: Order) -> tuple[Any, ...]:
    items = tuple((line.order_item_id, line.sku, line.quantity) for line in order.items)
    fields = (order.order_id, order.number, order.key, order.created, order.modified, order.ship_date)
    return (*fields, order.externally_fulfilled, order.parent_id, items)


def mark_fields(mark: Mark) -> tuple[Any, ...]:
    fields = (mark.fulfillment_id, mark.order_id, mark.number, mark.tracking, mark.created)
    return (*fields, f"{mark.shipped:%Y-%m-%d}", mark.voided, mark.voided_at)


def fetched(spool: Spool) -> dict[str, list[tuple[Any, ...]]]:
    """What is in the spool, in the form of the three functions above."""
    return {
        "labels": [
            (
                *(one.shipment_id, one.order_id, one.order_number, one.created, one.ship_date),
                *(one.tracking_number, one.is_return_label, one.voided, one.voided_at),
                tuple((item.order_item_id, item.sku, item.quantity) for item in one.items),
            )
            for one in spool.shipments()
        ],
        "orders": [
            (
                *(one.order_id, one.order_number, one.order_key, one.created, one.modified, one.ship_date),
                *(one.externally_fulfilled, one.parent_id),
                tuple((item.order_item_id, item.sku, item.quantity) for item in one.items),
            )
            for one in spool.orders()
        ],
        "marks": [
            (
                *(one.fulfillment_id, one.order_id, one.order_number, one.tracking_number, one.created),
                *(one.ship_date, one.voided, one.voided_at),
            )
            for one in spool.fulfillments()
        ],
    }


def read_all(client: Client, spool: Spool, window: Window) -> int:
    return (
        client.read_shipments(spool, created=window)
        + client.read_orders(spool, modified=window)
        + client.read_fulfillments(spool, created=window)
    )


def truth(store: Store, window: Window) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "labels": [
            label_fields(store.labels[key])
            for key in sorted(store.labels)
            if store.labels[key].created in window
        ],
        "orders": [
            order_fields(store.orders[key])
            for key in sorted(store.orders)
            if store.orders[key].modified in window
        ],
        "marks": [
            mark_fields(store.marks[key]) for key in sorted(store.marks) if store.marks[key].created in window
        ],
    }


@contextmanager
def client_of(simulator: Simulator, fake: FakeTime, **settings: object) -> Iterator[Client]:
    with open_client(
        settings_for(simulator, **settings), reporter=SilentReporter(), clock=fake.clock, sleep=fake.sleep
    ) as client:
        yield client


CHANGED_MEANWHILE = ("insert-between-pages", "void-between-pages", "edit-between-pages")
FOREIGN = ("foreign-order", "foreign-id", "foreign-shipment")


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in (*CHANGED_MEANWHILE, *FOREIGN)])
def test_a_fault_now_and_then_changes_nothing(name: str, simulate: Simulate) -> None:
    source = random.Random(name)
    store = random_store(source)
    # one answer in eight; a credential that is refused twice in a row is refused
    faults = Faults(chances={name: 0.12}, seed=7, in_a_row=1 if name == "random-401" else 2, slow_s=0.01)
    simulator = simulate(store, faults=faults)
    with client_of(simulator, FakeTime(), page_size=7) as client, open_spool() as spool:
        for _ in range(5):  # a list that changes in every pass is given up, and read another time
            with suppress(FetchIncomplete):
                count = read_all(client, spool, WEEK)
                break
        assert fetched(spool) == truth(store, WEEK)
        assert count == sum(map(len, truth(store, WEEK).values())) > 0
        assert client.requests == len(simulator.log)
    assert name in simulator.faults.met


HARMLESS = ("slow", "no-date", "unknown-keys", "unknown-status", "foreign-id", "foreign-shipment")


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in CHANGED_MEANWHILE])
def test_a_fault_in_every_answer_is_harmless_or_makes_the_fetch_fail(name: str, simulate: Simulate) -> None:
    store = random_store(random.Random(11))
    assert len(truth(store, WEEK)["labels"]) > 14
    old = store.add_order("099999", [("17612", 1)], datetime(2028, 4, 16), status="shipped")
    faults = Faults(chances={name: 1.0}, in_a_row=None, slow_s=0.01, foreign_order_id=old)
    simulator = simulate(store, faults=faults)
    with client_of(simulator, FakeTime(), page_size=7, attempts=3) as client, open_spool() as spool:
        simulator.faults = Faults()
        client.now()
        simulator.faults = faults
        if name not in (*HARMLESS, "random-401", "foreign-order"):
            with pytest.raises(FetchIncomplete):
                client.read_shipments(spool, created=WEEK)
            assert len(simulator.log) < 90
            return
        if name == "random-401":
            with pytest.raises(CredentialsRefused):
                client.read_shipments(spool, created=WEEK)
            return
        if name == "foreign-order":
            with pytest.raises(WrongAnswer):
                client.read_orders(spool, modified=WEEK)
            assert spool.counts().orders == 0
            return
        count = read_all(client, spool, WEEK)
        assert fetched(spool) == truth(store, WEEK)
        assert count == sum(map(len, truth(store, WEEK).values()))


@pytest.mark.parametrize("ends_at", [6, 3, 1])
def test_rows_that_make_pages_fail_are_read_in_smaller_pages(ends_at: int, simulate: Simulate) -> None:
    store = random_store(random.Random(3))
    labels = sorted(label.shipment_id for label in store.labels.values() if label.created in WEEK)
    faults = Faults(poisoned=[labels[0], labels[len(labels) // 2], labels[-1]], poison_ends_at=ends_at)
    simulator = simulate(store, faults=faults)
    with client_of(simulator, FakeTime(), page_size=30, attempts=2) as client, open_spool() as spool:
        assert client.read_shipments(spool, created=WEEK) == len(labels)
        assert fetched(spool)["labels"] == truth(store, WEEK)["labels"]


def test_a_row_that_always_fails_makes_the_fetch_incomplete_and_its_position_known(
    simulate: Simulate,
) -> None:
    store = random_store(random.Random(3))
    labels = sorted(store.labels.values(), key=lambda label: (label.created, label.shipment_id))
    simulator = simulate(store, faults=Faults(poisoned=[labels[8].shipment_id], poison_ends_at=0))
    with (
        client_of(simulator, FakeTime(), page_size=6, attempts=2) as client,
        open_spool() as spool,
        pytest.raises(FetchIncomplete, match=f"record 9 of {len(labels)} cannot be read"),
    ):
        client.read_shipments(spool, created=WEEK)


def test_a_slow_server_is_given_up_after_the_time_allowed(simulate: Simulate) -> None:
    simulator = simulate(
        random_store(random.Random(5)), faults=Faults(chances={"slow": 1.0}, slow_s=0.4, in_a_row=None)
    )
    with (
        client_of(simulator, FakeTime(), timeout_s=0.1, attempts=2) as client,
        open_spool() as spool,
        pytest.raises(FetchIncomplete, match=r"no answer within 0\.1 s"),
    ):
        client.read_shipments(spool, shipped=("2030-03-01", "2030-03-14"))


def random_faults(source: random.Random) -> dict[str, float]:
    names = [name for name in FAULTS if name not in FOREIGN and name != "slow"]
    return {name: source.choice([0.02, 0.05, 0.15]) for name in source.sample(names, source.randint(1, 8))}


def test_any_mix_of_faults_ends_in_the_truth_or_in_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows that are over: what the simulator changes meanwhile lies outside, but voids and edits."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    outcomes: Counter[str] = Counter()
    for seed in range(MIXES):
        source = random.Random(seed)
        store = random_store(source)
        chances = random_faults(source)
        before = truth(store, WEEK)["labels"]
        size = source.randint(2, 20)
        with (
            serve(store, FREE, Faults(chances=chances, seed=seed), clock=SetClock(NOW)) as simulator,
            client_of(simulator, FakeTime(), page_size=size) as client,
            open_spool() as spool,
        ):
            try:
                labels = client.read_shipments(spool, created=WEEK)
                outcomes["complete"] += 1
            except (FetchIncomplete, CredentialsRefused, RequestFailed) as error:
                outcomes[type(error).__name__] += 1
                continue
            found, true = fetched(spool)["labels"], truth(store, WEEK)["labels"]
            assert labels == len(found), seed
            assert [row[0] for row in found] == [row[0] for row in true], seed
            if not {"void-between-pages"} & set(chances):
                assert found == true == before, seed
            for row, now, then in zip(found, true, before, strict=True):
                assert row in (now, then), seed
            try:
                orders = client.read_orders(spool, modified=WEEK)
                marks = client.read_fulfillments(spool, created=WEEK)
            except (FetchIncomplete, CredentialsRefused, RequestFailed) as error:
                outcomes[f"later {type(error).__name__}"] += 1
                continue
            true = truth(store, WEEK)
            found = fetched(spool)
            assert orders == len(true["orders"]), seed
            assert set(true["orders"]) <= set(found["orders"]), seed
            assert marks == len(true["marks"]), seed
            assert found["marks"] == true["marks"], seed
            outcomes["complete to the end"] += 1
    assert outcomes["complete to the end"] > MIXES / 3, outcomes
    assert sum(outcomes.values()) - outcomes["complete"] == MIXES
    print(dict(outcomes))
