"""The calls of ShipStation's V1 API that lotgate makes: lists read completely, and one order by its id.

Every list is asked for in the order of creation, which does not change while it is read. What the filters are
trusted with, and what not, is in ``docs/shipstation.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from lotgate.config import ShipStationSettings
from lotgate.console import Reporter, Step
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.shipstation.asking import Question
from lotgate.shipstation.failures import CredentialsRefused, FetchIncomplete, RequestFailed, WrongAnswer
from lotgate.shipstation.paging import ListRequest, read_list
from lotgate.shipstation.records import (
    Fulfillment,
    Order,
    Shipment,
    UnreadableRecord,
    fulfillment_from_json,
    order_from_json,
    shipment_from_json,
)
from lotgate.shipstation.spool import Spool
from lotgate.shipstation.times import Window, to_pacific

if TYPE_CHECKING:
    from lotgate.shipstation.transport import Transport

__all__ = [
    "Client",
    "Credentials",
    "CredentialsRefused",
    "FetchIncomplete",
    "RequestFailed",
    "WrongAnswer",
    "open_client",
]

KEY: Final = "SHIPSTATION_API_KEY"
SECRET: Final = "SHIPSTATION_API_SECRET"
IN_ORDER: Final = {"sortBy": "CreateDate", "sortDir": "ASC"}
# ShipStation's documentation calls the bounds of these filters "after" and "before"
MARGIN: Final = timedelta(seconds=1)
# how often an answer is asked for that came, and is not whole
READINGS: Final = 3
_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Credentials:
    """Key and secret. They are in no repr and in no error."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Credentials:
        """From ``SHIPSTATION_API_KEY`` and ``SHIPSTATION_API_SECRET``, without blanks around them.

        Raises UsageError where one is missing or cannot be one.
        """
        environ = os.environ if environ is None else environ
        key, secret = (environ.get(name, "").strip() for name in (KEY, SECRET))
        missing = [name for name, value in ((KEY, key), (SECRET, secret)) if not value]
        if missing:
            raise UsageError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
                hint="Set both in the environment, with a key pair for ShipStation's V1 API.",
            )
        if ":" in key or not (key + secret).isprintable():
            raise UsageError(
                f"{KEY} or {SECRET} has a character that it cannot have.", hint="Copy both once more."
            )
        return cls(key, secret)


class Client:
    """ShipStation, as far as it is read. ``open_client`` makes it. Not for several threads at once."""

    def __init__(
        self, transport: Transport, page_size: int, reporter: Reporter, wall_clock: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._page_size = page_size
        self._reporter = reporter
        self._wall_clock = wall_clock
        self._step: Step | None = None
        transport.note = self._note

    @property
    def requests(self) -> int:
        """How many requests were sent so far, those that failed included."""
        return self._transport.requests

    @property
    def clock_skew_s(self) -> float:
        """How many seconds this machine's clock is ahead of ShipStation's, to a second or two."""
        utc = self._utc()
        return self._wall_clock() - utc.timestamp()

    def now(self) -> datetime:
        """ShipStation's present time, naive Pacific, in whole seconds: never later than it is there.

        Raises EnvironmentFailed where ShipStation does not say, or cannot be asked.
        """
        return to_pacific(self._utc()).replace(microsecond=0)

    def read_shipments(
        self,
        spool: Spool,
        *,
        created: Window | None = None,
        shipped: tuple[str, str] | None = None,
        voided: Window | None = None,
        order_id: int | None = None,
        order_number: str | None = None,
    ) -> int:
        """Puts all shipments that meet every condition given, with their items; how many there are.

        ``shipped`` are the first and the last ship date. Voided labels and labels for returns are among them.
        Raises FetchIncomplete where the list did not arrive completely, or a window has not ended yet;
        WrongAnswer where it holds what was not asked for; UsageError for days that are none;
        EnvironmentFailed, such as CredentialsRefused, where it cannot be read at all.
        """
        question: Question[Shipment] = Question(self._utc)
        question.within(created, "createDate", "created", lambda shipment: shipment.created)
        question.within(voided, "voidDate", "voided", lambda shipment: shipment.voided_at)
        question.shipped(shipped, lambda shipment: shipment.ship_date)
        question.of_order(order_id, lambda shipment: shipment.order_id)
        question.of_number(order_number, lambda shipment: shipment.order_number)
        question.query["includeShipmentItems"] = "true"
        return self._read(
            ListRequest(
                name="shipments",
                query=question.query | IN_ORDER,
                read=shipment_from_json,
                identity=lambda shipment: shipment.shipment_id,
                put=spool.put_shipments,
                place=question.place,
            ),
            question.words,
        )

    def read_orders(
        self, spool: Spool, *, modified: Window | None = None, created: Window | None = None
    ) -> int:
        """Puts all orders that meet every condition given; how many there are.

        An order that is modified while the list is read leaves the window: it is in a later one. Raises as
        ``read_shipments`` does.
        """
        question: Question[Order] = Question(self._utc)
        question.within(
            modified, "modifyDate", "modified", lambda order: order.modified, margin=MARGIN, may_move=True
        )
        question.within(created, "createDate", "created", lambda order: order.created, margin=MARGIN)
        return self._read(
            ListRequest(
                name="orders",
                query=question.query | IN_ORDER,
                read=order_from_json,
                identity=lambda order: order.order_id,
                put=spool.put_orders,
                place=question.place,
            ),
            question.words,
        )

    def read_fulfillments(
        self,
        spool: Spool,
        *,
        created: Window | None = None,
        shipped: tuple[str, str] | None = None,
        order_id: int | None = None,
    ) -> int:
        """Puts all fulfillments that meet every condition given; how many there are.

        Raises as ``read_shipments`` does.
        """
        question: Question[Fulfillment] = Question(self._utc)
        question.within(created, "createDate", "created", lambda fulfillment: fulfillment.created)
        question.shipped(shipped, lambda fulfillment: fulfillment.ship_date, further_days=1)
        question.of_order(order_id, lambda fulfillment: fulfillment.order_id)
        return self._read(
            ListRequest(
                name="fulfillments",
                query=question.query | IN_ORDER,
                read=fulfillment_from_json,
                identity=lambda fulfillment: fulfillment.fulfillment_id,
                put=spool.put_fulfillments,
                place=question.place,
            ),
            question.words,
        )

    def order(self, order_id: int) -> Order | None:
        """The order with that id; None where ShipStation does not know it.

        Raises WrongAnswer where the answer is another order, FetchIncomplete where it cannot be read, and
        EnvironmentFailed as ``read_shipments`` does.
        """
        wrong = ""
        for reading in range(READINGS):
            if reading:
                self._transport.sleep(float(reading))
            answer = self._transport.get(f"/orders/{order_id}", missing_ok=True)
            if answer is None:
                return None
            try:
                order = order_from_json(answer)
            except UnreadableRecord as error:
                wrong = str(error)
                continue
            if order.order_id != order_id:
                raise WrongAnswer(
                    f"ShipStation was asked for order {order_id} and answered with another one.",
                    hint="The answer was not used. Check the address in [shipstation] of lotgate.toml.",
                )
            return order
        raise FetchIncomplete(
            f"Order {order_id} cannot be read ({wrong}).",
            hint="Look at the order in ShipStation, or try again later.",
        )

    def _utc(self) -> datetime:
        for _ in range(READINGS):
            found = self._transport.server_clock.utc(self._transport.clock())
            if found is not None:
                return found
            self._transport.get("/stores")
        found = self._transport.server_clock.utc(self._transport.clock())
        if found is None:
            raise EnvironmentFailed(
                "ShipStation's replies do not say what time it is there.",
                hint="Something between here and ShipStation takes the Date header out of its replies.",
            )
        return found

    def _read(self, request: ListRequest[_Record], words: list[str]) -> int:
        if not words:  # the labels of one order: too small for a step of its own
            return read_list(self._transport, request, self._page_size)
        with self._reporter.step(f"Reading {request.name} {', '.join(words)}") as step:
            self._step = step
            try:
                return read_list(self._transport, request, self._page_size, step.advance)
            finally:
                self._step = None

    def _note(self, text: str) -> None:
        if self._step is not None:
            self._step.note(text)
            return
        with self._reporter.step("Asking") as step:
            step.note(text)


@contextmanager
def open_client(
    settings: ShipStationSettings,
    *,
    reporter: Reporter,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    wall_clock: Callable[[], float] = time.time,
) -> Iterator[Client]:
    """A client with the key and secret of ``environ``, or of this process's environment.

    ``reporter`` is told what is read and what is waited for; ``clock``, ``sleep`` and ``wall_clock``, in
    seconds, are replaced in tests. Nothing is sent before the first call. Raises UsageError where key or
    secret is missing.
    """
    from lotgate.shipstation.transport import Transport

    credentials = Credentials.from_environment(environ)
    transport = Transport(settings, (credentials.key, credentials.secret), clock=clock, sleep=sleep)
    try:
        yield Client(transport, settings.page_size, reporter, wall_clock)
    finally:
        transport.close()
