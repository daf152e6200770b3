"""Hashes of tables that mean something: equal for the same columns and rows, whatever the file looks like."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lotgate.legacy_schema import quoted
from lotgate.sqlite_files import sqlite_uri

__all__ = ["TableHash", "hash_tables"]

ROWS_A_CHUNK = 5_000


@dataclass(frozen=True)
class TableHash:
    """A table's rows and the SHA-256 over its column names and all its values, in the order of rowid."""

    table: str
    rows: int
    sha256: str


def hash_tables(database: Path, tables: Iterable[str]) -> tuple[TableHash, ...]:
    """Hashes tables of a SQLite database that nobody writes to; two at a time, since SQLite does the work.

    Values are hashed as SQLite's ``quote()`` writes them, so that 1, '1' and NULL differ.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        return tuple(pool.map(lambda table: _hash(database, table), sorted(tables)))


def _hash(database: Path, table: str) -> TableHash:
    connection = sqlite3.connect(sqlite_uri(database, mode="ro"), uri=True)
    try:
        columns = [row[1] for row in connection.execute(f"pragma table_info({quoted(table)})")]
        digest = hashlib.sha256(repr(columns).encode())
        values = " || ',' || ".join(f"quote({quoted(column)})" for column in columns)
        rows = 0
        chunks = connection.execute(
            f"select count(*), group_concat(line, char(10)) from ("
            f"select {values} as line, row_number() over (order by rowid) - 1 as place"
            f" from {quoted(table)}) group by place / {ROWS_A_CHUNK} order by place / {ROWS_A_CHUNK}"
        )
        for count, text in chunks:
            rows += count
            digest.update(f"{text}\n".encode())
    finally:
        connection.close()
    return TableHash(table, rows, digest.hexdigest())
