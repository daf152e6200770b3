"""Orders that were marked as shipped by hand: which units left the house without a label.

ShipStation's V1 API lists such an order as a *fulfillment*, without items (docs/shipstation.md). What it
shipped is what the order has and no label took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lotgate.parser import parse_sku, trim
from lotgate.shipstation.records import Fulfillment, Item, Order, Shipment

__all__ = ["as_shipment", "by_hand"]


def by_hand(
    order: Order, shipments: Sequence[Shipment], fulfillments: Sequence[Fulfillment]
) -> tuple[Shipment, ...]:
    """An order's fulfillments as shipments, by fulfillment id, with ``units_from`` ``order``.

    ``shipments`` and ``fulfillments`` must be *all* that ShipStation has of the order; those of other orders
    are passed over. A record's id is the fulfillment's, negative, since ShipStation numbers fulfillments
    apart from shipments. The units are the order's counted items without those on its labels that are
    neither voided nor returns, by SKU and lot however they are spelled, never below 0. An item whose quantity
    cannot be read is handed on as it is. The live fulfillment with the lowest id
    takes all of them, the other live ones have no items: several cannot be told apart, and units must not
    count twice. A voided fulfillment has all counted items; it does not count, and says what it was for.

    An order that another warehouse fulfilled gives nothing: none of our stock left.
    """
    if order.externally_fulfilled:
        return ()
    rest = _not_on_labels(order, shipments)
    everything = tuple(item for item in order.items if _is_goods(item))
    own = {one.fulfillment_id: one for one in fulfillments if one.order_id == order.order_id}
    first = min((number for number, one in own.items() if not one.voided), default=None)
    found = []
    for number, fulfillment in sorted(own.items()):
        items = everything if fulfillment.voided else rest if number == first else ()
        found.append(as_shipment(fulfillment, order.order_number, items))
    return tuple(found)


def _not_on_labels(order: Order, shipments: Iterable[Shipment]) -> tuple[Item, ...]:
    """What is left of an order's goods beyond its labels that are neither voided nor returns.

    A label's units stand for those of the same SKU and lot first, then for those of the same SKU: they have
    left, whichever lot the order was written with.
    """
    labelled: Counter[tuple[str, str | None]] = Counter()
    for shipment in {one.shipment_id: one for one in shipments}.values():
        if (
            shipment.order_id == order.order_id
            and shipment.units_from == "label"
            and not shipment.voided
            and not shipment.is_return_label
        ):
            for item in shipment.items:
                if item.is_counted:
                    labelled[_meaning(item)] += item.quantity or 0
    goods = [item for item in order.items if _is_goods(item)]
    left = [item.quantity or 0 for item in goods]
    for place, item in enumerate(goods):
        taken = min(labelled[_meaning(item)], left[place])
        labelled[_meaning(item)] -= taken
        left[place] -= taken
    of_sku: Counter[str] = Counter()
    for (sku, _), units in labelled.items():
        of_sku[sku] += units
    for place, item in enumerate(goods):
        sku = _meaning(item)[0]
        taken = min(of_sku[sku], left[place])
        of_sku[sku] -= taken
        left[place] -= taken
    return tuple(
        item if item.quantity is None else replace(item, quantity=units)
        for item, units in zip(goods, left, strict=True)
        if units or item.quantity is None
    )


class _AnySku:
    """Which SKUs there are is not asked here, only whether two texts mean the same."""

    def __contains__(self, code: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _meaning(item: Item) -> tuple[str, str | None]:
    """SKU and lot, however they are spelled; the text itself where it cannot be read."""
    parsed = parse_sku(item.sku, None, known_skus=_AnySku(), min_lot_digits=1)
    return (trim(item.sku), None) if parsed.sku_code is None else (parsed.sku_code, parsed.lot_number)


def _is_goods(item: Item) -> bool:
    """Also where the quantity cannot be read: then the reader of the record has to say so."""
    return item.is_counted or (item.quantity is None and replace(item, quantity=1).is_counted)


def as_shipment(fulfillment: Fulfillment, order_number: str | None, items: tuple[Item, ...]) -> Shipment:
    """A fulfillment as the other shipments are kept: under minus its id, with units from the order."""
    return Shipment(
        shipment_id=-fulfillment.fulfillment_id,
        order_id=fulfillment.order_id,
        order_number=order_number,
        created=fulfillment.created,
        ship_date=fulfillment.ship_date,
        tracking_number=fulfillment.tracking_number,
        is_return_label=False,
        voided=fulfillment.voided,
        voided_at=fulfillment.voided_at,
        items=items,
        units_from="order",
    )
