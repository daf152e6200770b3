"""The snapshot: one consistent, checked and hashed copy of the live database (docs/design.md, section 4).

It is what everything later is derived from, and the first verified backup. The live file is only read; what
is lotgate's own in it (names that begin with ``lotgate_``) does not go into the copy.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotgate.console import Reporter, SilentReporter
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.inspection import (
    TableInfo,
    check_foreign_keys,
    check_integrity,
    check_schema,
    corrupt,
    find_additions,
    find_id_problem,
    find_invalid_texts,
    list_tables,
)
from lotgate.legacy_schema import additions, quoted
from lotgate.live.counter import Counter, read_counter, schema_fingerprint
from lotgate.live.state import database_id
from lotgate.machine import format_size, free_bytes
from lotgate.sqlite_copy import copy_database, file_sha256
from lotgate.sqlite_files import (
    DEFAULT_LOCK_TIMEOUT,
    LiveDatabase,
    database_size,
    explain,
    open_live,
    path_text,
    sqlite_uri,
)
from lotgate.workdir import WorkDir, discard_audit, remove_database, write_private

__all__ = ["Snapshot", "take_snapshot"]

FORMAT_VERSION = "1"
# A copy, the additions and SQLite's journal while they are made.
SPARE_BYTES = 1 << 20
CACHE_KIB = 64_000


@dataclass(frozen=True)
class Snapshot:
    """What was copied and what was found in it.

    ``tables`` describes the live database; ``added`` names what the copy has beyond it. ``journal_mode`` is
    the live database's. ``integrity`` is ``ok``, or there would be no snapshot. ``foreign_key_violations``
    counts rows by table, and ``foreign_keys_unchecked`` names tables whose keys point nowhere.
    ``change_counter``, ``schema_fingerprint`` and ``database_id`` are the live database's at that moment;
    ``change_counter`` is None where it had none that could be relied on, ``database_id`` where lotgate never
    wrote to it.
    """

    path: Path
    sha256: str
    source: Path
    tables: tuple[TableInfo, ...]
    added: tuple[str, ...]
    journal_mode: str
    sqlite_version: str
    integrity: str
    foreign_key_violations: Mapping[str, int]
    foreign_keys_unchecked: tuple[str, ...]
    change_counter: Counter | None
    schema_fingerprint: str
    database_id: str | None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self) | {"path": str(self.path), "source": str(self.source)}


def take_snapshot(
    database: Path,
    work_dir: WorkDir,
    *,
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT,
    reporter: Reporter | None = None,
) -> Snapshot:
    """Copies the live database into ``work_dir.legacy``, read-only, and describes it in ``snapshot.json``.

    The caller holds the work directory's lock. The same source gives the same bytes. On any error the
    previous snapshot, candidate and audit stay as they were; otherwise the latter two go. Raises UsageError
    for what is no legacy database, GateClosed for a migrated or corrupt one and for text that is not UTF-8,
    EnvironmentFailed for locks, permissions and disk space.
    """
    reporter = reporter or SilentReporter()
    with write_private(work_dir.legacy) as temporary:
        with open_live(database, lock_timeout=lock_timeout) as live:
            source = live.path
            check_schema(source, list_tables(live.connection, count=False))
            size = database_size(live.connection)
            _check_space(work_dir, size)
            journal_mode = _journal_mode(live)
            # of one moment with the copy: all of it is one read transaction
            counter = read_counter(live.connection)
            fingerprint = schema_fingerprint(live.connection)
            identity = database_id(live.connection)
            with reporter.step(f"Copying {source.name} ({format_size(size)})"):
                copy_database(live.connection, temporary, work_dir.legacy, lock_timeout=lock_timeout)
        try:
            connection = sqlite3.connect(sqlite_uri(temporary), uri=True, isolation_level=None)
            try:
                found = _complete(connection, source, reporter)
            finally:
                connection.close()
        except sqlite3.Error as error:
            problem = explain(error, work_dir.legacy)
            if isinstance(problem, GateClosed):  # the copy is as corrupt as its source
                problem = explain(error, source)
            raise problem from error
        with reporter.step("Hashing the snapshot"):
            sha256 = file_sha256(temporary)
        temporary.chmod(0o400)
        # No verdict and no candidate may stand beside another snapshot than their own.
        discard_audit(work_dir)
        for derived in (
            work_dir.candidate,
            work_dir.failed_candidate,
            work_dir.failures,
            work_dir.build_json,
        ):
            remove_database(derived)
    snapshot = Snapshot(
        path=work_dir.legacy,
        sha256=sha256,
        source=source,
        journal_mode=journal_mode,
        sqlite_version=sqlite3.sqlite_version,
        integrity="ok",
        change_counter=counter,
        schema_fingerprint=fingerprint,
        database_id=identity,
        **found,
    )
    with write_private(work_dir.snapshot_json) as temporary:
        content = snapshot.as_json() | {"taken_at": datetime.now(UTC).isoformat(timespec="seconds")}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="ascii")
    return snapshot


def _journal_mode(live: LiveDatabase) -> str:
    if live.immutable:  # only a WAL database is opened so, and SQLite then says "delete"
        return "wal"
    return str(live.connection.execute("pragma journal_mode").fetchone()[0])


def _check_space(work_dir: WorkDir, size: int) -> None:
    free = free_bytes(work_dir.path)
    if free < size + SPARE_BYTES:
        raise EnvironmentFailed(
            f"The snapshot needs {format_size(size + SPARE_BYTES)} in {work_dir.path},"
            f" and {format_size(free)} are free.",
            hint="Free space there, or use a --work-dir on another disk.",
        )


def _complete(connection: sqlite3.Connection, source: Path, reporter: Reporter) -> dict[str, Any]:
    """Checks the copy, then adds what is missing; what was found, as ``Snapshot``'s fields."""
    connection.execute("pragma synchronous = off")
    connection.execute(f"pragma cache_size = -{CACHE_KIB}")
    connection.execute("pragma journal_mode = delete")
    with reporter.step("Checking the snapshot"):
        complaints = check_integrity(connection)
        if complaints:
            raise corrupt(source, complaints)
        _check_rows(connection, source)
        tables = list_tables(connection)
        keys = check_foreign_keys(connection, tables)
    connection.execute("pragma secure_delete = on")  # what is dropped leaves no trace in the file
    connection.execute("begin immediate")
    _drop_own(connection)
    for statement in additions({t.name: t.columns for t in tables if t.kind != "trigger"}):
        connection.execute(statement)
    connection.execute("create table lotgate_snapshot (key text primary key, value text) strict")
    connection.executemany(
        "insert into lotgate_snapshot (key, value) values (?, ?)",
        [("format", FORMAT_VERSION), ("source", path_text(source))],
    )
    connection.execute("commit")
    return {
        "tables": tables,
        "added": find_additions(tables),
        "foreign_key_violations": dict(keys.violations),
        "foreign_keys_unchecked": keys.unchecked,
    }


def _drop_own(connection: sqlite3.Connection) -> None:
    """Takes out what is lotgate's: nothing is derived from it. (A snapshot of a snapshot has its marker.)"""
    found = connection.execute(
        "select type, name from sqlite_schema where type in ('trigger', 'view', 'table')"
        " and name like 'lotgate\\_%' escape '\\' order by type = 'table', type = 'view', name"
    ).fetchall()
    for type_, name in found:
        connection.execute(f"drop {type_} {quoted(name)}")


def _check_rows(connection: sqlite3.Connection, source: Path) -> None:
    problem = find_id_problem(connection)
    if problem:
        raise UsageError(
            f"In shipped_items of {source}, {problem}.",
            hint="Every row needs an id of its own, since the ledger names rows by it. Correct the source.",
        )
    texts = find_invalid_texts(connection)
    if texts:
        where = "; ".join(map(str, texts))
        raise GateClosed(
            f"{source} holds text that is not UTF-8, in {where}.",
            hint="Correct those values in the source, then take the snapshot again.",
        )
