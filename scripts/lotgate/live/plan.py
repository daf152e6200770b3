"""The plan of a swap: every statement, in order, and what stands in its way. Making it changes nothing.

``swap`` executes a plan and nothing else. Source: docs/swap.md, "The swap, step by step".
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lotgate.legacy_schema import quoted
from lotgate.live.change_log import log_statements, table_statement
from lotgate.live.compatibility import COMPATIBILITY_COLUMNS, compatibility_statements
from lotgate.live.counter import drop_counter_statements
from lotgate.live.history import history_statement
from lotgate.live.ingestion import unknown_workflows
from lotgate.live.names import ARCHIVED, BOOKS, CHANGE_LOG, KEYS, PROMOTED, archive_name, is_own, stage_name
from lotgate.live.owned_triggers import trigger_obstacles
from lotgate.live.schema import columns_of, drop_statements, foreign_keys_to, list_objects
from lotgate.live.target import StagedTable, extra_columns, staged_tables
from lotgate.sqlite_files import sqlite_uri

__all__ = ["SwapPlan", "attach_candidate", "make_plan"]


LEGACY_INDEXES = {
    "idx_shipped_items_date",
    "idx_shipped_items_sku_date",
    "idx_shipped_items_order",
    "uniq_shipped_items_key",
}
"""What the new table has its own indexes for."""


@dataclass(frozen=True)
class SwapPlan:
    """What a swap does, in order. ``obstacles`` say why it cannot; empty where it can.

    ``cut_over`` are the statements of the one transaction, after it has found the change-counter and the
    schema as audited. ``added_columns`` are the owner's own columns of
    ``shipped_items``, which are kept; ``lost_indexes`` the owner's own indexes there, which are not.
    """

    tables: tuple[StagedTable, ...]
    pause_workflows: tuple[str, ...]
    unknown_workflows: tuple[str, ...]
    pause_command: str | None
    resume_command: str | None
    cut_over: tuple[str, ...]
    obstacles: tuple[str, ...]
    added_columns: tuple[str, ...]
    lost_indexes: tuple[str, ...]
    journal_mode: str
    recreated: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


def attach_candidate(connection: sqlite3.Connection, candidate: Path) -> None:
    """Attaches the candidate, read-only, as ``candidate``. Outside of a transaction."""
    connection.execute("attach database ? as candidate", (sqlite_uri(candidate, mode="ro"),))


def make_plan(
    connection: sqlite3.Connection,
    *,
    pause_workflows: tuple[str, ...],
    pause_command: str | None = None,
    resume_command: str | None = None,
    journal_mode: str | None = None,
) -> SwapPlan:
    """The plan for the live database of ``connection`` and the candidate attached to it. Reads only.

    ``journal_mode`` is the live database's where ``connection`` is to a copy, which may have another.
    """
    journal_mode = journal_mode or _journal_mode(connection)
    tables = staged_tables(connection)
    owned = tuple(item for item in list_objects(connection, "view", "trigger") if not is_own(item.name))
    return SwapPlan(
        tables=tables,
        pause_workflows=pause_workflows,
        unknown_workflows=unknown_workflows(connection, pause_workflows),
        pause_command=pause_command,
        resume_command=resume_command,
        cut_over=(
            *drop_statements(owned),
            *drop_counter_statements(connection),
            *_renames(),
            *_sequences(),
            *compatibility_statements(),
            table_statement(),
            *_log_triggers(connection),
            *(item.sql for item in owned),
            history_statement(),
        ),
        obstacles=tuple(_obstacles(connection, journal_mode)),
        added_columns=tuple(column.name for column in extra_columns(connection)),
        lost_indexes=_lost_indexes(connection),
        journal_mode=journal_mode,
        recreated=tuple(f"{item.type} {item.name}" for item in owned),
    )


def _renames() -> list[str]:
    """Old names away, new names in. SQLite puts the new names into the foreign keys by itself."""
    away = [f"alter table {table} rename to {archive_name(table)}" for table in ARCHIVED]
    return away + [f"alter table {stage_name(table)} rename to {table}" for table in PROMOTED]


def _sequences() -> list[str]:
    """No id that the archive used is given again, so that later rows can go back there under their own."""
    statements = [
        "insert into sqlite_sequence (name, seq) select 'shipped_items', 0"
        " where not exists (select 1 from sqlite_sequence where name = 'shipped_items')"
    ]
    for table in ARCHIVED:
        archive = archive_name(table)
        statements.append(
            f"update sqlite_sequence set seq = max(seq, coalesce((select max(id) from {archive}), 0),"
            f" coalesce((select old.seq from sqlite_sequence as old where old.name = '{archive}'), 0))"
            f" where name = '{table}'"
        )
    return statements


def _log_triggers(connection: sqlite3.Connection) -> list[str]:
    columns = {
        table: [c.name for c in columns_of(connection, table, "candidate")] for table in ("skus", "lots")
    }
    columns["shipped_orders"] = [c.name for c in columns_of(connection, "shipped_orders") if not c.generated]
    columns["shipped_items"] = [
        *(column.name for column in columns_of(connection, "shipped_items", "candidate")),
        *(name for name, _ in COMPATIBILITY_COLUMNS),
        *(column.name for column in extra_columns(connection)),
    ]
    last_ids = {
        table: connection.execute(f"select coalesce(max({key}), 0) from candidate.{table}").fetchone()[0]
        for table, key in KEYS.items()
    }
    return [
        statement
        for table in PROMOTED
        for statement in log_statements(table, KEYS[table], columns[table], last_ids[table])
    ]


def _obstacles(connection: sqlite3.Connection, mode: str) -> list[str]:
    found = []
    for item in list_objects(connection, "table", "view", "index"):
        name = item.name.lower()
        ours = name in {"skus", "lots", CHANGE_LOG, *BOOKS}
        if ours or name.startswith(("legacy_shipped_", "lotgate_stage_", "lotgate_undone_", "lotgate_idx__")):
            found.append(f"there is a {item.type} {item.name} already: rename it, the swap needs that name")
    if mode != "wal":
        found.append(
            f"the journal mode is {mode}, in which readers and writers wait for each other: switch the"
            " database to write-ahead logging once, with `pragma journal_mode = wal`"
        )
    for table in ARCHIVED:
        found += _table_obstacles(connection, table)
    for key in foreign_keys_to(connection):
        child, parent = key.child.lower(), key.parent.lower()
        expected = child == "shipped_items" and parent == "shipped_orders"
        if (child in ARCHIVED or parent in ARCHIVED) and not expected:
            found.append(
                f"the table {key.child} has a foreign key to {key.parent} ({', '.join(key.columns)}), which"
                " would still hold for the archived rows: take it out until the migration is contracted"
            )
    found += trigger_obstacles(connection)
    found += [
        f"shipped_items.{column.name} is a generated column, which the new table cannot have: make it a plain"
        " one, or a view"
        for column in columns_of(connection, "shipped_items")
        if column.generated
    ]
    return found + _unfillable(connection)


def _table_obstacles(connection: sqlite3.Connection, table: str) -> list[str]:
    found = connection.execute(
        "select type, wr from pragma_table_list(?) where schema = 'main'", (table,)
    ).fetchone()
    if found is None or found != ("table", 0):
        return [f"{table} is no ordinary table with a rowid"]
    keys = [column for column in columns_of(connection, table) if column.key]
    if table == "shipped_orders" and [(k.name.lower(), k.type.upper()) for k in keys] != [("id", "INTEGER")]:
        return ["shipped_orders.id is not its INTEGER PRIMARY KEY, by which a rollback finds a header again"]
    return []


def _unfillable(connection: sqlite3.Connection) -> list[str]:
    """Headers that the candidate adds have nothing to put into an owner's column that must not be empty."""
    (added,) = connection.execute(
        "select count(*) from candidate.audit_order_header_changes where change = 'added'"
    ).fetchone()
    known = {column.name.lower() for column in columns_of(connection, "shipped_orders", "candidate")}
    return [
        f"{added} headers are added, and shipped_orders.{column.name} must not be empty and has no default:"
        f" give {quoted(column.name)} a default, or allow NULL"
        for column in columns_of(connection, "shipped_orders")
        if added and column.not_null and not column.generated and column.name.lower() not in known
    ]


def _lost_indexes(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Indexes of the owner's on ``shipped_items``; those that every legacy database has are not told."""
    return tuple(
        item.name
        for item in list_objects(connection, "index")
        if item.table.lower() == "shipped_items" and item.name.lower() not in LEGACY_INDEXES
    )


def _journal_mode(connection: sqlite3.Connection) -> str:
    return str(connection.execute("pragma main.journal_mode").fetchone()[0])
