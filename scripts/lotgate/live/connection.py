"""Connections that may write to the live database, their transactions, and one lotgate at a time.

Source: docs/swap.md, "What SQLite asks for".
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from lotgate.errors import EnvironmentFailed, LotgateError
from lotgate.live.write_ahead_log import checkpoint, time_for_others
from lotgate.sqlite_files import DEFAULT_LOCK_TIMEOUT, check_file, explain, sqlite_uri

__all__ = [
    "LotgateAtWork",
    "explain_write",
    "give_way",
    "immediate",
    "lock_database",
    "lock_file",
    "lock_path",
    "open_for_writing",
    "reading",
]


POLL_S = 0.2


class LotgateAtWork(EnvironmentFailed):
    """Another lotgate holds the database's lock."""


@contextmanager
def open_for_writing(
    path: Path, *, lock_timeout: float = DEFAULT_LOCK_TIMEOUT
) -> Iterator[sqlite3.Connection]:
    """A connection to the live database in autocommit mode; transactions are ``immediate`` and ``reading``.

    Foreign keys are not enforced on it, since staging and renaming cannot go row by row, and it syncs fully.
    It never creates a file. SQLite's errors in the block become those of ``explain_write``.
    """
    path = check_file(path)
    _refuse_read_only(path)
    try:
        connection = sqlite3.connect(
            sqlite_uri(path, mode="rw"), uri=True, timeout=lock_timeout, isolation_level=None
        )
    except sqlite3.Error as error:
        raise explain_write(error, path, lock_timeout=lock_timeout) from error
    try:
        for name, value in (("foreign_keys", 0), ("recursive_triggers", 0), ("synchronous", 2)):
            connection.execute(f"pragma {name} = {value}")
            (found,) = connection.execute(f"pragma {name}").fetchone()
            if found != value:  # a pragma inside a transaction, or of another build, is ignored silently
                raise EnvironmentFailed(f"SQLite did not accept pragma {name} = {value} for {path}.")
        connection.execute("select count(*) from sqlite_schema").fetchone()
        yield connection
    except sqlite3.Error as error:
        raise explain_write(error, path, lock_timeout=lock_timeout) from error
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.close()


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: the write lock at once (a later upgrade could fail), all of it or nothing."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("rollback")
        raise


def give_way(connection: sqlite3.Connection, held_s: float) -> None:
    """After a transaction of ``held_s`` seconds that is one of many: others get three times as long.

    A waiting writer of SQLite does not stand in a queue: it looks again after pauses that grow to a tenth of
    a second, and has to find the lock free at that moment. A checkpoint each time keeps the write-ahead log
    so short that no other writer's commit has to do one.
    """
    checkpoint(connection)
    time.sleep(time_for_others(held_s))


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """One read transaction: all reads see one state. Nothing is written in it."""
    connection.execute("begin")
    try:
        connection.execute("select count(*) from sqlite_schema").fetchone()
        yield
    finally:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("rollback")


def explain_write(error: sqlite3.Error, path: Path, *, lock_timeout: float | None = None) -> LotgateError:
    """The error to raise for what SQLite said while the live database was written to."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name in ("SQLITE_READONLY", "SQLITE_READONLY_DBMOVED", "SQLITE_PERM"):
        return EnvironmentFailed(
            f"{path} cannot be written to: {error}.",
            hint=f"Run as a user who may write {path.name} and in {path.parent}. Nothing was changed.",
        )
    if name.startswith("SQLITE_FULL"):
        return EnvironmentFailed(
            f"No space is left for {path} or its write-ahead log.",
            hint="Free space on that disk; `lotgate status` then finishes or undoes what was begun.",
        )
    return explain(error, path, lock_timeout=lock_timeout)


def lock_path(database: Path) -> Path:
    """The file whose lock says that a lotgate is at work on this database; it stays, and is empty."""
    real = database.resolve()
    return real.with_name(f".{real.name}.lotgate.lock")


def lock_database(database: Path) -> AbstractContextManager[None]:
    """One lotgate at a time on one database, whatever their work directories.

    Raises LotgateAtWork where another lotgate holds it, EnvironmentFailed where the file cannot be made.
    """
    busy = LotgateAtWork(
        f"Another lotgate is at work on {database}.", hint="Wait until it is done, then try again."
    )
    return lock_file(lock_path(database), busy)


@contextmanager
def lock_file(file: Path, busy: EnvironmentFailed, *, wait_s: float = 0.0) -> Iterator[None]:
    """Holds the kernel's lock (flock) on a file beside the database; it ends with the process in any case.

    It is never taken on the database file itself: closing a second descriptor of that would drop SQLite's own
    locks. Raises ``busy`` where another process still holds it after ``wait_s`` seconds, EnvironmentFailed
    where the file cannot be made or locked.
    """
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EnvironmentFailed(
            f"{file} cannot be created or opened: {error.strerror}.",
            hint=f"Run as a user who may write in {file.parent}.",
        ) from error
    try:
        deadline = time.monotonic() + wait_s
        while not _try_lock(descriptor, file):
            if time.monotonic() >= deadline:
                raise busy
            time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, file: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EnvironmentFailed(
            f"{file} cannot be locked: {error.strerror}.", hint="Keep the database on a local disk."
        ) from error
    return True


def _refuse_read_only(path: Path) -> None:
    """Before it is opened for writing: SQLite then opens it for reading only, and leaves a -wal behind."""
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            raise EnvironmentFailed(
                f"{place} cannot be written to.",
                hint=f"Run as a user who may write {path.name} and in {path.parent}. Nothing was changed.",
            )
