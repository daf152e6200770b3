"""Looks through a legacy database: what is in it, and whether it can be worked with. Reads only.

``snapshot`` asks these questions of its copy and ``doctor`` of the live file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lotgate.errors import GateClosed, UsageError
from lotgate.legacy_schema import (
    REQUIRED,
    SNAPSHOT_COLUMNS,
    TableClass,
    classify,
    is_migrated,
    missing_required,
    quoted,
)

__all__ = [
    "ForeignKeys",
    "InvalidText",
    "TableInfo",
    "check_foreign_keys",
    "check_integrity",
    "check_schema",
    "corrupt",
    "find_additions",
    "find_id_problem",
    "find_invalid_texts",
    "list_tables",
]

Kind = Literal["table", "view", "virtual table", "trigger"]
INTEGRITY_MESSAGES = 20
SHOWN_ROWS = 5
# enough to be fast, few enough to be small: about 1 MB of text
TEXT_CHUNK_ROWS = 10_000


@dataclass(frozen=True)
class TableInfo:
    """One table, view, virtual table or trigger of the live database.

    ``rows`` is None where they were not or cannot be counted (a trigger, a broken view, an unknown module);
    ``columns`` is empty where they cannot be known. ``role`` is what lotgate does with it.
    """

    name: str
    kind: Kind
    rows: int | None
    columns: tuple[str, ...]
    role: TableClass


@dataclass(frozen=True)
class ForeignKeys:
    """Rows that break a foreign key, by table, and the tables whose keys cannot be checked at all."""

    violations: Mapping[str, int]
    unchecked: tuple[str, ...]


@dataclass(frozen=True)
class InvalidText:
    """A column with text that is not UTF-8: in how many rows, and the rowids of the first few."""

    table: str
    column: str
    count: int
    rowids: tuple[int, ...]

    def __str__(self) -> str:
        """Where it is, for a message; never what it is."""
        rows = f"{self.table}.{self.column}: {self.count} row{'s' if self.count > 1 else ''}"
        if not self.rowids:
            return rows
        more = ", ..." if self.count > len(self.rowids) else ""
        return f"{rows} (rowid {', '.join(map(str, self.rowids))}{more})"


def list_tables(connection: sqlite3.Connection, *, count: bool = True) -> tuple[TableInfo, ...]:
    """Everything in the schema but indexes and SQLite's and lotgate's own, by name, tables first."""
    found = connection.execute(
        "select type, name, sql like 'create virtual%' from sqlite_schema"
        " where type in ('table', 'view', 'trigger') and name not like 'sqlite\\_%' escape '\\'"
        " and name not like 'lotgate\\_%' escape '\\'"
        " order by type = 'trigger', type = 'view', name"
    ).fetchall()
    tables = []
    for type_, name, virtual in found:
        if type_ == "trigger":
            tables.append(TableInfo(name, "trigger", None, (), "left alone"))
            continue
        kind: Kind = "view" if type_ == "view" else "virtual table" if virtual else "table"
        columns = _columns(connection, name)
        rows = _count(connection, name) if count and kind == "table" else None
        tables.append(TableInfo(name, kind, rows, columns, classify(name)))
    return tuple(tables)


def check_schema(path: Path, tables: Collection[TableInfo]) -> None:
    """Raises GateClosed for a migrated database, UsageError for one that is no legacy database."""
    columns = {table.name: table.columns for table in tables if table.kind == "table"}
    if is_migrated(columns):
        raise GateClosed(
            f"{path} is migrated already.",
            hint="Nothing is left to build. `lotgate status` shows its phase and what comes next.",
        )
    missing = missing_required(columns)
    if missing:
        raise UsageError(
            f"{path} is not a legacy database that lotgate knows; missing: {', '.join(missing)}.",
            hint="Name the right file with --database. Required are the tables "
            f"{', '.join(REQUIRED)} with their columns.",
        )
    lacking = [
        f"{table.name} ({', '.join(lacks)})"
        for table in tables
        if table.kind in ("view", "virtual table") and (lacks := _lacks(table))
    ]
    if lacking:
        raise UsageError(
            f"In {path}, these are no tables, so that no column can be added to them: {'; '.join(lacking)}.",
            hint="Give them the columns named in brackets, or rename them.",
        )


def find_additions(tables: Collection[TableInfo]) -> tuple[str, ...]:
    """What a snapshot adds, empty, to a database with these tables: ``table x`` or ``column x.y``."""
    present = {_fold(table.name): table for table in tables if table.kind != "trigger"}
    added = []
    for name, columns in SNAPSHOT_COLUMNS.items():
        if name not in present:
            added.append(f"table {name}")
        else:
            has = {_fold(column) for column in present[name].columns}
            added += [f"column {name}.{column}" for column in columns if column not in has]
    return tuple(added)


def check_integrity(connection: sqlite3.Connection, table: str | None = None) -> tuple[str, ...]:
    """SQLite's complaints from ``integrity_check`` of the main database, or of one of its tables.

    At most 20; empty where it is content.
    """
    subject = INTEGRITY_MESSAGES if table is None else table
    messages = [str(row[0]) for row in connection.execute(f"pragma main.integrity_check({subject})")]
    return () if messages == ["ok"] else tuple(messages)


def corrupt(path: Path, complaints: Sequence[str]) -> GateClosed:
    """The error to raise for what SQLite's check found wrong in a live database."""
    return GateClosed(
        f"{path} is corrupt; SQLite's integrity check says: {'; '.join(complaints[:3])}"
        + (f" (and {len(complaints) - 3} more)." if len(complaints) > 3 else "."),
        hint="Restore it from a backup, or recover what can be with `sqlite3 FILE .recover`.",
    )


def check_foreign_keys(connection: sqlite3.Connection, tables: Collection[TableInfo]) -> ForeignKeys:
    """Counts violations by table. They are reported and block nothing: legacy keys are often not enforced."""
    violations: dict[str, int] = {}
    unchecked: list[str] = []
    for table in tables:
        if table.kind != "table":
            continue
        try:
            (count,) = connection.execute(
                "select count(*) from pragma_foreign_key_check(?)", (table.name,)
            ).fetchone()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_ERROR":
                raise
            unchecked.append(table.name)  # "foreign key mismatch": the parent has no such key
            continue
        if count:
            violations[table.name] = count
    return ForeignKeys(violations, tuple(unchecked))


HIGHEST_ID = 2**62


def find_id_problem(connection: sqlite3.Connection) -> str | None:
    """Why ``shipped_items.id`` cannot name a row (the ledger has one row per id), or None where it can."""
    keyed = connection.execute(
        "select count(*) = 1 and max(lower(name)) = 'id' and max(upper(type)) = 'INTEGER'"
        " from pragma_table_info('shipped_items') where pk > 0"
    ).fetchone()[0]
    highest = connection.execute(
        "select max(id) from (select id from shipped_items union all select id from shipped_orders)"
        " where typeof(id) = 'integer'"
    ).fetchone()[0]
    if isinstance(highest, int) and highest > HIGHEST_ID:
        return f"or in shipped_orders, the highest id is {highest}: recovered rows have no room after it"
    if keyed:  # an INTEGER PRIMARY KEY is whole, not NULL and unique by itself
        return None
    wrong, rows, distinct = connection.execute(
        "select count(*) filter (where typeof(id) <> 'integer'), count(id), count(distinct id)"
        " from shipped_items"
    ).fetchone()
    problems = []
    if wrong:
        problems.append(f"{wrong} rows have an id that is NULL or not a whole number")
    if rows != distinct:
        problems.append(f"{rows - distinct} rows repeat the id of another")
    return " and ".join(problems) or None


def find_invalid_texts(connection: sqlite3.Connection) -> list[InvalidText]:
    """The columns that the models read and that hold text which is not UTF-8. No text is ever returned.

    SQLite stores whatever bytes it is given. Thousands of values are decoded at once, joined by an ASCII
    character, which no sequence of bytes can reach across; only a table where that fails is looked at by row.
    """
    found = []
    text_factory = connection.text_factory
    connection.text_factory = bytes
    try:
        for table, wanted in SNAPSHOT_COLUMNS.items():
            names = connection.execute(
                "select name from pragma_table_xinfo(?) where hidden <> 1 and not (type in ('INT', 'INTEGER')"
                " and exists (select 1 from pragma_table_list(?) where strict))",
                (table, table),
            )
            columns = [name.decode() for (name,) in names if _fold(name.decode()) in wanted]
            rowid = _rowid_of(connection, table)
            if columns and not (rowid and _all_texts_valid(connection, table, columns, rowid)):
                found += _invalid_texts_of(connection, table, columns, rowid or "null")
    finally:
        connection.text_factory = text_factory
    return found


def _rowid_of(connection: sqlite3.Connection, table: str) -> str | None:
    """A name for the rowid that no column has taken; None for a view or a WITHOUT ROWID table."""
    if not connection.execute(
        "select 1 from sqlite_schema where type = 'table' and name = ? collate nocase", (table,)
    ).fetchone():
        return None  # a view has a rowid in some builds of SQLite, and it is always NULL
    for name in ("rowid", "_rowid_", "oid"):
        if connection.execute(
            "select 1 from pragma_table_xinfo(?) where name = ? collate nocase", (table, name)
        ).fetchone():
            continue
        try:
            connection.execute(f"select {name} from {quoted(table)} limit 0")
        except sqlite3.OperationalError:
            return None
        return name
    return None


def _all_texts_valid(connection: sqlite3.Connection, table: str, columns: list[str], rowid: str) -> bool:
    """False may be a false alarm (a blob is no text, but is joined as if it were); True is certain."""
    joined = ", ".join(f"group_concat({quoted(column)}, ',')" for column in columns)
    chosen = ", ".join(map(quoted, columns))
    statement = (
        f"select max(place), {joined} from (select {rowid} as place, {chosen} from {quoted(table)}"
        f" where {rowid} > ? order by {rowid} limit {TEXT_CHUNK_ROWS})"
    )
    last: float | None = -1e300  # below every rowid
    while last is not None:
        try:
            last, *texts = connection.execute(statement, (last,)).fetchone()
        except sqlite3.DataError:  # together they are too long for SQLite
            return False
        if not all(text is None or text.isascii() or _is_utf8(text) for text in texts):
            return False
    return True


def _invalid_texts_of(
    connection: sqlite3.Connection, table: str, columns: list[str], rowid: str
) -> list[InvalidText]:
    texts = ", ".join(f"case when typeof({quoted(c)}) = 'text' then {quoted(c)} end" for c in columns)
    places: dict[str, list[int]] = {column: [] for column in columns}
    for place, *values in connection.execute(f"select {rowid}, {texts} from {quoted(table)}"):
        for column, value in zip(columns, values, strict=True):
            if value is not None and not _is_utf8(value):
                places[column].append(place)
    return [
        InvalidText(
            table, column, len(found), tuple(place for place in found[:SHOWN_ROWS] if place is not None)
        )
        for column, found in places.items()
        if found
    ]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _columns(connection: sqlite3.Connection, name: str) -> tuple[str, ...]:
    try:
        rows = connection.execute("select name from pragma_table_xinfo(?) where hidden <> 1", (name,))
        return tuple(row[0] for row in rows)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_ERROR":
            raise
        return ()  # a view of a table that is gone, a virtual table of an unknown module


def _count(connection: sqlite3.Connection, name: str) -> int:
    (rows,) = connection.execute(f"select count(*) from {quoted(name)}").fetchone()
    assert isinstance(rows, int)
    return rows


def _lacks(table: TableInfo) -> list[str]:
    has = {_fold(column) for column in table.columns}
    return [column for column in SNAPSHOT_COLUMNS.get(_fold(table.name), {}) if column not in has]


def _fold(name: str) -> str:
    """As SQLite compares names: the letters A to Z only."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)
