"""The simulator's truth: what each change does, and that the API shows exactly the units that count."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotgate.shipstation.simulator import Label, Line, Store, UnknownRow, serve
from shipstation_fixtures import ENVIRON, FREE, busy_store

PAIR = (ENVIRON["SHIPSTATION_API_KEY"], ENVIRON["SHIPSTATION_API_SECRET"])
START = datetime(2030, 3, 11, 8, 0, 0)
LATER = START + timedelta(hours=3)
DAY = "2030-03-11"


def test_a_label_ships_its_order() -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 2)], START)
    assert store.order(order_id).status == "awaiting_shipment"
    shipment_id = store.add_shipment(order_id, LATER, ship_date="2030-03-13")
    order, label = store.order(order_id), store.label(shipment_id)
    assert (order.status, order.ship_date, order.modified) == ("shipped", "2030-03-13", LATER)
    assert (label.number, label.items, label.created) == ("1", order.items, LATER)
    assert store.counted_units() == {("1", "A", "2030-03-13"): 2}


def test_a_void_reopens_the_order_unless_something_else_shipped() -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 2)], START)
    one, other = (store.add_shipment(order_id, START, items=[("A", 1)]) for _ in range(2))
    store.void_shipment(one, LATER)
    assert store.order(order_id).status == "shipped"
    assert store.counted_units() == {("1", "A", DAY): 1}
    store.void_shipment(other, LATER + timedelta(minutes=1))
    assert store.order(order_id).status == "awaiting_shipment"
    assert store.order(order_id).modified == LATER + timedelta(minutes=1)
    assert store.label(other).voided_at == LATER + timedelta(minutes=1)
    assert store.counted_units() == {}


def test_a_void_leaves_a_cancelled_order_cancelled() -> None:
    store = busy_store(1)
    store.cancel_order(800_000_001, LATER)
    store.void_shipment(900_000_001, LATER)
    assert store.order(800_000_001).status == "cancelled"


def test_a_reprint_counts_once() -> None:
    store = busy_store(1)
    again = store.reprint_shipment(900_000_001, LATER, ship_date="2030-03-12")
    assert store.label(900_000_001).voided
    assert store.label(again).created == LATER + timedelta(seconds=30)
    assert store.counted_units() == {("100001", "17612 - 250300", "2030-03-12"): 1}
    assert store.order(800_000_001).status == "shipped"


def test_returns_and_labels_without_an_order() -> None:
    store = busy_store(1)
    store.void_shipment(900_000_001, LATER)
    store.add_shipment(800_000_001, LATER, is_return=True)
    assert store.order(800_000_001).status == "awaiting_shipment"
    assert store.counted_units() == {}
    store.add_shipment(None, LATER, items=[("A", 3)])
    store.add_shipment(4711, LATER, number="77", items=[("A", 1)])
    assert store.counted_units() == {(None, "A", DAY): 3, ("77", "A", DAY): 1}


def test_parcels_add_up() -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 5)], START)
    for count in (2, 3):
        store.add_shipment(order_id, START, items=[("A", count)])
    assert store.counted_units(DAY) == {("1", "A", DAY): 5}
    assert store.counted_units("2030-03-12") == {}


def test_what_never_counts() -> None:
    lines = [
        Line(1, None, 2),
        Line(2, "  ", 2),
        Line(3, "A", 0),
        Line(4, "A", -1),
        Line(5, "A", 2, adjustment=True),
        Line(6, "A", 2, line_item_key="Discount"),
        Line(7, "A", None),
        Line(8, "A", Decimal("1.5")),
        Line(9, "A", Decimal("2.00")),
    ]
    assert [line.units for line in lines] == [0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_an_order_marked_by_hand_ships_what_no_label_has() -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 3), ("B", 1), ("A", 2)], START)
    store.add_shipment(order_id, START, items=[("A", 4)])
    mark = store.add_fulfillment(order_id, LATER, shipped=datetime(2030, 3, 12, 10))
    store.add_fulfillment(order_id, LATER + timedelta(hours=1), shipped=datetime(2030, 3, 13))
    units = {("1", "A", DAY): 4, ("1", "B", "2030-03-12"): 1, ("1", "A", "2030-03-12"): 1}
    assert store.counted_units() == units
    store.void_fulfillment(mark, LATER)
    moved = {("1", "A", DAY): 4, ("1", "B", "2030-03-13"): 1, ("1", "A", "2030-03-13"): 1}
    assert store.counted_units() == moved


def test_an_order_fulfilled_elsewhere_used_no_stock() -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 3)], START, externally_fulfilled=True)
    store.add_fulfillment(order_id, LATER)
    assert store.counted_units() == {}


def test_a_voided_mark_reopens_the_order() -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 3)], START)
    mark = store.add_fulfillment(order_id, LATER)
    assert (store.order(order_id).status, store.order(order_id).ship_date) == ("shipped", DAY)
    store.void_fulfillment(mark, LATER)
    assert store.order(order_id).status == "awaiting_shipment"


def test_split_and_merge() -> None:
    store = Store()
    parent = store.add_order("1", [("A", 2), ("B", 1)], START)
    child = store.split_order(parent, [0], LATER)
    assert [line.sku for line in store.order(parent).items] == ["B"]
    assert [line.sku for line in store.order(child).items] == ["A"]
    assert (store.order(child).number, store.order(child).parent_id) == ("1", parent)
    other = store.add_order("2", [("C", 1)], START)
    store.merge_orders(parent, [other], LATER)
    assert [line.sku for line in store.order(parent).items] == ["B", "C"]
    assert (store.order(parent).merged_ids, store.order(parent).merged_or_split) == ((other,), True)
    with pytest.raises(UnknownRow):
        store.order(other)


def test_edits_stamp_the_order() -> None:
    store = busy_store(1)
    store.edit_shipment(900_000_001, LATER, ship_date="2030-03-20", items=[("B", 7)])
    assert store.counted_units() == {("100001", "B", "2030-03-20"): 7}
    assert store.order(800_000_001).modified == LATER
    store.edit_order(800_000_001, LATER + timedelta(hours=1), number="100099")
    assert store.order(800_000_001).number == "100099"


def test_what_is_unknown_or_double_is_an_error() -> None:
    store = busy_store(1)
    for change in (store.void_shipment, store.void_fulfillment, store.edit_order, store.cancel_order):
        with pytest.raises(UnknownRow):
            change(1, LATER)
    with pytest.raises(ValueError, match="800000001 is there already"):
        store.add_order("1", [], START, order_id=800_000_001)
    with pytest.raises(ValueError, match="900000001 is there already"):
        store.put(Label(900_000_001, None, "", None, START, DAY, "", None))
    store.put(Label(900_000_050, None, "", None, START, DAY, "", (Line(700_000_099, "A", 1),)))
    assert store.add_shipment(None, START, items=[("A", 1)]) == 900_000_051
    assert store.label(900_000_051).items == (Line(700_000_100, "A", 1),)


SKUS = ("17612 - 250300", "18795 - 11001", None)
LINES = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(0, 3)), min_size=1, max_size=3)


@st.composite
def histories(draw: st.DrawFn) -> Store:
    """A working week: labels, parcels, voids, reprints, returns, splits, hand marks, odd ship dates."""
    store = Store()
    moment = START
    for place in range(draw(st.integers(1, 12))):
        moment += timedelta(minutes=draw(st.integers(1, 900)))
        orders, labels = list(store.orders), [one for one in store.labels.values() if not one.voided]
        what = draw(
            st.sampled_from(["order", "label", "label", "part", "void", "reprint", "return", "split", "mark"])
        )
        if what == "order" or not orders:
            store.add_order(str(100001 + place), draw(LINES), moment)
        elif what in ("label", "return"):
            day = date(2030, 3, 11) + timedelta(days=draw(st.integers(-2, 6)))
            store.add_shipment(
                draw(st.sampled_from(orders)), moment, ship_date=f"{day}", is_return=what == "return"
            )
        elif what == "part":
            store.add_shipment(draw(st.sampled_from(orders)), moment, items=draw(LINES))
        elif what == "split":
            store.split_order(draw(st.sampled_from(orders)), [0], moment)
        elif what == "mark":
            store.add_fulfillment(draw(st.sampled_from(orders)), moment)
        elif labels and what == "void":
            store.void_shipment(draw(st.sampled_from(labels)).shipment_id, moment)
        elif labels:
            store.reprint_shipment(draw(st.sampled_from(labels)).shipment_id, moment)
    return store


def units_by_api(url: str) -> dict[tuple[str | None, str, str], int]:
    """The counted units as the documentation says that they are found; nothing of the simulator's code."""

    def read(kind: str) -> list[dict[str, Any]]:
        query = {"pageSize": "500", "includeShipmentItems": "true"}
        response = requests.get(f"{url}/{kind}", query, auth=PAIR, timeout=5)
        records: list[dict[str, Any]] = response.json()[kind]
        return records

    def counted(item: dict[str, Any]) -> bool:
        return bool(item["sku"]) and item["quantity"] > 0 and not item.get("adjustment")

    units: Counter[tuple[str | None, str, str]] = Counter()
    packed: dict[int, Counter[str]] = defaultdict(Counter)
    for label in read("shipments"):
        for item in label["shipmentItems"] or []:
            if not label["voided"] and not label["isReturnLabel"] and counted(item):
                units[label["orderNumber"], item["sku"], label["shipDate"]] += item["quantity"]
                packed[label["orderId"]][item["sku"]] += item["quantity"]
    orders = {order["orderId"]: order for order in read("orders")}
    done: set[int] = set()
    for mark in read("fulfillments"):
        if mark["voided"] or mark["orderId"] in done:
            continue
        done.add(mark["orderId"])
        wanted: Counter[str] = Counter()
        for item in orders[mark["orderId"]]["items"]:
            wanted[item["sku"]] += item["quantity"] if counted(item) else 0
        for sku, count in (wanted - packed[mark["orderId"]]).items():
            units[mark["orderNumber"], sku, mark["shipDate"][:10]] += count
    return {key: count for key, count in units.items() if count}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_the_api_shows_the_units_that_count(store: Store) -> None:
    with serve(store, FREE) as simulator:
        assert units_by_api(simulator.url) == store.counted_units()


@settings(max_examples=60, deadline=None)
@given(histories())
def test_statuses_and_stamps_follow_what_happened(store: Store) -> None:
    for order in store.orders.values():
        labels, marks = store.labels_of(order.order_id), store.marks_of(order.order_id)
        shipped = any(one.counts for one in labels) or any(not one.voided for one in marks)
        assert (order.status == "shipped") is shipped
        touched = [label.created for label in labels] + [mark.created for mark in marks]
        touched += [label.voided_at for label in labels if label.voided_at]
        assert order.modified >= max([*touched, order.created])
