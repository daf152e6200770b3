"""Reading a data source's tables in bulk, whatever is in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from great_expectations.data_context import project_manager

from lotgate_expectations import rendering
from lotgate_expectations.rows import identifier

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

Row = tuple[Any, ...]

ROWS_A_CHUNK = 10_000


def data_source_engine(name: str) -> SqlAlchemyExecutionEngine:
    """The engine of another data source of this context, as GX's own comparison finds it."""
    return project_manager.get_datasources()[name].get_execution_engine()  # type: ignore[return-value]


def chunks(engine: SqlAlchemyExecutionEngine, query: str) -> Iterator[list[Row]]:
    """The rows of a query, a chunk in memory at a time.

    Read with the driver's own cursor: of a million rows SQLAlchemy would make a million objects more. A BLOB
    that was cast to a text need not be UTF-8; from the first such text on, all are decoded with surrogates in
    place of the bytes that are none, which is slower and loses nothing.
    """
    with engine.get_connection() as connection:
        cursor = connection.connection.cursor()
        strict = cursor.connection.text_factory
        done = 0
        try:
            cursor.execute(query)
            while True:
                try:
                    chunk = cursor.fetchmany(ROWS_A_CHUNK)
                except sqlite3.OperationalError as error:
                    if "decode to UTF-8" not in str(error) or cursor.connection.text_factory is _decode:
                        raise
                    cursor.connection.text_factory = _decode
                    cursor.execute(query)  # nobody writes to the file: the same rows in the same order
                    for _ in range(done):
                        cursor.fetchone()
                    continue
                if not chunk:
                    return
                done += len(chunk)
                yield chunk
        finally:
            cursor.connection.text_factory = strict
            cursor.close()


def stream(engine: SqlAlchemyExecutionEngine, query: str) -> Iterator[Row]:
    """The rows of a query, one by one."""
    return chain.from_iterable(chunks(engine, query))


def stream_named(engine: SqlAlchemyExecutionEngine, query: str) -> Iterator[dict[str, Any]]:
    """The rows of a query, one by one, with the names of its columns."""
    names = column_names(engine, query)
    return (dict(zip(names, row, strict=True)) for row in stream(engine, query))


def column_names(engine: SqlAlchemyExecutionEngine, query: str) -> list[str]:
    """The names of the columns that a query selects; none of its rows is computed."""
    with engine.get_connection() as connection:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(f"select * from ({query}) limit 0")
            return [column[0] for column in cursor.description]
        finally:
            cursor.close()


def found(columns: Sequence[str], rows: Iterable[Row], count: int | None = None) -> dict[str, Any]:
    """``rendering.found`` for rows of any number, which are counted here where ``count`` is not given."""
    shown: list[list[Any]] = []
    counted = 0
    for row in rows:
        counted += 1
        if len(shown) < rendering.SHOWN_ROWS:
            shown.append([_printable(value) for value in row])
    return rendering.found(columns, shown, counted if count is None else count)


def find_rows(engine: SqlAlchemyExecutionEngine, query: str) -> dict[str, Any]:
    """Runs a query for unexpected rows, whatever their texts hold."""
    return found(column_names(engine, query), stream(engine, query))


def table_names(engine: SqlAlchemyExecutionEngine) -> list[str]:
    """The tables of a SQLite database, by name; without SQLite's own and without virtual tables."""
    query = (
        "select name from sqlite_master where type = 'table' and sql not like 'create virtual%'"
        " and name not like 'sqlite\\_%' escape '\\' order by name"
    )
    return [name for (name,) in stream(engine, query)]


def missing_part(engine: SqlAlchemyExecutionEngine, table: str, columns: Iterable[str]) -> str | None:
    """What a table lacks, in words; None where it is there with these columns and can be read."""
    query = f"select name from pragma_table_xinfo({_text(table)}) where hidden <> 1"
    try:
        present = {fold(name) for (name,) in stream(engine, query)}
        if not present:
            return f"no such table: {table}"
        lacking = [column for column in columns if fold(column) not in present]
        if lacking:
            return f"no such column: {table}.{lacking[0]}"
        column_names(engine, f"select 1 as one from {identifier(table)} limit 0")
    except sqlite3.OperationalError:  # a view of a table that is gone
        return f"no such table: {table}"
    return None


def fold(name: str) -> str:
    """A name as SQLite compares names: the letters A to Z only."""
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in name)


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _printable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
