"""Checks of what an audit reads before any suite runs: files, hashes, controls, and dbt's own results."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lotgate.build import TARGET_TABLES, Build, hashed_tables
from lotgate.controls import Controls, load_controls
from lotgate.dbt_checks import as_check
from lotgate.dbt_run import project_sha256
from lotgate.errors import UsageError
from lotgate.inspection import check_integrity
from lotgate.sqlite_copy import file_sha256
from lotgate.sqlite_files import sqlite_uri
from lotgate.table_hashes import hash_tables, schema_sha256, seal
from lotgate.verdict import Check
from lotgate.workdir import WorkDir

__all__ = [
    "FileHashes",
    "check_controls",
    "check_dbt",
    "check_files",
    "check_project",
    "hash_files",
]

AGAIN = "Build again."


@dataclass(frozen=True)
class FileHashes:
    """The SHA-256 of a work directory's databases; the empty string for one that is not there."""

    candidate: str
    legacy: str
    shipstation: str


def hash_files(work_dir: WorkDir) -> FileHashes:
    """Hashes the databases that an audit reads."""
    files = (work_dir.candidate, work_dir.legacy, work_dir.shipstation)
    return FileHashes(*(file_sha256(file) if file.exists() else "" for file in files))


def check_files(
    work_dir: WorkDir, build: Build, snapshot_sha256: str, found: FileHashes
) -> tuple[Check, ...]:
    """Snapshot, evidence and candidate are those that the build described, to the last value.

    ``snapshot_sha256`` is what the snapshot's own description says, ``found`` what ``hash_files`` found.
    Equal hashes of a table mean equal columns and rows (``lotgate.table_hashes``). Of the very file that was
    built, tables are not read again.
    """
    return (
        _check(
            "snapshot",
            "The snapshot is the one that the candidate was derived from.",
            _differs(work_dir.legacy, found.legacy, build.snapshot_sha256, snapshot_sha256),
        ),
        _check(
            "evidence",
            "ShipStation's evidence is the one that the candidate was derived from.",
            _differs(work_dir.shipstation, found.shipstation, build.evidence_sha256),
        ),
        *_check_candidate(work_dir.candidate, build, found.candidate),
    )


def check_controls(build: Build, folder: Path | None, candidate: Path) -> tuple[Check, ...]:
    """The owner's controls are still those that the candidate was derived with, and it holds just these."""
    detail = seeded = ""
    try:
        controls = load_controls(folder)
        if controls.sha256 != build.controls_sha256:
            detail = f"{folder} was changed after the build, or is another folder. {AGAIN}"
        seeded = _seeded_otherwise(controls, candidate)
    except UsageError as error:
        detail = seeded = f"{error.message} {error.hint or ''}".strip()
    except sqlite3.Error as error:
        seeded = f"The candidate cannot be read: {error}. {AGAIN}"
    return (
        _check("controls", "The controls are those that the candidate was derived with.", detail),
        _check("controls_in_candidate", "The candidate holds the controls line by line.", seeded),
    )


def check_project(build: Build, project: Path) -> Check:
    """Models, macros, tests and variables are still those that the candidate was derived with."""
    changed = project_sha256(project) != build.project_sha256
    return _check(
        "project",
        "The dbt project is the one that the candidate was derived with.",
        f"Its models, macros, tests or variables were changed after the build. {AGAIN}" if changed else "",
    )


def check_dbt(build: Build) -> tuple[Check, ...]:
    """Every data test and unit test of the build, as a check."""
    return tuple(as_check(check) for check in build.checks)


def _check_candidate(candidate: Path, build: Build, file_hash: str) -> list[Check]:
    is_as_built = not _has_journal(candidate) and build.seal == seal(
        file_hash, build.schema_sha256, build.hashes
    )
    try:
        return [
            _check(
                "candidate_schema",
                "The candidate's tables, constraints and indexes are those that were built.",
                "" if schema_sha256(candidate) == build.schema_sha256 else f"They were changed. {AGAIN}",
            ),
            _check(
                "candidate_is_sound",
                "SQLite finds the candidate's tables undamaged and every foreign key satisfied.",
                "" if is_as_built else _damage(candidate),
            ),
            *_check_tables(candidate, build, is_as_built=is_as_built),
        ]
    except sqlite3.Error as error:
        return [
            _check(
                "candidate_is_sound",
                "SQLite finds the candidate's tables undamaged and every foreign key satisfied.",
                f"It cannot be read: {error}. {AGAIN}",
            )
        ]


def _has_journal(candidate: Path) -> bool:
    """Whether a journal beside the file, of whatever mode, may change what SQLite reads from it."""
    real = candidate.resolve()
    return any(real.with_name(f"{real.name}-{kind}").exists() for kind in ("wal", "journal"))


def _seeded_otherwise(controls: Controls, candidate: Path) -> str:
    """Which control tables of the candidate differ from the files; dbt reads an empty field as null."""
    different = []
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
        for name, text in controls.as_files().items():
            header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
            table = name.removesuffix(".csv")
            columns = ", ".join(f"coalesce(cast({column} as text), '')" for column in header)
            found = Counter(map(_read_by_dbt, connection.execute(f"select {columns} from {table}")))
            if found != Counter(map(_read_by_dbt, lines)):
                different.append(table)
    return f"Other lines than the files have: {', '.join(different)}. {AGAIN}" if different else ""


def _read_by_dbt(fields: Iterable[str]) -> tuple[str, ...]:
    return tuple("" if field.lower() == "null" else field for field in fields)


def _check_tables(candidate: Path, build: Build, *, is_as_built: bool) -> list[Check]:
    described = {table.table: table for table in build.hashes}
    present = set(hashed_tables(candidate))
    if is_as_built:  # the hashes were found in this very file
        found = described
    else:
        found = {table.table: table for table in hash_tables(candidate, present & set(described))}
    checks = []
    for name in sorted(present | set(described)):
        if name not in described:
            detail = f"The build made no such table. {AGAIN}"
        elif name not in found:
            detail = f"The table is missing. {AGAIN}"
        elif found[name] != described[name]:
            rows = found[name].rows - described[name].rows
            difference = f"{rows:+} rows" if rows else "values differ"
            detail = f"It was changed after the build ({difference}). {AGAIN}"
        else:
            detail = ""
        checks.append(_check(f"table_{name}", f"The table {name} holds what was built.", detail))
    missing = set(TARGET_TABLES) - set(described)
    checks.append(
        _check(
            "target_tables_are_hashed",
            "The build hashed every table that is to be promoted.",
            f"It did not hash {', '.join(sorted(missing))}. {AGAIN}" if missing else "",
        )
    )
    return checks


def _damage(candidate: Path) -> str:
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
        for table in TARGET_TABLES:
            complaints = check_integrity(connection, table)
            if complaints:
                return f"{table}: {complaints[0]}. {AGAIN}"
        broken = connection.execute("select count(*) from pragma_foreign_key_check").fetchone()[0]
    return f"{broken} rows break a foreign key." if broken else ""


def _differs(file: Path, found: str, *expected: str) -> str:
    if not found:
        return f"{file.name} is missing. {AGAIN}"
    return "" if all(found == wanted for wanted in expected) else f"{file.name} is another one. {AGAIN}"


def _check(name: str, description: str, detail: str) -> Check:
    return Check(
        id=f"files.{name}",
        suite="files",
        description=description,
        severity="critical",
        result="failed" if detail else "passed",
        detail=detail,
    )
