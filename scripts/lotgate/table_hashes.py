"""Hashes of tables that mean something: equal for the same columns and rows, whatever the file looks like."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lotgate.legacy_schema import quoted
from lotgate.sqlite_files import sqlite_uri

__all__ = ["TableHash", "hash_query", "hash_tables", "schema_sha256", "seal"]

ROWS_A_CHUNK = 500


@dataclass(frozen=True)
class TableHash:
    """A table's rows and the SHA-256 over its column names and all its values, in the order of rowid."""

    table: str
    rows: int
    sha256: str


def hash_tables(database: Path, tables: Iterable[str]) -> tuple[TableHash, ...]:
    """Hashes tables of a SQLite database that nobody writes to.

    Values are hashed as Python's ``ascii()`` writes them, so that 1, '1' and NULL differ, and every supported
    Python gives the same.
    """
    with closing(sqlite3.connect(sqlite_uri(database, mode="ro"), uri=True)) as connection:
        return tuple(_hash(connection, table) for table in sorted(tables))


def schema_sha256(database: Path) -> str:
    """Hashes what SQLite stores of tables, indexes, views and triggers: their names and statements."""
    with closing(sqlite3.connect(sqlite_uri(database, mode="ro"), uri=True)) as connection:
        found = connection.execute("select type, name, tbl_name, sql from sqlite_schema").fetchall()
    return hashlib.sha256(ascii(sorted(map(str, found))).encode()).hexdigest()


def seal(file_sha256: str, schema: str, tables: Iterable[TableHash]) -> str:
    """Binds a file, byte by byte, to its ``schema_sha256`` and the hashes of its tables.

    Whoever finds the same seal need not read the tables again: it is the file that was hashed, and these are
    the hashes that were found in it.
    """
    found = [file_sha256, schema, *((table.table, table.rows, table.sha256) for table in tables)]
    return hashlib.sha256(ascii(found).encode()).hexdigest()


def hash_query(connection: sqlite3.Connection, table: str, query: str) -> TableHash:
    """The same hash over the columns and rows of a query, which says in which order the rows come."""
    text_factory = connection.text_factory
    connection.text_factory = str
    try:
        return _hash_as_it_is(connection, table, query)
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        # A BLOB that was read as text need not be UTF-8. It has a hash, too, only slower.
        connection.text_factory = lambda value: value.decode("utf-8", "surrogateescape")
        return _hash_as_it_is(connection, table, query)
    finally:
        connection.text_factory = text_factory


def _hash(connection: sqlite3.Connection, table: str) -> TableHash:
    return hash_query(connection, table, f"select * from {quoted(table)} order by rowid")


def _hash_as_it_is(connection: sqlite3.Connection, table: str, query: str) -> TableHash:
    cursor = connection.execute(query)
    digest = hashlib.sha256(ascii([column[0] for column in cursor.description]).encode())
    rows = 0
    while chunk := cursor.fetchmany(ROWS_A_CHUNK):
        rows += len(chunk)
        digest.update("".join(map(ascii, chunk)).encode())
    return TableHash(table, rows, digest.hexdigest())
