"""``recover``: what a simulated ShipStation shipped on some days is in the evidence, all of it or nothing."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from conftest import fingerprint
from lotgate.errors import GateClosed, UsageError
from lotgate.recover import check_days
from lotgate.shipstation.client import FetchIncomplete, WrongAnswer
from lotgate.shipstation.simulator import Faults, Line, Scripted, SetClock, Store
from lotgate.shipstation.simulator.units import count_units
from recovering import covered, evidence_units, recover, rows
from shipstation_fixtures import NOW, Simulate, simulate

__all__ = ["simulate"]  # the fixture

A, B = "17612 - 250300", "18795 - 11001"
DAY = "2030-03-12"
MORNING = datetime(2030, 3, 12, 8, 0)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def truth(store: Store, first: str, last: str) -> dict[tuple[str | None, str, str], int]:
    found = count_units(store.orders, store.labels.values(), store.marks.values())
    return {key: units for key, units in found.items() if first <= key[2] <= last}


def test_labels_of_the_day_are_kept_whole_and_others_are_not(
    simulate: Simulate, store: Store, work: Path
) -> None:
    order = store.add_order("100001 ", [(A, 3), (B, 2)], MORNING)
    late = datetime(2030, 3, 11, 22, 30, 5, 583000)
    of_the_day = store.add_shipment(order, late, ship_date=DAY, items=[(A, 3)], tracking="T1")
    store.add_shipment(order, MORNING, ship_date="2030-03-13", items=[(B, 2)])
    store.add_shipment(order, MORNING, ship_date="2030-03-11", items=[(B, 1)])
    recovery = recover(simulate(store), work, DAY)
    assert rows(work, "select * from shipments") == [
        (of_the_day, order, "100001 ", "2030-03-11T22:30:05.583000", DAY, "T1", 0, 0, None, "label")
    ]
    ((item_shipment, place, item_id, key, sku, quantity, adjustment),) = rows(
        work, "select * from shipment_items"
    )
    assert (item_shipment, place, key, sku, quantity, adjustment) == (of_the_day, 0, None, A, 3, 0)
    (line,) = store.labels[of_the_day].items or ()
    assert item_id == line.order_item_id
    assert rows(work, "select ship_date_from, ship_date_to, fetched_at, complete from fetches") == [
        (DAY, DAY, "2030-03-14 12:00:00", 1)
    ]
    assert (recovery.stored.shipments, recovery.stored.units, recovery.days_covered) == (1, 3, 1)
    assert recovery.stored.passed_over == 2
    assert recovery.requests >= 5
    assert stat.S_IMODE((work / "shipstation.sqlite").stat().st_mode) == 0o600
    assert sorted(path.name for path in work.iterdir()) == ["shipstation.sqlite"]


def test_what_is_no_shipped_unit_is_kept_as_evidence_and_counted_apart(
    simulate: Simulate, store: Store, work: Path
) -> None:
    order = store.add_order("100001", [(A, 3)], MORNING)
    voided = store.add_shipment(order, MORNING)
    store.reprint_shipment(voided, MORNING + timedelta(hours=1))
    store.add_shipment(order, MORNING, is_return=True)
    store.add_shipment(
        order,
        MORNING,
        items=[
            Line(1, None, 1, "discount"),
            Line(2, "  ", 1),
            Line(3, B, 0),
            Line(4, B, 1, "Discount"),
            Line(5, A, 2),
        ],
    )
    store.add_shipment(None, MORNING, without_list=True)
    stored = recover(simulate(store), work, DAY).stored
    assert (stored.shipments, stored.live, stored.voided, stored.returns) == (5, 3, 1, 1)
    assert (stored.units, stored.ignored_lines, stored.without_items) == (5, 4, 1)
    assert evidence_units(work) == {("100001", A, DAY): 5} == truth(store, DAY, DAY)
    assert rows(work, "select void_date from shipments where voided") == [("2030-03-12T09:00:00.000000",)]


def test_orders_shipped_by_hand_have_the_units_that_no_label_took(
    simulate: Simulate, store: Store, work: Path
) -> None:
    partly = store.add_order("100001", [(A, 3), (B, 2)], MORNING - timedelta(days=40))
    # a label of long ago, which no window of this fetch holds
    store.add_shipment(partly, MORNING - timedelta(days=30), items=[(A, 1), (B, 2)])
    mark = store.add_fulfillment(partly, MORNING, shipped=MORNING.replace(hour=15))
    taken_back = store.add_order("100002", [(A, 5)], MORNING)
    store.void_fulfillment(store.add_fulfillment(taken_back, MORNING), MORNING + timedelta(hours=1))
    elsewhere = store.add_order("100003", [(A, 7)], MORNING, externally_fulfilled=True)
    store.add_fulfillment(elsewhere, MORNING)
    gone = store.add_order("100004", [(A, 9)], MORNING)
    store.add_fulfillment(gone, MORNING)
    store.remove_order(gone)
    store.add_fulfillment(None, MORNING, number="100005")
    # its first mark is of an earlier day, which has the units
    earlier = store.add_order("100006", [(A, 2)], MORNING - timedelta(days=20))
    store.add_fulfillment(earlier, MORNING - timedelta(days=19))
    store.add_fulfillment(earlier, MORNING)
    simulator = simulate(store)
    recovery = recover(simulator, work, DAY)
    assert evidence_units(work) == {("100001", A, DAY): 2} == truth(store, DAY, DAY)
    found = rows(
        work, "select order_number, units_from, voided, shipment_id < 0 from shipments order by order_number"
    )
    assert found == [
        ("100001", "order", 0, 1),
        ("100002", "order", 1, 1),
        ("100004", "order", 0, 1),
        ("100005", "order", 0, 1),
        ("100006", "order", 0, 1),
    ]
    assert rows(work, "select tracking_number, ship_date from shipments where order_number = '100001'") == [
        ("", DAY)
    ]
    assert (-mark,) in rows(work, "select shipment_id from shipments")
    assert (recovery.orders_asked, recovery.orders_gone, recovery.orders_elsewhere) == (5, 1, 1)
    assert (recovery.stored.by_hand, recovery.stored.by_hand_units) == (5, 2)
    assert recovery.stored.without_items == 3
    asked = {entry.path for entry in simulator.log if entry.path.startswith("/orders/")}
    assert asked == {f"/orders/{one}" for one in (partly, taken_back, elsewhere, gone, earlier)}


def test_fetching_again_brings_the_evidence_up_to_date(simulate: Simulate, store: Store, work: Path) -> None:
    numbers = [str(100001 + place) for place in range(6)]
    orders = [store.add_order(number, [(A, 1)], MORNING) for number in numbers]
    labels = [store.add_shipment(order, MORNING) for order in orders[:5]]
    mark = store.add_fulfillment(orders[5], MORNING)
    clock = SetClock(NOW)
    simulator = simulate(store, clock=clock)
    recover(simulator, work, DAY)
    recover(simulator, work, "2030-03-13")
    assert len(evidence_units(work)) == 6
    again = recover(simulator, work, DAY)
    assert evidence_units(work) == truth(store, DAY, DAY)
    clock.advance(timedelta(hours=1))
    store.void_shipment(labels[0], NOW)
    del store.labels[labels[1]]
    store.edit_shipment(labels[2], NOW, ship_date="2030-03-13")
    store.edit_shipment(labels[3], NOW, ship_date="2030-03-09")
    store.edit_order(orders[5], NOW, externally_fulfilled=True)
    recovery = recover(simulator, work, DAY)
    assert evidence_units(work) == truth(store, DAY, "2030-03-13")
    assert {key[0] for key in evidence_units(work)} == {numbers[2], numbers[4]}
    left = [labels[0], labels[2], labels[4]]  # the voided one is evidence, too
    assert rows(work, "select shipment_id from shipments order by 1") == [(label,) for label in left]
    assert rows(work, "select distinct shipment_id from shipment_items order by 1") == [
        (one,) for one in left
    ]
    assert rows(work, f"select count(*) from shipments where shipment_id in ({labels[3]}, {-mark})") == [(0,)]
    assert (again.stored.updated_elsewhere, recovery.stored.updated_elsewhere) == (0, 1)
    assert covered(work) == [(DAY, DAY, 1), ("2030-03-13", "2030-03-13", 1), (DAY, DAY, 1), (DAY, DAY, 1)]
    assert recovery.days_covered == 2


def test_what_was_made_weeks_before_or_is_seen_by_its_creation_only_is_found_too(
    simulate: Simulate, store: Store, work: Path
) -> None:
    """By ship date what was made long ago; by its creation what has moved to another covered day."""
    long_ago = MORNING - timedelta(days=25)
    store.add_shipment(store.add_order("100001", [(A, 1)], long_ago), long_ago, ship_date=DAY)
    store.add_fulfillment(store.add_order("100002", [(A, 2)], long_ago), long_ago, shipped=MORNING)
    order = store.add_order("100003", [(A, 4)], MORNING)
    store.add_fulfillment(order, MORNING, shipped=MORNING + timedelta(days=1))
    simulator = simulate(store)
    recover(simulator, work, "2030-03-13")
    recover(simulator, work, DAY)
    assert sorted(evidence_units(work).values()) == [1, 2, 4]
    store.edit_order(order, NOW, externally_fulfilled=True)
    recover(simulator, work, DAY)
    assert evidence_units(work) == truth(store, DAY, "2030-03-13")
    assert sorted(evidence_units(work).values()) == [1, 2]
    assert len(rows(work, "select * from shipments")) == 2


def test_a_longer_window_is_asked_for_in_pieces(simulate: Simulate, store: Store, work: Path) -> None:
    for place in range(30):
        moment = MORNING - timedelta(days=place)
        order = store.add_order(str(100001 + place), [(A, place + 1)], moment)
        if place % 3:
            store.add_shipment(order, moment)
        else:
            store.add_fulfillment(order, moment)
    simulator = simulate(store)
    recovery = recover(simulator, work, "2030-02-11", DAY, page_size=2)
    assert evidence_units(work) == truth(store, "2030-02-11", DAY)
    assert recovery.stored.units == sum(range(1, 31))
    windows = [parse_qs(entry.query) for entry in simulator.log if "DateStart" in entry.query]
    assert len({entry.query for entry in simulator.log}) > 20
    for window in windows:
        first, last = (
            date.fromisoformat(values[0][:10])
            for name, values in sorted(window.items(), reverse=True)
            if "Date" in name and name != "sortBy"
        )
        assert timedelta(0) <= last - first <= timedelta(days=7)


def test_an_incomplete_fetch_covers_nothing_and_changes_nothing(
    simulate: Simulate, store: Store, work: Path
) -> None:
    order = store.add_order("100001", [(A, 1)], MORNING)
    store.add_shipment(order, MORNING)
    simulator = simulate(store)
    recover(simulator, work, DAY)
    before = rows(work, "select * from shipments")
    store.add_shipment(order, MORNING + timedelta(hours=1))
    simulator.faults = Faults(poisoned=[max(store.labels)], poison_ends_at=0)
    with pytest.raises(FetchIncomplete, match="shipments is incomplete: record 2 of 2") as caught:
        recover(simulator, work, DAY)
    assert caught.value.exit_code == 3
    assert rows(work, "select * from shipments") == before
    assert covered(work) == [(DAY, DAY, 1), (DAY, DAY, 0)]
    (because,) = rows(work, "select incomplete_because from fetches where not complete")[0]
    assert because == caught.value.message
    with pytest.raises(FetchIncomplete):
        recover(simulator, work, "2030-03-13")
    simulator.faults = Faults()
    assert recover(simulator, work, DAY).days_covered == 1
    assert len(rows(work, "select * from shipments")) == 2


def test_an_order_that_cannot_be_read_makes_the_fetch_incomplete(
    simulate: Simulate, store: Store, work: Path
) -> None:
    store.add_fulfillment(store.add_order("100001", [(A, 1)], MORNING), MORNING)
    faults = Faults(script=[Scripted("server-error", "/orders/{id}", nth) for nth in range(1, 30)])
    with pytest.raises(Exception, match="500"):
        recover(simulate(store, faults=faults), work, DAY)
    assert covered(work) == [(DAY, DAY, 0)]
    assert rows(work, "select * from shipments") == []


def test_another_order_than_the_one_asked_for_changes_nothing(
    simulate: Simulate, store: Store, work: Path
) -> None:
    """The incident, as it would come about here: an answer that is about an unrelated old order."""
    old = store.add_order("100000", [(A, 41)], datetime(2024, 4, 16, 9, 0))
    store.add_fulfillment(store.add_order("100001", [(A, 1)], MORNING), MORNING)
    for fault in ("foreign-id", "foreign-shipment"):
        faults = Faults(chances={fault: 1.0}, foreign_order_id=old)
        if fault == "foreign-shipment":
            store.add_shipment(old, datetime(2024, 4, 16, 10, 0))
        with pytest.raises(WrongAnswer) as caught:
            recover(simulate(store, faults=faults), work, DAY)
        assert isinstance(caught.value, GateClosed)
        assert rows(work, "select * from shipments") == []
        assert {complete for _, _, complete in covered(work)} == {0}


def test_windows_that_cannot_be_asked_for_are_refused(simulate: Simulate, store: Store, work: Path) -> None:
    for first, last, message in (
        ("2030-02-30", DAY, "2030-02-30 is no day"),
        (DAY, "12.3.2030", "12.3.2030 is no day"),
        ("2030-03-13", DAY, "The window ends before it begins"),
        ("2029-03-11", DAY, "367 days are too many"),
    ):
        with pytest.raises(UsageError, match=message):
            check_days(first, last)
    assert check_days("2029-03-12", DAY) == (date(2029, 3, 12), date(2030, 3, 12))
    simulator = simulate(store, clock=SetClock(datetime(2030, 3, 12, 23, 59)))
    with pytest.raises(UsageError, match=r"2030-03-13 has not come yet.*2030-03-12 23:59"):
        recover(simulator, work, DAY, "2030-03-13")
    assert covered(work) == []
    assert recover(simulator, work, DAY).includes_today
    assert not recover(simulator, work, "2030-03-11").includes_today


def test_evidence_of_another_database_is_refused_before_anything_is_asked(
    simulate: Simulate, store: Store, tmp_path: Path
) -> None:
    simulator = simulate(store)
    recover(simulator, tmp_path / "work", DAY)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "work").rename(tmp_path / "elsewhere" / "work")
    before, asked = fingerprint(tmp_path / "elsewhere" / "work"), len(simulator.log)
    with pytest.raises(UsageError, match="evidence of another database"):
        recover(simulator, tmp_path / "elsewhere" / "work", DAY)
    assert fingerprint(tmp_path / "elsewhere" / "work") == before
    assert len(simulator.log) == asked


def test_the_column_and_the_sign_of_the_id_always_agree(simulate: Simulate, store: Store, work: Path) -> None:
    recover(simulate(store), work, DAY)
    with closing(sqlite3.connect(work / "shipstation.sqlite")) as connection:
        for number, units_from in ((-1, "label"), (1, "order"), (2, "guess")):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(
                    "insert into shipments (shipment_id, is_return_label, voided, units_from)"
                    " values (?, 0, 0, ?)",
                    (number, units_from),
                )
