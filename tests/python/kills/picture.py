"""What a database holds, seen from outside and of one moment: for comparing two of them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CORE", "Picture", "core_of", "differences", "take_picture"]

CORE = (
    "shipped_orders",
    "shipped_items",
    "skus",
    "lots",
    "legacy_shipped_orders",
    "legacy_shipped_items",
)
"""The tables that a swap renames, and what they are renamed to."""
TIMES = {"inventory_current": {"last_updated"}, "sku_lot": {"created_at", "updated_at"}}
"""Columns that say when a rollback wrote the row."""


@dataclass(frozen=True)
class Picture:
    """One database.

    ``tables`` has a hash for the rows of each table but ``lotgate_state`` and ``lotgate_history``, without
    operations' ids; ``schema`` has the statement of each object. ``events`` are the history's kinds, each
    with whether it was finished. ``damage`` and ``broken_keys`` are what SQLite's own checks say.
    """

    tables: dict[str, str]
    schema: dict[str, str]
    state: dict[str, str]
    events: tuple[tuple[str, bool], ...]
    flags: dict[str, int]
    operation: dict[str, Any] | None
    damage: tuple[str, ...] = ()
    broken_keys: frozenset[tuple[Any, ...]] = field(default_factory=frozenset)

    @property
    def core(self) -> dict[str, str]:
        """The tables that the swap is about, and what is the owner's on them."""
        found = {name: self.tables[name] for name in CORE if name in self.tables}
        return found | _owned(self.schema)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Tables of an operation under way."""
        return tuple(t for t in self.tables if t.startswith(("lotgate_stage_", "lotgate_undone_")))


def take_picture(database: Path) -> Picture:
    """Reads everything in one transaction, through a connection of its own."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
        connection.execute("begin")
        damage = tuple(row[0] for row in connection.execute("pragma integrity_check"))
        # the rowids of a violation, without the key's number, which depends on the order of creation
        broken = frozenset(row[:3] for row in connection.execute("pragma foreign_key_check"))
        schema = _schema(connection)
        names = [
            name for (name,) in connection.execute("select name from sqlite_schema where type = 'table'")
        ]
        state: dict[str, str] = {}
        events: tuple[tuple[str, bool], ...] = ()
        if "lotgate_state" in names:
            state = dict(connection.execute("select key, value from lotgate_state").fetchall())
        if "lotgate_history" in names:
            events = tuple(
                (kind, bool(finished))
                for kind, finished in connection.execute(
                    "select kind, finished_at is not null from lotgate_history order by id"
                )
            )
        operation = state.pop("operation", None)
        return Picture(
            tables={n: _hash(connection, n) for n in names if n not in ("lotgate_state", "lotgate_history")},
            schema=schema,
            state=state,
            events=events,
            flags=dict(connection.execute("select workflow_name, enabled from workflow_controls").fetchall()),
            operation=None if operation is None else json.loads(operation),
            damage=() if damage == ("ok",) else damage,
            broken_keys=broken,
        )


def core_of(connection: sqlite3.Connection) -> dict[str, str]:
    """``Picture.core`` alone, of one moment; for a reader that asks often."""
    connection.execute("begin")
    try:
        schema = _schema(connection)
        names = {
            name for (name,) in connection.execute("select name from sqlite_schema where type = 'table'")
        }
        found = {name: _hash(connection, name) for name in CORE if name in names}
        return found | _owned(schema)
    finally:
        connection.execute("rollback")


def differences(found: Picture, expected: Picture) -> list[str]:
    """What is not as expected, named."""
    wrong = []
    for what in ("tables", "schema", "state", "flags"):
        one, other = getattr(found, what), getattr(expected, what)
        wrong += [
            f"{what} {name}" for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)
        ]
    if found.events != expected.events:
        wrong.append(f"history {found.events} instead of {expected.events}")
    if found.operation != expected.operation:
        wrong.append(f"operation {found.operation}")
    wrong += [f"integrity: {text}" for text in found.damage]
    wrong += [f"foreign key: {key}" for key in sorted(found.broken_keys - expected.broken_keys, key=repr)]
    return wrong


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    return {
        name: f"{type_} on {table}: {sql}"
        for type_, name, table, sql in connection.execute(
            "select type, name, tbl_name, sql from sqlite_schema"
        )
    }


def _owned(schema: dict[str, str]) -> dict[str, str]:
    return {name: sql for name, sql in schema.items() if name.startswith(("owned_", "dashboard_"))}


def _hash(connection: sqlite3.Connection, table: str) -> str:
    """The rows in no order; where a row says which operation wrote it, or when, without that."""
    columns = [
        name
        for (name,) in connection.execute("select name from pragma_table_info(?)", (table,))
        if name != "operation_id" and name not in TIMES.get(table, ())
    ]
    listed = ", ".join(f'"{name}"' for name in columns)
    rows = sorted(repr(row) for row in connection.execute(f'select {listed} from "{table}"'))
    return f"{len(rows)} rows {hashlib.sha256(''.join(rows).encode('utf-8', 'replace')).hexdigest()[:16]}"
