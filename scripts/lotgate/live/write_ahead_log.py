"""Keeping the live database's write-ahead log short while much is written to it.

SQLite begins its log anew with the first write after a moment in which all of it is in the database and no
reader stands in it any more; until then it appends. Programs that read without a pause leave no such moment
beside a writer that never pauses either, and then the log takes all that is written, until the disk is full.

Source: docs/swap.md, "What SQLite asks for"; https://www.sqlite.org/wal.html, "Avoiding Excessively Large
WAL Files".
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import EnvironmentFailed
from lotgate.machine import format_size, free_bytes

__all__ = ["ShortLog", "checkpoint"]

BOUND = 64_000_000
"""Bytes of log after which readers are waited for, and by which it grows before they are again."""
FREE_AT_LEAST = 4 * BOUND
FREE_SHARE = 0.1
"""Of the database's size, what is left free on its disk for other programs."""
PATIENCE_S = 5.0
PATIENCE_WITHOUT_ROOM_S = 60.0
ATTEMPT_MS = 5
"""How long one attempt may hold the write lock while it waits for a reader."""
SHARE_FOR_OTHERS = 3.0
PAUSE_AT_LEAST_S = 0.001
FRAME_HEADER_BYTES = 24


@dataclass(frozen=True)
class LogState:
    """The frames (pages) that the log holds; -1 where another connection is at a checkpoint just now."""

    frames: int


def checkpoint(connection: sqlite3.Connection) -> LogState:
    """A passive checkpoint: as much as can be done without anybody waiting for it.

    To be done after a commit of one's own only. Before SQLite 3.51.3, one that finds nothing to do may fall
    together with the write that begins the log anew, and lose it (https://www.sqlite.org/wal.html, "The
    WAL-Reset Bug").
    """
    _, frames, _ = connection.execute("pragma main.wal_checkpoint(passive)").fetchone()
    return LogState(frames)


def time_for_others(held_s: float) -> float:
    """The seconds that other writers get after ``held_s`` seconds with the write lock."""
    return max(SHARE_FOR_OTHERS * held_s, PAUSE_AT_LEAST_S)


@dataclass
class ShortLog:
    """The log beside one run of many transactions, while other programs read from the database.

    ``waited_at`` is its size in bytes when readers were last waited for; 0 since it was begun anew.
    """

    waited_at: int = 0

    def wait_for_readers(self, connection: sqlite3.Connection, log: LogState) -> None:
        """Between two transactions: where the log is long, waits for the moment to begin it anew.

        Others read and write on meanwhile. Readers that leave no moment let the log grow, but slower, and
        not into the room that others need. Raises EnvironmentFailed then.
        """
        if log.frames < 0:
            return
        size = _size(connection, log)
        if size < self.waited_at:
            self.waited_at = 0
        if size <= self.waited_at + BOUND:
            return
        self.waited_at = size
        if _begin_anew(connection, PATIENCE_S):
            return
        database = Path(connection.execute("pragma database_list").fetchone()[2])
        needed = max(FREE_AT_LEAST, int(FREE_SHARE * database.stat().st_size))
        free = free_bytes(database.parent)
        if free < needed and not _begin_anew(connection, PATIENCE_WITHOUT_ROOM_S):
            raise EnvironmentFailed(
                f"The write-ahead log of {database} has {format_size(size)}, and {format_size(free)} are free"
                " on its disk: somebody reads without a pause, so that SQLite cannot begin it anew.",
                hint="Pause the programs that read long from the database, or free space; then again.",
            )


def _begin_anew(connection: sqlite3.Connection, patience_s: float) -> bool:
    """Waits until all of the log is in the database and nobody reads from it: the next write begins it anew.

    A restarting checkpoint holds the write lock while it looks, so that the log cannot be begun anew at that
    moment (see ``checkpoint``). Many short ones find a short pause of a reader, and leave writers their turn.
    """
    deadline = time.monotonic() + patience_s
    (timeout_ms,) = connection.execute("pragma busy_timeout").fetchone()
    connection.execute(f"pragma busy_timeout = {ATTEMPT_MS}")
    try:
        while True:
            start = time.monotonic()
            (busy, _, _) = connection.execute("pragma main.wal_checkpoint(restart)").fetchone()
            if not busy:
                return True
            now = time.monotonic()
            if now >= deadline:
                return False
            time.sleep(time_for_others(now - start))
    finally:
        connection.execute(f"pragma busy_timeout = {timeout_ms}")


def _size(connection: sqlite3.Connection, log: LogState) -> int:
    (page,) = connection.execute("pragma main.page_size").fetchone()
    return log.frames * (int(page) + FRAME_HEADER_BYTES)
