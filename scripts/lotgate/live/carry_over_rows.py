"""Later work on orders and items, put back into the archived legacy tables row by row.

Whatever leaves a key goes first, then what takes one comes, so that rows may exchange their keys. A row whose
key is taken all the same (a second parcel of a line) adds its units to the row that has it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from lotgate.legacy_schema import quoted
from lotgate.live.changes import Change, NotCarried, Row, bound, is_same, mark
from lotgate.live.names import archive_name
from lotgate.live.schema import columns_of

__all__ = ["CarriedOver", "carry_over_rows"]

ITEM_KEY = ("order_number", "base_sku", "sku_lot")
SAID_OTHERWISE = {"sku_id", "lot_id"}
"""Columns of the new ``shipped_items`` that the legacy table has as ``base_sku`` and ``sku_lot``."""


@dataclass
class CarriedOver:
    """What became of the later work: rows of the new tables by what was done, and what could not be done."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    not_carried: list[NotCarried] = field(default_factory=list)


@dataclass(frozen=True)
class _Coming:
    """A row on its way into a legacy table; ``original`` is the legacy row that was taken out for it."""

    change: Change
    values: dict[str, object]
    original: dict[str, object] | None = None


def carry_over_rows(
    connection: sqlite3.Connection, orders: Sequence[Change], items: Sequence[Change], done: CarriedOver
) -> None:
    """Puts all of it into the archived tables. In the transaction of the rollback."""
    work = _Work(
        connection, _Archive(connection, "shipped_orders"), _Archive(connection, "shipped_items"), done
    )
    coming_items = work.take_items(items)
    coming_orders = work.take_headers(orders)
    for header in coming_orders:
        work.put_header(header)
    for item in coming_items:
        work.put_item(item)
    for header in coming_orders:
        work.keep_header_of_the_rest(header)


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

    def changed(self, change: Change) -> dict[str, object]:
        """The columns whose values changed since the swap, with their values now."""
        assert change.before is not None
        assert change.after is not None
        before = self.values(change.before)
        return {
            name: value
            for name, value in self.values(change.after).items()
            if not is_same(before[name], value) and name.lower() != "id"
        }

    def row(self, **key: object) -> dict[str, object] | None:
        """The first row with these values; none where one of them is NULL."""
        where = " and ".join(f"{quoted(name)} = {mark(value)}" for name, value in key.items())
        found = self.connection.execute(
            f"select {', '.join(map(quoted, self.columns))} from {self.name}"
            f" where {where} order by id limit 1",
            [bound(value) for value in key.values()],
        ).fetchone()
        return None if found is None else dict(zip(map(str.lower, self.columns), found, strict=True))

    def count(self, order_number: object) -> int:
        (rows,) = self.connection.execute(
            f"select count(*) from {self.name} where order_number = {mark(order_number)}",
            (bound(order_number),),
        ).fetchone()
        return int(rows)

    def insert(self, values: Row) -> int:
        marks = ", ".join(mark(value) for value in values.values())
        done = self.connection.execute(
            f"insert into {self.name} ({', '.join(map(quoted, values))}) values ({marks})",
            [bound(value) for value in values.values()],
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def update(self, row_id: int, values: Row) -> None:
        sets = ", ".join(f"{quoted(name)} = {mark(value)}" for name, value in values.items())
        self.connection.execute(
            f"update {self.name} set {sets} where id = ?",
            [*(bound(value) for value in values.values()), row_id],
        )

    def insert_under_new_id(self, values: Row) -> int:
        """For a row whose id is taken: one that no row has that may still come."""
        (row_id,) = self.connection.execute(
            f"select 1 + max(coalesce((select max(id) from {self.name}), 0),"
            f" coalesce((select max(id) from {self.table}), 0))"
        ).fetchone()
        return self.insert(
            {name: row_id if name.lower() == "id" else value for name, value in values.items()}
        )

    def delete(self, row_id: int) -> None:
        self.connection.execute(f"delete from {self.name} where id = ?", (row_id,))


@dataclass
class _Work:
    """The steps, in the order in which they stand here."""

    connection: sqlite3.Connection
    orders: _Archive
    items: _Archive
    done: CarriedOver

    def note(self, table: str, change: Change, reason: str, *, detail: bool = False) -> None:
        self.done.not_carried.append(NotCarried(table, change.row_id, reason, *change.rows, detail=detail))

    def take_items(self, changes: Sequence[Change]) -> list[_Coming]:
        """Deletes what was deleted, changes what keeps its key, takes out what gets another one."""
        coming = []
        for change in changes:
            there = self.items.row(id=change.row_id)
            if change.after is None:
                if there is not None:
                    self.items.delete(change.row_id)
                    self.done.deleted += 1
                    self._note_duplicates(change)
                continue
            if change.before is None or there is None:
                coming.append(_Coming(change, self.items.values(change.after)))
                if change.before is not None:
                    self.note(
                        "shipped_items",
                        change,
                        "the migration had recovered this row; it stays, as it is now",
                        detail=True,
                    )
            else:
                coming += self._take(self.items, change, there, ITEM_KEY)
            self._note_lost_columns(self.items, change)
        return coming

    def take_headers(self, changes: Sequence[Change]) -> list[_Coming]:
        """The same for headers. One that legacy items still need stays, unless another takes its number."""
        coming = []
        for change in changes:
            there = self.orders.row(id=change.row_id)
            if change.after is None:
                if there is not None:
                    self._delete_header(change, there["order_number"])
                continue
            if change.before is None or there is None:
                coming.append(_Coming(change, self.orders.values(change.after)))
            else:
                coming += self._take(self.orders, change, there, ("order_number",))
            self._note_lost_columns(self.orders, change)
        return coming

    def put_header(self, header: _Coming) -> None:
        change, values = header.change, header.values
        without_id = {name: value for name, value in values.items() if name.lower() != "id"}
        there = self.orders.row(order_number=values["order_number"])
        try:
            if there is not None:
                row_id = there["id"]
                assert isinstance(row_id, int)
                self.orders.update(row_id, without_id)
                reason = (
                    f"the legacy header {row_id} has this order number: it was changed to what this one says"
                )
                self.note("shipped_orders", change, reason)
            elif self.orders.row(id=change.row_id) is not None:
                row_id = self.orders.insert_under_new_id(values)
                self.note(
                    "shipped_orders", change, f"its id is another legacy header's; it has the id {row_id} now"
                )
            else:
                self.orders.insert(values)
        except sqlite3.IntegrityError as error:
            self._refuse(self.orders, header, error)
            return
        self._count(header, updated=there is not None)

    def put_item(self, item: _Coming) -> None:
        assert item.change.after is not None
        self._ensure_header(item.change.after["order_number"])
        values = item.values
        try:
            if self.items.row(id=item.change.row_id) is None:
                self.items.insert(values)
            else:
                row_id = self.items.insert_under_new_id(values)
                reason = f"its id is another legacy row's, which is there again; it has the id {row_id} now"
                self.note("shipped_items", item.change, reason, detail=True)
        except sqlite3.IntegrityError as error:
            twin = self.items.row(**{name: values[name] for name in ITEM_KEY})
            if twin is None:
                self._refuse(self.items, item, error)
                return
            self._add_up(item, twin)
        self._count(item)

    def keep_header_of_the_rest(self, header: _Coming) -> None:
        """A header got another number, and legacy rows still have the old one."""
        if header.original is None:
            return
        number = header.original["order_number"]
        items = self.items.count(number)
        if not items or self.orders.row(order_number=number) is not None:
            return
        row_id = self.orders.insert_under_new_id(header.original)
        reason = f"its number changed; {items} legacy rows have the old one, and so has a header {row_id}"
        self.note("shipped_orders", header.change, reason)

    def _take(
        self, archive: _Archive, change: Change, there: dict[str, object], key: Sequence[str]
    ) -> list[_Coming]:
        changed = archive.changed(change)
        if any(name.lower() in key for name in changed):
            archive.delete(change.row_id)
            return [_Coming(change, there | {name.lower(): value for name, value in changed.items()}, there)]
        try:
            if changed:
                archive.update(change.row_id, changed)
                self.done.updated += 1
        except sqlite3.IntegrityError as error:
            self.note(archive.table, change, f"the legacy row cannot be changed: {error}")
        return []

    def _refuse(self, archive: _Archive, coming: _Coming, error: sqlite3.IntegrityError) -> None:
        if coming.original is None:
            self.note(archive.table, coming.change, f"the legacy table does not take the row: {error}")
            return
        archive.insert(coming.original)
        self.note(archive.table, coming.change, f"the legacy row cannot be changed: {error}")

    def _count(self, coming: _Coming, *, updated: bool = False) -> None:
        if updated or coming.original is not None:
            self.done.updated += 1
        else:
            self.done.inserted += 1

    def _add_up(self, item: _Coming, twin: dict[str, object]) -> None:
        self.connection.execute(
            f"update {self.items.name} set quantity_shipped = quantity_shipped + ? where id = ?",
            (item.values["quantity_shipped"], twin["id"]),
        )
        reason = (
            "the legacy key allows one row for this order, SKU and lot: its units were added to row"
            f" {twin['id']} of {twin['ship_date']}"
        )
        adds_up = twin["ship_date"] == item.values["ship_date"]
        self.note("shipped_items", item.change, reason, detail=adds_up)

    def _ensure_header(self, number: object) -> None:
        """An item that comes back needs its header, also one that only the migration had added."""
        if number is None or self.orders.row(order_number=number) is not None:
            return
        names = [c.name for c in columns_of(self.connection, "shipped_orders") if not c.generated]
        row = self.connection.execute(
            f"select {', '.join(map(quoted, names))} from shipped_orders where order_number = {mark(number)}",
            (bound(number),),
        ).fetchone()
        if row is not None:
            header = dict(zip(names, row, strict=True))
            values = self.orders.values(header)
            row_id = next(value for name, value in values.items() if name.lower() == "id")
            assert isinstance(row_id, int)
            self.put_header(_Coming(Change(row_id, None, header), values))

    def _delete_header(self, change: Change, number: object) -> None:
        again = self.connection.execute(
            f"select 1 from shipped_orders where order_number = {mark(number)}", (bound(number),)
        ).fetchone()
        items = self.items.count(number)
        if items and again is None:
            self.note(
                "shipped_orders",
                change,
                f"deleted, but {items} legacy rows still belong to this header, so it stays",
            )
            return
        self.orders.delete(change.row_id)
        self.done.deleted += 1

    def _note_duplicates(self, change: Change) -> None:
        """A deleted line may have legacy duplicates, which the migration merged; they come back."""
        (count,) = self.connection.execute(
            "select count(*) from lotgate_row_ledger where merged_into_id = ?", (change.row_id,)
        ).fetchone()
        if count:
            reason = f"deleted; {count} duplicates of it come back, as the legacy table had them"
            self.note("shipped_items", change, reason)

    def _note_lost_columns(self, archive: _Archive, change: Change) -> None:
        assert change.after is not None
        before = change.before or {}
        present = {name.lower() for name in archive.columns} | SAID_OTHERWISE
        lost = [
            name
            for name, value in change.after.items()
            if name.lower() not in present and not is_same(value, before.get(name))
        ]
        if lost:
            self.note(
                archive.table, change, f"the legacy table has no column for {', '.join(lost)}", detail=True
            )
