"""Writing what a fetch of ShipStation's shipments brought into the evidence: all of it, or nothing.

The evidence is copied, changed and put in the place of the old one, so that a run that is killed leaves it
as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lotgate.sqlite_files import explain, sqlite_uri
from lotgate.workdir import write_private

if TYPE_CHECKING:
    from lotgate.shipstation.records import Shipment

__all__ = ["Fetch", "Stored", "store_fetch", "store_incomplete_fetch"]

COVERED = """
select exists (
    select 1 from fetches
    where
        complete = 1
        and :day between ship_date_from and ship_date_to
        and :day <= substr(fetched_at, 1, 10)
)
"""


@dataclass(frozen=True)
class Fetch:
    """What was asked for, and when: ship dates ``YYYY-MM-DD``, both included, and naive Pacific time."""

    ship_date_from: str
    ship_date_to: str
    fetched_at: datetime

    def holds(self, day: str | None) -> bool:
        """Is the day in the window?"""
        return day is not None and self.ship_date_from <= day <= self.ship_date_to


@dataclass
class Stored:
    """What was stored of a fetch.

    ``shipments`` and what follows are records with a ship date in the window. ``live`` ones are neither
    voided nor returns; ``units`` are those of their counted items, and ``by_hand_units`` what orders without
    a label have of them. ``ignored_lines`` are items of live records that do not count; ``without_items``
    live records that have no items at all. ``updated_elsewhere`` are records of other days that earlier
    fetches cover, and ``passed_over`` those of days that none covers.
    """

    shipments: int = 0
    live: int = 0
    voided: int = 0
    returns: int = 0
    by_hand: int = 0
    units: int = 0
    by_hand_units: int = 0
    ignored_lines: int = 0
    without_items: int = 0
    updated_elsewhere: int = 0
    passed_over: int = 0

    def add(self, shipment: Shipment) -> None:
        """Counts a record of the window."""
        self.shipments += 1
        self.by_hand += shipment.units_from == "order"
        if shipment.voided:
            self.voided += 1
        elif shipment.is_return_label:
            self.returns += 1
        else:
            units = sum(item.quantity or 0 for item in shipment.items if item.is_counted)
            self.live += 1
            self.units += units
            self.by_hand_units += units if shipment.units_from == "order" else 0
            self.ignored_lines += sum(not item.is_counted for item in shipment.items)
            self.without_items += not shipment.items


def store_fetch(path: Path, fetch: Fetch, shipments: Iterable[Shipment], seen: Iterable[int]) -> Stored:
    """Adds a complete fetch to the evidence at ``path``; it replaces what earlier ones said of its window.

    Records of the window that did not come again are gone: deleted, or moved. ``seen`` are the ids of
    records that were looked at besides ``shipments`` and are on no covered day (any more). A record of a day
    outside the window is stored where an earlier complete fetch covers the day, since it is newer, and
    otherwise passed over. Raises EnvironmentFailed where the evidence cannot be written.
    """
    stored = Stored()
    with _changed(path) as connection:
        window = (fetch.ship_date_from, fetch.ship_date_to)
        connection.execute(
            "delete from shipment_items where shipment_id in"
            " (select shipment_id from shipments where ship_date between ? and ?)",
            window,
        )
        connection.execute("delete from shipments where ship_date between ? and ?", window)
        for shipment_id in seen:
            _delete(connection, shipment_id)
        for shipment in shipments:
            _delete(connection, shipment.shipment_id)
            if fetch.holds(shipment.ship_date):
                stored.add(shipment)
            elif connection.execute(COVERED, {"day": shipment.ship_date}).fetchone()[0]:
                stored.updated_elsewhere += 1
            else:
                stored.passed_over += 1
                continue
            _insert(connection, shipment)
        _add_fetch(connection, fetch, because=None)
    return stored


def store_incomplete_fetch(path: Path, fetch: Fetch, because: str) -> None:
    """Notes in the evidence at ``path`` that a fetch was incomplete, and why; it covers nothing.

    Raises EnvironmentFailed where the evidence cannot be written.
    """
    with _changed(path) as connection:
        _add_fetch(connection, fetch, because=because)


@contextmanager
def _changed(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on a copy of the evidence, which then takes its place."""
    with write_private(path) as temporary:
        try:
            with (
                closing(sqlite3.connect(sqlite_uri(path, mode="ro"), uri=True)) as old,
                closing(sqlite3.connect(sqlite_uri(temporary), uri=True, isolation_level=None)) as new,
            ):
                old.backup(new)
                new.execute("pragma journal_mode = memory")  # only the copy is lost with it
                new.execute("begin")
                yield new
                new.execute("commit")
        except sqlite3.Error as error:
            raise explain(error, path) from error


def _add_fetch(connection: sqlite3.Connection, fetch: Fetch, *, because: str | None) -> None:
    connection.execute(
        "insert into fetches (ship_date_from, ship_date_to, fetched_at, complete, incomplete_because)"
        " values (?, ?, ?, ?, ?)",
        (
            fetch.ship_date_from,
            fetch.ship_date_to,
            fetch.fetched_at.isoformat(sep=" ", timespec="seconds"),
            because is None,
            because,
        ),
    )


def _delete(connection: sqlite3.Connection, shipment_id: int) -> None:
    connection.execute("delete from shipment_items where shipment_id = ?", (shipment_id,))
    connection.execute("delete from shipments where shipment_id = ?", (shipment_id,))


def _insert(connection: sqlite3.Connection, shipment: Shipment) -> None:
    voided_at = shipment.voided_at
    connection.execute(
        "insert into shipments (shipment_id, order_id, order_number, create_date, ship_date,"
        " tracking_number, is_return_label, voided, void_date, units_from)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            shipment.shipment_id,
            shipment.order_id,
            shipment.order_number,
            shipment.created.isoformat(timespec="microseconds"),
            shipment.ship_date,
            shipment.tracking_number,
            shipment.is_return_label,
            shipment.voided,
            None if voided_at is None else voided_at.isoformat(timespec="microseconds"),
            shipment.units_from,
        ),
    )
    connection.executemany(
        "insert into shipment_items (shipment_id, line_index, order_item_id, line_item_key, sku, quantity,"
        " adjustment) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                shipment.shipment_id,
                item.line_index,
                item.order_item_id,
                item.line_item_key,
                item.sku,
                item.quantity,
                item.adjustment,
            )
            for item in shipment.items
        ],
    )
