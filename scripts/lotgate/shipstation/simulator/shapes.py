"""Rows as the API's JSON: every documented key, in the order of the replies, personal fields null.

The keys and their order are those of docs/shipstation.md, sections 1 to 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lotgate.shipstation.simulator.rows import Label, Line, Mark, Order, Row
from lotgate.shipstation.simulator.switches import Switches

__all__ = [
    "PERSONAL",
    "json_bytes",
    "label_json",
    "mark_json",
    "order_json",
    "row_json",
    "stamp",
    "stores_json",
]

ADDRESS = (
    "name", "company", "street1", "street2", "street3", "city", "state", "postalCode", "country", "phone",
    "residential", "addressVerified",
)  # fmt: skip
NO_ADDRESS = dict.fromkeys(ADDRESS)
PERSONAL = frozenset({
    "billTo", "customerEmail", "customerId", "customerNotes", "customerUsername", "externallyFulfilledByName",
    "formData", "giftMessage", "internalNotes", "labelData", "shipTo", "userId",
})  # fmt: skip
"""Keys of a record that are served as null (addresses: every part of them), whatever was loaded. A label's
image has the address on it."""

STORE_ID = 60001
WAREHOUSE_ID = 70001

# A number whose writing matters travels through json.dumps as a text that starts with this mark.
NUMBER_MARK = "\ue000"
MARKED_NUMBER = re.compile(r'"\\ue000(-?[0-9.]+)"')


def stamp(moment: datetime | None) -> str | None:
    """A time as the API writes it: 7 digits of a second, no zone."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0"


def _item_stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"


def json_bytes(value: Any) -> bytes:
    """JSON as the API sends it: UTF-8, no blanks; marked numbers become numbers again."""
    text = json.dumps(value, separators=(",", ":"))
    return MARKED_NUMBER.sub(r"\1", text).encode()


def row_json(row: Row, switches: Switches, *, with_items: bool) -> dict[str, Any]:
    """One record of a list. ``with_items`` matters for labels only."""
    if isinstance(row, Label):
        return label_json(row, switches, with_items=with_items)
    return order_json(row, switches) if isinstance(row, Order) else mark_json(row, switches)


def label_json(label: Label, switches: Switches, *, with_items: bool) -> dict[str, Any]:
    """A record of ``/shipments``; its items are null unless they were asked for."""
    number = _Numbers(switches)
    lines: list[dict[str, Any]] | None = None
    if with_items and label.items is not None:
        lines = [
            _label_item(line, switches, number)
            for line in label.items
            if switches.discounts_in_labels or not line.adjustment
        ]
    record: dict[str, Any] = {
        "shipmentId": label.shipment_id,
        "orderId": label.order_id,
        "orderKey": label.order_key,
        "userId": None,
        "customerEmail": None,
        "orderNumber": label.number,
        "createDate": stamp(label.created),
        "shipDate": label.ship_date,
        "shipmentCost": number.amount(0),
        "insuranceCost": number.amount(0),
        "trackingNumber": label.tracking,
        "isReturnLabel": label.is_return,
        "batchNumber": None,
        "carrierCode": "fedex",
        "serviceCode": "fedex_ground",
        "packageCode": "package",
        "confirmation": None,
        "warehouseId": None if label.order_id is None else WAREHOUSE_ID,
        "voided": label.voided,
        "voidDate": stamp(label.voided_at),
        "marketplaceNotified": False,
        "notifyErrorMessage": None,
        "shipTo": NO_ADDRESS,
        "weight": _weight(number),
        "dimensions": None,
        "insuranceOptions": _insurance(number),
        "advancedOptions": {
            "billToParty": None,
            "billToAccount": None,
            "billToPostalCode": None,
            "billToCountryCode": None,
            "storeId": label.store_id,
        },
        "shipmentItems": lines,
        "labelData": None,
        "formData": None,
    }
    return _with_more(record, label.more, number)


def _label_item(line: Line, switches: Switches, number: _Numbers) -> dict[str, Any]:
    item: dict[str, Any] = {
        "orderItemId": line.order_item_id,
        "lineItemKey": line.line_item_key,
        "sku": line.sku,
        "name": None,
        "imageUrl": None,
        "weight": None,
        "quantity": number.quantity(line.quantity),
        "unitPrice": number.amount(0),
        "warehouseLocation": None,
        "options": [],
        "productId": None,
        "fulfillmentSku": None,
    }
    if switches.adjustment_in_labels:
        item["adjustment"] = line.adjustment
    return _with_more(item, line.more, number, known_only=True)


def order_json(order: Order, switches: Switches) -> dict[str, Any]:
    """A record of ``/orders``, and the answer of ``/orders/{id}``."""
    number = _Numbers(switches)
    record: dict[str, Any] = {
        "orderId": order.order_id,
        "orderNumber": order.number,
        "orderKey": order.key,
        "orderDate": stamp(order.ordered),
        "createDate": stamp(order.created),
        "modifyDate": stamp(order.modified),
        "paymentDate": None,
        "shipByDate": None,
        "orderStatus": order.status,
        "customerId": None,
        "customerUsername": None,
        "customerEmail": None,
        "billTo": NO_ADDRESS,
        "shipTo": NO_ADDRESS,
        "items": [_order_item(line, order, number) for line in order.items],
        "orderTotal": number.amount(0),
        "amountPaid": number.amount(0),
        "taxAmount": number.amount(0),
        "shippingAmount": number.amount(0),
        "customerNotes": None,
        "internalNotes": None,
        "gift": False,
        "giftMessage": None,
        "paymentMethod": None,
        "requestedShippingService": None,
        "carrierCode": None,
        "serviceCode": None,
        "packageCode": None,
        "confirmation": "none",
        "shipDate": order.ship_date,
        "holdUntilDate": None,
        "weight": _weight(number),
        "dimensions": None,
        "insuranceOptions": _insurance(number),
        "internationalOptions": {"contents": None, "customsItems": None, "nonDelivery": None},
        "advancedOptions": {
            "warehouseId": WAREHOUSE_ID,
            "nonMachinable": False,
            "saturdayDelivery": False,
            "containsAlcohol": False,
            "mergedOrSplit": order.merged_or_split,
            "mergedIds": list(order.merged_ids),
            "parentId": order.parent_id,
            "storeId": order.store_id,
            "customField1": None,
            "customField2": None,
            "customField3": None,
            "source": None,
            "billToParty": None,
            "billToAccount": None,
            "billToPostalCode": None,
            "billToCountryCode": None,
            "billToMyOtherAccount": None,
        },
        "tagIds": None,
        "userId": None,
        "externallyFulfilled": order.externally_fulfilled,
        "externallyFulfilledBy": None,
        "externallyFulfilledById": None,
        "externallyFulfilledByName": None,
        "labelMessages": None,
    }
    return _with_more(record, order.more, number)


def _order_item(line: Line, order: Order, number: _Numbers) -> dict[str, Any]:
    item: dict[str, Any] = {
        "orderItemId": line.order_item_id,
        "lineItemKey": line.line_item_key,
        "sku": line.sku,
        "name": None,
        "imageUrl": None,
        "weight": None,
        "quantity": number.quantity(line.quantity),
        "unitPrice": number.amount(0),
        "taxAmount": None,
        "shippingAmount": None,
        "warehouseLocation": None,
        "options": [],
        "productId": None,
        "fulfillmentSku": None,
        "adjustment": line.adjustment,
        "upc": None,
        "createDate": _item_stamp(order.created),
        "modifyDate": _item_stamp(order.created),
    }
    return _with_more(item, line.more, number, known_only=True)


def mark_json(mark: Mark, switches: Switches) -> dict[str, Any]:
    """A record of ``/fulfillments``: its ship date has a time, and it has no items."""
    number = _Numbers(switches)
    record: dict[str, Any] = {
        "fulfillmentId": mark.fulfillment_id,
        "orderId": mark.order_id,
        "orderNumber": mark.number,
        "userId": None,
        "customerEmail": None,
        "trackingNumber": mark.tracking,
        "createDate": stamp(mark.created),
        "shipDate": stamp(mark.shipped),
        "voidDate": stamp(mark.voided_at),
        "deliveryDate": None,
        "carrierCode": None,
        "sellerFillProviderId": 0,
        "sellerFillProviderName": "",
        "fulfillmentProviderCode": None,
        "fulfillmentServiceCode": None,
        "fulfillmentFee": number.amount(0),
        "voidRequested": mark.voided,
        "voided": mark.voided,
        "marketplaceNotified": False,
        "notifyErrorMessage": None,
        "shipTo": NO_ADDRESS,
    }
    return _with_more(record, mark.more, number)


def stores_json() -> list[dict[str, Any]]:
    """The answer of ``/stores``: one selling channel. Its times have no trailing zeros, unlike all others."""
    return [
        {
            "storeId": STORE_ID,
            "storeName": "Simulated store",
            "marketplaceId": 0,
            "marketplaceName": "ShipStation",
            "accountName": None,
            "email": None,
            "integrationUrl": None,
            "active": True,
            "companyName": None,
            "phone": None,
            "publicEmail": None,
            "website": None,
            "refreshDate": None,
            "lastRefreshAttempt": None,
            "createDate": "2030-01-02T08:30:42.98",
            "modifyDate": "2030-01-02T08:30:42.98",
            "autoRefresh": False,
            "statusMappings": None,
        }
    ]


class _Numbers:
    """Writes numbers as the switch says. Ids and page counts are always plain."""

    def __init__(self, switches: Switches) -> None:
        style = switches.numbers
        self._whole = {"mixed": 0, "1": 0, "1.0": 1, "1.00": 2}[style]
        self._amount = {"mixed": 2, "1": 0, "1.0": 1, "1.00": 2}[style]

    def quantity(self, value: int | Decimal | None) -> Any:
        return self._written(value, self._whole)

    def amount(self, value: int | Decimal | None) -> Any:
        return self._written(value, self._amount)

    def _written(self, value: int | Decimal | None, digits: int) -> Any:
        if value is None:
            return None
        if isinstance(value, int) or value == int(value):
            return f"{NUMBER_MARK}{int(value)}.{'0' * digits}" if digits else int(value)
        return f"{NUMBER_MARK}{value:f}"


def _weight(number: _Numbers) -> dict[str, Any]:
    return {"value": number.amount(0), "units": "ounces", "WeightUnits": 1}


def _insurance(number: _Numbers) -> dict[str, Any]:
    return {"provider": None, "insureShipment": False, "insuredValue": number.amount(0)}


def _with_more(
    record: dict[str, Any], more: Mapping[str, Any] | None, number: _Numbers, *, known_only: bool = False
) -> dict[str, Any]:
    """``record`` with the values that a loaded row brought along; never with a personal one.

    ``known_only``: the items of labels do not have all the keys that those of orders have.
    """
    for key, value in (more or {}).items():
        if key == "advancedOptions":
            record[key] = {**record[key], **_plain(value, number)}
        elif key not in PERSONAL and (key in record or not known_only):
            record[key] = _plain(value, number)
    return record


def _plain(value: Any, number: _Numbers) -> Any:
    if isinstance(value, Decimal):
        return number.amount(value)
    if isinstance(value, dict):
        return {key: _plain(one, number) for key, one in value.items()}
    return [_plain(one, number) for one in value] if isinstance(value, list) else value
