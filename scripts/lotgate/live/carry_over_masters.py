"""Changes of ``skus`` and ``lots`` after the swap, put back into the legacy system's own masters.

Those tables (``inventory_current``, ``sku_lot``, ``lot_inventory``) were never renamed: the candidate was
derived from them and they stayed. ``sku_lot`` is the real lot master; ``lot_inventory`` has what was
received. A SKU keeps its old code in them, which a person has to change everywhere at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lotgate.legacy_schema import quoted
from lotgate.live.changes import Change, NotCarried, Row, bound, is_same, mark
from lotgate.live.schema import columns_of

__all__ = ["carry_over_lots", "carry_over_skus"]

SAID_BY_INVENTORY = ("product_name", "reorder_point")
RECEIVED = ("received_date", "initial_qty", "manual_adjustment")
LOT_TABLES = ("sku_lot", "lot_inventory")


class _Refuse(Protocol):
    def __call__(self, reason: str, *, detail: bool = False) -> None: ...


@dataclass(frozen=True)
class _Lot:
    """A lot that changed, and its SKU and number in the legacy masters before and after."""

    change: Change
    before: Row | None
    after: Row | None


def carry_over_skus(
    connection: sqlite3.Connection, changes: Sequence[Change], not_carried: list[NotCarried]
) -> None:
    """A SKU that was added or got another name or reorder point goes into ``inventory_current``."""
    for change in _paired(changes, lambda row: row["sku_code"]):
        _carry_over_sku(connection, change, _refuse_to("skus", change, not_carried))


def carry_over_lots(
    connection: sqlite3.Connection,
    changes: Sequence[Change],
    sku_changes: Sequence[Change],
    not_carried: list[NotCarried],
) -> None:
    """A lot that was added, changed or deleted goes into ``sku_lot``, and into ``lot_inventory`` if
    received."""
    codes: dict[object, object] = dict(connection.execute("select sku_id, sku_code from skus").fetchall())
    codes |= {c.before["sku_id"]: c.before["sku_code"] for c in sku_changes if c.before is not None}

    def key(row: Row | None) -> Row | None:
        return None if row is None else {"sku": codes.get(row["sku_id"]), "lot": row["lot_number"]}

    lots = [
        _Lot(change, key(change.before), key(change.after))
        for change in _paired(changes, lambda row: (codes.get(row["sku_id"]), row["lot_number"]))
    ]
    for lot in lots:
        if lot.after is None and lot.before is not None:
            for table in LOT_TABLES:
                _delete(connection, table, lot.before)
    refused = _rename(connection, lots)
    for lot in lots:
        if lot.after is None:
            continue
        refuse = _refuse_to("lots", lot.change, not_carried)
        if lot.change.row_id in refused:
            refuse("its SKU and number cannot be changed: sku_lot or lot_inventory has that lot already")
        elif lot.after["sku"] is None:
            refuse("its SKU is gone")
        elif lot.before is not None and not _known(connection, lot.after):
            # no master has it, under its old number or the new one: it goes in like one that was added
            _put_lot(connection, Change(lot.change.row_id, None, lot.change.after), lot.after, refuse)
        else:
            _put_lot(connection, lot.change, lot.after, refuse)


def _refuse_to(table: str, change: Change, not_carried: list[NotCarried]) -> _Refuse:
    def refuse(reason: str, *, detail: bool = False) -> None:
        not_carried.append(NotCarried(table, change.row_id, reason, *change.rows, detail=detail))

    return refuse


def _paired(changes: Sequence[Change], key: Callable[[Row], object]) -> list[Change]:
    """A row that was deleted and another one added with its key (as by REPLACE) are one row that changed."""
    added = {key(c.after): c.row_id for c in changes if c.before is None and c.after is not None}
    gone = {
        added[key(c.before)]: c
        for c in changes
        if c.after is None and c.before is not None and key(c.before) in added
    }
    taken = {change.row_id for change in gone.values()}
    return [
        Change(c.row_id, gone[c.row_id].before, c.after) if c.row_id in gone else c
        for c in changes
        if c.row_id not in taken
    ]


def _carry_over_sku(connection: sqlite3.Connection, change: Change, refuse: _Refuse) -> None:
    after, before = change.after, change.before
    if after is None:
        refuse("deleted; inventory_current keeps the SKU")
        return
    if before is None:
        key = {"sku": after["sku_code"]}
        values = {name: after[name] for name in SAID_BY_INVENTORY}
        if _exists(connection, "inventory_current", key):  # the owner added it there, too
            _update(connection, "inventory_current", values, key, refuse)
        else:
            _insert(connection, "inventory_current", key | values, refuse)
    else:
        values = {n: after[n] for n in SAID_BY_INVENTORY if not is_same(after[n], before[n])}
        if values:
            _update(connection, "inventory_current", values, {"sku": before["sku_code"]}, refuse)
        if after["sku_code"] != before["sku_code"]:
            refuse("changed: sku_code; inventory_current, sku_lot and lot_inventory keep the old one")
    known = {"sku_id", "sku_code", *SAID_BY_INVENTORY}
    lost = [n for n in after if n not in known and not is_same(after[n], (before or {}).get(n))]
    if lost:
        refuse(f"inventory_current has no place for {', '.join(lost)}", detail=True)


def _rename(connection: sqlite3.Connection, lots: Sequence[_Lot]) -> set[int]:
    """Gives lots their new numbers, also where they exchange them; returns those that cannot have it."""
    left: list[tuple[int, Row, Row]] = []
    for lot in lots:
        if lot.before is None or lot.after is None or lot.before == lot.after:
            continue
        if not _try_rename(connection, [(lot.before, lot.after)]):
            left.append((lot.change.row_id, lot.before, lot.after))
    between: list[Row] = [{**before, "lot": f"lotgate {row_id}"} for row_id, before, _ in left]
    away = [(before, there) for (_, before, _), there in zip(left, between, strict=True)]
    home = [(there, after) for (_, _, after), there in zip(left, between, strict=True)]
    if _try_rename(connection, away + home):
        return set()
    return {row_id for row_id, _, _ in left}


def _try_rename(connection: sqlite3.Connection, steps: Sequence[tuple[Row, Row]]) -> bool:
    connection.execute("savepoint lotgate_lots")
    try:
        for table in LOT_TABLES:
            for before, after in steps:
                if _has(connection, table, after):
                    _set(connection, table, after, before)
        return True
    except sqlite3.IntegrityError:
        connection.execute("rollback to lotgate_lots")
        return False
    finally:
        if connection.in_transaction:  # an interrupt has rolled all of it back
            connection.execute("release lotgate_lots")


def _put_lot(connection: sqlite3.Connection, change: Change, key: Row, refuse: _Refuse) -> None:
    """Status and receipt of a lot that the masters have, or get now, under this key."""
    after, before = change.after, change.before
    assert after is not None
    if before is None or before["status"] != after["status"]:
        _put_status(connection, after, key, refuse, is_new=before is None)
    known = before or {"manual_adjustment": 0}
    values = {name: after[name] for name in RECEIVED if not is_same(after[name], known.get(name))}
    if values and _exists(connection, "lot_inventory", key):
        _update(connection, "lot_inventory", values, key, refuse)
    elif values:
        given = {name: value for name, value in values.items() if value is not None}
        _insert(connection, "lot_inventory", {**key, **given}, refuse)
    if before is not None and not is_same(before["created_at"], after["created_at"]):
        refuse("changed: created_at, which the legacy masters keep as it was", detail=True)


def _put_status(connection: sqlite3.Connection, lot: Row, key: Row, refuse: _Refuse, *, is_new: bool) -> None:
    active = int(lot["status"] == "active")
    if _exists(connection, "sku_lot", key):
        if is_new:
            refuse("sku_lot has this lot already; it has the status of this one now")
        _update(connection, "sku_lot", {"active": active}, key, refuse)
    elif not is_new and _exists(connection, "lot_inventory", key):
        _update(connection, "lot_inventory", {"status": lot["status"]}, key, refuse)
    else:
        created = {} if lot["created_at"] is None else {"created_at": lot["created_at"]}
        _insert(connection, "sku_lot", {**key, "active": active, **created}, refuse)


def _has(connection: sqlite3.Connection, table: str, values: Row) -> bool:
    return set(values) <= {column.name.lower() for column in columns_of(connection, table)}


def _known(connection: sqlite3.Connection, key: Row) -> bool:
    return any(_exists(connection, table, key) for table in LOT_TABLES)


def _exists(connection: sqlite3.Connection, table: str, key: Row) -> bool:
    if not _has(connection, table, key):
        return False
    found = connection.execute(f"select 1 from {table} where {_where(key)}", _bound(key)).fetchone()
    return found is not None


def _update(connection: sqlite3.Connection, table: str, values: Row, key: Row, refuse: _Refuse) -> None:
    if not _has(connection, table, {**values, **key}):
        refuse(f"the database has no {table} with {', '.join(values)}")
        return
    try:
        if not _set(connection, table, values, key):
            refuse(f"{table} has no such row")
    except sqlite3.IntegrityError as error:
        refuse(f"{table} does not take it: {error}")


def _set(connection: sqlite3.Connection, table: str, values: Row, key: Row) -> int:
    """Changes the rows of this key; how many there were."""
    sets = ", ".join(f"{quoted(name)} = {mark(value)}" for name, value in values.items())
    return connection.execute(
        f"update {table} set {sets} where {_where(key)}", [*_bound(values), *_bound(key)]
    ).rowcount


def _delete(connection: sqlite3.Connection, table: str, key: Row) -> None:
    if _has(connection, table, key):
        connection.execute(f"delete from {table} where {_where(key)}", _bound(key))


def _insert(connection: sqlite3.Connection, table: str, values: Row, refuse: _Refuse) -> None:
    if not _has(connection, table, values):
        refuse(f"the database has no {table} with {', '.join(values)}")
        return
    names, marks = ", ".join(map(quoted, values)), ", ".join(map(mark, values.values()))
    try:
        connection.execute(f"insert into {table} ({names}) values ({marks})", _bound(values))
    except sqlite3.IntegrityError as error:
        refuse(f"{table} does not take it: {error}")


def _where(key: Row) -> str:
    return " and ".join(f"{quoted(name)} is {mark(value)}" for name, value in key.items())


def _bound(values: Row) -> list[object]:
    return [bound(value) for value in values.values()]
