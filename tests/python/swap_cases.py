"""Databases to swap in a test: copies of an audited build, an owner's changes, and how a database looks."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Outcome
from lotgate.live.clock import utc_now
from lotgate.live.counter import install_counter, schema_fingerprint

__all__ = ["SwapCase", "copy_case", "picture", "query", "rebind", "unharmed", "write"]

NEEDED = (
    "candidate.sqlite",
    "legacy.sqlite",
    "shipstation.sqlite",
    "build.json",
    "snapshot.json",
    "verdict.json",
)
_REFERENCE = re.compile(r'(references) "(\w+)"', re.IGNORECASE)  # a rename of the table writes the quotes
SIDECARS = {"ora.db", "ora.db-wal", "ora.db-shm", ".ora.db.lotgate.lock", "ora.db.lotgate-backups"}


@dataclass(frozen=True)
class SwapCase:
    """A live database with its audited build: ``folder`` has ``live``, ``work`` and ``controls``."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "live" / "ora.db"

    @property
    def work_dir(self) -> Path:
        return self.folder / "work"

    @property
    def controls(self) -> Path:
        return self.folder / "controls"

    @property
    def verdict(self) -> Path:
        return self.work_dir / "verdict.json"

    @property
    def backup_folders(self) -> tuple[Path, Path]:
        """The default ones."""
        return self.work_dir / "backups", self.database.with_name("ora.db.lotgate-backups")

    @property
    def backups(self) -> list[Path]:
        return sorted(path for folder in self.backup_folders for path in folder.glob("*.sqlite"))

    def arguments(self, command: str, *more: str | Path) -> list[str | Path]:
        paths: list[str | Path] = ["--database", self.database, "--work-dir", self.work_dir]
        if command in ("plan", "swap"):
            paths += ["--controls", self.controls]
        return [command, *paths, *more]

    def run(self, lotgate: Callable[..., Outcome], command: str, *more: str | Path) -> Outcome:
        """A command on this database, with the fixture ``lotgate`` or with ``run_lotgate``."""
        return lotgate(*self.arguments(command, *more))


def copy_case(build: Path, folder: Path, *, live: Path | None = None) -> SwapCase:
    """Copies the work directory ``build`` with its live database (the demo's, where none is named)."""
    case = SwapCase(folder)
    case.database.parent.mkdir(parents=True)
    case.work_dir.mkdir(mode=0o700)
    for name in NEEDED:
        shutil.copy2(build / name, case.work_dir / name)
    controls = Path(json.loads((build / "build.json").read_text())["controls_folder"])
    shutil.copytree(controls, case.controls)
    source = f"{(live or build / 'demo' / 'ora.db').as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(source, uri=True)) as one,
        closing(sqlite3.connect(case.database)) as other,
    ):
        one.backup(other)
        other.execute("pragma journal_mode = wal")
    return case


def write(database: Path, *statements: str) -> None:
    """What another program does to the database, a transaction for each statement."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


def rebind(case: SwapCase) -> None:
    """Gives the verdict the counter and the schema of now, as if the owner's changes had been there at the
    build."""
    counter = install_counter(case.database, now=utc_now())
    with closing(sqlite3.connect(case.database)) as connection:
        fingerprint = schema_fingerprint(connection)
    verdict = json.loads(case.verdict.read_text())
    verdict["change_counter"] = {"value": counter.value, "stamp": counter.stamp}
    verdict["schema_fingerprint"] = fingerprint
    case.verdict.write_text(json.dumps(verdict))


def picture(database: Path, *, own: bool = True) -> dict[str, tuple[str, str]]:
    """Every object with its statement, and every table with a hash of its rows; without ``own`` those of
    lotgate are left out."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin")
        found = {}
        for type_, name, table, sql in connection.execute(
            "select type, name, tbl_name, sql from sqlite_schema"
        ).fetchall():
            if not own and (name == "sqlite_sequence" or "lotgate_" in (name[:8], table[:8])):
                continue
            rows = _hash(connection, name) if type_ == "table" else table
            found[f"{type_} {name}"] = (_REFERENCE.sub(r"\1 \2", sql or ""), rows)
        return found


@contextmanager
def unharmed(case: SwapCase) -> Iterator[None]:
    """In the end the live database is as it was, to the last value, and sound."""
    before = picture(case.database)
    yield
    assert picture(case.database) == before
    assert_sound(case)


def assert_sound(case: SwapCase) -> None:
    """SQLite's own check, no operation under way, nothing half done, and no strange file."""
    assert query(case.database, "pragma integrity_check") == [("ok",)]
    assert query(case.database, "select value from lotgate_state where key = 'operation'") == []
    names = [name for (name,) in query(case.database, "select name from sqlite_schema")]
    assert [n for n in names if n.startswith(("lotgate_stage_", "lotgate_undone_"))] == []
    assert {path.name for path in case.database.parent.iterdir()} <= SIDECARS
    for folder in case.backup_folders:
        if folder.exists():
            files = {path.name for path in folder.iterdir()}
            assert {name.removesuffix(".json") for name in files} == {
                n for n in files if n.endswith(".sqlite")
            }


def _hash(connection: sqlite3.Connection, table: str) -> str:
    name = table.replace('"', '""')
    rows = sorted(repr(row) for row in connection.execute(f'select * from "{name}"'))
    return f"{len(rows)} rows {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:16]}"
