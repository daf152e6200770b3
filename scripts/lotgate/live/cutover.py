"""One short transaction with a time budget: all of it at once, or later, or not at all."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import EnvironmentFailed
from lotgate.live.connection import explain_write

__all__ = ["Switched", "switch"]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
STEPS_BETWEEN_LOOKS = 2_000
"""Virtual machine steps of SQLite between two looks at the clock: about a tenth of a millisecond."""


@dataclass(frozen=True)
class Switched:
    """A transaction that was committed: how long it held the write lock, at which attempt."""

    lock_ms: float
    attempts: int


def switch(
    connection: sqlite3.Connection,
    body: Callable[[], None],
    *,
    database: Path,
    budget_ms: int,
    attempts: int,
) -> Switched:
    """Runs ``body`` in one BEGIN IMMEDIATE transaction that holds the write lock no longer than the budget.

    Over the budget it is rolled back and tried again after a pause that doubles. Any other error of
    ``body`` rolls back and is raised as it is.
    Raises EnvironmentFailed when the attempts are used up; then nothing was changed.
    """
    connection.execute("pragma legacy_alter_table = off")  # renames put new names into foreign keys
    connection.execute("pragma synchronous = full")  # what is committed survives a power failure
    pause = FIRST_PAUSE_S
    for attempt in range(1, attempts + 1):
        held = _try(connection, body, budget_ms, database)
        if held is not None:
            return Switched(held, attempt)
        if attempt < attempts:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
    raise EnvironmentFailed(
        f"The cut-over of {database} was not done within {budget_ms} ms in {attempts} attempts;"
        " each was rolled back.",
        hint="Try again when the machine is quieter, or raise --lock-budget-ms.",
    )


def _try(
    connection: sqlite3.Connection, body: Callable[[], None], budget_ms: int, database: Path
) -> float | None:
    """The milliseconds that the lock was held; None where it was not done in time."""
    try:
        connection.execute("begin immediate")
    except sqlite3.OperationalError as error:
        if _name(error).startswith("SQLITE_BUSY"):  # waited for as long as the lock timeout
            return None
        raise explain_write(error, database) from error
    start = time.monotonic()
    deadline = start + budget_ms / 1000
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS_BETWEEN_LOOKS)
    try:
        body()
        connection.set_progress_handler(None, 0)
        if time.monotonic() > deadline:
            raise TimeoutError
        connection.execute("commit")  # in WAL mode no reader can hold it up
        return (time.monotonic() - start) * 1000
    except TimeoutError:
        return None
    except sqlite3.OperationalError as error:
        if _name(error) == "SQLITE_INTERRUPT":
            return None
        raise
    finally:
        connection.set_progress_handler(None, 0)
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("rollback")


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or ""
