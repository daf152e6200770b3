"""Filling new tables in the live database, and emptying old ones, in transactions too short to be noticed.

Writers wait for each other in SQLite, and its busy handler only looks again now and then. So a chunk holds
the write lock for a few hundredths of a second at most, and then leaves others three times as long.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed
from lotgate.legacy_schema import quoted
from lotgate.live.connection import immediate, reading
from lotgate.live.names import PROMOTED, stage_name
from lotgate.live.plan import SwapPlan
from lotgate.live.schema import list_objects
from lotgate.live.target import Copy
from lotgate.live.write_ahead_log import ShortLog, checkpoint, time_for_others
from lotgate.table_hashes import TableHash, hash_query

__all__ = ["Chunks", "drop_tables", "leftover_tables", "short_transactions", "stage", "verify_staged"]

FIRST_CHUNK = 100
SMALLEST_CHUNK = 20
LARGEST_CHUNK = 20_000
CACHE_KIB = 64_000
SMALL_TABLE = 50_000
"""Rows of a table whose indexes are dropped in a few milliseconds each."""


@dataclass
class Chunks:
    """How many rows fit into one transaction, as measured.

    ``longest_ms`` is the longest that one took; ``not_waited_s`` what others would have got beside them, in
    seconds, if the database were shared.
    """

    target_ms: int
    is_shared: bool
    rows: int = FIRST_CHUNK
    count: int = 0
    longest_ms: float = 0.0
    not_waited_s: float = 0.0
    log: ShortLog = field(default_factory=ShortLog)

    @classmethod
    def of(cls, settings: SwapSettings) -> Chunks:
        """None yet, of the length that is set."""
        return cls(settings.chunk_ms, settings.is_shared)

    def begin_table(self) -> None:
        """A row of another table, with other indexes, takes another time."""
        self.rows = FIRST_CHUNK

    def took(self, seconds: float) -> None:
        """Learns from a chunk: half of the time aimed at leaves room for a noisy machine."""
        milliseconds = seconds * 1000
        self.count += 1
        self.longest_ms = max(self.longest_ms, milliseconds)
        factor = min(1.5, max(0.25, self.target_ms / 2 / max(milliseconds, 0.1)))
        self.rows = int(min(LARGEST_CHUNK, max(SMALLEST_CHUNK, self.rows * factor)))


@contextmanager
def short_transactions(connection: sqlite3.Connection) -> Iterator[None]:
    """Settings for many short transactions that can be done again: no fsync in each, checkpoints by hand.

    A checkpoint within a commit would hold it up; SQLite's passive one beside it holds nobody up.
    """
    connection.execute("pragma synchronous = normal")
    connection.execute("pragma wal_autocheckpoint = 0")
    connection.execute(f"pragma cache_size = -{CACHE_KIB}")
    try:
        yield
    finally:
        connection.execute("pragma synchronous = full")
        connection.execute("pragma wal_autocheckpoint = 1000")


def stage(
    connection: sqlite3.Connection, plan: SwapPlan, settings: SwapSettings, *, reporter: Reporter
) -> Chunks:
    """Makes the staged tables and fills them from the attached candidate."""
    chunks = Chunks.of(settings)
    with short_transactions(connection):
        for table in plan.tables:
            with _timed(connection, chunks):
                for statement in table.create:
                    connection.execute(statement)
        for table in plan.tables:
            chunks.begin_table()
            with reporter.step(f"Staging {table.table}", total=max(1, table.copy.rows)) as step:
                for rows in _copied(connection, table.copy, chunks):
                    step.advance(rows)
    return chunks


def verify_staged(connection: sqlite3.Connection, plan: SwapPlan, audited: dict[str, TableHash]) -> None:
    """The staged rows are the audited ones, to the last value. Raises GateClosed where they are not."""
    with reading(connection):
        for name in PROMOTED:
            broken = connection.execute(
                "select count(*) from pragma_foreign_key_check(?)", (stage_name(name),)
            ).fetchone()[0]
            if broken:
                raise GateClosed(
                    f"{broken} of the rows staged for {name} break a foreign key.",
                    hint="The live schema's types or collations differ. Nothing was changed.",
                )
        for table in plan.tables:
            found = hash_query(connection, table.copy.source, table.copy.check)
            if found != audited[table.copy.source]:
                raise GateClosed(
                    f"What was staged for {table.table} is not what was audited.",
                    hint="A type or a trigger of the live database changes the values, or somebody wrote to"
                    " the candidate. Compare its columns with `lotgate plan`, then build and audit again.",
                )


def leftover_tables(
    connection: sqlite3.Connection, prefixes: tuple[str, ...], names: Sequence[str] = ()
) -> tuple[str, ...]:
    """The tables of these prefixes and of just these names, children before parents."""
    exact = {name.lower() for name in names}
    return tuple(
        item.name
        for item in reversed(list_objects(connection, "table"))
        if item.name.lower().startswith(prefixes) or item.name.lower() in exact
    )


def drop_tables(
    connection: sqlite3.Connection, tables: tuple[str, ...], settings: SwapSettings, *, reporter: Reporter
) -> Chunks:
    """Empties tables chunk by chunk and drops them. Foreign keys are not enforced on the connection.

    A big index would take longer to drop than a writer should wait; a small one is dropped before the rows.
    """
    chunks = Chunks.of(settings)
    with short_transactions(connection):
        for table in tables:
            with reporter.step(f"Dropping {table}"):
                chunks.begin_table()
                _delete(connection, table, chunks, keep=SMALL_TABLE)
                for index in list_objects(connection, "index"):
                    if index.table.lower() == table.lower():
                        with _timed(connection, Chunks.of(settings)):
                            connection.execute(f"drop index {quoted(index.name)}")
                _delete(connection, table, chunks, keep=0)
                with immediate(connection):
                    connection.execute(f"drop table {quoted(table)}")
    return chunks


def _delete(connection: sqlite3.Connection, table: str, chunks: Chunks, *, keep: int) -> None:
    (rows,) = connection.execute(f"select count(*) from {quoted(table)}").fetchone()
    while rows > keep:
        with _timed(connection, chunks):
            deleted = connection.execute(
                f"delete from {quoted(table)} where rowid in"
                f" (select rowid from {quoted(table)} limit {chunks.rows})"
            ).rowcount
        if not deleted:  # somebody else emptied it
            return
        rows -= deleted


def _copied(connection: sqlite3.Connection, copy: Copy, chunks: Chunks) -> Iterator[int]:
    """Copies chunk after chunk; yields the rows of each."""
    (lowest,) = connection.execute(f"select min(rowid) from candidate.{copy.source}").fetchone()
    after = None if lowest is None else lowest - 1
    while after is not None:
        (upto,) = connection.execute(
            f"select max(rowid) from (select rowid from candidate.{copy.source}"
            f" where rowid > ? order by rowid limit {chunks.rows})",
            (after,),
        ).fetchone()
        if upto is None:
            return
        with _timed(connection, chunks):
            rows = connection.execute(copy.insert, {"after": after, "upto": upto}).rowcount
        after = upto
        yield rows


@contextmanager
def _timed(connection: sqlite3.Connection, chunks: Chunks) -> Iterator[None]:
    """One chunk's transaction; afterwards others get their turn, as in ``give_way``."""
    connection.execute("begin immediate")
    start = time.monotonic()
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    seconds = time.monotonic() - start
    chunks.took(seconds)
    log = checkpoint(connection)
    share = time_for_others(seconds)
    if chunks.is_shared:
        time.sleep(share)
        chunks.log.wait_for_readers(connection, log)
    else:
        chunks.not_waited_s += share
