"""What was written after the swap, put back into the legacy tables before they get their names again.

It works row by row on what the change log names, inside the transaction that renames. A legacy column that
changed since the swap gets its new value; rows that were added come back under their own ids; rows that were
deleted go. What the legacy schema cannot express is kept in ``lotgate_not_carried_over`` with a reason.
Rows that nobody touched since are not looked at: the legacy ones are as they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lotgate.legacy_schema import quoted
from lotgate.live.carry_over_masters import carry_over_lot, carry_over_sku
from lotgate.live.change_log import before_expression
from lotgate.live.changes import Change, NotCarried, Row
from lotgate.live.names import CHANGE_LOG, NOT_CARRIED_OVER, archive_name
from lotgate.live.schema import columns_of
from lotgate.live.state import table_exists

__all__ = ["CarriedOver", "carry_over", "keep_not_carried", "read_changes"]

SAID_OTHERWISE = {"sku_id", "lot_id"}
"""Columns of the new ``shipped_items`` that the legacy table has as ``base_sku`` and ``sku_lot``."""

KEYS = {"skus": "sku_id", "lots": "lot_id", "shipped_orders": "id", "shipped_items": "id"}


@dataclass
class CarriedOver:
    """What became of the later work: rows of the new tables by what was done, and what could not be done."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    not_carried: list[NotCarried] = field(default_factory=list)


def read_changes(connection: sqlite3.Connection) -> dict[str, list[Change]]:
    """Table -> its rows that differ from what they were at the swap, in the order of their first change."""
    found: dict[str, list[Change]] = {table: [] for table in KEYS}
    if not table_exists(connection, CHANGE_LOG):
        return found
    for table, key in KEYS.items():
        names = _logged_columns(connection, table)
        row_now = before_expression(names, "t")
        for row_id, before, now in connection.execute(
            f"select g.row_id, g.before_row, (select {row_now} from {table} as t where t.{key} = g.row_id)"
            f" from {CHANGE_LOG} as g where g.table_name = ? order by g.change_id",
            (table,),
        ).fetchall():
            if before != now:
                found[table].append(
                    Change(row_id, _row(connection, names, before), _row(connection, names, now))
                )
    return found


def carry_over(connection: sqlite3.Connection) -> CarriedOver:
    """Applies all of it to the archived tables. In the transaction of the rollback, before anything is
    renamed."""
    changes = read_changes(connection)
    done = CarriedOver()
    items = _Archive(connection, "shipped_items")
    orders = _Archive(connection, "shipped_orders")
    for change in changes["shipped_orders"]:
        if change.after is not None:
            _put_header(orders, change, done)
    for change in changes["shipped_items"]:
        _carry_over_item(connection, items, orders, change, done)
    for change in changes["shipped_orders"]:
        if change.after is None:
            _delete_header(connection, orders, change, done)
    for change in changes["skus"]:
        carry_over_sku(connection, change, done.not_carried)
    for change in changes["lots"]:
        carry_over_lot(connection, change, done.not_carried)
    return done


def keep_not_carried(connection: sqlite3.Connection, operation_id: str, found: Sequence[NotCarried]) -> None:
    """Keeps what could not be carried over, with its reason. In the same transaction."""
    connection.execute(
        f"create table if not exists {NOT_CARRIED_OVER} (id integer not null primary key autoincrement,"
        " operation_id text not null, table_name text not null, row_id integer not null,"
        " reason text not null, before_row text, after_row text) strict"
    )
    connection.executemany(
        f"insert into {NOT_CARRIED_OVER} (operation_id, table_name, row_id, reason, before_row, after_row)"
        " values (?, ?, ?, ?, ?, ?)",
        [(operation_id, n.table, n.row_id, n.reason, _text(n.before), _text(n.after)) for n in found],
    )


@dataclass
class _Archive:
    """One archived legacy table: its columns, and single-row changes of it."""

    connection: sqlite3.Connection
    table: str

    def __post_init__(self) -> None:
        self.name = archive_name(self.table)
        self.columns = [c.name for c in columns_of(self.connection, self.name) if not c.generated]

    def values(self, row: Row) -> dict[str, object]:
        """What the row says for the columns that this table has."""
        given = {name.lower(): value for name, value in row.items()}
        return {name: given[name.lower()] for name in self.columns if name.lower() in given}

    def has(self, row_id: int) -> bool:
        return (
            self.connection.execute(f"select 1 from {self.name} where id = ?", (row_id,)).fetchone()
            is not None
        )

    def insert(self, values: Mapping[str, object]) -> None:
        names = ", ".join(map(quoted, values))
        marks = ", ".join("?" * len(values))
        self.connection.execute(f"insert into {self.name} ({names}) values ({marks})", tuple(values.values()))

    def update(self, row_id: int, values: Mapping[str, object]) -> None:
        sets = ", ".join(f"{quoted(name)} = ?" for name in values)
        self.connection.execute(f"update {self.name} set {sets} where id = ?", (*values.values(), row_id))

    def delete(self, row_id: int) -> None:
        self.connection.execute(f"delete from {self.name} where id = ?", (row_id,))


def _carry_over_item(
    connection: sqlite3.Connection, items: _Archive, orders: _Archive, change: Change, done: CarriedOver
) -> None:
    table = "shipped_items"
    if change.after is None:
        if items.has(change.row_id):
            items.delete(change.row_id)
            done.deleted += 1
            _note_duplicates(connection, change, done)
        return
    _ensure_header(connection, orders, change.after, done)
    if change.before is not None and items.has(change.row_id):
        changed = _changed(items, change)
        try:
            if changed:
                items.update(change.row_id, changed)
                done.updated += 1
        except sqlite3.IntegrityError as error:
            done.not_carried.append(
                NotCarried(table, change.row_id, f"the legacy row cannot be changed: {error}", *change.rows)
            )
    else:
        _insert_item(connection, items, change, done)
    _note_lost_columns(items, change, done)


def _insert_item(connection: sqlite3.Connection, items: _Archive, change: Change, done: CarriedOver) -> None:
    """A row that the legacy table does not have. A second parcel of a line adds up: its key allows one
    row."""
    assert change.after is not None
    row = change.after
    try:
        items.insert(items.values(row))
        done.inserted += 1
        return
    except sqlite3.IntegrityError as error:
        problem = str(error)
    twin = connection.execute(
        f"select id, ship_date from {items.name} where order_number = ? and base_sku = ? and sku_lot = ?",
        (row["order_number"], row["base_sku"], row["sku_lot"]),
    ).fetchone()
    adds_up = twin is not None and twin[1] == row["ship_date"]
    if twin is None:
        reason = f"the legacy table does not take the row: {problem}"
    else:
        connection.execute(
            f"update {items.name} set quantity_shipped = quantity_shipped + ? where id = ?",
            (row["quantity_shipped"], twin[0]),
        )
        done.inserted += 1
        reason = (
            f"the legacy key allows one row for this order, SKU and lot: its units were added to row"
            f" {twin[0]} of {twin[1]}"
        )
    done.not_carried.append(NotCarried("shipped_items", change.row_id, reason, *change.rows, detail=adds_up))


def _note_lost_columns(archive: _Archive, change: Change, done: CarriedOver) -> None:
    assert change.after is not None
    before = change.before or {}
    present = {name.lower() for name in archive.columns} | SAID_OTHERWISE
    lost = [
        name
        for name, value in change.after.items()
        if name.lower() not in present and value != before.get(name)
    ]
    if lost:
        reason = f"the legacy table has no column for {', '.join(lost)}"
        done.not_carried.append(NotCarried(archive.table, change.row_id, reason, *change.rows, detail=True))


def _note_duplicates(connection: sqlite3.Connection, change: Change, done: CarriedOver) -> None:
    """A deleted line may have legacy duplicates, which the migration merged; they come back as they were."""
    (count,) = connection.execute(
        "select count(*) from lotgate_row_ledger where merged_into_id = ?", (change.row_id,)
    ).fetchone()
    if count:
        reason = f"deleted; {count} duplicates of it come back, as the legacy table had them"
        done.not_carried.append(NotCarried("shipped_items", change.row_id, reason, *change.rows))


def _put_header(orders: _Archive, change: Change, done: CarriedOver) -> None:
    assert change.after is not None
    if change.before is not None and orders.has(change.row_id):
        changed = _changed(orders, change)
        try:
            if changed:
                orders.update(change.row_id, changed)
                done.updated += 1
        except sqlite3.IntegrityError as error:
            done.not_carried.append(
                NotCarried(
                    "shipped_orders",
                    change.row_id,
                    f"the legacy row cannot be changed: {error}",
                    *change.rows,
                )
            )
        return
    _insert_header(orders, change, done)


def _insert_header(orders: _Archive, change: Change, done: CarriedOver) -> None:
    assert change.after is not None
    values = orders.values(change.after)
    try:
        orders.insert(values)
        done.inserted += 1
        return
    except sqlite3.IntegrityError as error:
        problem = str(error)
    there = orders.connection.execute(
        f"select id from {orders.name} where order_number = ?", (change.after["order_number"],)
    ).fetchone()
    number = {name: value for name, value in values.items() if name.lower() != "id"}
    if there is None:  # the id is taken: an owner's table without AUTOINCREMENT gives ids again
        orders.insert(number)
        done.inserted += 1
        reason = f"its id was given again; the header has another one now ({problem})"
    else:
        orders.update(there[0], number)
        done.updated += 1
        reason = f"the legacy header {there[0]} has this order number: it was changed to what this one says"
    done.not_carried.append(NotCarried("shipped_orders", change.row_id, reason, *change.rows))


def _ensure_header(connection: sqlite3.Connection, orders: _Archive, item: Row, done: CarriedOver) -> None:
    """An item that comes back needs its header, also one that only the migration had added."""
    number = item["order_number"]
    if (
        number is None
        or connection.execute(f"select 1 from {orders.name} where order_number = ?", (number,)).fetchone()
    ):
        return
    names = [c.name for c in columns_of(connection, "shipped_orders") if not c.generated]
    row = connection.execute(
        f"select {', '.join(map(quoted, names))} from shipped_orders where order_number = ?", (number,)
    ).fetchone()
    if row is not None:
        header = dict(zip(names, row, strict=True))
        row_id = header["id"]
        assert isinstance(row_id, int)
        _insert_header(orders, Change(row_id, None, header), done)


def _delete_header(
    connection: sqlite3.Connection, orders: _Archive, change: Change, done: CarriedOver
) -> None:
    assert change.before is not None
    if not orders.has(change.row_id):
        return
    (items,) = connection.execute(
        f"select count(*) from {archive_name('shipped_items')} where order_number = ?",
        (change.before["order_number"],),
    ).fetchone()
    if items:
        reason = f"deleted, but {items} legacy rows still belong to this header, so it stays"
        done.not_carried.append(NotCarried("shipped_orders", change.row_id, reason, *change.rows))
        return
    orders.delete(change.row_id)
    done.deleted += 1


def _changed(archive: _Archive, change: Change) -> dict[str, object]:
    """The legacy columns whose values changed since the swap, with their values now."""
    assert change.before is not None
    assert change.after is not None
    before, after = archive.values(change.before), archive.values(change.after)
    return {
        name: value
        for name, value in after.items()
        if (type(before[name]), before[name]) != (type(value), value) and name.lower() != "id"
    }


def _logged_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns that the log writes down, in its order: those of the table at the swap."""
    trigger = connection.execute(
        "select sql from sqlite_schema where type = 'trigger' and name = ?", (f"lotgate_log_{table}_delete",)
    ).fetchone()
    names = [c.name for c in columns_of(connection, table) if not c.generated]
    if trigger is None:
        return names
    return [name for name in names if f"quote(old.{quoted(name)})" in trigger[0]]


def _row(connection: sqlite3.Connection, names: Sequence[str], text: str | None) -> Row | None:
    """The values of a row that ``quote()`` wrote: SQLite itself reads its own literals."""
    if text is None:
        return None
    values = connection.execute(f"select {text}").fetchone()
    return dict(zip(names, values, strict=True))


def _text(row: Row | None) -> str | None:
    return None if row is None else ", ".join(f"{name}={value!r}" for name, value in row.items())
