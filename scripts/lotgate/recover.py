"""Fetching ShipStation's evidence for some days: what left the house, and when.

Labels are asked for by ship date, and again by the time they were made, some days around, since a ship date
can be changed while the list is read; both are united by id, and the newest reading wins. Orders that were
marked as shipped by hand have no label: ShipStation lists them as fulfillments, and what they shipped is
what their order has beyond its labels (``shipstation/by_hand.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lotgate.console import Reporter
from lotgate.errors import LotgateError, UsageError
from lotgate.evidence import ensure_evidence
from lotgate.evidence_fetches import Fetch, Stored, store_fetch, store_incomplete_fetch
from lotgate.parser import is_real_day
from lotgate.workdir import WorkDir

if TYPE_CHECKING:
    from lotgate.shipstation.client import Client
    from lotgate.shipstation.records import Fulfillment, Shipment
    from lotgate.shipstation.spool import Spool

__all__ = ["Recovery", "check_days", "recover_days"]

MOST_DAYS = 366
PIECE_DAYS = 7
"""Days that one list is asked for."""
PADDING_DAYS = 7
"""Days before and after, within which a label of the window was probably made."""
TOLD_ORDERS = 10
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Recovery:
    """What a complete fetch brought.

    ``fetched_at`` is when it began, naive Pacific, ``requests`` how many it took. ``orders_asked`` were
    shipped by hand; of ``orders_gone`` ShipStation has no order any more, and of ``orders_elsewhere`` another
    warehouse shipped what they had. ``includes_today`` says that more may leave on the last day.
    ``days_covered`` are all the days that the evidence covers now.
    """

    database: Path
    evidence: Path
    ship_date_from: str
    ship_date_to: str
    fetched_at: datetime
    includes_today: bool
    requests: int
    orders_asked: int
    orders_gone: int
    orders_elsewhere: int
    days_covered: int
    stored: Stored

    def as_json(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "database": str(self.database),
            "evidence": str(self.evidence),
            "ship_date_from": self.ship_date_from,
            "ship_date_to": self.ship_date_to,
            "fetched_at": self.fetched_at.isoformat(sep=" ", timespec="seconds"),
            "includes_today": self.includes_today,
            "requests": self.requests,
            "orders_asked": self.orders_asked,
            "orders_gone": self.orders_gone,
            "orders_elsewhere": self.orders_elsewhere,
            "days_covered": self.days_covered,
            **asdict(self.stored),
        }


def check_days(first: str, last: str) -> tuple[date, date]:
    """The window of ship dates, both included. Raises UsageError where it is none, or too long."""
    for day in (first, last):
        if not is_real_day(day):
            raise UsageError(f"{day} is no day.", hint="Write days as YYYY-MM-DD, such as 2025-10-06.")
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    if start > end:
        raise UsageError(
            f"The window ends before it begins: {first} is after {last}.", hint="Exchange --from and --to."
        )
    days = (end - start).days + 1
    if days > MOST_DAYS:
        raise UsageError(
            f"{days} days are too many for one fetch; {MOST_DAYS} are allowed.",
            hint="Fetch the days in parts: a later fetch adds to the evidence.",
        )
    return start, end


def recover_days(
    database: Path, work_dir: WorkDir, first: str, last: str, *, client: Client, reporter: Reporter
) -> Recovery:
    """Fetches what was shipped on the days from ``first`` to ``last`` into the work directory's evidence.

    The new evidence takes the place of the old one when everything arrived; it replaces what earlier fetches
    said of these days. What did not arrive completely covers nothing: only the attempt is noted, with the
    reason, and the client's error is raised (FetchIncomplete; WrongAnswer where ShipStation answered
    something else). Raises UsageError for days that cannot be asked for and for evidence of another
    database, and EnvironmentFailed where the evidence cannot be written.
    """
    from lotgate.shipstation.spool import open_spool

    start, end = check_days(first, last)
    ensure_evidence(work_dir.shipstation, database)
    before = client.requests
    now = client.now()
    if end > now.date():
        raise UsageError(
            f"{last} has not come yet; for ShipStation, in US Pacific time, it is {now:%Y-%m-%d %H:%M}.",
            hint="Choose an earlier --to: nobody knows yet what will be shipped.",
        )
    fetch = Fetch(first, last, now)
    with open_spool(work_dir.path) as spool:
        reading = _Reading(client, spool, fetch, reporter)
        try:
            reading.read_lists(start, end)
            by_hand = reading.read_orders_shipped_by_hand(_covered_days(work_dir.shipstation, fetch))
        except LotgateError as error:
            with suppress(LotgateError):  # what went wrong first is what a person has to know
                store_incomplete_fetch(work_dir.shipstation, fetch, error.message)
            raise
        with reporter.step("Storing the evidence"):
            stored = store_fetch(
                work_dir.shipstation, fetch, reading.shipments(by_hand), reading.fulfillment_ids()
            )
    return Recovery(
        database=database.resolve(),
        evidence=work_dir.shipstation,
        ship_date_from=first,
        ship_date_to=last,
        fetched_at=now,
        includes_today=end == now.date(),
        requests=client.requests - before,
        orders_asked=reading.orders_asked,
        orders_gone=reading.orders_gone,
        orders_elsewhere=reading.orders_elsewhere,
        days_covered=ensure_evidence(work_dir.shipstation, database).days_covered,
        stored=stored,
    )


@dataclass
class _Reading:
    """One fetch under way; what arrives goes to the spool."""

    client: Client
    spool: Spool
    fetch: Fetch
    reporter: Reporter
    orders_asked: int = 0
    orders_gone: int = 0
    orders_elsewhere: int = 0
    without_order: list[Shipment] = field(default_factory=list)

    def read_lists(self, start: date, end: date) -> None:
        """Labels and fulfillments, by ship date first: what moves meanwhile is found by its creation."""
        from lotgate.shipstation.times import Window

        padding = timedelta(days=PADDING_DAYS)
        latest = min(datetime.combine(end + padding, time.max), self.fetch.fetched_at)
        pieces = list(_pieces(start, end))
        made = [
            Window(datetime.combine(a, time.min), min(datetime.combine(b, time.max), latest))
            for a, b in _pieces(start - padding, latest.date())
        ]
        # the client tells the reporter about each list
        for first, last in pieces:
            shipped = (first.isoformat(), last.isoformat())
            self.client.read_shipments(self.spool, shipped=shipped)
            self.client.read_fulfillments(self.spool, shipped=shipped)
        for window in made:
            self.client.read_shipments(self.spool, created=window)
            self.client.read_fulfillments(self.spool, created=window)

    def read_orders_shipped_by_hand(self, covered: Covered) -> list[Shipment]:
        """What the orders with a fulfillment on a covered day shipped beyond their labels.

        All labels and fulfillments of such an order count, whenever they were made, so that each order is
        asked for by its own id.
        """
        from lotgate.shipstation.by_hand import by_hand

        orders: set[int] = set()
        for fulfillment in self.spool.fulfillments():
            if fulfillment.ship_date is None or not covered.holds(fulfillment.ship_date):
                continue
            if fulfillment.order_id is None:
                self.without_order.append(_without_order(fulfillment))
            else:
                orders.add(fulfillment.order_id)
        found = list(self.without_order)
        for place, order_id in enumerate(sorted(orders)):
            if place % TOLD_ORDERS == 0:
                self._tell(place, len(orders))
            order = self.client.order(order_id)
            self.client.read_shipments(self.spool, order_id=order_id)
            self.client.read_fulfillments(self.spool, order_id=order_id)
            self.orders_asked += 1
            fulfillments = tuple(self.spool.fulfillments(order_id))
            if order is None:
                self.orders_gone += 1
                found += [_without_order(one) for one in fulfillments]
            else:
                self.orders_elsewhere += order.externally_fulfilled
                found += by_hand(order, tuple(self.spool.shipments(order_id)), fulfillments)
        return found

    def _tell(self, done: int, orders: int) -> None:
        """A line of its own: while the client waits, it tells the reporter so, and bars must not overlap."""
        last = min(done + TOLD_ORDERS, orders)
        with self.reporter.step(
            f"Asking for orders that were shipped by hand, {done + 1} to {last} of {orders}"
        ):
            pass

    def shipments(self, by_hand: Sequence[Shipment]) -> Iterator[Shipment]:
        """All records, labels first."""
        yield from self.spool.shipments()
        yield from by_hand

    def fulfillment_ids(self) -> Iterator[int]:
        """The ids under which fulfillments that were seen may stand in the evidence."""
        return (-fulfillment.fulfillment_id for fulfillment in self.spool.fulfillments())


@dataclass(frozen=True)
class Covered:
    """The days that the evidence covers, with those of the fetch."""

    fetch: Fetch
    windows: tuple[tuple[str, str], ...]

    def holds(self, day: str) -> bool:
        """Is the day covered?"""
        return self.fetch.holds(day) or any(first <= day <= last for first, last in self.windows)


def _covered_days(evidence: Path, fetch: Fetch) -> Covered:
    from lotgate.evidence import covered_windows

    return Covered(fetch, covered_windows(evidence))


def _pieces(start: date, end: date) -> Iterator[tuple[date, date]]:
    while start <= end:
        last = min(start + (PIECE_DAYS - 1) * DAY, end)
        yield start, last
        start = last + DAY


def _without_order(fulfillment: Fulfillment) -> Shipment:
    """A fulfillment whose order is not known: it says that something left, and not what."""
    from lotgate.shipstation.by_hand import as_shipment

    return as_shipment(fulfillment, fulfillment.order_number, ())
