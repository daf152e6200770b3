"""A row of a new table that changed since the swap, and what of it the legacy schema cannot express."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Change", "NotCarried", "Row", "any_text", "bound", "is_same", "mark"]

Row = Mapping[str, object]


@dataclass(frozen=True)
class Change:
    """A row as it was at the swap (None where it was added since) and as it is (None where it was
    deleted)."""

    row_id: int
    before: Row | None
    after: Row | None

    @property
    def rows(self) -> tuple[Row | None, Row | None]:
        """Both."""
        return self.before, self.after


@dataclass(frozen=True)
class NotCarried:
    """Something that a rollback cannot put into the legacy tables, or not just as it was, and why.

    ``detail`` says that no row and no unit is lost or moved by it: the legacy tables have no place for a
    value.
    """

    table: str
    row_id: int
    reason: str
    before: Row | None
    after: Row | None
    detail: bool = False


def is_same(one: object, other: object) -> bool:
    """Whether two values are equal in SQLite's eyes and of one storage class: 1 and 1.0 are not."""
    return type(one) is type(other) and one == other


@contextmanager
def any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Reads texts that are not UTF-8 as well: a byte that is none becomes a surrogate.

    SQLite takes any bytes for a text, and a rollback must not fail because a writer wrote some.
    """
    before = connection.text_factory
    connection.text_factory = lambda content: content.decode(errors="surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def mark(value: object) -> str:
    """The parameter mark for a value that ``any_text`` may have read; ``bound`` is what to bind to it."""
    return "cast(? as text)" if isinstance(value, str) and isinstance(bound(value), bytes) else "?"


def bound(value: object) -> object:
    """The value as ``sqlite3`` takes it: bytes for a text with surrogates."""
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        return value.encode(errors="surrogateescape")
    return value
