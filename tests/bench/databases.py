"""The databases that the bench works on: generated once, copied for each turn, and opened for a swap."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lotgate.audit import read_inputs
from lotgate.generator import generate
from lotgate.legacy_schema import Shape
from lotgate.sqlite_files import path_text, sqlite_uri
from lotgate.verdict import Check, Verdict, count_checks, write_verdict
from lotgate.workdir import WorkDir

__all__ = ["TABLES", "Place", "Source", "generated", "given", "open_verdict", "write_schema"]

TABLES = ("skus", "lots", "shipped_orders", "shipped_items")


@dataclass(frozen=True)
class Source:
    """A folder with a legacy database that nobody writes to: ora.db, and, where there are any, controls and
    shipstation.sqlite. ``rows`` are those of its shipped_items."""

    folder: Path
    rows: int

    @property
    def database(self) -> Path:
        return self.folder / "ora.db"


@dataclass(frozen=True)
class Place:
    """A copy of a source that can be migrated, and its work directory."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "legacy" / "ora.db"

    @property
    def controls(self) -> Path:
        return self.folder / "legacy" / "controls"

    @property
    def work(self) -> WorkDir:
        return WorkDir(self.folder / "work")

    @property
    def folders(self) -> tuple[Path, Path]:
        """What grows: the live database's folder, with its backups, and the work directory."""
        return self.folder / "legacy", self.folder / "work"

    def options(self) -> list[str | Path]:
        """What every command of lotgate gets."""
        return ["--database", self.database, "--work-dir", self.work.path, "--controls", self.controls]


def generated(folder: Path, rows: int) -> Source:
    """A generated database of so many rows, made where the folder does not hold it yet."""
    if not (folder / "expected.sqlite").exists():  # the generator writes it last
        shutil.rmtree(folder, ignore_errors=True)
        generate(folder, rows=rows, seed=1, shape=Shape.late)
    return Source(folder, rows)


def given(folder: Path) -> Source:
    """A folder that is there already. Its database is read only."""
    with closing(sqlite3.connect(sqlite_uri(folder / "ora.db", mode="ro"), uri=True)) as connection:
        (rows,) = connection.execute("select count(*) from shipped_items").fetchone()
    return Source(folder, rows)


def copy_source(source: Source, folder: Path) -> Place:
    """A copy of its own for one turn, and an empty work directory with the evidence in it."""
    shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder)
    place.database.parent.mkdir(parents=True)
    place.work.path.mkdir(mode=0o700)
    with (
        closing(sqlite3.connect(sqlite_uri(source.database, mode="ro"), uri=True)) as original,
        closing(sqlite3.connect(place.database)) as copy,
    ):
        original.backup(copy)
        copy.execute("pragma journal_mode = wal")
    if (source.folder / "controls").exists():
        shutil.copytree(source.folder / "controls", place.controls)
    else:
        place.controls.mkdir()
    if (source.folder / "shipstation.sqlite").exists():
        shutil.copyfile(source.folder / "shipstation.sqlite", place.work.shipstation)
        with closing(sqlite3.connect(place.work.shipstation)) as evidence, evidence:
            # evidence says which database it is about, by its path
            evidence.execute(
                "update lotgate_evidence set value = ? where key = 'database'",
                (path_text(place.database.resolve()),),
            )
    return place


def write_schema(candidate: Path, target: Path) -> None:
    """The candidate's tables and indexes as JSON, for those that fill the same tables in another way."""
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
        found = {
            kind: [
                sql
                for table in TABLES
                for (sql,) in connection.execute(
                    "select sql from sqlite_schema where type = ? and tbl_name = ? and sql is not null"
                    " order by rowid",
                    (kind, table),
                )
            ]
            for kind in ("table", "index")
        }
    target.write_text(json.dumps(found), encoding="utf-8")


def open_verdict(work: WorkDir) -> None:
    """An open verdict on this very candidate.

    Generated databases hold rows that only a person can decide, so that their gate stays closed; the bench
    opens it, on the candidate of a real build.
    """
    inputs = read_inputs(work)
    build = inputs.build
    checks = (Check("bench.opened", "bench", "opened by the bench", "critical", "passed"),)
    verdict = Verdict(
        checks=checks,
        audited_at="2025-10-10T00:00:00+00:00",
        source=inputs.source,
        snapshot_sha256=build.snapshot_sha256,
        evidence_sha256=build.evidence_sha256,
        controls_sha256=build.controls_sha256,
        project_sha256=build.project_sha256,
        register_sha256="0" * 64,
        candidate_schema_sha256=build.schema_sha256,
        schema_fingerprint=inputs.schema_fingerprint,
        tables=build.hashes,
        dbt_invocation_id=build.dbt_invocation_id,
        gx_run_id="",
        versions={},
        change_counter=inputs.change_counter,
        database_id=inputs.database_id,
        counts=count_checks(checks),
    )
    write_verdict(verdict, work.verdict)
