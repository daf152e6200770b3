"""Orders that were marked as shipped by hand: which units left the house without a label.

ShipStation's V1 API lists such an order as a *fulfillment*, without items (docs/shipstation.md). What it
shipped is what the order has and no label took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lotgate.parser import trim
from lotgate.shipstation.records import Fulfillment, Item, Order, Shipment

__all__ = ["by_hand", "not_on_labels"]


def by_hand(
    order: Order, shipments: Sequence[Shipment], fulfillments: Sequence[Fulfillment]
) -> tuple[Shipment, ...]:
    """An order's fulfillments as shipments, by fulfillment id, with ``units_from`` ``order``.

    ``shipments`` and ``fulfillments`` must be *all* that ShipStation has of the order; those of other orders
    are passed over. A record's id is the fulfillment's, negative, since ShipStation numbers fulfillments
    apart from shipments. The units are the order's counted items without those on its labels that are
    neither voided nor returns, by SKU text (trimmed), never below 0. The live fulfillment with the lowest id
    takes all of them, the other live ones have no items: several cannot be told apart, and units must not
    count twice. A voided fulfillment has all counted items; it does not count, and says what it was for.

    An order that another warehouse fulfilled gives nothing: none of our stock left.
    """
    if order.externally_fulfilled:
        return ()
    rest = not_on_labels(order, shipments)
    everything = tuple(item for item in order.items if item.is_counted)
    own = {one.fulfillment_id: one for one in fulfillments if one.order_id == order.order_id}
    first = min((number for number, one in own.items() if not one.voided), default=None)
    found = []
    for number, fulfillment in sorted(own.items()):
        items = everything if fulfillment.voided else rest if number == first else ()
        found.append(_as_shipment(order, fulfillment, items))
    return tuple(found)


def not_on_labels(order: Order, shipments: Iterable[Shipment]) -> tuple[Item, ...]:
    """What is left of an order's counted items beyond its labels that are neither voided nor returns."""
    labelled: Counter[str] = Counter()
    for shipment in {one.shipment_id: one for one in shipments}.values():
        if (
            shipment.order_id == order.order_id
            and shipment.units_from == "label"
            and not shipment.voided
            and not shipment.is_return_label
        ):
            for item in shipment.items:
                if item.is_counted:
                    labelled[_text(item)] += item.quantity or 0
    rest = []
    for item in order.items:
        if not item.is_counted:
            continue
        taken = min(labelled[_text(item)], item.quantity or 0)
        labelled[_text(item)] -= taken
        left = (item.quantity or 0) - taken
        if left:
            rest.append(replace(item, quantity=left))
    return tuple(rest)


def _text(item: Item) -> str:
    return trim(item.sku or "")


def _as_shipment(order: Order, fulfillment: Fulfillment, items: tuple[Item, ...]) -> Shipment:
    return Shipment(
        shipment_id=-fulfillment.fulfillment_id,
        order_id=order.order_id,
        order_number=order.order_number,
        created=fulfillment.created,
        ship_date=fulfillment.ship_date,
        tracking_number=fulfillment.tracking_number,
        is_return_label=False,
        voided=fulfillment.voided,
        voided_at=fulfillment.voided_at,
        items=items,
        units_from="order",
    )
