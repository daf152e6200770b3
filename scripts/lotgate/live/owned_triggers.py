"""Triggers of the owner's that would be made anew without an error, and then do something else than before.

A trigger's statements are compiled when it fires, so that making it says nothing about it. While a change is
compiled that fires it, SQLite's authorizer tells what it writes, though nothing is run
(https://www.sqlite.org/c3ref/set_authorizer.html).
"""

from __future__ import annotations

import contextlib
import re
import sqlite3

from lotgate.live.compatibility import COMPATIBILITY_COLUMNS
from lotgate.live.names import is_own
from lotgate.live.schema import changes_of, list_objects

__all__ = ["trigger_obstacles"]

LEGACY_COLUMNS = tuple(name for name, _ in COMPATIBILITY_COLUMNS)
_ADDED = re.compile(r"\binsert\s+on\b", re.IGNORECASE)
_READS_NEW = re.compile(rf"""\bnew\s*\.\s*["'`\[]?({"|".join(LEGACY_COLUMNS)})\b""", re.IGNORECASE)


def trigger_obstacles(connection: sqlite3.Connection) -> list[str]:
    """What such triggers do, a sentence each with the trigger's name. Nothing is written.

    Rows that a trigger adds to ``shipped_items`` would have no ``sku_id``; what it sets in ``base_sku`` and
    ``sku_lot`` would not be true; and what an INSERT trigger reads there of the new row is still empty.
    """
    triggers = [item for item in list_objects(connection, "trigger") if not is_own(item.name)]
    written = _writes(connection, sorted({item.table for item in triggers}))
    found = []
    for item in triggers:
        name = item.name
        if (name, None) in written:
            found.append(f"the trigger {name} adds rows to shipped_items, which then need a sku_id")
        found += [
            f"the trigger {name} sets shipped_items.{column}, which then follows sku_id and lot_id"
            for column in LEGACY_COLUMNS
            if (name, column) in written
        ]
        read = _READS_NEW.search(item.sql)
        if item.table.lower() == "shipped_items" and _ADDED.search(item.sql) and read:
            found.append(
                f"the trigger {name} reads new.{read[1].lower()}, which is then still empty when it fires"
            )
    return [f"{sentence}: drop it, and make it anew for the new columns afterwards" for sentence in found]


def _writes(connection: sqlite3.Connection, tables: list[str]) -> set[tuple[str, str | None]]:
    """Trigger and column of ``shipped_items`` that it sets, None where it adds rows."""
    found: set[tuple[str, str | None]] = set()

    def note(
        action: int, table: str | None, column: str | None, schema: str | None, trigger: str | None
    ) -> int:
        if trigger is not None and (table or "").lower() == "shipped_items":
            if action == sqlite3.SQLITE_INSERT:
                found.add((trigger, None))
            elif action == sqlite3.SQLITE_UPDATE and column is not None:
                found.add((trigger, column.lower()))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    try:
        for table in tables:
            for change in changes_of(connection, table):
                with contextlib.suppress(sqlite3.OperationalError):  # it does not work today either
                    connection.execute(f"explain {change}").fetchone()
    finally:
        connection.set_authorizer(None)
    return found
