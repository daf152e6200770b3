"""The demo's database, built from the CSV files under ``seeds/``.

``seeds/legacy`` becomes a real legacy ``ora.db`` with the legacy system's own constraints, so that everything
after it treats the demo like any other database. In the files an empty field is NULL, but the empty text
where the column takes no NULL. (``seeds/shipstation`` is what the demo's simulator serves: ``demo.py``.)
"""

from __future__ import annotations

import csv
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.legacy_schema import KNOWN_TABLES, Shape, create_legacy_database, quoted

__all__ = ["DEMO_SHAPE", "build_demo_database"]

DEMO_SHAPE: Final = Shape.late
"""The demo's legacy schema: every column that the models read, and some parts that lotgate does not know."""


@dataclass(frozen=True)
class Record:
    """One record of a CSV file: the line that it ends on, and its fields, as many as the header has."""

    line: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class CsvTable:
    """A CSV file and the table that it fills; all of the file is read."""

    path: Path
    table: str
    columns: tuple[str, ...]
    records: tuple[Record, ...]


def build_demo_database(path: Path, seeds: Path) -> None:
    """A new legacy database in WAL mode at ``path``, with the rows of ``seeds/legacy/legacy_<table>.csv``.

    Foreign keys are not enforced while it is filled, as in the live system: one row has no order. ``path``
    appears complete or not at all. Raises UsageError where ``path`` exists or a file is missing or does not
    fit its table, EnvironmentFailed where the database cannot be written.
    """
    tables = _legacy_tables(seeds / "legacy")
    _refuse_existing(path)
    try:
        # A folder of its own takes whatever SQLite leaves behind when it fails half-way.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".lotgate-demo-") as scratch:
            unfinished = Path(scratch, "ora.db")
            with closing(create_legacy_database(unfinished, DEMO_SHAPE)) as connection:
                connection.execute("PRAGMA foreign_keys = OFF")
                _fill(connection, tables)
                # The file is renamed without its -wal, so everything has to be in it.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _refuse_existing(path)
            unfinished.rename(path)
    except OSError as error:
        raise EnvironmentFailed(f"{path} cannot be written: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise EnvironmentFailed(f"{path} cannot be written: {error}.") from error


def _refuse_existing(path: Path) -> None:
    # A -wal that is left over from another database would be read as part of this one.
    for found in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if found.exists() or found.is_symlink():
            raise UsageError(f"{found} exists already.", hint="Choose another folder, or move the file away.")


def _legacy_tables(folder: Path) -> list[CsvTable]:
    """Every ``legacy_<table>.csv`` of the folder; a name that is no legacy table's would be overlooked."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", hint="Name the project's seeds folder.")
    wanted = {f"legacy_{table}": table for table in sorted(KNOWN_TABLES)}
    for file in sorted(folder.glob("*.csv")):
        if file.stem not in wanted:
            raise UsageError(f"{file} belongs to no legacy table.", hint="Rename it to legacy_<table>.csv.")
    return [_read(folder / f"{stem}.csv", table) for stem, table in wanted.items()]


def _read(path: Path, table: str) -> CsvTable:
    columns: tuple[str, ...] = ()
    records: list[Record] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = tuple(next(reader, ()))
            for fields in reader:
                if len(fields) != len(columns):
                    expected = f"{len(fields)} fields where the header has {len(columns)}"
                    raise UsageError(f"{path}, line {reader.line_num}: {expected}.")
                records.append(Record(reader.line_num, tuple(fields)))
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.", hint="Name the project's seeds folder.") from error
    except OSError as error:
        raise EnvironmentFailed(f"{path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no CSV file in UTF-8: {error}.") from error
    if not columns:
        raise UsageError(f"{path} is empty.", hint="Its first line names the columns.")
    return CsvTable(path, table, columns, tuple(records))


def _fill(connection: sqlite3.Connection, tables: list[CsvTable]) -> None:
    """Inserts everything in one transaction; an error names the file and the line."""
    connection.execute("BEGIN IMMEDIATE")
    for table in tables:
        takes_empty_text = _checked_columns(connection, table)
        names = ", ".join(quoted(column) for column in table.columns)
        marks = ", ".join("?" for _ in table.columns)
        insert = f"INSERT INTO {quoted(table.table)} ({names}) VALUES ({marks})"
        for record in table.records:
            values = [
                field if field or empty else None
                for field, empty in zip(record.fields, takes_empty_text, strict=True)
            ]
            try:
                connection.execute(insert, values)
            except (sqlite3.IntegrityError, sqlite3.DataError) as error:
                raise UsageError(f"{table.path}, line {record.line}: {error}.") from error
    connection.execute("COMMIT")


def _checked_columns(connection: sqlite3.Connection, table: CsvTable) -> list[bool]:
    """Whether an empty field of each column is the empty text (declared NOT NULL text) rather than NULL."""
    empty_text = {
        name: declared == "TEXT" and bool(not_null)
        for _, name, declared, not_null, _, _ in connection.execute(
            f"PRAGMA table_info({quoted(table.table)})"
        )
    }
    unknown = [column for column in table.columns if column not in empty_text]
    if unknown:
        raise UsageError(f"{table.path}: table {table.table} has no column {', '.join(unknown)}.")
    return [empty_text[column] for column in table.columns]
