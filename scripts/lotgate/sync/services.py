"""What each service fetches. All of it is in the spool before anything is written (docs/sync.md).

- ``shipments``: labels by create date since the watermark, by ship date for the last days, and by void date;
- ``status``: orders that changed since the watermark, each asked by its own address, with its labels;
- ``manual``: the same for orders that were made in ShipStation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from lotgate.config import SyncSettings
from lotgate.console import Reporter
from lotgate.shipstation.by_hand import by_hand
from lotgate.shipstation.client import Client, WrongAnswer
from lotgate.shipstation.records import Order
from lotgate.shipstation.spool import Spool
from lotgate.shipstation.times import Window, to_pacific, to_utc
from lotgate.sync.model import Refusal

__all__ = ["SERVICES", "Fetched", "Service", "fetch", "fetch_orders"]

Service: TypeAlias = Literal["shipments", "status", "manual"]
SERVICES: tuple[Service, ...] = get_args(Service)

PIECE = timedelta(days=7)
"""A list is read again from its start when it changes meanwhile, so that long windows are read in pieces."""

LONG_AGO = datetime(2000, 1, 1)
"""Before every label: a list by ship date has to end somewhere, too, or it grows while it is read."""

CLOSED = timedelta(seconds=5)
"""How far before ShipStation's own clock a window ends, so that nothing new comes into it."""


@dataclass
class Fetched:
    """What was asked for, and what is known of it.

    ``watermark`` is where the service stands once all of it is written; ``asked`` are the orders of which
    everything is in the spool; ``not_asked`` are those for which ShipStation answered with another, or which
    had to wait for such a one, with the refusal that says so.
    """

    window: Window
    watermark: datetime
    asked: set[int] = field(default_factory=set)
    not_asked: dict[int, Refusal] = field(default_factory=dict)

    def hold_back(self, order_id: int, detail: str) -> None:
        """Nothing of this order is written in this run."""
        self.not_asked[order_id] = Refusal(
            subject=f"order {order_id}",
            reason="wrong_answer",
            detail=detail,
            shipment_id=None,
            shipstation_order_id=order_id,
            order_number=None,
            ship_date=None,
            sku_text=None,
            quantity=None,
        )


def fetch(
    service: Service,
    client: Client,
    spool: Spool,
    start: datetime,
    settings: SyncSettings,
    has_order: Callable[[str | None], bool],
    *,
    reporter: Reporter,
) -> Fetched:
    """Reads everything that the service writes from; naive Pacific times.

    ``has_order`` says whether the database has an order number. Raises what the client raises: then nothing
    counts.
    """
    end = max(to_pacific(to_utc(client.now()) - CLOSED), start)
    fetched = Fetched(Window(start, end), end)
    if service == "shipments":
        _fetch_labels(client, spool, fetched, settings)
        latest = spool.latest_created()
    else:
        _fetch_changed(client, spool, fetched, service, settings, has_order, reporter)
        latest = spool.latest_modified()
    if latest is not None:
        fetched.watermark = max(start, min(latest, end))
    return fetched


def fetch_orders(client: Client, spool: Spool, order_ids: Iterable[int], fetched: Fetched) -> None:
    """Everything of single orders, each asked once: the order, its labels, what was shipped by hand.

    An answer about another order is noted and changes nothing (the legacy status sync lost two days' orders
    to such answers).
    """
    for order_id in sorted(set(order_ids) - fetched.asked - fetched.not_asked.keys()):
        try:
            order = client.order(order_id)
            client.read_shipments(spool, order_id=order_id)
            if order is not None:
                spool.put_orders([order])
                _add_by_hand(client, spool, order)
        except WrongAnswer as error:
            fetched.hold_back(order_id, error.message)
        else:
            fetched.asked.add(order_id)


def _fetch_labels(client: Client, spool: Spool, fetched: Fetched, settings: SyncSettings) -> None:
    window = fetched.window
    for piece in _pieces(window):
        client.read_orders(spool, modified=piece)  # for the days on which they were ordered
        client.read_shipments(spool, created=piece)
        client.read_shipments(spool, voided=piece)
    # labels for a later day become due, and ship dates are changed by hand
    today = client.now().date()
    first = min(today - timedelta(days=settings.window_days), window.start.date())
    client.read_shipments(
        spool, shipped=(first.isoformat(), today.isoformat()), created=Window(LONG_AGO, window.end)
    )


def _fetch_changed(
    client: Client,
    spool: Spool,
    fetched: Fetched,
    service: Service,
    settings: SyncSettings,
    has_order: Callable[[str | None], bool],
    reporter: Reporter,
) -> None:
    for piece in _pieces(fetched.window):
        client.read_orders(spool, modified=piece)
        client.read_fulfillments(spool, created=piece)
    # an order may be cancelled after it was marked shipped by hand: it has left all the same
    marked = {mark.order_id for mark in spool.fulfillments()}
    wanted = [
        order.order_id
        for order in spool.orders()
        if _is_manual(order, settings) == (service == "manual")
        and (order.status == "shipped" or order.order_id in marked or has_order(order.order_number))
    ]
    with reporter.step(f"Asking for {len(wanted)} orders", total=max(len(wanted), 1)) as step:
        for order_id in wanted:
            fetch_orders(client, spool, [order_id], fetched)
            step.advance()


def _add_by_hand(client: Client, spool: Spool, order: Order) -> None:
    """Units that left without a label; also those of before, which a label may have replaced since."""
    client.read_fulfillments(spool, order_id=order.order_id)
    marks = tuple(spool.fulfillments(order.order_id))
    labels = [label for label in spool.shipments(order.order_id) if label.units_from == "label"]
    found = by_hand(replace(order, externally_fulfilled=False), labels, marks)
    # fulfilled elsewhere, it used none of our stock, whatever was written before that was known
    spool.put_shipments(replace(one, voided=one.voided or order.externally_fulfilled) for one in found)


def _is_manual(order: Order, settings: SyncSettings) -> bool:
    """Made in ShipStation: its key says so, or its number (docs/shipstation.md, "Orders made by hand")."""
    key, number = order.order_key or "", (order.order_number or "").strip()
    return key.startswith("manual-") or number.startswith(settings.manual_prefix)


def _pieces(window: Window) -> Iterator[Window]:
    start = window.start
    while start + PIECE < window.end:
        # midnight exists on every day of the year, 02:30 does not
        end = (start + PIECE).replace(hour=0, minute=0, second=0, microsecond=0)
        yield Window(start, end)
        start = end
    yield Window(start, window.end)
