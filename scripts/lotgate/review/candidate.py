"""Reading a candidate for the pages: strictly read-only, whatever is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from lotgate.sqlite_files import sqlite_uri

__all__ = ["attempt", "read_candidate"]

T = TypeVar("T")


def read_candidate(path: Path, read: Callable[[sqlite3.Connection], T]) -> T:
    """What ``read`` makes of a candidate, over a connection that cannot write.

    Text that is not UTF-8 (a BLOB that was read as text) gets replacement characters. Only then is every
    text decoded here, which takes longer, and everything read again.
    """
    with closing(sqlite3.connect(sqlite_uri(path, mode="ro"), uri=True)) as connection:
        try:
            return read(connection)
        except sqlite3.OperationalError as error:
            if "UTF-8" not in str(error):
                raise
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        return read(connection)


def attempt(read: Callable[[], T], what: str, problems: list[str]) -> T | None:
    """What ``read`` returns; None where the candidate does not have it, which is added to ``problems``.

    A candidate that is spoiled closes the gate, and a person wants to see the pages of just that one.
    """
    try:
        return read()
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        problems.append(f"{what} cannot be read from the candidate: {error}.")
        return None
