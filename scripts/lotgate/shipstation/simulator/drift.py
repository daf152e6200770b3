"""Changes of the store between the pages of a list, made by the simulator itself.

They are changes that a working day makes; the truth changes with them.
"""

from __future__ import annotations

import random
from datetime import datetime

from lotgate.shipstation.simulator.store import Store

__all__ = ["drift"]


def drift(kind: str, store: Store, now: datetime, source: random.Random) -> None:
    """Carries out ``insert``, ``void`` or ``edit`` on a row that ``source`` picks; ``now`` is Pacific."""
    with store.lock:
        if kind == "insert":
            _insert(store, now, source)
        elif kind == "void":
            live = [label for label in store.labels.values() if not label.voided]
            if live:
                store.void_shipment(source.choice(live).shipment_id, now)
        elif store.orders:
            store.edit_order(source.choice(list(store.orders)), now)


def _insert(store: Store, now: datetime, source: random.Random) -> None:
    """A label like another one's, for a new order with a number of its own."""
    labels = [label for label in store.labels.values() if label.items]
    if labels:
        like = source.choice(labels)
        number = f"99{len(store.orders):06d}"
        order_id = store.add_order(number, [(line.sku, 1) for line in (like.items or ())], now)
        store.add_shipment(order_id, now)
