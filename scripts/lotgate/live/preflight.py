"""May this candidate be promoted into this database? Asked before anything is written, and answered from
files.

Source: docs/swap.md, "What a swap asks first".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lotgate.build import hashed_tables, read_build
from lotgate.controls import load_controls
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.legacy_schema import MODEL_COLUMNS, is_migrated, quoted
from lotgate.live.counter import Counter, changed_orders, read_counter, schema_fingerprint
from lotgate.live.names import BOOKS, PROMOTED, archive_name
from lotgate.live.schema import columns_of
from lotgate.live.state import database_id, read_operation, table_exists
from lotgate.machine import format_size, free_bytes
from lotgate.sqlite_copy import file_sha256
from lotgate.sqlite_files import path_text, sqlite_uri
from lotgate.table_hashes import TableHash, hash_tables, schema_sha256
from lotgate.verdict import Verdict, read_verdict
from lotgate.workdir import WorkDir

__all__ = [
    "Audited",
    "SourceChanged",
    "check_room",
    "check_same_as_snapshot",
    "check_source",
    "read_audited",
    "refuse_under_way",
]

AGAIN = "Build and audit again."
SPARE_BYTES = 16_000_000


class SourceChanged(GateClosed):
    """The live database is not what was audited any more; ``migrate`` then builds again."""


@dataclass(frozen=True)
class Audited:
    """An open verdict, and the candidate that it is about, hash by hash."""

    verdict: Verdict
    counter: Counter
    tables: Mapping[str, TableHash]
    candidate: Path


def read_audited(work_dir: WorkDir, controls: Path | None) -> Audited:
    """The verdict in ``work_dir``, if it is open and everything beside it is what it was given for.

    ``controls`` is the owner's folder where one was named, else the one that the build read is taken.
    Raises UsageError without a verdict, GateClosed where it is closed or anything differs.
    """
    if not work_dir.verdict.exists():
        raise UsageError(
            f"There is no verdict in {work_dir.path}.",
            hint="Build and audit first, or name the folder that has them with --work-dir.",
        )
    verdict = read_verdict(work_dir.verdict)
    reason = verdict.cannot_be_swapped_because
    if reason is not None:
        raise GateClosed(f"This candidate cannot be swapped: {reason}", hint="`lotgate review` shows why.")
    assert verdict.change_counter is not None  # or there would be a reason
    build = read_build(work_dir)
    problems = []
    if file_sha256(work_dir.legacy) != verdict.snapshot_sha256:
        problems.append("the snapshot")
    if load_controls(controls or build.controls_folder).sha256 != verdict.controls_sha256:
        problems.append("the controls")
    audited = {table.table: table for table in verdict.tables}
    try:
        if schema_sha256(work_dir.candidate) != verdict.candidate_schema_sha256:
            problems.append("the candidate's tables and constraints")
        found = {t.table: t for t in hash_tables(work_dir.candidate, hashed_tables(work_dir.candidate))}
    except sqlite3.Error as error:
        raise GateClosed(f"The candidate cannot be read: {error}.", hint=AGAIN) from error
    problems += [
        f"the candidate's table {name}"
        for name in sorted(found.keys() | audited.keys())
        if found.get(name) != audited.get(name)
    ]
    problems += [f"no audited {name}" for name in (*PROMOTED, *BOOKS.values()) if name not in audited]
    if problems:
        raise GateClosed(
            f"Not as audited: {', '.join(problems)}.",
            hint=f"The verdict is not about this. {AGAIN}",
        )
    return Audited(verdict, verdict.change_counter, audited, work_dir.candidate)


def check_source(connection: sqlite3.Connection, database: Path, audited: Audited) -> None:
    """The live database is the one that was audited, and nothing changed in it since.

    In a transaction of the caller's. Raises GateClosed for another or a migrated database, SourceChanged
    where
    data or schema changed.
    """
    verdict = audited.verdict
    if _is_migrated(connection):
        raise GateClosed(
            f"{database} is migrated already.", hint="`lotgate status` shows its phase and what comes next."
        )
    own = database_id(connection)
    if own is None or own != verdict.database_id:
        raise GateClosed(
            f"The verdict is about {verdict.source}, and {path_text(database)} is another database.",
            hint="Name the right --database or --work-dir, or build and audit this one.",
        )
    counter = read_counter(connection)
    if counter is None:
        raise SourceChanged(
            f"The change-counter of {database} is gone or does not count everything any more.", hint=AGAIN
        )
    if counter != audited.counter:
        raise SourceChanged(_changes(connection, database, audited.counter, counter), hint=_ADVICE)
    if schema_fingerprint(connection) != verdict.schema_fingerprint:
        raise SourceChanged(f"The schema of {database} changed after the audit.", hint=AGAIN)


def _is_migrated(connection: sqlite3.Connection) -> bool:
    """A table ``skus`` of the owner's alone is no migration; the plan then says that the name is taken."""
    known = ("skus", "lots", "shipped_items", archive_name("shipped_items"))
    return is_migrated(
        {
            table: [c.name for c in columns_of(connection, table)]
            for table in known
            if table_exists(connection, table)
        }
    )


_ADVICE = (
    "Pause ingestion, then build and audit again; or let `lotgate migrate` do all of it, which pauses"
    " ingestion for its last round."
)


def refuse_under_way(connection: sqlite3.Connection, database: Path) -> None:
    """For who only looks: GateClosed where an operation is under way or was interrupted, since its tables
    would look like the owner's."""
    operation = read_operation(connection)
    if operation is not None:
        raise GateClosed(
            f"A {operation.kind} of {path_text(database)} is under way since {operation.started_at},"
            " or was interrupted.",
            hint="`lotgate status` says which, and finishes or undoes what was interrupted.",
        )


def check_same_as_snapshot(backup: Path, snapshot: Path) -> None:
    """Every value that the models read is in the backup of the live database as it is in the snapshot.

    The change-counter says so already; this is the proof for changes that went around it (a writer that
    switched triggers off). Raises SourceChanged where they differ.
    """
    with closing(sqlite3.connect(sqlite_uri(backup, mode="ro"), uri=True)) as connection:
        connection.execute("attach database ? as snapshot", (sqlite_uri(snapshot, mode="ro"),))
        for table, wanted in MODEL_COLUMNS.items():
            kind = connection.execute(
                "select type, wr from pragma_table_list(?) where schema = 'main'", (table,)
            ).fetchone()
            if kind != ("table", 0):
                continue
            columns = [quoted(c.name) for c in columns_of(connection, table) if c.name.lower() in set(wanted)]
            if not columns:
                continue
            differs = " or ".join(
                f"typeof(live.{column}) <> typeof(taken.{column})"
                f" or live.{column} collate binary is not taken.{column}"
                for column in columns
            )
            counts = [
                connection.execute(f"select count(*) from {schema}.{table}").fetchone()[0]
                for schema in ("main", "snapshot")
            ]
            other = connection.execute(
                f"select 1 from main.{table} as live left join snapshot.{table} as taken"
                f" on taken.rowid = live.rowid where taken.rowid is null or {differs} limit 1"
            ).fetchone()
            if counts[0] != counts[1] or other is not None:
                raise SourceChanged(
                    f"The table {table} is not what was audited, though no change was counted.",
                    hint=f"A writer goes around the triggers. Find it. {AGAIN}",
                )


def check_room(database: Path, candidate: Path) -> int:
    """The bytes that staging needs beside the live database at most; EnvironmentFailed where they are not
    free.

    A staged table is no bigger than the candidate's, and the write-ahead log may hold as much again.
    """
    needed = 2 * candidate.stat().st_size + SPARE_BYTES
    free = free_bytes(database.parent)
    if free < needed:
        raise EnvironmentFailed(
            f"The swap needs up to {format_size(needed)} beside {database},"
            f" and {format_size(free)} are free.",
            hint="Free space on that disk.",
        )
    return needed


def _changes(connection: sqlite3.Connection, database: Path, before: Counter, now: Counter) -> str:
    if now.value <= before.value:
        return (
            f"{database} went another way since the audit: a backup was restored, or the counter made anew."
        )
    count = now.value - before.value
    orders = changed_orders(connection, before)
    shown = ", ".join(orders[:5]) + (f" and {len(orders) - 5} more" if len(orders) > 5 else "")
    return (
        f"{database} changed after the audit: {count} change{'s' if count > 1 else ''}"
        + (f", of order{'s' if len(orders) > 1 else ''} {shown}" if orders else "")
        + "."
    )
