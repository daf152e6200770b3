"""The simulated JSON: all documented keys in their order, times and numbers as the API writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from lotgate.shipstation.simulator import Line, Simulator, Store
from lotgate.shipstation.simulator.clock import quantised
from lotgate.shipstation.simulator.data import load_folder
from shipstation_fixtures import ENVIRON, FREE, Simulate, simulate

__all__ = ["simulate"]  # the fixture

PAIR = (ENVIRON["SHIPSTATION_API_KEY"], ENVIRON["SHIPSTATION_API_SECRET"])
START = datetime(2030, 3, 11, 20, 30, 5, 583_000)

ADDRESS = (
    "name company street1 street2 street3 city state postalCode country phone residential addressVerified"
)
SHIPMENT = (
    "shipmentId orderId orderKey userId customerEmail orderNumber createDate shipDate shipmentCost"
    " insuranceCost trackingNumber isReturnLabel batchNumber carrierCode serviceCode packageCode"
    " confirmation warehouseId voided voidDate marketplaceNotified notifyErrorMessage shipTo weight"
    " dimensions insuranceOptions advancedOptions shipmentItems labelData formData"
)
SHIPMENT_ITEM = (
    "orderItemId lineItemKey sku name imageUrl weight quantity unitPrice warehouseLocation options"
    " productId fulfillmentSku"
)
SHIPMENT_OPTIONS = "billToParty billToAccount billToPostalCode billToCountryCode storeId"
ORDER = (
    "orderId orderNumber orderKey orderDate createDate modifyDate paymentDate shipByDate orderStatus"
    " customerId customerUsername customerEmail billTo shipTo items orderTotal amountPaid taxAmount"
    " shippingAmount customerNotes internalNotes gift giftMessage paymentMethod requestedShippingService"
    " carrierCode serviceCode packageCode confirmation shipDate holdUntilDate weight dimensions"
    " insuranceOptions internationalOptions advancedOptions tagIds userId externallyFulfilled"
    " externallyFulfilledBy externallyFulfilledById externallyFulfilledByName labelMessages"
)
ORDER_ITEM = (
    "orderItemId lineItemKey sku name imageUrl weight quantity unitPrice taxAmount shippingAmount"
    " warehouseLocation options productId fulfillmentSku adjustment upc createDate modifyDate"
)
ORDER_OPTIONS = (
    "warehouseId nonMachinable saturdayDelivery containsAlcohol mergedOrSplit mergedIds parentId storeId"
    " customField1 customField2 customField3 source billToParty billToAccount billToPostalCode"
    " billToCountryCode billToMyOtherAccount"
)
FULFILLMENT = (
    "fulfillmentId orderId orderNumber userId customerEmail trackingNumber createDate shipDate voidDate"
    " deliveryDate carrierCode sellerFillProviderId sellerFillProviderName fulfillmentProviderCode"
    " fulfillmentServiceCode fulfillmentFee voidRequested voided marketplaceNotified notifyErrorMessage"
    " shipTo"
)


def fetch(simulator: Simulator, path: str) -> str:
    response = requests.get(simulator.url + path, auth=PAIR, timeout=5)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    return response.text


def first(simulator: Simulator, kind: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(fetch(simulator, f"/{kind}?includeShipmentItems=true"))[kind][0]
    return record


def keys(value: dict[str, Any]) -> str:
    return " ".join(value)


@pytest.fixture
def store() -> Store:
    store = Store()
    order_id = store.add_order("100901", [Line(1, "SKU-A - LOT01", 3)], START, made_by_hand=True)
    store.add_shipment(order_id, START, ship_date="2030-03-12")
    store.add_fulfillment(order_id, START + timedelta(days=1), shipped=START + timedelta(hours=1))
    return store


def test_every_documented_key_in_its_order(simulate: Simulate, store: Store) -> None:
    simulator = simulate(store)
    shipment, order, mark = (first(simulator, kind) for kind in ("shipments", "orders", "fulfillments"))
    assert keys(shipment) == SHIPMENT
    assert keys(shipment["shipmentItems"][0]) == SHIPMENT_ITEM
    assert keys(shipment["advancedOptions"]) == SHIPMENT_OPTIONS
    assert keys(order) == ORDER
    assert keys(order["items"][0]) == ORDER_ITEM
    assert keys(order["advancedOptions"]) == ORDER_OPTIONS
    assert keys(order["internationalOptions"]) == "contents customsItems nonDelivery"
    assert keys(mark) == FULFILLMENT
    for record in (shipment, order, mark):
        assert keys(record["shipTo"]) == ADDRESS
        assert set(record["shipTo"].values()) == {None}
        assert record["customerEmail"] is None
    for record in (shipment, order):
        assert keys(record["weight"]) == "value units WeightUnits"
        assert keys(record["insuranceOptions"]) == "provider insureShipment insuredValue"
    reply = json.loads(fetch(simulator, "/orders"))
    assert keys(reply) == "orders total page pages"
    assert json.loads(fetch(simulator, f"/orders/{order['orderId']}")) == order
    assert order["orderKey"].startswith("manual-")
    assert len(order["orderKey"]) == len("manual-") + 32


def test_items_of_labels_can_have_the_key_of_orders(simulate: Simulate, store: Store) -> None:
    record = first(simulate(store, replace(FREE, adjustment_in_labels=True)), "shipments")
    assert keys(record["shipmentItems"][0]) == SHIPMENT_ITEM + " adjustment"


def test_times_are_pacific_with_seven_digits(simulate: Simulate, store: Store) -> None:
    simulator = simulate(store)
    shipment, order, mark = (first(simulator, kind) for kind in ("shipments", "orders", "fulfillments"))
    assert (shipment["createDate"], shipment["shipDate"]) == ("2030-03-11T20:30:05.5830000", "2030-03-12")
    assert order["orderDate"] == "2030-03-11T20:30:05.5830000"
    assert order["items"][0]["createDate"] == "2030-03-11T20:30:05.583"
    assert order["shipDate"] == "2030-03-11"
    assert mark["shipDate"] == "2030-03-11T21:30:05.5830000"
    assert json.loads(fetch(simulator, "/stores"))[0]["createDate"].endswith("42.98")


@pytest.mark.parametrize(
    ("numbers", "quantity", "cost"),
    [("mixed", "3", "0.00"), ("1", "3", "0"), ("1.0", "3.0", "0.0"), ("1.00", "3.00", "0.00")],
)
def test_numbers_have_the_digits_of_the_switch(
    simulate: Simulate, store: Store, numbers: Any, quantity: str, cost: str
) -> None:
    simulator = simulate(store, replace(FREE, numbers=numbers))
    text = fetch(simulator, "/shipments?includeShipmentItems=true")
    assert f'"quantity":{quantity},' in text
    assert f'"shipmentCost":{cost},' in text
    assert '"shipmentId":900000001,' in text
    assert text.endswith('"total":1,"page":1,"pages":1}')


def test_a_quantity_that_is_no_whole_number_stays_what_it_is(simulate: Simulate) -> None:
    store = Store()
    store.add_shipment(
        None, START, items=[Line(1, "A", Decimal("1.5")), Line(2, "A", -2), Line(3, "A", None)]
    )
    text = fetch(simulate(store), "/shipments?includeShipmentItems=true")
    assert [item["quantity"] for item in json.loads(text)["shipments"][0]["shipmentItems"]] == [1.5, -2, None]


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2040, 1, 1)))
def test_stored_times_are_steps_of_the_servers_clock(moment: datetime) -> None:
    stored = quantised(moment)
    assert stored.microsecond % 10_000 in (0, 3_000, 7_000)
    assert abs(stored - moment) <= timedelta(milliseconds=2)
    assert quantised(stored) == stored


PERSON = {"name": "Sample Person", "street1": "9 Example Way", "city": "Sampletown"}
ORDER_RECORD = {
    "orderId": 800000041, "orderNumber": "100941", "orderKey": "manual-00112233445566778899aabbccddeeff",
    "orderDate": "2030-03-11T08:15:00.0000000", "createDate": "2030-03-11T08:15:27.0970000",
    "modifyDate": "2030-03-11T20:30:06.2130000", "paymentDate": "2030-03-11T08:15:00.0000000",
    "orderStatus": "shipped", "customerUsername": "sample-user", "customerEmail": "sample@example.com",
    "billTo": PERSON, "shipTo": PERSON,
    "items": [
        {"orderItemId": 700000041, "lineItemKey": "L1", "sku": "SKU-A - LOT01", "name": "Widget A",
         "weight": {"value": 24.0, "units": "ounces", "WeightUnits": 1}, "quantity": 3, "unitPrice": 5.50,
         "warehouseLocation": "A1", "options": [{"name": "Engraving", "value": "Sample Person"}],
         "productId": 500041, "fulfillmentSku": None, "adjustment": False, "upc": "000041",
         "createDate": "2030-03-11T08:15:27.097", "modifyDate": "2030-03-11T08:15:27.097"},
    ],
    "orderTotal": 16.50, "customerNotes": "ring twice", "internalNotes": "knows us", "giftMessage": "for you",
    "carrierCode": "ups", "shipDate": "2030-03-12",
    "weight": {"value": 72.0, "units": "ounces", "WeightUnits": 1},
    "advancedOptions": {"warehouseId": 70009, "mergedOrSplit": True, "mergedIds": [800000042],
                        "parentId": 800000040, "storeId": 60009, "source": "web",
                        "customField1": "Sample Person",
                        "billToPostalCode": "00009"},
    "tagIds": [41], "externallyFulfilled": False, "externallyFulfilledByName": "Sample Person",
    "movementIndicator": "x",
}  # fmt: skip
SHIPMENT_RECORD = {
    "shipmentId": 900000141, "orderId": 800000041, "orderKey": "manual-00112233445566778899aabbccddeeff",
    "userId": "11111111-2222-3333-4444-555555555555", "orderNumber": "100941",
    "createDate": "2030-03-11T20:30:05.5830000", "shipDate": "2030-03-12", "shipmentCost": 12.35,
    "trackingNumber": "TEST0000000041", "isReturnLabel": True, "carrierCode": "ups", "voided": True,
    "voidDate": "2030-03-12T09:20:10.1130000", "shipTo": PERSON, "advancedOptions": {"storeId": 60009},
    "dimensions": {"units": "inches", "length": 12, "width": 8, "height": 6.5}, "labelData": "JVBERi0=",
    "shipmentItems": [
        {"orderItemId": 700000041, "lineItemKey": "L1", "sku": "SKU-A - LOT01", "name": "Widget A",
         "quantity": 3},
    ],
}  # fmt: skip
MARK_RECORD = {
    "fulfillmentId": 12000041, "orderId": 800000041, "orderNumber": "100941", "trackingNumber": "TESTEXT41",
    "createDate": "2030-03-12T07:21:51.7730000", "shipDate": "2030-03-12T10:32:33.6870000",
    "voidDate": "2030-03-12T12:00:00.0030000", "carrierCode": "UPS", "voidRequested": True, "voided": True,
    "shipTo": PERSON, "fulfillmentFee": 1.25,
}  # fmt: skip
DROPPED = {
    "billTo",
    "shipTo",
    "customerUsername",
    "customerEmail",
    "customerNotes",
    "internalNotes",
    "giftMessage",
}
DROPPED |= {"userId", "labelData", "externallyFulfilledByName"}


def test_loaded_records_come_back_without_what_is_personal(simulate: Simulate, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text(json.dumps({"orders": [ORDER_RECORD], "total": 1}))
    (tmp_path / "shipments.json").write_text(json.dumps([SHIPMENT_RECORD]))
    (tmp_path / "fulfillments.json").write_text(json.dumps({"fulfillments": [MARK_RECORD]}))
    store = load_folder(tmp_path)
    for row in (*store.orders.values(), *store.labels.values(), *store.marks.values()):
        assert not DROPPED & set(row.more or ())
    simulator = simulate(store)
    for kind, record, expected_keys in (
        ("orders", ORDER_RECORD, ORDER + " movementIndicator"),
        ("shipments", SHIPMENT_RECORD, SHIPMENT),
        ("fulfillments", MARK_RECORD, FULFILLMENT),
    ):
        served = first(simulator, kind)
        assert keys(served) == expected_keys
        for key, value in record.items():
            if key in DROPPED:
                assert served[key] is None or set(served[key].values()) == {None}
            elif key not in ("items", "shipmentItems", "advancedOptions"):
                assert served[key] == value, key
        text = json.dumps(served)
        for private in ("Sample Person", "Example Way", "example.com", "00009", "sample-user", "ring twice"):
            assert private not in text
    order, shipment = first(simulator, "orders"), first(simulator, "shipments")
    options = order["advancedOptions"]
    assert (options["warehouseId"], options["source"], options["storeId"]) == (70009, "web", 60009)
    assert (options["mergedOrSplit"], options["mergedIds"], options["parentId"]) == (
        True,
        [800000042],
        800000040,
    )
    assert keys(options) == ORDER_OPTIONS
    item = ORDER_RECORD["items"][0]  # type: ignore[index]
    assert order["items"] == [{**dict.fromkeys(ORDER_ITEM.split()), **item, "options": []}]
    assert keys(shipment["shipmentItems"][0]) == SHIPMENT_ITEM
    assert shipment["shipmentItems"][0]["name"] == "Widget A"
