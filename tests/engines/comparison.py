"""Row by row: a candidate of SQLite beside the same tables of another engine."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["Comparison", "Reader", "compare"]

Row = tuple[Any, ...]
Reader = Callable[[str, Sequence[str]], Iterable[Row]]
"""Gives the rows of a table, of these columns."""


@dataclass(frozen=True)
class Comparison:
    """How many rows a table has, and how many only one of the two engines has."""

    table: str
    rows: int
    only_sqlite: tuple[Row, ...]
    only_other: tuple[Row, ...]
    error: str | None = None

    @property
    def is_equal(self) -> bool:
        return not (self.only_sqlite or self.only_other or self.error)


def compare(candidate: Path, read: Reader) -> list[Comparison]:
    """Compares every table of a candidate, values as texts, null apart from the empty text."""
    found = []
    with closing(sqlite3.connect(f"file:{candidate}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        tables = [
            name
            for (name,) in connection.execute(
                "select name from sqlite_schema where type = 'table'"
                " and name not like 'sqlite\\_%' escape '\\' order by name"
            )
        ]
        for table in tables:
            columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            here = Counter(map(_as_texts, connection.execute(f"select {', '.join(columns)} from {table}")))
            try:
                there = Counter(map(_as_texts, read(table, columns)))
            except Exception as error:  # noqa: BLE001 - whatever the other engine raises is the finding
                message = str(error).strip().splitlines()[0]
                found.append(Comparison(table, here.total(), (), (), message))
                continue
            found.append(
                Comparison(
                    table,
                    here.total(),
                    tuple((here - there).elements()),
                    tuple((there - here).elements()),
                )
            )
    return found


def _as_texts(row: Row) -> Row:
    return tuple(None if value is None else _as_text(value) for value in row)


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    # no text of Postgres holds a NUL character; legacy_copy writes its picture
    return str(value).replace("\0", "\u2400")
