"""Random days at a warehouse: labels, voids, reprints, splits, parcels, hand marks, other days.

``expected_units`` says what a database must hold afterwards. It is worked out from the simulator's store with
the guard's rules written down once more, apart from the code that is tested.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lotgate.shipstation.simulator import Label, Line, SetClock, Store
from lotgate.shipstation.simulator.units import spelled, uncovered
from lotgate.shipstation.times import to_pacific

__all__ = ["EVENTS", "READABLE", "History", "expected_units"]

READABLE = {
    "17612 - 250300": ("17612", "250300"),
    "17612-250300": ("17612", "250300"),
    "17612 - 250237": ("17612", "250237"),
    " 17904 -  250240 ": ("17904", "250240"),
    "18795 - 11001": ("18795", "11001"),
    "17914": ("17914", None),
}
"""SKU texts and what they mean."""

UNREADABLE = ("17612-40", "18255 - 250300", "ducks")
GUARD_DAYS = 40
Units = dict[tuple[str | None, str, str | None, str], int]


@dataclass
class History:
    """A store that grows event by event; every choice comes from ``source``."""

    store: Store
    clock: SetClock
    source: random.Random
    orders: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return to_pacific(self.clock())

    def happen(self, event: str) -> None:
        """One event; nothing where there is nothing that it could happen to. Each takes a few minutes."""
        self.clock.advance(timedelta(minutes=self.source.randint(1, 40)))
        EVENTS[event](self)

    def day(self, earliest: int, latest: int) -> str:
        return f"{self.now.date() + timedelta(days=self.source.randint(earliest, latest)):%Y-%m-%d}"

    def order(self) -> None:
        texts = self.source.choices([*READABLE, *UNREADABLE], [8] * len(READABLE) + [1, 1, 1], k=3)
        lines = [
            Line(None, text, self.source.choice([1, 2, 15, 40]))
            for text in texts[: self.source.randint(1, 3)]
        ]
        if self.source.random() < 0.2:
            lines.append(Line(None, None, 1, line_item_key="discount", adjustment=True))
        manual = self.source.random() < 0.4
        number = f"{(100900 if manual else 600005) + len(self.orders) * (1 if manual else 10)}"
        if self.orders and self.source.random() < 0.05:  # operators use numbers again
            number = self.store.order(self.source.choice(self.orders)).number or number
        self.orders.append(
            self.store.add_order(
                number,
                [(line.sku, line.quantity) if not line.adjustment else line for line in lines],  # type: ignore[misc]
                self.now,
                ordered=self.now - timedelta(days=self.source.choice([0, 0, 1, 3])),
                made_by_hand=manual,
                externally_fulfilled=self.source.random() < 0.03,
            )
        )

    def label(self) -> None:
        if not self.orders:
            return
        order = self.store.order(self.source.choice(self.orders))
        lines = [line for line in order.items if line.sku is not None]
        part = self.source.sample(lines, self.source.randint(1, len(lines))) if lines else []
        shift = self.source.choices([(0, 0), (-4, -1), (1, 2), (-60, -41)], [10, 2, 2, 1])[0]
        self.labels.append(
            self.store.add_shipment(
                order.order_id,
                self.now,
                ship_date=self.day(*shift),
                items=[(line.sku, line.quantity) for line in part],  # type: ignore[misc]
                is_return=self.source.random() < 0.05,
            )
        )

    def label_without_order(self) -> None:
        text = self.source.choice(list(READABLE))
        self.labels.append(self.store.add_shipment(None, self.now, items=[(text, self.source.randint(1, 3))]))

    def void(self) -> None:
        live = [one for one in self.labels if not self.store.label(one).voided]
        if live:
            self.store.void_shipment(self.source.choice(live), self.now)

    def reprint(self) -> None:
        live = [one for one in self.labels if self.store.label(one).counts]
        if live:
            new = self.store.reprint_shipment(self.source.choice(live), self.now, ship_date=self.day(0, 1))
            self.labels.append(new)
            self.clock.advance(timedelta(minutes=1))

    def move_day(self) -> None:
        """Somebody edits a label's ship date, to one that is believed (a row stays where the new day is not).

        Only the order's modify date tells of it.
        """
        own = [one for one in self.labels if self.store.label(one).order_id is not None]
        if own:
            label = self.store.label(self.source.choice(own))
            day = self.day(-3, 0)
            if day >= f"{self.store.order(label.order_id or 0).ordered:%Y-%m-%d}":
                self.store.edit_shipment(label.shipment_id, self.now, ship_date=day)

    def split(self) -> None:
        wide = [one for one in self.orders if len(self.store.order(one).items) > 1]
        if wide:
            self.orders.append(self.store.split_order(self.source.choice(wide), [0], self.now))

    def mark(self) -> None:
        if self.orders:
            order = self.source.choice(self.orders)
            self.marks.append(self.store.add_fulfillment(order, self.now))

    def void_mark(self) -> None:
        live = [one for one in self.marks if not self.store.mark(one).voided]
        if live:
            self.store.void_fulfillment(self.source.choice(live), self.now)

    def note(self) -> None:
        if self.orders:
            self.store.edit_order(self.source.choice(self.orders), self.now)

    def cancel(self) -> None:
        if self.orders:
            self.store.cancel_order(self.source.choice(self.orders), self.now)

    def renumber(self) -> None:
        """Somebody changes an order's number; its labels keep theirs."""
        if self.orders:
            order = self.store.order(self.source.choice(self.orders))
            self.store.edit_order(order.order_id, self.now, number=f"{(order.number or '')[:6]}9")

    def night(self) -> None:
        self.clock.advance(timedelta(hours=self.source.choice([9, 24, 60])))


EVENTS: dict[str, Callable[[History], None]] = {
    "order": History.order,
    "label": History.label,
    "label_without_order": History.label_without_order,
    "void": History.void,
    "reprint": History.reprint,
    "move_day": History.move_day,
    "split": History.split,
    "mark": History.mark,
    "void_mark": History.void_mark,
    "note": History.note,
    "cancel": History.cancel,
    "renumber": History.renumber,
    "night": History.night,
}


def expected_units(store: Store, today: date) -> Units:
    """What the database must hold: counted lines whose text can be read and whose day the guard believes.

    Not for days that were old or early when they were first seen: those need ``is_believed`` then.
    """
    found: Counter[tuple[str | None, str, str | None, str]] = Counter()
    labelled: dict[int, Counter[str]] = defaultdict(Counter)
    for label in store.labels.values():
        if not label.counts or label.items is None:
            continue
        for line in label.items:
            if line.units and label.order_id is not None:
                labelled[label.order_id][spelled(line.sku or "")] += line.units
            text = line.sku or ""
            if line.units and text in READABLE and is_believed(store, label, today):
                found[(label.number, *READABLE[text], label.ship_date)] += line.units
    for order_id, order in store.orders.items():
        marks = [mark for mark in store.marks_of(order_id) if not mark.voided]
        if not marks or order.externally_fulfilled:
            continue
        first = min(marks, key=lambda mark: mark.fulfillment_id)
        day = f"{first.shipped:%Y-%m-%d}"
        ordered = [(line.sku or "", line.units) for line in order.items if line.units]
        for text, units in uncovered(ordered, labelled[order_id]):
            if text in READABLE and _in_time(day, order.ordered.date(), today):
                found[(order.number, *READABLE[text], day)] += units
    return dict(found)


def is_believed(store: Store, label: Label, today: date) -> bool:
    """The guard, once more."""
    order = store.orders.get(label.order_id or 0)
    return _in_time(label.ship_date, None if order is None else order.ordered.date(), today)


def _in_time(day: str, ordered: date | None, today: date) -> bool:
    shipped = date.fromisoformat(day)
    if ordered is not None and shipped < ordered:
        return False
    return today - timedelta(days=GUARD_DAYS) <= shipped <= today
