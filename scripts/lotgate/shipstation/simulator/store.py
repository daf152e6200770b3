"""The account's truth, in memory: what the simulated API reads, and what a test changes.

Every change stamps the order's modify date, as ShipStation does; times are naive US Pacific and are rounded
to ShipStation's steps. All methods are thread safe. Changes that are no change of an order (a label without
one) stamp nothing.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lotgate.shipstation.simulator.clock import quantised
from lotgate.shipstation.simulator.ids import FULFILLMENTS, ORDERS, SHIPMENTS, Ids, Items
from lotgate.shipstation.simulator.rows import AWAITING, CANCELLED, SHIPPED, Label, Mark, Order, Row
from lotgate.shipstation.simulator.units import count_units

__all__ = ["Store", "UnknownRow"]


class UnknownRow(KeyError):
    """A change of an order, label or mark that the store does not have."""


class Store:
    """Orders, labels and marks by id. ``version`` grows with every change; it is what caches go by."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.orders: dict[int, Order] = {}
        self.labels: dict[int, Label] = {}
        self.marks: dict[int, Mark] = {}
        self._labels_of: dict[int | None, list[int]] = defaultdict(list)
        self._marks_of: dict[int | None, list[int]] = defaultdict(list)
        self._ids = Ids()

    @classmethod
    def load_folder(cls, folder: Path) -> Store:
        """The store that a folder of CSV or JSON files describes; see ``data.load_folder``."""
        from lotgate.shipstation.simulator.data import load_folder

        return load_folder(folder)

    def put(self, row: Row) -> None:
        """Adds a row as it is, without any consequence for others. ValueError for an id that is there."""
        with self.lock:
            if isinstance(row, Order):
                self.orders[self._ids.new(ORDERS, row.order_id, self.orders)] = row
            elif isinstance(row, Label):
                self.labels[self._ids.new(SHIPMENTS, row.shipment_id, self.labels)] = row
                self._labels_of[row.order_id].append(row.shipment_id)
            else:
                self.marks[self._ids.new(FULFILLMENTS, row.fulfillment_id, self.marks)] = row
                self._marks_of[row.order_id].append(row.fulfillment_id)
            self._ids.note_lines(() if isinstance(row, Mark) else row.items or ())
            self.version += 1

    # Orders

    def add_order(
        self,
        number: str | None,
        items: Items,
        at: datetime,
        *,
        order_id: int | None = None,
        key: str | None = None,
        ordered: datetime | None = None,
        modified: datetime | None = None,
        status: str = AWAITING,
        made_by_hand: bool = False,
        ship_date: str | None = None,
        merged_or_split: bool = False,
        merged_ids: Sequence[int] = (),
        parent_id: int | None = None,
        externally_fulfilled: bool = False,
        more: dict[str, Any] | None = None,
    ) -> int:
        """A new order made ``at`` a Pacific time; returns its id.

        An item is a ``Line``, or a pair of SKU text and quantity. ``made_by_hand`` gives it a key as
        orders have that were made in ShipStation.
        """
        with self.lock:
            number_id = self._ids.new(ORDERS, order_id, self.orders)
            if key is None:
                digest = hashlib.sha256(f"order {number_id}".encode()).hexdigest()[:32]
                key = f"manual-{digest}" if made_by_hand else str(number or number_id)
            made = quantised(at)
            self.orders[number_id] = Order(
                order_id=number_id,
                number=number,
                key=key,
                ordered=quantised(ordered or at),
                created=made,
                modified=quantised(modified or at),
                status=status,
                items=self._ids.lines(items),
                ship_date=ship_date,
                merged_or_split=merged_or_split,
                merged_ids=tuple(merged_ids),
                parent_id=parent_id,
                externally_fulfilled=externally_fulfilled,
                more=more,
            )
            self.version += 1
            return number_id

    def edit_order(self, order_id: int, at: datetime, *, items: Items | None = None, **changes: Any) -> None:
        """Changes fields of an order (``status``, ``number``, ``ship_date`` and others of ``Order``).

        Without changes it only stamps the modify date, as ShipStation does for a note or a tag.
        """
        with self.lock:
            order = self.order(order_id)
            if items is not None:
                changes["items"] = self._ids.lines(items)
            self.orders[order_id] = replace(order, **{"modified": quantised(at), **changes})
            self.version += 1

    def cancel_order(self, order_id: int, at: datetime) -> None:
        """Sets the order's status to cancelled; its labels stay as they are."""
        self.edit_order(order_id, at, status=CANCELLED)

    def remove_order(self, order_id: int) -> None:
        """Takes an order out of the lists; asked for by its id it is unknown. Its labels stay."""
        with self.lock:
            del self.orders[self.order(order_id).order_id]
            self.version += 1

    def split_order(self, order_id: int, taken: Sequence[int], at: datetime) -> int:
        """Moves the items at the places ``taken`` into a new order with the same number; returns its id."""
        with self.lock:
            order = self.order(order_id)
            moved = [line for place, line in enumerate(order.items) if place in taken]
            kept = [line for place, line in enumerate(order.items) if place not in taken]
            self.edit_order(order_id, at, items=kept, merged_or_split=True)
            return self.add_order(
                order.number,
                moved,
                at,
                key=f"{order.key}-split-{len(self.orders)}",
                ordered=order.ordered,
                merged_or_split=True,
                parent_id=order_id,
                externally_fulfilled=order.externally_fulfilled,
            )

    def merge_orders(self, into: int, absorbed: Sequence[int], at: datetime) -> None:
        """Puts the items of ``absorbed`` into the order ``into``, and takes the absorbed orders away."""
        with self.lock:
            order = self.order(into)
            others = [self.order(other) for other in absorbed]
            lines = [line for one in (order, *others) for line in one.items]
            merged = (*order.merged_ids, *absorbed)
            self.edit_order(into, at, items=lines, merged_or_split=True, merged_ids=merged)
            for other in absorbed:
                self.remove_order(other)

    # Labels

    def add_shipment(
        self,
        order_id: int | None,
        at: datetime,
        *,
        ship_date: str | None = None,
        items: Items | None = None,
        number: str | None = None,
        tracking: str | None = None,
        is_return: bool = False,
        voided: bool = False,
        voided_at: datetime | None = None,
        shipment_id: int | None = None,
        without_list: bool = False,
        more: dict[str, Any] | None = None,
    ) -> int:
        """A label made ``at`` a Pacific time; returns its id.

        ``ship_date`` is the day of ``at`` where not given: it may be earlier (back-dated) or later. Without
        ``items`` the label holds all that the order holds; ``without_list`` is a label whose list of items is
        null. ``order_id`` None, or one that the store does not know (an order that is gone), stamps nothing.
        The order becomes shipped, except by a return label.
        """
        with self.lock:
            number_id = self._ids.new(SHIPMENTS, shipment_id, self.labels)
            order = self.orders.get(order_id) if order_id is not None else None
            lines = self._ids.lines(items) if items is not None else order.items if order else ()
            day = ship_date or f"{at:%Y-%m-%d}"
            made = quantised(at)
            self.labels[number_id] = Label(
                shipment_id=number_id,
                order_id=order_id,
                order_key=order.key if order else "",
                number=number if number is not None else order.number if order else None,
                created=made,
                ship_date=day,
                tracking=f"TEST{number_id:010d}" if tracking is None else tracking,
                items=None if without_list else lines,
                is_return=is_return,
                voided=voided,
                voided_at=quantised(voided_at) if voided_at else None,
                more=more,
            )
            self._labels_of[order_id].append(number_id)
            if order and not is_return and not voided:
                self.edit_order(order.order_id, made, status=SHIPPED, ship_date=day)
            elif order:
                self.edit_order(order.order_id, made)
            self.version += 1
            return number_id

    def void_shipment(self, shipment_id: int, at: datetime) -> None:
        """Voids a label; an order with nothing else shipped returns to awaiting shipment."""
        with self.lock:
            label = self.label(shipment_id)
            self.labels[shipment_id] = replace(label, voided=True, voided_at=quantised(at))
            self.version += 1
            self._reopen(label.order_id, at)

    def reprint_shipment(self, shipment_id: int, at: datetime, *, ship_date: str | None = None) -> int:
        """Voids a label and makes another with the same items 30 s later; returns the new label's id."""
        with self.lock:
            label = self.label(shipment_id)
            self.void_shipment(shipment_id, at)
            return self.add_shipment(
                label.order_id,
                at + timedelta(seconds=30),
                ship_date=ship_date,
                items=label.items or (),
                number=label.number,
                is_return=label.is_return,
                without_list=label.items is None,
            )

    def edit_shipment(
        self, shipment_id: int, at: datetime, *, items: Items | None = None, **changes: Any
    ) -> None:
        """Changes fields of a label (``ship_date`` and others of ``Label``), and stamps its order."""
        with self.lock:
            label = self.label(shipment_id)
            if items is not None:
                changes["items"] = self._ids.lines(items)
            self.labels[shipment_id] = replace(label, **changes)
            self.version += 1
            if label.order_id in self.orders:
                self.edit_order(label.order_id, at)

    # Orders marked shipped by hand

    def add_fulfillment(
        self,
        order_id: int | None,
        at: datetime,
        *,
        shipped: datetime | None = None,
        number: str | None = None,
        tracking: str = "",
        voided: bool = False,
        voided_at: datetime | None = None,
        fulfillment_id: int | None = None,
        more: dict[str, Any] | None = None,
    ) -> int:
        """Marks an order as shipped without a label, ``at`` a Pacific time; returns the mark's id.

        ``shipped`` is midnight of the day of ``at`` where not given.
        """
        with self.lock:
            number_id = self._ids.new(FULFILLMENTS, fulfillment_id, self.marks)
            order = self.orders.get(order_id) if order_id is not None else None
            midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
            made = quantised(at)
            mark = Mark(
                fulfillment_id=number_id,
                order_id=order_id,
                number=number if number is not None else order.number if order else None,
                created=made,
                shipped=quantised(shipped or midnight),
                tracking=tracking,
                voided=voided,
                voided_at=quantised(voided_at) if voided_at else None,
                more=more,
            )
            self.marks[number_id] = mark
            self._marks_of[order_id].append(number_id)
            if order and not voided:
                self.edit_order(order.order_id, made, status=SHIPPED, ship_date=f"{mark.shipped:%Y-%m-%d}")
            self.version += 1
            return number_id

    def void_fulfillment(self, fulfillment_id: int, at: datetime) -> None:
        """Takes a mark back; an order with nothing else shipped returns to awaiting shipment."""
        with self.lock:
            mark = self.mark(fulfillment_id)
            self.marks[fulfillment_id] = replace(mark, voided=True, voided_at=quantised(at))
            self.version += 1
            self._reopen(mark.order_id, at)

    # Reading

    def order(self, order_id: int) -> Order:
        """Raises UnknownRow where there is none."""
        if order_id not in self.orders:
            raise UnknownRow(f"order {order_id}")
        return self.orders[order_id]

    def label(self, shipment_id: int) -> Label:
        """Raises UnknownRow where there is none."""
        if shipment_id not in self.labels:
            raise UnknownRow(f"shipment {shipment_id}")
        return self.labels[shipment_id]

    def mark(self, fulfillment_id: int) -> Mark:
        """Raises UnknownRow where there is none."""
        if fulfillment_id not in self.marks:
            raise UnknownRow(f"fulfillment {fulfillment_id}")
        return self.marks[fulfillment_id]

    def labels_of(self, order_id: int | None) -> list[Label]:
        """The labels of one order, in the order in which they were added."""
        with self.lock:
            return [self.labels[number] for number in self._labels_of.get(order_id, ())]

    def marks_of(self, order_id: int | None) -> list[Mark]:
        """The hand marks of one order, in the order in which they were added."""
        with self.lock:
            return [self.marks[number] for number in self._marks_of.get(order_id, ())]

    def counted_units(self, day: str | None = None) -> dict[tuple[str | None, str, str], int]:
        """(order number, SKU text, ship date) -> units that left the building; see ``units.count_units``."""
        with self.lock:
            return count_units(self.orders, self.labels.values(), self.marks.values(), day)

    def _reopen(self, order_id: int | None, at: datetime) -> None:
        order = self.orders.get(order_id) if order_id is not None else None
        if order is None:
            return
        labels = any(label.counts for label in self.labels_of(order_id))
        shipped = labels or any(not mark.voided for mark in self.marks_of(order_id))
        status = AWAITING if order.status == SHIPPED and not shipped else order.status
        self.edit_order(order.order_id, at, status=status)
