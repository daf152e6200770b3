"""The change-counter in the live database: has anything changed that the candidate was derived from?

One row with a value and a stamp, and triggers on the tables that the models read. Each change of a row adds 1
to the value and draws a new random stamp, so that an equal value and stamp mean an equal history: a restored
or copied database that went its own way has another stamp. The triggers also note which orders changed.

What a trigger can rely on (tried on SQLite 3.40): the conflict policy of the outer statement replaces that of
the statements in it, so that they are written to have no conflict. With ``recursive_triggers`` off, rows that
REPLACE takes away fire no delete trigger; the row that takes their place always counts, but where it replaced
a row of another order by its id, that other order is not noted. A view or a virtual table of the owner's
cannot be counted.

Source: docs/swap.md, "The change-counter".
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import GateClosed
from lotgate.inspection import check_schema, corrupt, list_tables
from lotgate.legacy_schema import MODEL_COLUMNS, quoted
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.state import database_id, ensure_state
from lotgate.sqlite_files import DEFAULT_LOCK_TIMEOUT, open_live

__all__ = [
    "CannotCount",
    "Counter",
    "changed_orders",
    "drop_counter_statements",
    "expected_triggers",
    "install_counter",
    "read_counter",
    "remove_counter",
    "schema_fingerprint",
]

COUNTED_WHOLE = ("shipped_items", "shipped_orders")
"""The tables that the swap replaces or changes: every column of them counts, known or not."""
WITH_ORDERS = ("shipped_items", "shipped_orders", "orders_inbox")
TABLES = {
    "lotgate_change_counter": "(id integer primary key check (id = 1), value integer not null,"
    " stamp integer not null, installed_at text not null) strict",
    "lotgate_changed_orders": "(order_number text primary key, first_change integer not null,"
    " last_change integer not null) strict",
}

# String literals and comments are to stay as they are; a quoted name that needs no quotes loses them.
SQL_PART = re.compile(
    r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|"(?P<double>(?:[^"]|"")*)"|`(?P<grave>[^`]*)`|\[(?P<bracket>[^]]*)\]""",
    re.DOTALL,
)
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
VALUES = ("null", "true", "false", "current_date", "current_time", "current_timestamp")
"""Words that mean something else without quotes, where a name in quotes may stand for a string."""


class CannotCount(GateClosed):
    """The database is in order, but changes to it cannot all be counted."""


@dataclass(frozen=True)
class Counter:
    """The state of the change-counter: how many changes were counted, and the random mark of the last one."""

    value: int
    stamp: int


def install_counter(database: Path, *, lock_timeout: float = DEFAULT_LOCK_TIMEOUT, now: str) -> Counter:
    """Puts the change-counter into the live database, in one short transaction; returns its state.

    Where it is there as it should be, the database is not even opened for writing. Where a trigger or a table
    of it is missing or differs (the schema changed since), both are made anew, and the stamp is a new one,
    since changes may have gone by uncounted. Before the first write the file is checked, outside of the
    transaction: nothing is written into a damaged one. ``now`` is UTC, ISO 8601.

    Raises what ``check_schema`` raises (GateClosed for a migrated database), GateClosed for a corrupt file,
    CannotCount where a view or a virtual table stands for a table, EnvironmentFailed where the file cannot be
    written to or is locked for longer than ``lock_timeout`` seconds.
    """
    with open_live(database, lock_timeout=lock_timeout) as live:
        check_schema(live.path, list_tables(live.connection, count=False))
        found = read_counter(live.connection)
        if found is not None and database_id(live.connection) is not None:
            return found
        _refuse_uncountable(live.connection, live.path)
        complaints = [row[0] for row in live.connection.execute("pragma quick_check(3)")]
        if complaints != ["ok"]:
            raise corrupt(live.path, complaints)
    with (
        open_for_writing(database, lock_timeout=lock_timeout) as connection,
        immediate(connection),
    ):
        path = database.resolve()
        check_schema(path, list_tables(connection, count=False))  # again, since others write meanwhile
        _refuse_uncountable(connection, path)
        ensure_state(connection)
        found = read_counter(connection)
        return found or _install(connection, now)


def read_counter(connection: sqlite3.Connection, schema: str = "main") -> Counter | None:
    """The counter's state; None where there is none, or where it may have missed a change.

    It may have where its triggers are not exactly ``expected_triggers``: one was dropped, or a table has got
    a column or was made anew since. Reads only; inside a transaction, it is of the same moment as the rest.
    """
    if (
        _uncountable(connection, schema)
        or _own_tables(connection, schema) != {name: f"CREATE TABLE {name} {TABLES[name]}" for name in TABLES}
        or _own_triggers(connection, schema) != expected_triggers(connection, schema)
    ):
        return None
    rows = connection.execute(f"select value, stamp from {quoted(schema)}.lotgate_change_counter").fetchall()
    return Counter(*rows[0]) if len(rows) == 1 else None


def expected_triggers(connection: sqlite3.Connection, schema: str = "main") -> dict[str, str]:
    """The triggers that should be there, by name, as ``sqlite_schema`` writes them."""
    triggers = {}
    for model_table in MODEL_COLUMNS:
        found = connection.execute(
            f"select name from {quoted(schema)}.sqlite_schema"
            " where type = 'table' and name = ? collate nocase and sql not like 'create virtual%'",
            (model_table,),
        ).fetchone()
        if found is None:
            continue
        table = str(found[0])
        order_column = _order_column(connection, schema, table) if model_table in WITH_ORDERS else None
        for event, aliases in (("insert", ("new",)), ("update", ("old", "new")), ("delete", ("old",))):
            name = f"lotgate_count_{model_table}_{event}"
            when = f"when {_differs(connection, schema, table, model_table)}\n" if event == "update" else ""
            body = [
                "update lotgate_change_counter set value = value + 1, stamp = random();",
                *(_note(f"{alias}.{order_column}") for alias in aliases if order_column),
            ]
            triggers[name] = (
                f"CREATE TRIGGER {name} after {event} on {quoted(table)}\n{when}begin\n    "
                + "\n    ".join(body)
                + "\nend"
            )
    return triggers


def drop_counter_statements(connection: sqlite3.Connection) -> list[str]:
    """What takes the counter out of the main database, for use in a transaction of the caller's."""
    triggers = [f"drop trigger main.{quoted(name)}" for name in _own_triggers(connection, "main")]
    return triggers + [f"drop table main.{quoted(name)}" for name in _own_tables(connection, "main")]


def remove_counter(database: Path, *, lock_timeout: float = DEFAULT_LOCK_TIMEOUT) -> None:
    """Takes the counter out of the live database, in one short transaction. The database keeps its id.

    Does nothing where there is none. Raises EnvironmentFailed as ``install_counter`` does.
    """
    with (
        open_for_writing(database, lock_timeout=lock_timeout) as connection,
        immediate(connection),
    ):
        for statement in drop_counter_statements(connection):
            connection.execute(statement)


def changed_orders(connection: sqlite3.Connection, since: Counter) -> list[str]:
    """The numbers of the orders that changed after ``since``, an earlier state of this counter; sorted.

    An order changed where a row of it in shipped_items, shipped_orders or orders_inbox did. Changes of other
    tables, and of rows without an order, are counted and belong to no order. Where the history is another
    one (a backup was restored), what is returned means nothing.
    """
    found = connection.execute(
        "select cast(order_number as blob) from main.lotgate_changed_orders where last_change > ?"
        " order by order_number",
        (since.value,),
    )
    return [bytes(number).decode("utf-8", "backslashreplace") for (number,) in found]


def schema_fingerprint(connection: sqlite3.Connection, schema: str = "main") -> str:
    """The SHA-256 over the whole schema of a database, but for what is SQLite's own and lotgate's own.

    Two schemas are equal where they differ only in quotes around names that need none: ALTER TABLE RENAME
    writes such quotes into the table's own statement and into those that name it.
    """
    found = connection.execute(
        f"select type, name, tbl_name, sql from {quoted(schema)}.sqlite_schema"
        " where name not like 'sqlite\\_%' escape '\\' and name not like 'lotgate\\_%' escape '\\'"
        " and tbl_name not like 'lotgate\\_%' escape '\\'"
    ).fetchall()
    parts = sorted(
        (type_, name, table, SQL_PART.sub(_unquoted, sql or "")) for type_, name, table, sql in found
    )
    return hashlib.sha256(ascii(parts).encode()).hexdigest()


def _unquoted(part: re.Match[str]) -> str:
    name = next((text for text in part.groupdict().values() if text is not None), None)
    if name is None or not PLAIN_NAME.fullmatch(name) or name.lower() in VALUES:
        return part.group()
    return name


def _install(connection: sqlite3.Connection, now: str) -> Counter:
    value = -1
    if "value" in _column_names(connection, "main", "lotgate_change_counter"):
        before = connection.execute("select max(value) from main.lotgate_change_counter").fetchone()[0]
        value = before if isinstance(before, int) else value
    for statement in drop_counter_statements(connection):
        connection.execute(statement)
    for name, columns in TABLES.items():
        connection.execute(f"create table main.{name} {columns}")
    connection.execute(
        "insert into main.lotgate_change_counter (id, value, stamp, installed_at) values (1, ?, random(), ?)",
        (value + 1, now),
    )
    for statement in expected_triggers(connection).values():
        connection.execute(statement)
    found = read_counter(connection)
    assert found is not None
    return found


def _refuse_uncountable(connection: sqlite3.Connection, path: Path) -> None:
    names = _uncountable(connection, "main")
    if names:
        raise CannotCount(
            f"In {path}, {', '.join(names)}: no table, so that changes below it cannot be counted.",
            hint="Make it a table, or go without the change-counter: --no-counter.",
        )


def _uncountable(connection: sqlite3.Connection, schema: str) -> list[str]:
    """What stands for a table of the models and cannot have the counter's triggers."""
    marks = ", ".join("?" * len(MODEL_COLUMNS))
    found = connection.execute(
        f"select name from {quoted(schema)}.sqlite_schema where lower(name) in ({marks})"
        " and (type = 'view' or type = 'table' and sql like 'create virtual%') order by name",
        tuple(MODEL_COLUMNS),
    )
    return [name for (name,) in found]


def _own_tables(connection: sqlite3.Connection, schema: str) -> dict[str, str]:
    marks = ", ".join("?" * len(TABLES))
    found = connection.execute(
        f"select name, sql from {quoted(schema)}.sqlite_schema where type = 'table' and name in ({marks})",
        tuple(TABLES),
    )
    return dict(found.fetchall())


def _own_triggers(connection: sqlite3.Connection, schema: str) -> dict[str, str]:
    found = connection.execute(
        f"select name, sql from {quoted(schema)}.sqlite_schema"
        " where type = 'trigger' and name like 'lotgate\\_count\\_%' escape '\\' order by name"
    )
    return dict(found.fetchall())


def _column_names(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    """The columns that are stored; a generated one is a function of them."""
    found = connection.execute(
        "select name from pragma_table_xinfo(?, ?) where hidden = 0 order by cid", (table, schema)
    )
    return [name for (name,) in found]


def _order_column(connection: sqlite3.Connection, schema: str, table: str) -> str | None:
    found = connection.execute(
        "select name from pragma_table_xinfo(?, ?) where lower(name) = 'order_number' and hidden <> 1",
        (table, schema),
    ).fetchone()
    return None if found is None else quoted(found[0])


def _differs(connection: sqlite3.Connection, schema: str, table: str, model_table: str) -> str:
    """The condition that an update changed something that counts: other bytes, or another storage class."""
    names = [f"{quoted(name)}" for name in _counted_columns(connection, schema, table, model_table)]
    terms = [
        f"old.{name} collate binary is not new.{name} or typeof(old.{name}) <> typeof(new.{name})"
        for name in names
    ]
    rowid = _rowid_without_column(connection, schema, table)
    if rowid is not None:
        terms.append(f"old.{rowid} is not new.{rowid}")
    return "\n    or ".join(terms)


def _counted_columns(connection: sqlite3.Connection, schema: str, table: str, model_table: str) -> list[str]:
    """The columns of which a change counts.

    Besides those that the models read, these are the columns of unique keys: an UPDATE OR REPLACE of such a
    one can take another row away, which fires nothing else. All columns count where that cannot be told
    column by column, and where a column that the models read is generated from others.
    """
    stored = _column_names(connection, schema, table)
    if model_table in COUNTED_WHOLE:
        return stored
    keys = connection.execute(
        "select lower(key.name), list.partial or key.cid = -2 from pragma_index_list(?, ?) as list"
        ' join pragma_index_xinfo(list.name, ?) as key where list."unique" and key.key',
        (table, schema, schema),
    ).fetchall()
    generated = connection.execute(
        "select lower(name) from pragma_table_xinfo(?, ?) where hidden > 1", (table, schema)
    ).fetchall()
    read = MODEL_COLUMNS[model_table]
    generated_names = {name for (name,) in generated}
    key_names = {name for name, _ in keys}
    if any(whole for _, whole in keys) or generated_names & (key_names | set(read)):
        return stored
    return [name for name in stored if _lower(name) in read or _lower(name) in key_names]


def _rowid_without_column(connection: sqlite3.Connection, schema: str, table: str) -> str | None:
    """A name of the rowid where no column is the rowid: an UPDATE OR REPLACE can set it all the same."""
    (without_rowid,) = connection.execute(
        "select max(wr) from pragma_table_list(?) where schema = ?", (table, schema)
    ).fetchone()
    is_column = connection.execute(
        "select exists (select 1 from pragma_table_xinfo(?, ?) where pk > 0)"
        " and not exists (select 1 from pragma_index_list(?, ?) where origin = 'pk')",
        (table, schema, table, schema),
    ).fetchone()[0]
    if without_rowid or is_column:
        return None
    columns = connection.execute("select lower(name) from pragma_table_xinfo(?, ?)", (table, schema))
    taken = {name for (name,) in columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


def _note(order: str) -> str:
    """Notes an order, without a conflict whatever the outer statement says about conflicts."""
    return (
        "update lotgate_changed_orders set last_change = (select value from lotgate_change_counter)"
        f" where order_number = cast({order} as text);\n"
        "    insert into lotgate_changed_orders (order_number, first_change, last_change)"
        f" select cast({order} as text), value, value from lotgate_change_counter"
        f" where {order} is not null and not exists"
        f" (select 1 from lotgate_changed_orders where order_number = cast({order} as text));"
    )


def _lower(name: str) -> str:
    """As SQLite compares names: the letters A to Z only."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)
