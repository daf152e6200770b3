"""ShipStation's records as typed values: only the fields that lotgate needs, and no personal ones.

Names, addresses, e-mail and prices are dropped while an answer is read, so that they reach no file and no
error. Unknown fields are ignored, since new ones appear over time. Numbers may come as ``1``, ``1.0`` or
``1.00``, so that answers are parsed with Decimal. An ``UnreadableRecord`` names the field, never its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from lotgate.parser import BLANKS
from lotgate.shipstation.times import parse_stamp

__all__ = [
    "Fulfillment",
    "Item",
    "Order",
    "Shipment",
    "UnreadableRecord",
    "fulfillment_from_json",
    "order_from_json",
    "shipment_from_json",
    "whole_number",
]

# what SQLite's integers hold
LARGEST: Final = 2**63 - 1
LONGEST_NUMBER: Final = 19
DISCOUNT: Final = "discount"


class UnreadableRecord(ValueError):
    """A record that lacks an id or a needed time, or that is no object. It names the field, not the value."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a shipment or an order; ``line_index`` is its place in the answer's array, from 0.

    ``quantity`` is None where it is no whole number.
    """

    line_index: int
    order_item_id: int | None
    line_item_key: str | None
    sku: str | None
    quantity: int | None
    adjustment: bool

    @property
    def is_counted(self) -> bool:
        """Does the line count as units? Not without a SKU, without units, or as an adjustment or discount."""
        return (
            self.sku is not None
            and bool(self.sku.strip(BLANKS))
            and self.quantity is not None
            and self.quantity >= 1
            and not self.adjustment
            and (self.line_item_key or "").strip().lower() != DISCOUNT
        )


@dataclass(frozen=True, slots=True)
class Shipment:
    """A label bought through ShipStation, or a parcel of an order that was marked as shipped by hand.

    ``created`` and ``voided_at`` are naive Pacific; ``ship_date`` is the day as sent, or None.
    ``units_from`` is ``order`` for a fulfillment without a label: its ``shipment_id`` is the negative
    fulfillment id, and its items were worked out from the order. ``items_sent`` is False where the answer had
    no list of items at all, which is not the same as an empty one.
    """

    shipment_id: int
    order_id: int | None
    order_number: str | None
    created: datetime
    ship_date: str | None
    tracking_number: str | None
    is_return_label: bool
    voided: bool
    voided_at: datetime | None
    items: tuple[Item, ...]
    units_from: Literal["label", "order"] = "label"
    items_sent: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Order:
    """An order. ``status`` is in lower case, ``ordered_on`` the day of its order date, times naive Pacific.

    ``ship_date`` proves nothing by itself: orders that never shipped have one, too. The parts of a split
    order share ``order_number``; ``parent_id`` is then the order that was split.
    """

    order_id: int
    order_number: str | None
    order_key: str | None
    ordered_on: str | None
    created: datetime
    modified: datetime
    status: str
    ship_date: str | None
    items: tuple[Item, ...]
    merged_or_split: bool
    parent_id: int | None
    externally_fulfilled: bool


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """An order, or a part of one, that left without a label of ShipStation's, which sends no items for it."""

    fulfillment_id: int
    order_id: int | None
    order_number: str | None
    tracking_number: str | None
    created: datetime
    ship_date: str | None
    voided: bool
    voided_at: datetime | None


def shipment_from_json(value: object) -> Shipment:
    """A record of ``/shipments``. Raises UnreadableRecord."""
    record = _object(value, "shipment")
    voided_at = _time(record, "voidDate")
    sent = record.get("shipmentItems")
    return Shipment(
        shipment_id=_id(record, "shipmentId"),
        order_id=_optional_id(record, "orderId"),
        order_number=_text(record, "orderNumber"),
        created=_needed_time(record, "createDate"),
        ship_date=_day(record, "shipDate"),
        tracking_number=_text(record, "trackingNumber"),
        is_return_label=_flag(record, "isReturnLabel"),
        voided=_flag(record, "voided", without=voided_at is not None),
        voided_at=voided_at,
        items=_items(sent, "shipmentItems"),
        items_sent=sent is not None,
    )


def order_from_json(value: object) -> Order:
    """A record of ``/orders``, or the answer of ``/orders/{id}``. Raises UnreadableRecord."""
    record = _object(value, "order")
    status = _text(record, "orderStatus")
    if status is None:
        raise UnreadableRecord("orderStatus is missing")
    options = record.get("advancedOptions")
    extra = {} if options is None else _object(options, "advancedOptions")
    return Order(
        order_id=_id(record, "orderId"),
        order_number=_text(record, "orderNumber"),
        order_key=_text(record, "orderKey"),
        ordered_on=_day(record, "orderDate"),
        created=_needed_time(record, "createDate"),
        modified=_needed_time(record, "modifyDate"),
        status=status.strip().lower(),
        ship_date=_day(record, "shipDate"),
        items=_items(record.get("items"), "items"),
        merged_or_split=_flag(extra, "mergedOrSplit"),
        parent_id=_optional_id(extra, "parentId"),
        externally_fulfilled=_flag(record, "externallyFulfilled"),
    )


def fulfillment_from_json(value: object) -> Fulfillment:
    """A record of ``/fulfillments``, whose ship date may have a time. Raises UnreadableRecord."""
    record = _object(value, "fulfillment")
    voided_at = _time(record, "voidDate")
    return Fulfillment(
        fulfillment_id=_id(record, "fulfillmentId"),
        order_id=_optional_id(record, "orderId"),
        order_number=_text(record, "orderNumber"),
        tracking_number=_text(record, "trackingNumber"),
        created=_needed_time(record, "createDate"),
        ship_date=_day(record, "shipDate"),
        voided=_flag(record, "voided", without=voided_at is not None),
        voided_at=voided_at,
    )


def _items(value: object, name: str) -> tuple[Item, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise UnreadableRecord(f"{name} is no list")
    items = []
    for index, sent in enumerate(value):
        where = f"{name}[{index}]"
        try:
            record = _object(sent, "item")
            items.append(
                Item(
                    line_index=index,
                    order_item_id=_optional_id(record, "orderItemId"),
                    line_item_key=_text(record, "lineItemKey"),
                    sku=_text(record, "sku"),
                    quantity=whole_number(record.get("quantity")),
                    adjustment=_flag(record, "adjustment"),
                )
            )
        except UnreadableRecord as error:
            raise UnreadableRecord(f"{where}: {error}") from None
    return tuple(items)


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise UnreadableRecord(f"the {name} is {'null' if value is None else 'no object'}")
    return value


def whole_number(value: object) -> int | None:
    """The whole number that was sent, as a number or as its digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
            return None
        value = int(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        # looked at before it is expanded: 1E+999999999 has nine digits here and a billion as an int
        if not value.is_finite() or value.adjusted() >= LONGEST_NUMBER or value != value.to_integral_value():
            return None
        value = int(value)
    return value if isinstance(value, int) and abs(value) <= LARGEST else None


def _id(record: Mapping[str, object], name: str) -> int:
    found = _optional_id(record, name)
    if found is None:
        raise UnreadableRecord(f"{name} is missing")
    return found


def _optional_id(record: Mapping[str, object], name: str) -> int | None:
    """An id above 0; None for null and for 0, which some systems write for none."""
    value = record.get(name)
    if value is None:
        return None
    number = whole_number(value)
    if number is None or number < 0:
        raise UnreadableRecord(f"{name} is no id")
    return number or None


def _text(record: Mapping[str, object], name: str) -> str | None:
    value = record.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UnreadableRecord(f"{name} is no text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which no database takes
            raise UnreadableRecord(f"{name} is no valid text") from None
    return value


def _flag(record: Mapping[str, object], name: str, *, without: bool = False) -> bool:
    """True or false; ``without`` where it was not sent."""
    value = record.get(name)
    if value is None:
        return without
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise UnreadableRecord(f"{name} is neither true nor false")


def _time(record: Mapping[str, object], name: str) -> datetime | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise UnreadableRecord(f"{name} is no time")
    try:
        return parse_stamp(value)
    except ValueError:
        raise UnreadableRecord(f"{name} is no time") from None


def _needed_time(record: Mapping[str, object], name: str) -> datetime:
    found = _time(record, name)
    if found is None:
        raise UnreadableRecord(f"{name} is missing")
    return found


def _day(record: Mapping[str, object], name: str) -> str | None:
    """The day as sent, without the time that some lists add; None where it is blank."""
    text = _text(record, name)
    return (text or "").strip()[:10] or None
