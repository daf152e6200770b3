"""A temporary SQLite file for what was fetched, so that memory stays small however much it is.

The file is for its owner only, and has no name any more as soon as it is open: it is gone with the process,
also after a kill, since it holds data of customers' orders.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from lotgate.errors import EnvironmentFailed
from lotgate.parser import trim
from lotgate.shipstation.records import Fulfillment, Item, Order, Shipment

__all__ = ["Counts", "Spool", "open_spool"]

# rows that one step of an iterator holds
BATCH = 500
_Record = TypeVar("_Record")

# ``number`` is the order number without blanks around it, null where there is none; times are ISO texts of
# one length, so that they sort; items are a JSON array of arrays.
DDL = """
create table shipments (
    shipment_id integer primary key, order_id integer, order_number text, created text not null,
    ship_date text, tracking_number text, is_return_label integer not null, voided integer not null,
    voided_at text, items text not null, units_from text not null, items_sent integer not null, number text
) strict;
create index shipments_by_order on shipments (order_id);
create index shipments_by_number on shipments (number);
create table orders (
    order_id integer primary key, order_number text, order_key text, ordered_on text, created text not null,
    modified text not null, status text not null, ship_date text, items text not null,
    merged_or_split integer not null, parent_id integer, externally_fulfilled integer not null
) strict;
create table fulfillments (
    fulfillment_id integer primary key, order_id integer, order_number text, tracking_number text,
    created text not null, ship_date text, voided integer not null, voided_at text
) strict;
create index fulfillments_by_order on fulfillments (order_id);
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records a spool holds."""

    shipments: int
    orders: int
    fulfillments: int


class Spool:
    """What was fetched, by id: a record that is put again replaces the one before.

    Iterators see what is put while they run, and never the whole at once. Every method raises
    EnvironmentFailed where the file cannot be written or read, such as on a full disk.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    def put_shipments(self, shipments: Iterable[Shipment]) -> None:
        """All of them or, where one cannot be read or written, none."""
        self._put("shipments", 13, (_shipment_row(shipment) for shipment in shipments))

    def put_orders(self, orders: Iterable[Order]) -> None:
        """All of them or, where one cannot be read or written, none."""
        self._put("orders", 12, (_order_row(order) for order in orders))

    def put_fulfillments(self, fulfillments: Iterable[Fulfillment]) -> None:
        """All of them or, where one cannot be read or written, none."""
        self._put("fulfillments", 8, (_fulfillment_row(fulfillment) for fulfillment in fulfillments))

    def order(self, order_id: int) -> Order | None:
        """The order with that id, if it was put."""
        for row in self._rows("select * from orders where order_id = ?", (order_id,)):
            return _order(row)
        return None

    def orders(self) -> Iterator[Order]:
        """All orders by id."""
        return self._walk("orders", "order_id", _order)

    def shipments(self, order_id: int | None = None) -> Iterator[Shipment]:
        """All shipments by id, or those of one order."""
        return self._walk("shipments", "shipment_id", _shipment, "order_id", order_id)

    def fulfillments(self, order_id: int | None = None) -> Iterator[Fulfillment]:
        """All fulfillments by id, or those of one order."""
        return self._walk("fulfillments", "fulfillment_id", _fulfillment, "order_id", order_id)

    def order_numbers(self) -> Iterator[str | None]:
        """The shipments' order numbers, trimmed, each once, in order; None comes first, for those without."""
        if self._value("select exists (select 1 from shipments where number is null)"):
            yield None
        after = ""
        while True:
            rows = self._rows(
                "select distinct number from shipments where number > ? order by number limit ?",
                (after, BATCH),
            )
            yield from (row[0] for row in rows)
            if len(rows) < BATCH:
                return
            after = rows[-1][0]

    def shipments_of(self, order_number: str | None) -> tuple[Shipment, ...]:
        """The shipments with that order number, by id; None for those that have none."""
        return tuple(
            _shipment(row)
            for row in self._rows(
                "select * from shipments where number is ? order by shipment_id",
                (trim(order_number) or None,),
            )
        )

    def counts(self) -> Counts:
        """How many records there are."""
        tables = ("shipments", "orders", "fulfillments")
        return Counts(*(self._value(f"select count(*) from {table}") for table in tables))

    def latest_created(self) -> datetime | None:
        """When the latest shipment was created, naive Pacific; None where there is none."""
        return _when(self._value("select max(created) from shipments"))

    def latest_modified(self) -> datetime | None:
        """When an order was last modified, naive Pacific; None where there is none."""
        return _when(self._value("select max(modified) from orders"))

    def _put(self, table: str, columns: int, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._explained():
            self._connection.execute("begin")
            try:
                self._connection.executemany(
                    f"insert or replace into {table} values ({', '.join('?' * columns)})", rows
                )
                self._connection.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):  # after some errors SQLite has rolled back itself
                    self._connection.execute("rollback")
                raise

    def _walk(
        self,
        table: str,
        key: str,
        read: Callable[[tuple[Any, ...]], _Record],
        column: str | None = None,
        value: int | None = None,
    ) -> Iterator[_Record]:
        restriction = "" if value is None else f"and {column} = :value"
        after = -(2**63)
        while True:
            rows = self._rows(
                f"select * from {table} where {key} > :after {restriction} order by {key} limit {BATCH}",
                {"after": after, "value": value},
            )
            yield from map(read, rows)
            if len(rows) < BATCH:
                return
            after = rows[-1][0]

    def _rows(self, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._connection.execute(sql, parameters).fetchall()

    def _value(self, sql: str) -> Any:
        return self._rows(sql, ())[0][0]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _failed(self._folder, str(error)) from error


@contextmanager
def open_spool(folder: Path | None = None) -> Iterator[Spool]:
    """A new, empty spool in ``folder``, or in the system's folder for temporary files.

    Raises EnvironmentFailed where no file can be made there.
    """
    place = Path(tempfile.gettempdir()) if folder is None else folder
    try:
        handle, name = tempfile.mkstemp(prefix="lotgate-spool-", suffix=".sqlite", dir=place)
    except OSError as error:
        raise _failed(place, error.strerror or str(error)) from error
    os.close(handle)  # mkstemp made it for its owner only
    connection = None
    try:
        try:
            connection = sqlite3.connect(name, isolation_level=None)
            # nobody else reads it, and nothing of it outlives the process: no journal, no waiting for disks
            for pragma in ("journal_mode = memory", "synchronous = off", "locking_mode = exclusive"):
                connection.execute(f"pragma {pragma}")
            connection.executescript(DDL)
            Path(name).unlink()
        except sqlite3.Error as error:
            raise _failed(place, str(error)) from error
        yield Spool(connection, place)
    finally:
        if connection is not None:
            connection.close()
        Path(name).unlink(missing_ok=True)


def _failed(folder: Path, reason: str) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"The temporary file for ShipStation's records in {folder} cannot be used: {reason}.",
        hint="Make room there or make it writable, or name another folder with TMPDIR.",
    )


def _shipment_row(shipment: Shipment) -> tuple[Any, ...]:
    return (
        shipment.shipment_id,
        shipment.order_id,
        shipment.order_number,
        _written(shipment.created),
        shipment.ship_date,
        shipment.tracking_number,
        shipment.is_return_label,
        shipment.voided,
        _written(shipment.voided_at),
        _items_text(shipment.items),
        shipment.units_from,
        shipment.items_sent,
        trim(shipment.order_number) or None,
    )


def _shipment(row: tuple[Any, ...]) -> Shipment:
    return Shipment(
        shipment_id=row[0],
        order_id=row[1],
        order_number=row[2],
        created=datetime.fromisoformat(row[3]),
        ship_date=row[4],
        tracking_number=row[5],
        is_return_label=bool(row[6]),
        voided=bool(row[7]),
        voided_at=_when(row[8]),
        items=_items(row[9]),
        units_from=row[10],
        items_sent=bool(row[11]),
    )


def _order_row(order: Order) -> tuple[Any, ...]:
    return (
        order.order_id,
        order.order_number,
        order.order_key,
        order.ordered_on,
        _written(order.created),
        _written(order.modified),
        order.status,
        order.ship_date,
        _items_text(order.items),
        order.merged_or_split,
        order.parent_id,
        order.externally_fulfilled,
    )


def _order(row: tuple[Any, ...]) -> Order:
    return Order(
        order_id=row[0],
        order_number=row[1],
        order_key=row[2],
        ordered_on=row[3],
        created=datetime.fromisoformat(row[4]),
        modified=datetime.fromisoformat(row[5]),
        status=row[6],
        ship_date=row[7],
        items=_items(row[8]),
        merged_or_split=bool(row[9]),
        parent_id=row[10],
        externally_fulfilled=bool(row[11]),
    )


def _fulfillment_row(fulfillment: Fulfillment) -> tuple[Any, ...]:
    return (
        fulfillment.fulfillment_id,
        fulfillment.order_id,
        fulfillment.order_number,
        fulfillment.tracking_number,
        _written(fulfillment.created),
        fulfillment.ship_date,
        fulfillment.voided,
        _written(fulfillment.voided_at),
    )


def _fulfillment(row: tuple[Any, ...]) -> Fulfillment:
    return Fulfillment(
        fulfillment_id=row[0],
        order_id=row[1],
        order_number=row[2],
        tracking_number=row[3],
        created=datetime.fromisoformat(row[4]),
        ship_date=row[5],
        voided=bool(row[6]),
        voided_at=_when(row[7]),
    )


def _items_text(items: tuple[Item, ...]) -> str:
    rows = [
        (
            item.line_index,
            item.order_item_id,
            item.line_item_key,
            item.sku,
            item.quantity,
            item.adjustment,
        )
        for item in items
    ]
    return json.dumps(rows, separators=(",", ":"))


def _items(text: str) -> tuple[Item, ...]:
    return tuple(Item(*fields) for fields in json.loads(text))


def _written(stamp: datetime | None) -> str | None:
    return None if stamp is None else stamp.isoformat(timespec="microseconds")


def _when(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
