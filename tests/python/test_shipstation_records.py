"""ShipStation's records: what is read, what is left out, what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotgate.shipstation.records import (
    Fulfillment,
    Item,
    Order,
    Shipment,
    UnreadableRecord,
    fulfillment_from_json,
    order_from_json,
    shipment_from_json,
    whole_number,
)

ITEM = {
    "orderItemId": 700000001,
    "lineItemKey": None,
    "sku": "17612 - 250300",
    "name": "a private thing",
    "weight": {"value": 24.0, "units": "ounces", "WeightUnits": 1},
    "quantity": 3,
    "unitPrice": 5.5,
    "options": [],
}
DISCOUNT = {"orderItemId": 700000002, "lineItemKey": "discount", "sku": None, "quantity": 1, "unitPrice": -1}
SHIPMENT: dict[str, Any] = {
    "shipmentId": 900000101,
    "orderId": 800000011,
    "orderKey": "manual-0a1b",
    "customerEmail": "a private thing",
    "orderNumber": "100901",
    "createDate": "2030-03-11T20:30:05.5830000",
    "shipDate": "2030-03-12",
    "shipmentCost": 12.35,
    "trackingNumber": "TEST0000000001",
    "isReturnLabel": False,
    "voided": False,
    "voidDate": None,
    "shipTo": {"name": "a private thing"},
    "shipmentItems": [ITEM, DISCOUNT],
    "somethingNew": {"movementIndicator": 1},
}
ORDER: dict[str, Any] = {
    "orderId": 800000021,
    "orderNumber": "1009",
    "orderKey": "1009-key",
    "orderDate": "2030-03-10T07:00:00.0000000",
    "createDate": "2030-03-10T07:01:00.1200000",
    "modifyDate": "2030-03-12T06:40:10.0030000",
    "orderStatus": "Awaiting_Shipment",
    "shipTo": {"name": "a private thing"},
    "customerNotes": "a private thing",
    "items": [{**ITEM, "adjustment": False}, {**DISCOUNT, "adjustment": True}],
    "shipDate": None,
    "advancedOptions": {"mergedOrSplit": True, "mergedIds": [], "parentId": 800000020},
    "externallyFulfilled": False,
}
FULFILLMENT: dict[str, Any] = {
    "fulfillmentId": 12000002,
    "orderId": 800000032,
    "orderNumber": "100903",
    "trackingNumber": "",
    "createDate": "2030-03-12T10:32:33.3730000",
    "shipDate": "2030-03-12T10:32:33.6870000",
    "voidDate": "2030-03-12T12:00:00.0030000",
    "voidRequested": True,
    "voided": True,
    "shipTo": {"name": "a private thing"},
}


def parsed(value: object) -> Any:
    """As the client parses an answer."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def test_reads_a_shipment() -> None:
    assert shipment_from_json(parsed(SHIPMENT)) == Shipment(
        shipment_id=900000101,
        order_id=800000011,
        order_number="100901",
        created=datetime(2030, 3, 11, 20, 30, 5, 583000),
        ship_date="2030-03-12",
        tracking_number="TEST0000000001",
        is_return_label=False,
        voided=False,
        voided_at=None,
        items=(
            Item(0, 700000001, None, "17612 - 250300", 3, False),
            Item(1, 700000002, "discount", None, 1, False),
        ),
        units_from="label",
    )


def test_reads_an_order() -> None:
    order = order_from_json(parsed(ORDER))
    assert order == Order(
        order_id=800000021,
        order_number="1009",
        order_key="1009-key",
        ordered_on="2030-03-10",
        created=datetime(2030, 3, 10, 7, 1, 0, 120000),
        modified=datetime(2030, 3, 12, 6, 40, 10, 3000),
        status="awaiting_shipment",
        ship_date=None,
        items=(
            Item(0, 700000001, None, "17612 - 250300", 3, False),
            Item(1, 700000002, "discount", None, 1, True),
        ),
        merged_or_split=True,
        parent_id=800000020,
        externally_fulfilled=False,
    )
    bare = {name: value for name, value in ORDER.items() if name not in ("advancedOptions", "items")}
    assert order_from_json({**bare, "orderStatus": "never_seen"}).status == "never_seen"
    assert (order_from_json(bare).items, order_from_json(bare).parent_id) == ((), None)


def test_reads_a_fulfillment_whose_ship_date_has_a_time() -> None:
    assert fulfillment_from_json(parsed(FULFILLMENT)) == Fulfillment(
        fulfillment_id=12000002,
        order_id=800000032,
        order_number="100903",
        tracking_number="",
        created=datetime(2030, 3, 12, 10, 32, 33, 373000),
        ship_date="2030-03-12",
        voided=True,
        voided_at=datetime(2030, 3, 12, 12, 0, 0, 3000),
    )


def test_keeps_nothing_personal() -> None:
    for record in (shipment_from_json(SHIPMENT), order_from_json(ORDER), fulfillment_from_json(FULFILLMENT)):
        assert "a private thing" not in repr(asdict(record))


def test_a_label_without_an_order_has_neither_id_nor_number_nor_items() -> None:
    label = {**SHIPMENT, "orderId": None, "orderNumber": None, "shipmentItems": None, "isReturnLabel": True}
    read = shipment_from_json(label)
    assert (read.order_id, read.order_number, read.items) == (None, None, ())
    assert read.is_return_label
    assert not read.items_sent
    assert shipment_from_json({**label, "shipmentItems": []}).items_sent
    assert shipment_from_json(SHIPMENT).items_sent


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("1", 1),
        ("1.0", 1),
        ("1.00", 1),
        ("41", 41),
        ("0", 0),
        ("-2", -2),
        ("1e1", 10),
        ("1.5", None),
        ("1.0000000000000000001", None),
        ('"3"', 3),
        ('"3.0"', None),
        ('"three"', None),
        ('"٣"', None),
        ("null", None),
        ("true", None),
        ("[1]", None),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("1E+999999999", None),
    ],
)
def test_a_quantity_is_a_whole_number_or_none(sent: str, number: int | None) -> None:
    item = {**ITEM, "quantity": json.loads(sent, parse_float=Decimal)}
    assert shipment_from_json({**SHIPMENT, "shipmentItems": [item]}).items[0].quantity == number


@given(st.integers(-(10**25), 10**25), st.integers(0, 6))
def test_whole_numbers_however_they_are_written(number: int, zeros: int) -> None:
    expected = number if abs(number) < 2**63 and len(str(abs(number))) <= 19 else None
    assert whole_number(number) == expected
    assert whole_number(Decimal(f"{number}.{'0' * zeros}" if zeros else f"{number}")) == expected


def test_parsed_floats_count_as_the_numbers_they_are() -> None:
    assert (whole_number(2.0), whole_number(2.5), whole_number(float("nan"))) == (2, None, None)


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"sku": None}, False),
        ({"sku": ""}, False),
        ({"sku": " \t\u00a0"}, False),
        ({"quantity": 0}, False),
        ({"quantity": -1}, False),
        ({"quantity": "many"}, False),
        ({"quantity": 1.5}, False),
        ({"adjustment": True}, False),
        ({"lineItemKey": "discount"}, False),
        ({"lineItemKey": " Discount"}, False),
        ({"lineItemKey": "690405-1"}, True),
        ({"quantity": "2.00"}, False),
        ({"sku": 17612}, True),
    ],
)
def test_which_lines_count(change: dict[str, object], counts: bool) -> None:
    (item,) = shipment_from_json({**SHIPMENT, "shipmentItems": [{**ITEM, **change}]}).items
    assert item.is_counted is counts


@pytest.mark.parametrize("sent", [None, [], "text", 5, True])
def test_what_is_no_object_is_unreadable(sent: object) -> None:
    for read in (shipment_from_json, order_from_json, fulfillment_from_json):
        with pytest.raises(UnreadableRecord):
            read(sent)


WRONG: list[tuple[str, object]] = [
    ("shipmentId", None),
    ("shipmentId", 0),
    ("shipmentId", -5),
    ("shipmentId", "s3cret"),
    ("shipmentId", 1.5),
    ("shipmentId", True),
    ("shipmentId", 2**63),
    ("orderId", "s3cret"),
    ("orderNumber", ["s3cret"]),
    ("orderNumber", "s3cret\ud800"),
    ("createDate", None),
    ("createDate", ""),
    ("createDate", "s3cret"),
    ("createDate", 1741737005),
    ("voidDate", "s3cret"),
    ("voided", "s3cret"),
    ("voided", 1),
    ("isReturnLabel", "s3cret"),
    ("shipDate", {"s3cret": 1}),
    ("shipmentItems", "s3cret"),
    ("shipmentItems", [None]),
    ("shipmentItems", [ITEM, "s3cret"]),
    ("shipmentItems", [{**ITEM, "sku": ["s3cret"]}]),
    ("shipmentItems", [{**ITEM, "adjustment": "s3cret"}]),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_an_unreadable_record_names_the_field_and_not_the_value(name: str, value: object) -> None:
    with pytest.raises(UnreadableRecord, match=name) as refused:
        shipment_from_json({**SHIPMENT, name: value})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("name", ["orderId", "createDate", "modifyDate", "orderStatus"])
def test_an_order_needs_its_id_times_and_status(name: str) -> None:
    with pytest.raises(UnreadableRecord, match=name):
        order_from_json({**ORDER, name: None})
    with pytest.raises(UnreadableRecord, match=name):
        order_from_json({key: value for key, value in ORDER.items() if key != name})


@pytest.mark.parametrize("name", ["fulfillmentId", "createDate"])
def test_a_fulfillment_needs_its_id_and_time(name: str) -> None:
    with pytest.raises(UnreadableRecord, match=name):
        fulfillment_from_json({**FULFILLMENT, name: None})


def test_booleans_in_any_spelling_and_a_void_date_without_its_flag() -> None:
    assert shipment_from_json({**SHIPMENT, "voided": "True"}).voided
    assert not shipment_from_json({**SHIPMENT, "voided": "false"}).voided
    silent = {**SHIPMENT, "voided": None, "voidDate": "2030-03-12T09:20:10.1130000"}
    assert shipment_from_json(silent).voided
    assert not shipment_from_json({**silent, "voided": False}).voided


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["2030-03-12", "2030-03-12T10:32:33.3730000", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(ITEM)), inner),
    max_leaves=6,
)


@given(st.sampled_from([SHIPMENT, ORDER, FULFILLMENT]), st.data())
def test_whatever_is_sent_is_read_or_refused(record: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(record)))
    changed = {**record, name: data.draw(ANYTHING)}
    read = {900000101: shipment_from_json, 800000021: order_from_json, 12000002: fulfillment_from_json}[
        next(iter(record.values()))
    ]
    try:
        found = read(changed)  # type: ignore[operator]
    except UnreadableRecord:
        return
    for value in asdict(found).values():
        if isinstance(value, str):
            value.encode()
        if isinstance(value, int):
            assert abs(value) < 2**63
