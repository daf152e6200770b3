"""Can this machine and this database do it? Changes nothing to find out (docs/design.md, section 3)."""

from __future__ import annotations

import importlib.metadata
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lotgate.console import Reporter, SilentReporter
from lotgate.controls import load_controls
from lotgate.errors import LotgateError
from lotgate.inspection import (
    TableInfo,
    check_foreign_keys,
    check_integrity,
    check_schema,
    find_additions,
    find_id_problem,
    find_invalid_texts,
    list_tables,
)
from lotgate.machine import (
    file_system,
    format_size,
    free_bytes,
    is_network,
    open_holders,
    same_disk,
    write_lock_holders,
)
from lotgate.project import require_project
from lotgate.sqlite_files import DEFAULT_LOCK_TIMEOUT, check_file, database_size, open_live

__all__ = ["Check", "examine", "examine_controls", "examine_project"]

Status = Literal["ok", "warning", "problem"]
# DROP COLUMN and RETURNING; STRICT tables (3.37) are what a legacy database is made of
MINIMUM_SQLITE = (3, 37, 0)
WAL_RESET_FIXED = (3, 51, 3)
# a candidate holds the legacy rows again, with more columns and more indexes
CANDIDATE_FACTOR = 2
SHOWN = 5


@dataclass(frozen=True)
class Check:
    """One question and its answer; ``hint`` says what to do about a warning or a problem."""

    name: str
    status: Status
    detail: str
    hint: str | None = None


def examine(
    database: Path,
    work_dir: Path,
    *,
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT,
    reporter: Reporter | None = None,
) -> tuple[Check, ...]:
    """All checks, in a fixed order. A file that cannot be opened at all is raised, as ``open_live`` does."""
    reporter = reporter or SilentReporter()
    database = check_file(database)
    checks = [_sqlite_version(sqlite3.sqlite_version_info)]
    # before this process opens the file itself
    checks += [_open_files(database), _write_lock(database)]
    checks += [_file_system("live database", database, "problem"), _file_system("work directory", work_dir)]
    with (
        reporter.step(f"Looking through {database.name}"),
        open_live(database, lock_timeout=lock_timeout) as live,
    ):
        connection = live.connection
        checks.append(_journal_mode(connection, live.immutable))
        checks += _disk_space(connection, database, work_dir)
        tables = list_tables(connection, count=False)
        checks += _schema(database, tables)
        checks.append(_integrity(connection))
        checks.append(_foreign_keys(connection, tables))
        if any(table.name.lower() == "shipped_items" and "id" in table.columns for table in tables):
            checks.append(_ids(connection))
        checks.append(_texts(connection))
    return tuple(checks)


def examine_controls(folder: Path | None) -> Check:
    """Whether the controls can be used."""
    name = "controls"
    try:
        controls = load_controls(folder)
    except LotgateError as error:
        return Check(name, "problem", error.message, error.hint)
    if folder is None:
        return Check(name, "ok", "none")
    lines = ", ".join(f"{text.count(chr(10)) - 1} in {file}" for file, text in controls.as_files().items())
    return Check(name, "ok", f"{folder}: lines: {lines}")


def examine_project(folder: Path) -> Check:
    """Which dbt project commands in ``folder`` use, and whether a copy is of this version of lotgate."""
    name = "project"
    try:
        project = require_project(folder)
    except LotgateError as error:
        return Check(name, "problem", error.message, error.hint)
    detail = f"{project.path} ({project.origin})"
    version = importlib.metadata.version("lotgate")
    if project.copied_from in (None, version):
        return Check(name, "ok", detail)
    return Check(
        name,
        "warning",
        f"{detail} is a copy made with lotgate {project.copied_from}; this is {version}",
        "Make a new copy with `lotgate init DIR --with-project` elsewhere, and bring your changes over.",
    )


def _sqlite_version(version: tuple[int, ...]) -> Check:
    name, text = "SQLite", ".".join(map(str, version))
    if version < MINIMUM_SQLITE:
        needed = ".".join(map(str, MINIMUM_SQLITE))
        return Check(name, "problem", text, f"Python's SQLite must be {needed} or later; use a newer Python.")
    if version < WAL_RESET_FIXED:
        return Check(
            name,
            "ok",
            f"{text}; before 3.51.3, two checkpoints of a WAL database at one moment can corrupt it (rare);"
            " staging checkpoints beside the writers, as their own commits do",
        )
    return Check(name, "ok", text)


def _journal_mode(connection: sqlite3.Connection, immutable: bool) -> Check:
    name = "journal mode"
    if immutable:
        return Check(
            name,
            "warning",
            "WAL, read without locks since the file or its folder cannot be written to",
            "A snapshot works while nobody writes. Later steps need a user who may write.",
        )
    mode = connection.execute("pragma journal_mode").fetchone()[0]
    if mode == "wal":
        return Check(name, "ok", "WAL: writers go on while lotgate reads")
    return Check(
        name,
        "warning",
        f"{mode}: writers wait while lotgate copies the file",
        "Switch it with `pragma journal_mode = wal` when nothing else has it open.",
    )


def _disk_space(connection: sqlite3.Connection, database: Path, work_dir: Path) -> list[Check]:
    size = database_size(connection)
    work = ("snapshot and candidate", size * (1 + CANDIDATE_FACTOR))
    backups = ("2 backups", size * 2)
    if same_disk(work_dir, database):
        needs = [(work_dir, f"{work[0]} and {backups[0]}", work[1] + backups[1])]
    else:
        needs = [(work_dir, *work), (database.parent, *backups)]
    checks = []
    for folder, what, needed in needs:
        free = free_bytes(folder)
        detail = f"{what} need about {format_size(needed)}; {format_size(free)} are free in {folder}"
        hint = None if free >= needed else "Free space there, or use a --work-dir on another disk."
        checks.append(Check("disk space", "problem" if hint else "ok", detail, hint))
    return checks


def _file_system(what: str, path: Path, severity: Status = "warning") -> Check:
    name = f"file system of the {what}"
    found = file_system(path)
    if found is None:
        return Check(name, "warning", "cannot be told on this machine", "Make sure that it is a local disk.")
    if not is_network(found):
        return Check(name, "ok", found)
    return Check(
        name,
        severity,
        f"{found}, which is reached over a network or shared with another machine",
        "SQLite's locks cannot be trusted there. Run lotgate on the machine that has the disk.",
    )


def _open_files(database: Path) -> Check:
    name = "open in"
    holders, complete = open_holders(database)
    writers = sum(holder.writes for holder in holders)
    shown = ", ".join(f"{holder.name} ({holder.pid})" for holder in holders[:SHOWN])
    more = f" and {len(holders) - SHOWN} more" if len(holders) > SHOWN else ""
    partly = "" if complete else " (not every process could be looked at)"
    if not holders:
        return Check(name, "ok", f"no other process{partly}")
    return Check(name, "ok", f"{shown}{more}; {writers} of them for writing{partly}")


def _write_lock(database: Path) -> Check:
    name = "write lock"
    holders = [pid for pid in write_lock_holders(database) if pid]
    if not holders:
        return Check(name, "ok", "nobody holds it at this moment")
    return Check(
        name,
        "warning",
        f"held at this moment by process {', '.join(map(str, holders))}",
        "A short write is nothing to mind. If it stays, that process keeps a transaction open.",
    )


def _schema(database: Path, tables: tuple[TableInfo, ...]) -> list[Check]:
    name = "schema"
    try:
        check_schema(database, tables)
    except LotgateError as error:
        return [Check(name, "problem", error.message, error.hint)]
    roles = ", ".join(
        f"{count} {role}"
        for role in ("derived-from", "carried over", "left alone")
        if (count := sum(table.role == role for table in tables if table.kind != "trigger"))
    )
    triggers = [table.name for table in tables if table.kind == "trigger"]
    detail = f"recognised; tables: {roles}" + (f"; triggers: {', '.join(triggers)}" if triggers else "")
    added = find_additions(tables)
    if not added:
        return [Check(name, "ok", detail)]
    return [
        Check(name, "ok", detail),
        Check("added to the snapshot", "ok", f"empty, since this database lacks them: {', '.join(added)}"),
    ]


def _integrity(connection: sqlite3.Connection) -> Check:
    name = "integrity"
    complaints = check_integrity(connection)
    if not complaints:
        return Check(name, "ok", "integrity_check found nothing")
    return Check(
        name,
        "problem",
        "; ".join(complaints[:SHOWN]),
        "Restore the database from a backup, or recover what can be with `sqlite3 FILE .recover`.",
    )


def _foreign_keys(connection: sqlite3.Connection, tables: tuple[TableInfo, ...]) -> Check:
    name = "foreign keys"
    keys = check_foreign_keys(connection, tables)
    parts = [f"{table}: {count} rows break one" for table, count in keys.violations.items()]
    parts += [f"{table}: its keys point to no such key" for table in keys.unchecked]
    if not parts:
        return Check(name, "ok", "all hold")
    return Check(name, "warning", "; ".join(parts), "They block nothing; the rows stay as they are.")


def _ids(connection: sqlite3.Connection) -> Check:
    name = "ids of shipped_items"
    problem = find_id_problem(connection)
    if problem is None:
        return Check(name, "ok", "each row has its own")
    return Check(name, "problem", problem, "The ledger names rows by id. Correct the source.")


def _texts(connection: sqlite3.Connection) -> Check:
    name = "text"
    texts = find_invalid_texts(connection)
    if not texts:
        return Check(name, "ok", "all that the models read is UTF-8")
    return Check(
        name, "problem", f"not UTF-8: {'; '.join(map(str, texts))}", "Correct those values in the source."
    )
