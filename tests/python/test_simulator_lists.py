"""The simulated lists over real HTTP: filters, bounds, sorting, paging, and what they are said to hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from lotgate.shipstation.simulator import Line, Simulator, Store
from lotgate.shipstation.simulator.filters import ListRequest, parse_list_request
from lotgate.shipstation.simulator.lists import Lists
from shipstation_fixtures import ENVIRON, FREE, Simulate, busy_store, simulate

__all__ = ["simulate"]  # the fixture

PAIR = (ENVIRON["SHIPSTATION_API_KEY"], ENVIRON["SHIPSTATION_API_SECRET"])
START = datetime(2030, 3, 11, 8, 0, 0)


def reply(simulator: Simulator, path: str, **query: object) -> requests.Response:
    return requests.get(
        simulator.url + path, params={k: str(v) for k, v in query.items()}, auth=PAIR, timeout=5
    )


def ask(simulator: Simulator, path: str, **query: object) -> Any:
    response = reply(simulator, path, **query)
    assert response.status_code == 200, response.text
    return response.json()


def shipment_ids(simulator: Simulator, **query: object) -> list[int]:
    return [
        record["shipmentId"] - 900_000_000 for record in ask(simulator, "/shipments", **query)["shipments"]
    ]


def order_ids(simulator: Simulator, **query: object) -> list[int]:
    return [record["orderId"] - 800_000_000 for record in ask(simulator, "/orders", **query)["orders"]]


def mark_ids(simulator: Simulator, **query: object) -> list[int]:
    found = ask(simulator, "/fulfillments", **query)["fulfillments"]
    return [record["fulfillmentId"] - 12_000_000 for record in found]


def test_pages_cover_the_list_and_say_so(simulate: Simulate) -> None:
    simulator = simulate(busy_store(7))
    pages = [ask(simulator, "/shipments", page=page, pageSize=3) for page in (1, 2, 3)]
    assert [(page["total"], page["page"], page["pages"]) for page in pages] == [
        (7, 1, 3),
        (7, 2, 3),
        (7, 3, 3),
    ]
    assert [len(page["shipments"]) for page in pages] == [3, 3, 1]
    ids = [record["shipmentId"] for page in pages for record in page["shipments"]]
    assert ids == [900_000_001 + place for place in range(7)]


@pytest.mark.parametrize("kind", ["shipments", "orders", "fulfillments"])
def test_an_empty_list_has_no_pages(simulate: Simulate, kind: str) -> None:
    simulator = simulate()
    for page in (1, 3):
        assert ask(simulator, f"/{kind}", page=page) == {kind: [], "total": 0, "page": 1, "pages": 0}


def test_past_the_end_there_is_nothing(simulate: Simulate) -> None:
    page = ask(simulate(busy_store(3)), "/shipments", page=9, pageSize=2)
    assert page == {"shipments": [], "total": 3, "page": 9, "pages": 2}


def test_a_page_has_100_rows_unless_asked_and_500_at_most(simulate: Simulate) -> None:
    simulator = simulate(busy_store(520))
    assert len(ask(simulator, "/shipments")["shipments"]) == 100
    assert len(ask(simulator, "/shipments", pageSize=501)["shipments"]) == 500


@pytest.mark.parametrize(
    "query", [{"page": 0}, {"page": -1}, {"page": "two"}, {"pageSize": 0}, {"pageSize": 501}]
)
def test_paging_out_of_range_is_clamped_or_rejected(simulate: Simulate, query: dict[str, object]) -> None:
    assert ask(simulate(busy_store(2)), "/orders", **query)["page"] == 1
    rejecting = simulate(busy_store(2), replace(FREE, bad_paging="reject"))
    assert reply(rejecting, "/orders", **query).status_code == 400


@pytest.mark.parametrize(
    "path", ["/shipments/", "/orders/", "/fulfillments/", "/stores/", "/orders/list", "/orders/list/"]
)
def test_paths_and_their_aliases(simulate: Simulate, path: str) -> None:
    assert reply(simulate(busy_store(2)), path).status_code == 200


def test_bounds_of_times_are_inclusive_to_the_step(simulate: Simulate) -> None:
    store = Store()
    for milliseconds in (0, 3, 7, 10):
        store.add_shipment(None, START + timedelta(milliseconds=milliseconds))
    simulator = simulate(store)
    window = {"createDateStart": "2030-03-11 08:00:00.003", "createDateEnd": "2030-03-11T08:00:00.0070000"}
    assert shipment_ids(simulator, **window) == [2, 3]
    cutting = simulate(store, replace(FREE, fractions="cut"))
    assert shipment_ids(cutting, **window) == [1]


def test_a_plain_date_as_upper_bound_is_its_midnight(simulate: Simulate) -> None:
    store = Store()
    for moment in ("2030-03-10T23:59:59", "2030-03-11T00:00:00", "2030-03-11T00:00:01"):
        order_id = store.add_order("1", [("A", 1)], datetime.fromisoformat(moment))
        shipment_id = store.add_shipment(order_id, datetime.fromisoformat(moment))
        store.void_shipment(shipment_id, datetime.fromisoformat(moment))
    simulator = simulate(store)
    assert shipment_ids(simulator, createDateEnd="2030-03-11") == [1, 2]
    assert shipment_ids(simulator, voidDateEnd="2030-03-11") == [1, 2]
    assert order_ids(simulator, modifyDateEnd="2030-03-11") == [1, 2]
    assert order_ids(simulator, createDateStart="2030-03-11", createDateEnd="2030-03-11") == [2]


def test_order_bounds_can_exclude_their_ends(simulate: Simulate) -> None:
    store = Store()
    for minute in (0, 1, 2):
        store.add_order("1", [], START + timedelta(minutes=minute))
    window = {"modifyDateStart": "2030-03-11 08:00:00", "modifyDateEnd": "2030-03-11 08:02:00"}
    assert order_ids(simulate(store), **window) == [1, 2, 3]
    assert order_ids(simulate(store, replace(FREE, order_bounds="exclusive")), **window) == [2]


def test_ship_dates_are_compared_as_days(simulate: Simulate) -> None:
    store = Store()
    for day in ("2030-03-11", "2030-03-12", "2030-03-13"):
        store.add_shipment(None, START, ship_date=day)
        store.add_fulfillment(None, START, shipped=datetime.fromisoformat(f"{day}T10:32:33"))
    simulator = simulate(store)
    window = {"shipDateStart": "2030-03-12 23:00:00", "shipDateEnd": "2030-03-12"}
    assert shipment_ids(simulator, **window) == [2]
    assert mark_ids(simulator, **window) == [2]
    by_time = simulate(store, replace(FREE, fulfillment_ship_filter="time"))
    assert mark_ids(by_time, shipDateEnd="2030-03-12") == [1]


def test_void_dates_find_voids_and_nothing_else(simulate: Simulate) -> None:
    store = busy_store(3)
    store.void_shipment(900_000_002, datetime(2030, 4, 1, 9))
    simulator = simulate(store)
    assert shipment_ids(simulator, voidDateStart="2030-03-31") == [2]
    assert shipment_ids(simulator, voidDateStart="2030-04-02") == []
    assert shipment_ids(simulator) == [1, 2, 3]


@pytest.mark.parametrize(
    ("offset", "honoured"),
    [("Z", [1]), ("-00:00", [1]), ("+0000", [1]), ("-07:00", [1, 2]), ("-06:00", [1])],
)
def test_offsets_are_honoured_ignored_or_rejected(
    simulate: Simulate, offset: str, honoured: list[int]
) -> None:
    """08:00 Pacific in summer time is 15:00 UTC."""
    store = Store()
    store.add_shipment(None, datetime(2030, 3, 11, 0, 30))
    store.add_shipment(None, datetime(2030, 3, 11, 7, 30))
    store.add_shipment(None, datetime(2030, 3, 11, 8, 30))
    query = {"createDateEnd": f"2030-03-11T08:00:00{offset}"}
    assert shipment_ids(simulate(store), **query) == honoured
    assert shipment_ids(simulate(store, replace(FREE, offsets="ignore")), **query) == [1, 2]
    assert reply(simulate(store, replace(FREE, offsets="reject")), "/shipments", **query).status_code == 400


def test_offsets_are_converted_with_the_season(simulate: Simulate) -> None:
    store = Store()
    store.add_shipment(None, datetime(2030, 1, 11, 8, 0))
    simulator = simulate(store)
    assert shipment_ids(simulator, createDateStart="2030-01-11T16:00:00Z") == [1]
    assert shipment_ids(simulator, createDateStart="2030-01-11T16:00:01Z") == []


def test_order_numbers_match_by_their_beginning_for_orders(simulate: Simulate) -> None:
    store = Store()
    for number in ("1009", "10090", "100901", "21009"):
        store.add_shipment(store.add_order(number, [("A", 1)], START), START)
    simulator = simulate(store)
    assert order_ids(simulator, orderNumber="1009") == [1, 2, 3]
    assert shipment_ids(simulator, orderNumber="1009") == [1]
    by_prefix = simulate(store, replace(FREE, shipment_number="prefix"))
    assert shipment_ids(by_prefix, orderNumber="1009") == [1, 2, 3]


def test_filters_are_anded_and_unknown_ones_ignored(simulate: Simulate) -> None:
    store = busy_store(4)
    simulator = simulate(store)
    assert shipment_ids(simulator, orderId=800_000_002, trackingNumber="TEST0900000002") == [2]
    assert shipment_ids(simulator, orderId=800_000_002, trackingNumber="TEST0900000003") == []
    assert shipment_ids(simulator, shipmentStatus="voided", foo="", orderId="") == [1, 2, 3, 4]
    assert shipment_ids(simulator, storeId=60001) == [1, 2, 3, 4]
    assert shipment_ids(simulator, storeId=1, carrierCode="") == []


def test_the_orders_list_knows_no_order_id(simulate: Simulate) -> None:
    """This is how one old order answered for every other one."""
    simulator = simulate(busy_store(3))
    assert order_ids(simulator, orderId=800_000_003, orderIds=800_000_003, pageSize=1) == [1]


@pytest.mark.parametrize(
    "name", ["createDateStart", "voidDateEnd", "shipDateStart", "orderId", "sortBy", "sortDir"]
)
def test_what_cannot_be_read_is_a_bad_request(simulate: Simulate, name: str) -> None:
    response = reply(simulate(busy_store(1)), "/shipments", **{name: "soon"})
    assert response.status_code == 400
    assert set(response.json()) == {"Message", "ExceptionMessage"}


def test_orders_are_filtered_by_status_and_dates(simulate: Simulate) -> None:
    store = busy_store(2)
    store.add_order("100003", [("B - 1", 1)], START + timedelta(days=1), ordered=START)
    simulator = simulate(store)
    assert order_ids(simulator, orderStatus="Shipped") == [1, 2]
    assert order_ids(simulator, orderStatus="") == [1, 2, 3]
    assert order_ids(simulator, itemKeyword="b - 1") == [3]
    assert order_ids(simulator, orderDateEnd="2030-03-11 08:00:00") == [1, 3]
    assert order_ids(simulator, createDateStart="2030-03-12") == [3]
    assert order_ids(simulator, paymentDateStart="2030-01-01") == []


def test_default_orders_of_the_lists(simulate: Simulate) -> None:
    store = Store()
    late = store.add_order("2", [("A", 1)], START + timedelta(hours=1), order_id=800_000_005)
    early = store.add_order("1", [("A", 1)], START, order_id=800_000_009)
    store.add_shipment(late, START + timedelta(hours=3))
    store.add_shipment(early, START + timedelta(hours=2))
    store.add_fulfillment(late, START + timedelta(hours=3))
    store.add_fulfillment(early, START + timedelta(hours=2))
    simulator = simulate(store)
    assert order_ids(simulator) == [5, 9]
    assert shipment_ids(simulator) == [2, 1]
    assert mark_ids(simulator) == [2, 1]
    assert order_ids(simulator, sortBy="CreateDate") == [9, 5]
    assert order_ids(simulator, sortBy="CreateDate", sortDir="desc") == [5, 9]


def test_sorting_by_the_documented_fields(simulate: Simulate) -> None:
    store = Store()
    for place, day in enumerate(("2030-03-13", "2030-03-11", "2030-03-12")):
        moment = START + timedelta(minutes=place)
        order_id = store.add_order("1", [], moment, ordered=START - timedelta(minutes=place))
        store.add_shipment(order_id, moment, ship_date=day)
        store.add_fulfillment(order_id, moment, shipped=datetime.fromisoformat(day))
    store.edit_order(800_000_001, START + timedelta(hours=1))
    simulator = simulate(store)
    assert shipment_ids(simulator, sortBy="ShipDate") == [2, 3, 1]
    assert mark_ids(simulator, sortBy="shipdate", sortDir="DESC") == [1, 3, 2]
    assert order_ids(simulator, sortBy="OrderDate") == [3, 2, 1]
    assert order_ids(simulator, sortBy="ModifyDate") == [2, 3, 1]
    assert reply(simulator, "/shipments", sortBy="ModifyDate").status_code == 400


@pytest.mark.parametrize(
    ("asked", "is_list"), [("true", True), ("True", True), ("TRUE", True), ("False", False)]
)
def test_items_come_only_when_asked_for(simulate: Simulate, asked: str, is_list: bool) -> None:
    simulator = simulate(busy_store(1))
    (record,) = ask(simulator, "/shipments", includeShipmentItems=asked)["shipments"]
    assert isinstance(record["shipmentItems"], list) is is_list
    assert ask(simulator, "/shipments")["shipments"][0]["shipmentItems"] is None


def test_the_lists_hold_the_oddities(simulate: Simulate) -> None:
    """Voided labels, returns, labels without an order or a list, null SKUs, discounts."""
    store = Store()
    lines = [
        Line(1, "A", 2),
        Line(2, None, 1),
        Line(3, "PROMO", 1, line_item_key="discount", adjustment=True),
        Line(4, "A", 0),
    ]
    order_id = store.add_order("1", lines, START)
    store.void_shipment(store.add_shipment(order_id, START), START)
    store.add_shipment(None, START, is_return=True, without_list=True)
    records = ask(simulate(store), "/shipments", includeShipmentItems="true")["shipments"]
    assert [(one["voided"], one["isReturnLabel"], one["orderId"]) for one in records] == [
        (True, False, order_id),
        (False, True, None),
    ]
    assert [(item["sku"], item["quantity"]) for item in records[0]["shipmentItems"]] == [
        ("A", 2), (None, 1), ("PROMO", 1), ("A", 0),
    ]  # fmt: skip
    assert records[1]["shipmentItems"] is None
    hiding = simulate(store, replace(FREE, returns_listed=False, discounts_in_labels=False))
    (record,) = ask(hiding, "/shipments", includeShipmentItems="true")["shipments"]
    assert [item["sku"] for item in record["shipmentItems"]] == ["A", None, "A"]


def test_hand_marked_orders_are_fulfillments_only(simulate: Simulate) -> None:
    store = Store()
    order_id = store.add_order("1", [("A", 2)], START)
    store.add_fulfillment(order_id, START + timedelta(hours=1))
    simulator = simulate(store)
    assert shipment_ids(simulator) == []
    (record,) = ask(simulator, "/fulfillments", orderId=order_id)["fulfillments"]
    assert record["shipDate"] == "2030-03-11T00:00:00.0000000"
    assert "items" not in record
    assert mark_ids(simulator, fulfillmentId=12_000_001, orderNumber="1", trackingNumber="") == [1]
    assert mark_ids(simulator, fulfillmentId=12_000_002) == []


def test_split_parts_share_the_number(simulate: Simulate) -> None:
    store = Store()
    parent = store.add_order("1009", [("A", 2), ("B", 1)], START)
    child = store.split_order(parent, [1], START + timedelta(hours=1))
    records = ask(simulate(store), "/orders", orderNumber="1009")["orders"]
    assert [record["orderId"] for record in records] == [parent, child]
    assert [record["advancedOptions"]["parentId"] for record in records] == [None, parent]
    assert all(record["advancedOptions"]["mergedOrSplit"] for record in records)
    assert [[item["sku"] for item in record["items"]] for record in records] == [["A"], ["B"]]


def test_one_order_by_its_address(simulate: Simulate) -> None:
    simulator = simulate(busy_store(2))
    assert ask(simulator, "/orders/800000002")["orderNumber"] == "100002"
    assert ask(simulator, "/orders/800000002/")["orderId"] == 800_000_002
    for unknown in ("/orders/1", "/orders/abc", "/shipments/800000002", "/nothing", "/"):
        assert reply(simulator, unknown).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_only_reading_is_possible(simulate: Simulate, method: str) -> None:
    simulator = simulate(busy_store(1))
    with requests.Session() as session:
        session.auth = PAIR
        response = session.request(method, simulator.url + "/orders", data=b"GET /" * 400, timeout=5)
        assert response.status_code == 405
        assert session.get(simulator.url + "/orders", timeout=5).json()["total"] == 1
    assert len(simulator.log) == 2


def test_a_list_is_read_anew_after_a_change(simulate: Simulate) -> None:
    store = busy_store(2)
    simulator = simulate(store)
    assert shipment_ids(simulator) == [1, 2]
    store.add_shipment(None, START - timedelta(days=1))
    assert shipment_ids(simulator) == [3, 1, 2]


def test_pages_of_one_list_are_sorted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store = busy_store(50)
    made: list[str] = []
    whole = Lists._source

    def counting(lists: Lists, request: ListRequest) -> list[Any]:
        made.append(request.kind)
        return whole(lists, request)

    monkeypatch.setattr(Lists, "_source", counting)
    lists = Lists(store)
    for page in range(1, 6):
        query = {"page": str(page), "pageSize": "10", "includeShipmentItems": "true"}
        assert len(lists.page(parse_list_request("shipments", query, FREE)).rows) == 10
    assert made == ["shipments"]
    lists.page(parse_list_request("shipments", {"sortDir": "DESC"}, FREE))
    store.edit_order(800_000_001, START)
    lists.page(parse_list_request("shipments", {}, FREE))
    assert len(made) == 3


def test_names_of_filters_are_read_without_case(simulate: Simulate) -> None:
    assert shipment_ids(simulate(busy_store(3)), ORDERID=800_000_002, pagesize=1) == [2]
    assert len(shipment_ids(simulate(busy_store(3)), PAGESIZE=2)) == 2
