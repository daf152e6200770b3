"""``lotgate_history``: one row per swap, rollback, restore and contract of this database."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from lotgate.live.names import HISTORY
from lotgate.live.state import table_exists

__all__ = ["Event", "add_event", "history_statement", "last_event", "list_events", "update_event"]

EventKind = Literal["swap", "rollback", "restore", "contract"]


@dataclass(frozen=True)
class Event:
    """What was done to the database, and when (UTC). ``detail`` has what the kind of event knows."""

    id: int
    operation_id: str
    kind: EventKind
    switched_at: str
    finished_at: str | None
    detail: dict[str, Any]


def history_statement() -> str:
    """Makes the table where it is missing."""
    return (
        f"create table if not exists {HISTORY} (id integer not null primary key autoincrement,"
        " operation_id text not null unique, kind text not null, switched_at text not null,"
        " finished_at text, lotgate_version text not null, detail text not null) strict"
    )


def add_event(
    connection: sqlite3.Connection,
    *,
    operation_id: str,
    kind: EventKind,
    switched_at: str,
    version: str,
    detail: dict[str, Any],
) -> None:
    """Writes an event down. In a write transaction."""
    connection.execute(history_statement())
    connection.execute(
        f"insert into {HISTORY} (operation_id, kind, switched_at, lotgate_version, detail)"
        " values (?, ?, ?, ?, ?)",
        (operation_id, kind, switched_at, version, json.dumps(detail, sort_keys=True)),
    )


def update_event(
    connection: sqlite3.Connection, operation_id: str, *, finished_at: str | None, **detail: Any
) -> None:
    """Adds to an event's detail, and says when it was finished. In a write transaction."""
    row = connection.execute(
        f"select detail from {HISTORY} where operation_id = ?", (operation_id,)
    ).fetchone()
    if row is None:
        return
    connection.execute(
        f"update {HISTORY} set detail = ?, finished_at = coalesce(?, finished_at) where operation_id = ?",
        (json.dumps(json.loads(row[0]) | detail, sort_keys=True), finished_at, operation_id),
    )


def list_events(connection: sqlite3.Connection) -> tuple[Event, ...]:
    """Every event, the oldest first; empty where lotgate never swapped."""
    if not table_exists(connection, HISTORY):
        return ()
    return tuple(
        Event(id_, operation_id, kind, switched_at, finished_at, json.loads(detail))
        for id_, operation_id, kind, switched_at, finished_at, detail in connection.execute(
            f"select id, operation_id, kind, switched_at, finished_at, detail from {HISTORY} order by id"
        )
    )


def last_event(connection: sqlite3.Connection, *kinds: EventKind) -> Event | None:
    """The newest event of these kinds; of any where none is named."""
    found = [event for event in list_events(connection) if not kinds or event.kind in kinds]
    return found[-1] if found else None
