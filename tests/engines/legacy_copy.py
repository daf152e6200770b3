"""What is in a snapshot and in the evidence, as another engine can hold it.

SQLite lets a column hold values of any type. Elsewhere a column has one: numbers where every value is a whole
number, else texts, written as SQLite would write them. A NUL character, which no text of Postgres can hold,
becomes its picture U+2400; a BLOB becomes the text that SQLite takes it for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Table", "read_tables"]

Value = int | str | None


@dataclass(frozen=True)
class Table:
    """A table with its columns and whether each holds whole numbers only; rows in the order of rowid."""

    name: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Value, ...], ...]
    changed: int
    """Values that this copy cannot hold as they are: NUL characters, BLOBs, fractions."""


def read_tables(database: Path) -> Iterator[Table]:
    """The tables of a database, without SQLite's own and those of lotgate."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        names = connection.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'"
            " and name not like 'lotgate\\_%' escape '\\' order by name"
        ).fetchall()
        for (name,) in names:
            yield _read(connection, name)


def _read(connection: sqlite3.Connection, name: str) -> Table:
    table = '"' + name.replace('"', '""') + '"'
    names = [row[1] for row in connection.execute(f"pragma table_info({table})")]
    quoted = ['"' + column.replace('"', '""') + '"' for column in names]
    columns, select, changed = [], [], 0
    for column, sql in zip(names, quoted, strict=True):
        types = dict(
            connection.execute(
                f"select case when typeof({sql}) = 'text' and instr({sql}, char(0)) > 0 then 'nul'"
                f" else typeof({sql}) end, count(*) from {table} group by 1"
            ).fetchall()
        )
        is_number = set(types) <= {"integer", "null"}
        changed += sum(types.get(kind, 0) for kind in ("nul", "blob", "real"))
        columns.append((column, is_number))
        select.append(sql if is_number else f"replace(cast({sql} as text), char(0), char(9216))")
    rows = tuple(connection.execute(f"select {', '.join(select)} from {table} order by rowid").fetchall())
    return Table(name, tuple(columns), rows, changed)
