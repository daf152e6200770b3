"""What an account holds: orders, labels, and orders marked shipped by hand.

All times are naive US Pacific; ship dates of orders and labels are days as text (docs/shipstation.md,
section 0). No row has a name, an address or an e-mail: the API's keys for them are served as null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

__all__ = ["AWAITING", "CANCELLED", "SHIPPED", "Label", "Line", "Mark", "Order", "Row"]

AWAITING = "awaiting_shipment"
CANCELLED = "cancelled"
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One item line of an order or of a label. ``quantity`` may be what the API should never send."""

    order_item_id: int | None
    sku: str | None
    quantity: int | Decimal | None
    line_item_key: str | None = None
    adjustment: bool = False
    more: Mapping[str, Any] | None = None

    @property
    def units(self) -> int:
        """The units that leave the building with this line: 0 for discounts, null SKUs and quantities
        that are no positive whole number (docs/shipstation.md, section 2)."""
        if self.adjustment or self.sku is None or not self.sku.strip():
            return 0
        if self.line_item_key is not None and self.line_item_key.strip().lower() == "discount":
            return 0
        if self.quantity is None or self.quantity < 1 or self.quantity != int(self.quantity):
            return 0
        return int(self.quantity)


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``more`` are further keys of the API's JSON with the values to serve."""

    order_id: int
    number: str | None
    key: str
    ordered: datetime
    created: datetime
    modified: datetime
    status: str
    items: tuple[Line, ...]
    ship_date: str | None = None
    merged_or_split: bool = False
    merged_ids: tuple[int, ...] = ()
    parent_id: int | None = None
    externally_fulfilled: bool = False
    store_id: int = 60001
    more: Mapping[str, Any] | None = None

    @property
    def row_id(self) -> int:
        return self.order_id


@dataclass(frozen=True, slots=True)
class Label:
    """One label bought through ShipStation (a "shipment"). ``items`` is None for a label without a list."""

    shipment_id: int
    order_id: int | None
    order_key: str
    number: str | None
    created: datetime
    ship_date: str
    tracking: str
    items: tuple[Line, ...] | None
    is_return: bool = False
    voided: bool = False
    voided_at: datetime | None = None
    store_id: int = 60001
    more: Mapping[str, Any] | None = None

    @property
    def row_id(self) -> int:
        return self.shipment_id

    @property
    def counts(self) -> bool:
        """Its units left the building: neither voided nor a return."""
        return not self.voided and not self.is_return


@dataclass(frozen=True, slots=True)
class Mark:
    """One order marked shipped by hand (a "fulfillment"). It has a time of day, and no items."""

    fulfillment_id: int
    order_id: int | None
    number: str | None
    created: datetime
    shipped: datetime
    tracking: str = ""
    voided: bool = False
    voided_at: datetime | None = None
    more: Mapping[str, Any] | None = None

    @property
    def row_id(self) -> int:
        return self.fulfillment_id


Row = Order | Label | Mark
