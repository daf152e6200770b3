"""Puts a verified backup back into the live file, through SQLite's backup API, and proves that it is there.

The file is never replaced: connections that are open see the restored rows at once, and a replaced file
beside the old -wal would mix two databases. Source: docs/swap.md, "Backups".
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError, UsageError
from lotgate.inspection import check_integrity
from lotgate.legacy_schema import quoted
from lotgate.live.backup_files import SPARE_BYTES, open_copy, tables_of
from lotgate.live.backups import Backup, take_backups, verify_backup
from lotgate.live.connection import explain_write, open_for_writing, reading
from lotgate.live.state import database_id
from lotgate.machine import format_size, free_bytes
from lotgate.sqlite_files import check_file, open_live, path_text, sqlite_uri
from lotgate.table_hashes import TableHash, hash_query

__all__ = ["Restoration", "restore_backup"]

# how long SQLite itself waits for a lock before it is asked again whether the time is over
WAIT_MS = 100
BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@dataclass(frozen=True)
class Restoration:
    """What was put back.

    ``seconds`` is how long writing into the live file took, ``total_seconds`` all of it. ``tables`` has the
    rows of each table as restored. ``safety`` is the backup of the state before, None where that could not be
    read. ``lost_writes`` says that others wrote between the safety backup and the restoration: what they
    wrote is in neither. ``written_since`` names tables that others changed before they could be compared.
    """

    backup: Backup
    safety: tuple[Backup, Backup] | None
    tables: Mapping[str, int]
    seconds: float
    total_seconds: float
    lost_writes: bool
    written_since: tuple[str, ...]


def restore_backup(
    database: Path,
    backup_path: Path,
    folders: tuple[Path, Path],
    *,
    operation_id: str,
    taken_at: str,
    lock_timeout: float,
    reporter: Reporter,
    force: bool = False,
) -> Restoration:
    """Verifies a backup, backs up the present state, copies the backup into the live file, and compares.

    The caller holds the database's lock and has paused ingestion: what others write after the safety backup
    is lost. ``lotgate_state`` is as it was when the backup was taken. ``force`` restores over a live file
    that cannot be read. Raises GateClosed for a backup that does not verify, is another database's or has
    another page size, for a live file that cannot be read, and where the result is not the backup;
    EnvironmentFailed where the database stays locked for ``lock_timeout`` seconds, with nothing changed.
    """
    start = time.monotonic()
    real = database.resolve()
    if _same_file(real, backup_path):
        raise UsageError(f"{backup_path} is the live database itself.", hint="Name a backup of it.")
    with reporter.step("Verifying the backup"):
        backup = verify_backup(backup_path)
    try:
        check_file(database)
        with open_live(database, lock_timeout=lock_timeout) as live:
            own_id = database_id(live.connection)
            live.connection.execute("select * from sqlite_schema").fetchall()
        unreadable: LotgateError | None = None
    except (GateClosed, UsageError) as error:
        if not real.is_file():
            raise
        own_id, unreadable = None, error
    _check_owner(backup, real, own_id, unreadable)
    if unreadable is not None and not force:
        raise _needs_force(real, unreadable) from unreadable

    def take() -> tuple[Backup, Backup] | None:
        try:
            return take_backups(
                real,
                folders,
                operation_id=operation_id,
                reason="restore",
                reporter=reporter,
                taken_at=taken_at,
                lock_timeout=lock_timeout,
            )
        except GateClosed as error:  # it opens, and is corrupt inside
            if force:
                return None
            raise _needs_force(real, error) from error

    with ExitStack() as stack:
        if unreadable is None:
            connection = stack.enter_context(open_for_writing(real, lock_timeout=lock_timeout))
            return _restore(connection, real, backup, take, lock_timeout, reporter, start)
        uri = sqlite_uri(real, mode="rw")
        connection = stack.enter_context(closing(sqlite3.connect(uri, uri=True, isolation_level=None)))
        try:
            seconds = _copy_into(connection, real, backup, lock_timeout, reporter)
        except (GateClosed, UsageError) as error:
            raise GateClosed(
                f"SQLite cannot write into {real}: {error.message}",
                hint="Stop every program that uses it, move it and its -wal and -shm away, and copy"
                f" {backup.path} to its place.",
            ) from error
        _, tables = _compare(connection, real, backup, None, reporter)
    return Restoration(backup, None, tables, seconds, time.monotonic() - start, False, ())


def _restore(
    connection: sqlite3.Connection,
    real: Path,
    backup: Backup,
    take: Callable[[], tuple[Backup, Backup] | None],
    lock_timeout: float,
    reporter: Reporter,
    start: float,
) -> Restoration:
    mode = _pragma(connection, "journal_mode")
    _check_page_size(connection, real, backup, mode)
    before_safety = _pragma(connection, "data_version")
    safety = take()
    _check_space(real, backup)
    before = _pragma(connection, "data_version")
    seconds = _copy_into(connection, real, backup, lock_timeout, reporter)
    written, tables = _compare(
        connection, real, backup, before, reporter, safety=safety[0].path if safety else None
    )
    found_mode = _pragma(connection, "journal_mode")
    if found_mode != mode:
        raise GateClosed(f"{real} was restored, but its journal mode became {found_mode} instead of {mode}.")
    return Restoration(
        backup=backup,
        safety=safety,
        tables=tables,
        seconds=seconds,
        total_seconds=time.monotonic() - start,
        lost_writes=before != before_safety,
        written_since=written,
    )


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _check_owner(backup: Backup, real: Path, own_id: str | None, unreadable: LotgateError | None) -> None:
    if own_id is not None and backup.database_id is not None:
        if own_id != backup.database_id:
            raise GateClosed(
                f"{backup.path} is a backup of another database: its id is {backup.database_id}, and that of"
                f" {real} is {own_id}.",
                hint="Name a backup of this database: `lotgate backups` lists them.",
            )
        return
    if backup.source == path_text(real):
        return
    if unreadable is not None:
        why = f"{real} cannot be read ({unreadable.message})"
    else:
        why = f"{real if own_id is None else backup.path} has no lotgate id"
    raise GateClosed(
        f"{backup.path} is a backup of {backup.source}, not of {real}. The paths were compared, since {why}.",
        hint="Name a backup of this database: `lotgate backups` lists them.",
    )


def _needs_force(real: Path, error: LotgateError) -> GateClosed:
    return GateClosed(
        f"No backup of the present state of {real} can be taken: {error.message}",
        hint="Copy the file and its -wal away while no program has it open, then repeat with --force.",
    )


def _check_page_size(connection: sqlite3.Connection, real: Path, backup: Backup, mode: object) -> None:
    """In WAL mode SQLite cannot change the page size (https://www.sqlite.org/c3ref/backup_finish.html)."""
    with open_copy(backup.path) as source:
        theirs = _pragma(source, "page_size")
    ours = _pragma(connection, "page_size")
    if mode == "wal" and ours != theirs:
        raise GateClosed(
            f"{backup.path} has pages of {theirs} bytes, and {real} has pages of {ours}: SQLite cannot"
            " restore one into the other in WAL mode.",
            hint="While no other program uses the live database, run `pragma journal_mode = delete` on it,"
            " restore, and run `pragma journal_mode = wal`.",
        )


def _check_space(real: Path, backup: Backup) -> None:
    """All pages go through the write-ahead log, or those of before into the rollback journal."""
    needed, free = max(backup.bytes, real.stat().st_size) + SPARE_BYTES, free_bytes(real)
    if free < needed:
        raise EnvironmentFailed(
            f"Restoring needs {format_size(needed)} on the disk of {real}, and {format_size(free)} are free.",
            hint="Free space there, then try again. Nothing was changed.",
        )


def _copy_into(
    connection: sqlite3.Connection, real: Path, backup: Backup, lock_timeout: float, reporter: Reporter
) -> float:
    """Copies all pages in one transaction of the live file; the seconds that it took.

    Python's ``backup`` asks again without end while the file is locked; the end is here.
    """
    start = time.monotonic()

    def watch(status: int, remaining: int, total: int) -> None:
        if status in BUSY_CODES and time.monotonic() - start >= lock_timeout:
            raise TimeoutError

    connection.execute(f"pragma busy_timeout = {min(WAIT_MS, int(lock_timeout * 1000))}")
    try:
        with reporter.step(f"Restoring {real.name}"), open_copy(backup.path) as source:
            start = time.monotonic()
            source.backup(connection, pages=-1, progress=watch, sleep=0.01)
            return time.monotonic() - start
    except TimeoutError as error:
        raise EnvironmentFailed(
            f"{real} was locked by another process for longer than {lock_timeout:g} s. Nothing was changed.",
            hint="Try again when that process is done, or wait longer with --lock-timeout SECONDS.",
        ) from error
    except sqlite3.Error as error:
        raise explain_write(error, real, lock_timeout=lock_timeout) from error


def _compare(
    connection: sqlite3.Connection,
    real: Path,
    backup: Backup,
    before: object,
    reporter: Reporter,
    *,
    safety: Path | None = None,
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Tables that others changed since, and the rows as restored.

    All is read in one transaction. ``data_version`` does not move for the connection's own commits: where it
    is ``before``, nobody else wrote, and every difference is a fault. Raises GateClosed for a fault.
    """
    advice = None if safety is None else f"The state before is in {safety}."
    with reporter.step("Comparing"), reading(connection), open_copy(backup.path) as source:
        others_wrote = before is not None and _pragma(connection, "data_version") != before
        complaints = check_integrity(connection)
        if complaints:
            raise GateClosed(
                f"{real} was restored from {backup.path}, and is corrupt: {'; '.join(complaints[:3])}.",
                hint=advice,
            )
        wanted, found = _contents(source), _contents(connection)
    different = tuple(name for name in sorted(wanted | found) if wanted.get(name) != found.get(name))
    if different and not others_wrote:
        raise GateClosed(
            f"{real} was restored from {backup.path}, and differs from it in {', '.join(different)}.",
            hint=advice,
        )
    return different, {name: table.rows for name, table in wanted.items() if name in backup.tables}


def _contents(connection: sqlite3.Connection) -> dict[str, TableHash]:
    """The hash of every table that holds rows, and of the schema."""
    found = {"sqlite_schema": hash_query(connection, "sqlite_schema", "select * from sqlite_schema")}
    for name in tables_of(connection):
        found[name] = hash_query(
            connection, name, f"select * from {quoted(name)} order by {_order(connection, name)}"
        )
    return found


def _order(connection: sqlite3.Connection, table: str) -> str:
    (without_rowid,) = connection.execute(
        "select wr from pragma_table_list where schema = 'main' and name = ?", (table,)
    ).fetchone()
    if not without_rowid:
        return "rowid"
    keys = connection.execute("select name from pragma_table_info(?) where pk order by pk", (table,))
    return ", ".join(quoted(name) for (name,) in keys)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"pragma {name}").fetchone()[0]
