"""Sync at its edges: outages, clocks, odd orders, stopping and going on."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.shipstation.failures import WrongAnswer
from lotgate.shipstation.simulator import Faults, Scripted
from lotgate.shipstation.times import to_pacific
from lotgate.sync.engine import SyncReport
from lotgate.sync.permission import NotNow
from lotgate.sync.services import SERVICES, Service
from lotgate.sync.stopping import stop_afterwards
from lotgate.sync.watch import watch
from shipstation_fixtures import NOW
from sync_cases import Ingestion, migrated_row, query, run_sql

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"
LIVE_ROWS = "select shipstation_shipment_id, quantity_shipped from shipped_items order by 1"


# nothing is passed over


def test_a_later_since_does_not_jump_over_what_was_not_read(sync: Ingestion) -> None:
    sync.run()
    sync.ship("600105", (TEXT, 3), at=sync.later(hours=2))
    sync.later(days=18)
    sync.run(since=f"{NOW + timedelta(days=18):%Y-%m-%d}")
    assert sum(sync.units().values()) == 3


def test_a_label_whose_day_came_during_an_outage_is_written(sync: Ingestion) -> None:
    sync.ship("600105", (TEXT, 3), at=MORNING, ship_date="2030-03-24")
    sync.run()
    sync.ship("600115", (TEXT, 1), at=sync.later(days=2))
    sync.later(minutes=5)
    sync.run()
    assert [reason for _, reason in sync.quarantine()] == ["future_ship_date"]
    sync.later(days=30)
    sync.run()
    assert sum(sync.units().values()) == 4
    assert sync.quarantine() == []


def test_a_hand_mark_whose_day_has_come_is_written(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 3)], MORNING)
    sync.store.add_fulfillment(order, MORNING, shipped=datetime(2030, 3, 16))
    sync.run("status")
    assert [reason for _, reason in sync.quarantine()] == ["future_ship_date"]
    sync.ship("600115", (TEXT, 1), at=sync.later(days=1))
    sync.later(minutes=5)
    sync.run("status")
    sync.later(days=4)
    sync.run("status")
    assert sum(sync.units().values()) == 4


def test_retry_finds_labels_without_an_order(sync: Ingestion) -> None:
    shipment = sync.store.add_shipment(None, MORNING, items=[("18255 - 250300", 2)])
    sync.run()
    entries = [(f"shipment {shipment} line 0", "unknown_sku")]
    assert sync.quarantine() == entries
    sync.ship("600115", (TEXT, 1), at=sync.later(days=20))
    sync.later(minutes=5)
    sync.run()
    run_sql(sync, "insert into skus (sku_code, product_name) values ('18255', 'New')")
    sync.run()
    assert sync.quarantine() == entries
    assert sync.run(retry=True).settled == 1
    assert sum(sync.units().values()) == 3


def test_a_label_without_its_list_settles_nothing(sync: Ingestion) -> None:
    _, shipment = sync.ship("600105", (TEXT, 3), ("ducks", 2), at=MORNING)
    sync.run()
    entries = sync.quarantine()
    assert [reason for _, reason in entries] == ["unparseable_sku"]
    sync.store.labels[shipment] = replace(sync.store.label(shipment), items=None)
    sync.store.version += 1
    sync.run()
    assert sync.quarantine() == entries
    assert sum(sync.units().values()) == 3


def test_labels_made_while_it_reads_do_not_stop_it(sync: Ingestion) -> None:
    for number in range(600105, 600405, 10):
        sync.ship(str(number), (TEXT, 1), at=MORNING)

    def make(*arguments: object) -> None:
        sync.ship(f"7{sync.store.version:06d}", (TEXT, 1), at=sync.later(seconds=20))

    sync.simulator.faults = Faults(between_pages=make)
    sync.page_size = 7
    sync.run()
    assert sum(sync.units().values()) >= 30


# clocks


@pytest.mark.parametrize("service", SERVICES)
def test_the_hour_that_comes_twice_is_no_future(sync: Ingestion, service: Service) -> None:
    def at(utc: datetime) -> datetime:
        sync.clock.set(utc.replace(tzinfo=UTC))
        return to_pacific(sync.clock())

    number = "100905" if service == "manual" else "600105"
    sync.ship(number, (TEXT, 1), at=at(datetime(2025, 11, 2, 8, 50)))  # 01:50 PDT
    at(datetime(2025, 11, 2, 8, 52))
    sync.run(service)
    sync.ship(f"{number[:5]}6", (TEXT, 1), at=at(datetime(2025, 11, 2, 9, 5)))  # 01:05 PST
    at(datetime(2025, 11, 2, 9, 6))
    sync.run(service)
    assert sum(sync.units().values()) == 2
    at(datetime(2025, 11, 2, 11, 0))
    sync.run(service)
    assert sum(sync.units().values()) == 2


def test_a_window_does_not_end_in_the_hour_that_does_not_come(sync: Ingestion) -> None:
    sync.clock.set(datetime(2025, 3, 9, 10, 0, 2, tzinfo=UTC))  # 03:00:02 PDT
    assert sync.run().window[1] == "2025-03-09T01:59:57"


# orders of one number, numbers that change


def test_a_void_of_one_part_asks_for_the_other_parts_of_the_order(sync: Ingestion) -> None:
    """Two parts with the same content left one legacy row; `status` sees only the part that changed."""
    old = MORNING - timedelta(days=60)
    day = f"{old:%Y-%m-%d}"
    first = sync.store.add_order("600105", [(TEXT, 5), (TEXT, 5)], old)
    second = sync.store.split_order(first, [1], old)
    sync.store.add_shipment(first, old)
    voided = sync.store.add_shipment(second, old)
    migrated_row(sync, "600105", 5, day)
    sync.store.void_shipment(voided, MORNING)
    sync.run("status")
    assert sync.units() == {("600105", "17612", "250300", day): 5}


def test_an_order_whose_number_changed_is_not_counted_under_both(sync: Ingestion) -> None:
    order = sync.store.add_order("100901", [(TEXT, 5)], MORNING)
    migrated_row(sync, "100901", 5, TODAY, order)
    sync.store.edit_order(order, MORNING, number="100901-A")
    shipment = sync.store.add_shipment(order, MORNING)
    sync.run()
    assert sync.units() == {("100901-A", "17612", "250300", TODAY): 5}
    assert query(sync.database, LIVE_ROWS) == [(shipment, 5)]


def test_parcels_of_an_order_whose_number_changed_move_together(sync: Ingestion) -> None:
    """`shipments` sees the new label only; the old one's row must not stay behind to be counted again."""
    old = MORNING - timedelta(days=60)
    order = sync.store.add_order("200010", [(TEXT, 5), (TEXT, 3)], old)
    first = sync.store.add_shipment(order, old, items=[(TEXT, 3)])
    migrated_row(sync, "200010", 3, f"{old:%Y-%m-%d}", order)
    sync.store.add_shipment(order, MORNING, items=[(TEXT, 5)])
    sync.store.edit_order(order, MORNING, number="200010-A")
    for label in list(sync.store.labels.values()):
        sync.store.edit_shipment(label.shipment_id, MORNING, number="200010-A")
    sync.run()
    sync.run("status")
    sync.run("status", backfill=True, retry=True)
    assert sum(sync.units().values()) == 8
    assert {key[0] for key in sync.units()} == {"200010-A"}
    assert query(
        sync.database, "select quantity_shipped from shipped_items where shipstation_shipment_id = ?", first
    ) == [(3,)]


def test_parcels_weeks_apart_that_a_rollback_added_up_are_told_apart(sync: Ingestion) -> None:
    old = MORNING - timedelta(days=50)
    order = sync.store.add_order("900010", [(TEXT, 9)], old)
    sync.store.add_shipment(order, old, items=[(TEXT, 5)])
    sync.store.add_shipment(order, MORNING, items=[(TEXT, 4)])
    migrated_row(sync, "900010", 9, f"{old:%Y-%m-%d}")
    sync.run()
    assert sum(sync.units().values()) == 9


def test_one_id_in_many_headers_says_nothing(sync: Ingestion) -> None:
    """The incident wrote one foreign id into a hundred headers."""
    foreign = sync.store.add_order("500005", [(TEXT, 5)], MORNING)
    sync.store.add_shipment(foreign, MORNING)
    for number in ("600105", "600115"):
        migrated_row(sync, number, 5, TODAY, foreign)
    sync.run()
    assert {key[0] for key in sync.units()} == {"500005", "600105", "600115"}


def test_units_by_hand_are_taken_over_by_a_label_however_it_is_spelled(sync: Ingestion) -> None:
    for number, text in (("600105", "17612-250300"), ("600115", "17612"), ("600125", "17612 - 250237")):
        order = sync.store.add_order(number, [(TEXT, 5)], MORNING)
        sync.store.add_fulfillment(order, MORNING)
        sync.store.add_shipment(order, MORNING, items=[(text, 3)])
    sync.run_all()
    units = query(sync.database, "select order_number, sum(quantity_shipped) from shipped_items group by 1")
    assert units == [("600105", 5), ("600115", 5), ("600125", 5)]


def test_a_late_label_takes_over_from_an_old_hand_mark(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 5)], MORNING)
    sync.store.add_fulfillment(order, MORNING)
    sync.run("status")
    sync.store.add_shipment(order, sync.later(days=43))
    sync.later(minutes=5)
    sync.run_all()
    assert sum(sync.units().values()) == 5


def test_an_order_found_to_be_fulfilled_elsewhere_loses_its_units(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 5)], MORNING)
    sync.store.add_fulfillment(order, MORNING)
    sync.run("status")
    sync.store.edit_order(order, sync.later(hours=1), externally_fulfilled=True)
    sync.later(minutes=5)
    sync.run("status")
    assert sync.units() == {}


def test_a_wrong_answer_holds_back_its_own_order(sync: Ingestion) -> None:
    first = sync.store.add_order("100901", [(TEXT, 3), (TEXT, 2)], MORNING)
    second = sync.store.split_order(first, [1], MORNING)
    sync.store.add_shipment(first, MORNING)
    sync.store.add_shipment(second, MORNING)
    foreign, _ = sync.ship("500005", (TEXT, 7), at=MORNING - timedelta(days=100))
    script = [Scripted("foreign-id", "/orders/{id}", 1)]
    sync.simulator.faults = Faults(script=script, foreign_order_id=foreign)
    sync.run("manual")
    assert sync.units() == {("100901", "17612", "250300", TODAY): 2}
    assert sync.quarantine() == [(f"order {first}", "wrong_answer")]
    sync.simulator.faults = Faults()
    sync.run("manual", retry=True)
    assert sum(sync.units().values()) == 5
    assert sync.quarantine() == []


def test_orders_of_a_number_wait_for_one_that_answers_wrongly_where_a_row_is_at_stake(
    sync: Ingestion,
) -> None:
    first = sync.store.add_order("100901", [(TEXT, 3), (TEXT, 2)], MORNING)
    second = sync.store.split_order(first, [1], MORNING)
    sync.store.add_shipment(first, MORNING)
    sync.store.add_shipment(second, MORNING)
    migrated_row(sync, "100901", 4, TODAY)
    foreign, _ = sync.ship("500005", (TEXT, 7), at=MORNING - timedelta(days=100))
    before = sync.content()
    sync.simulator.faults = Faults(
        script=[Scripted("foreign-id", "/orders/{id}", 1)], foreign_order_id=foreign
    )
    sync.run("manual")
    assert sync.content() == before
    assert {subject for subject, _ in sync.quarantine()} == {f"order {first}", f"order {second}"}


# stopping, and going on


def test_a_signal_is_not_lost_when_the_block_fails() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def fail() -> None:
        with stop_afterwards():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
            raise EnvironmentFailed("locked")

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert signal.getsignal(signal.SIGTERM) is before


def test_watch_goes_on_after_what_may_pass_and_ends_with_what_may_not() -> None:
    troubles: list[Exception] = [
        EnvironmentFailed("no network"), WrongAnswer("another order"), NotNow("switched off"),
    ]  # fmt: skip
    told: list[object] = []

    def run(service: Service) -> SyncReport:
        raise troubles.pop(0)

    watch(
        SERVICES, run, lambda service, what: told.append(what), interval_s=1, sleep=lambda s: None, rounds=1
    )
    assert [type(one) for one in told] == [EnvironmentFailed, WrongAnswer, NotNow]
    troubles.append(GateClosed("rolled back"))
    with pytest.raises(GateClosed):
        watch(SERVICES, run, lambda *one: None, interval_s=1, sleep=lambda s: None, rounds=1)
