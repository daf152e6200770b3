"""What lotgate remembers in the live database: which database it is, and which operation is under way.

The table ``lotgate_state`` has a key and a value (text, JSON where it is more than a word):

- ``database_id``: made once; a backup with another id is a backup of another database.
- ``operation``: the operation under way, so that after a crash the next command can finish or undo it.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lotgate.errors import GateClosed

__all__ = [
    "Operation",
    "clear_operation",
    "database_id",
    "ensure_state",
    "read_operation",
    "read_value",
    "table_exists",
    "write_operation",
    "write_value",
]

Kind = Literal["swap", "rollback", "contract", "migrate"]
Phase = Literal["staging", "paused", "switched"]


@dataclass(frozen=True)
class Operation:
    """An operation under way.

    ``phase``: ``staging`` (new tables are being filled), ``paused`` (ingestion is being or was switched off),
    ``switched`` (the cut-over was committed; checks, cleaning up and resuming are left).
    ``enabled_before`` maps each workflow that lotgate switched off to its ``enabled`` of before.
    ``must_resume`` says that the pause command ran, so that the resume command has to. The command itself
    is never stored: who may write to the database must not decide what runs in the operator's shell.
    """

    id: str
    kind: Kind
    phase: Phase
    started_at: str
    enabled_before: dict[str, int] = field(default_factory=dict)
    must_resume: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


def ensure_state(connection: sqlite3.Connection) -> str:
    """Creates ``lotgate_state`` where it is missing, and returns the database's id. In a write
    transaction."""
    connection.execute(
        "create table if not exists lotgate_state (key text not null primary key, value text not null) strict"
    )
    connection.execute(
        "insert into lotgate_state (key, value) select 'database_id', ?"
        " where not exists (select 1 from lotgate_state where key = 'database_id')",
        (secrets.token_hex(16),),
    )
    found = database_id(connection)
    assert found is not None
    return found


def table_exists(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the main database has a table of this name (in SQLite's sense of equal)."""
    found = connection.execute(
        "select 1 from main.sqlite_schema where type = 'table' and name = ? collate nocase", (name,)
    ).fetchone()
    return found is not None


def read_value(connection: sqlite3.Connection, key: str) -> str | None:
    """The value of ``key``; None where there is none, or no state at all."""
    if not table_exists(connection, "lotgate_state"):
        return None
    found = connection.execute("select value from lotgate_state where key = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def write_value(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Sets a value. In a write transaction, after ``ensure_state``."""
    connection.execute(
        "insert into lotgate_state (key, value) values (?, ?)"
        " on conflict (key) do update set value = excluded.value",
        (key, value),
    )


def database_id(connection: sqlite3.Connection) -> str | None:
    """Which database this is; None where lotgate never wrote to it."""
    return read_value(connection, "database_id")


def read_operation(connection: sqlite3.Connection) -> Operation | None:
    """The operation under way or interrupted; None where there is none. GateClosed where it is damaged."""
    value = read_value(connection, "operation")
    if value is None:
        return None
    try:
        return Operation(**json.loads(value))
    except (ValueError, TypeError) as error:
        raise GateClosed(
            "The record of the operation under way (table lotgate_state) is damaged.",
            hint="It was changed by hand. Restore a backup: `lotgate backups` lists them.",
        ) from error


def write_operation(connection: sqlite3.Connection, operation: Operation) -> None:
    """Records the operation under way. In a write transaction, after ``ensure_state``."""
    write_value(connection, "operation", json.dumps(asdict(operation), sort_keys=True))


def clear_operation(connection: sqlite3.Connection) -> None:
    """No operation is under way any more. In a write transaction."""
    connection.execute("delete from lotgate_state where key = 'operation'")
