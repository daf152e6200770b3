"""Changes of ``skus`` and ``lots`` after the swap, put back into the legacy system's own masters.

Those tables (``inventory_current``, ``sku_lot``, ``lot_inventory``) were never renamed: the candidate was
derived from them and they stayed. ``sku_lot`` is the real lot master; ``lot_inventory`` has what was
received.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from lotgate.legacy_schema import quoted
from lotgate.live.changes import Change, NotCarried, Row
from lotgate.live.schema import columns_of

__all__ = ["carry_over_lot", "carry_over_sku"]

_Refuse = Callable[[str], None]
RECEIVED = ("received_date", "initial_qty", "manual_adjustment")


def carry_over_sku(connection: sqlite3.Connection, change: Change, not_carried: list[NotCarried]) -> None:
    """A SKU that was added, renamed or given another reorder point goes into ``inventory_current``."""

    def refuse(reason: str) -> None:
        not_carried.append(NotCarried("skus", change.row_id, reason, *change.rows))

    if change.after is None:
        refuse("deleted; inventory_current keeps the SKU")
        return
    known = ("product_name", "reorder_point")
    if change.before is None:
        values = {"sku": change.after["sku_code"]} | {name: change.after[name] for name in known}
        _try_insert(connection, "inventory_current", values, refuse_as=refuse)
        return
    values = {name: change.after[name] for name in known if change.after[name] != change.before[name]}
    if values:
        _update(connection, "inventory_current", values, {"sku": change.before["sku_code"]})
    lost = [
        name for name in change.after if name not in known and change.after[name] != change.before.get(name)
    ]
    if lost:
        refuse(f"changed: {', '.join(lost)}, which inventory_current does not say")


def carry_over_lot(connection: sqlite3.Connection, change: Change, not_carried: list[NotCarried]) -> None:
    """A lot that was added, changed or deleted goes into ``sku_lot``, and into ``lot_inventory`` if
    received."""

    def refuse(reason: str) -> None:
        not_carried.append(NotCarried("lots", change.row_id, reason, *change.rows))

    before = _legacy_lot(connection, change.before)
    after = _legacy_lot(connection, change.after)
    if (change.before is not None and before is None) or (change.after is not None and after is None):
        refuse("its SKU is gone")
        return
    if before is not None and after is not None and before != after:
        for table in ("sku_lot", "lot_inventory"):
            _update(connection, table, after, before)
    if after is None:
        assert before is not None
        for table in ("sku_lot", "lot_inventory"):
            _delete(connection, table, before)
        return
    assert change.after is not None
    _put_status(connection, change, after, refuse)
    _put_receipt(connection, change, after, refuse)


def _put_status(connection: sqlite3.Connection, change: Change, lot: Row, refuse: _Refuse) -> None:
    assert change.after is not None
    if change.before is not None and change.before["status"] == change.after["status"]:
        return
    active = int(change.after["status"] == "active")
    if _exists(connection, "sku_lot", lot):
        _update(connection, "sku_lot", {"active": active}, lot)
    elif change.before is not None and _exists(connection, "lot_inventory", lot):
        _update(connection, "lot_inventory", {"status": change.after["status"]}, lot)
    else:
        _try_insert(connection, "sku_lot", {**lot, "active": active}, refuse_as=refuse)


def _put_receipt(connection: sqlite3.Connection, change: Change, lot: Row, refuse: _Refuse) -> None:
    assert change.after is not None
    before = change.before or {"manual_adjustment": 0}
    values = {
        name: change.after[name]
        for name in RECEIVED
        if change.after[name] != before.get(name) and change.after[name] is not None
    }
    if not values:
        return
    if _exists(connection, "lot_inventory", lot):
        _update(connection, "lot_inventory", values, lot)
    else:
        _try_insert(connection, "lot_inventory", {**lot, **values}, refuse_as=refuse)


def _legacy_lot(connection: sqlite3.Connection, row: Row | None) -> Row | None:
    if row is None:
        return None
    found = connection.execute("select sku_code from skus where sku_id = ?", (row["sku_id"],)).fetchone()
    return None if found is None else {"sku": found[0], "lot": row["lot_number"]}


def _has(connection: sqlite3.Connection, table: str, values: Row) -> bool:
    return set(values) <= {column.name.lower() for column in columns_of(connection, table)}


def _exists(connection: sqlite3.Connection, table: str, key: Row) -> bool:
    if not _has(connection, table, key):
        return False
    found = connection.execute(f"select 1 from {table} where {_where(key)}", tuple(key.values())).fetchone()
    return found is not None


def _update(connection: sqlite3.Connection, table: str, values: Row, key: Row) -> None:
    if _has(connection, table, {**values, **key}):
        sets = ", ".join(f"{quoted(name)} = ?" for name in values)
        connection.execute(
            f"update {table} set {sets} where {_where(key)}", (*values.values(), *key.values())
        )


def _delete(connection: sqlite3.Connection, table: str, key: Row) -> None:
    if _has(connection, table, key):
        connection.execute(f"delete from {table} where {_where(key)}", tuple(key.values()))


def _try_insert(connection: sqlite3.Connection, table: str, values: Row, *, refuse_as: _Refuse) -> None:
    if not _has(connection, table, values):
        refuse_as(f"the database has no table {table} for it")
        return
    names, marks = ", ".join(map(quoted, values)), ", ".join("?" * len(values))
    try:
        connection.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values()))
    except sqlite3.IntegrityError as error:
        refuse_as(f"{table} does not take it: {error}")


def _where(key: Row) -> str:
    return " and ".join(f"{quoted(name)} is ?" for name in key)
