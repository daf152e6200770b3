"""What each service fetches. All of it is in the spool before anything is written (docs/sync.md).

- ``shipments``: labels by create date since the watermark, by ship date for the last days, and by void date;
- ``status``: orders that changed since the watermark, each asked by its own address, with its labels;
- ``manual``: the same for orders that were made in ShipStation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias, get_args

from lotgate.config import SyncSettings
from lotgate.console import Reporter
from lotgate.shipstation.by_hand import by_hand, not_on_labels
from lotgate.shipstation.client import Client, WrongAnswer
from lotgate.shipstation.records import Order
from lotgate.shipstation.spool import Spool
from lotgate.shipstation.times import Window
from lotgate.sync.model import Refusal

__all__ = ["SERVICES", "Fetched", "Known", "Service", "fetch", "fetch_orders"]

Service: TypeAlias = Literal["shipments", "status", "manual"]
SERVICES: tuple[Service, ...] = get_args(Service)


class Known(Protocol):
    """What the database knows of an order number."""

    def has_order(self, order_number: str | None) -> bool:
        """Whether it has the order."""

    def has_by_hand(self, order_number: str | None) -> bool:
        """Whether it has units of it that left without a label."""


PIECE = timedelta(days=7)
"""A list is read again from its start when it changes meanwhile, so that long windows are read in pieces."""

CLOSED = timedelta(seconds=5)
"""How far before ShipStation's own clock a window ends, so that nothing new comes into it."""


@dataclass
class Fetched:
    """What was asked for, and what is known of it.

    ``watermark`` is where the service stands once all of it is written; ``asked`` are the orders of which
    every label is in the spool; ``wrong_answers`` are those for which ShipStation answered with another.
    """

    window: Window
    watermark: datetime
    asked: set[int] = field(default_factory=set)
    wrong_answers: list[Refusal] = field(default_factory=list)


def fetch(
    service: Service,
    client: Client,
    spool: Spool,
    start: datetime,
    settings: SyncSettings,
    known: Known,
    *,
    reporter: Reporter,
) -> Fetched:
    """Reads everything that the service writes from; naive Pacific times.

    Raises what the client raises: then nothing counts.
    """
    end = max(client.now() - CLOSED, start)
    fetched = Fetched(Window(start, end), end)
    if service == "shipments":
        _fetch_labels(client, spool, fetched, settings)
        latest = spool.latest_created()
    else:
        _fetch_changed(client, spool, fetched, service, settings, known, reporter)
        latest = spool.latest_modified()
    if latest is not None:
        fetched.watermark = min(latest, end)
    return fetched


def fetch_orders(
    client: Client, spool: Spool, order_ids: Iterable[int], fetched: Fetched, known: Known
) -> None:
    """Everything of single orders, each asked once: the order, its labels, what was shipped by hand.

    An answer about another order is noted and changes nothing (the legacy status sync lost two days' orders
    to such answers).
    """
    for order_id in sorted(set(order_ids) - fetched.asked):
        try:
            order = client.order(order_id)
            client.read_shipments(spool, order_id=order_id)
            if order is not None:
                spool.put_orders([order])
                _add_by_hand(client, spool, order, known)
        except WrongAnswer as error:
            fetched.wrong_answers.append(
                Refusal(
                    subject=f"order {order_id}",
                    reason="wrong_answer",
                    detail=error.message,
                    shipment_id=None,
                    shipstation_order_id=order_id,
                    order_number=None,
                    ship_date=None,
                    sku_text=None,
                    quantity=None,
                )
            )
        fetched.asked.add(order_id)


def _fetch_labels(client: Client, spool: Spool, fetched: Fetched, settings: SyncSettings) -> None:
    window = fetched.window
    for piece in _pieces(window):
        client.read_orders(spool, modified=piece)  # for the days on which they were ordered
        client.read_shipments(spool, created=piece)
        client.read_shipments(spool, voided=piece)
    # labels for a later day become due, and ship dates are changed by hand
    today = client.now().date()
    first = today - timedelta(days=settings.window_days)
    client.read_shipments(spool, shipped=(first.isoformat(), today.isoformat()))


def _fetch_changed(
    client: Client,
    spool: Spool,
    fetched: Fetched,
    service: Service,
    settings: SyncSettings,
    known: Known,
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
        and (order.status == "shipped" or order.order_id in marked or known.has_order(order.order_number))
    ]
    with reporter.step(f"Asking for {len(wanted)} orders", total=max(len(wanted), 1)) as step:
        for order_id in wanted:
            fetch_orders(client, spool, [order_id], fetched, known)
            step.advance()


def _add_by_hand(client: Client, spool: Spool, order: Order, known: Known) -> None:
    """Units that left without a label; also those of before, which a label may have replaced since.

    Not asked for where labels hold all that was ordered and the database has nothing else.
    """
    labels = [label for label in spool.shipments(order.order_id) if label.units_from == "label"]
    if not_on_labels(order, labels) or known.has_by_hand(order.order_number):
        client.read_fulfillments(spool, order_id=order.order_id)
        spool.put_shipments(by_hand(order, labels, tuple(spool.fulfillments(order.order_id))))


def _is_manual(order: Order, settings: SyncSettings) -> bool:
    """Made in ShipStation: its key says so, or its number (docs/shipstation.md, "Orders made by hand")."""
    key, number = order.order_key or "", (order.order_number or "").strip()
    return key.startswith("manual-") or number.startswith(settings.manual_prefix)


def _pieces(window: Window) -> Iterator[Window]:
    start = window.start
    while start + PIECE < window.end:
        yield Window(start, start + PIECE)
        start += PIECE
    yield Window(start, window.end)
