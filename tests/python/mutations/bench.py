"""A copy of a good work directory, to be spoiled and then audited."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from compiled_models import CompiledModels
from lotgate.audit import examine, read_inputs
from lotgate.build import hashed_tables
from lotgate.console import SilentReporter
from lotgate.dbt_checks import DbtCheck
from lotgate.file_checks import check_files, hash_files
from lotgate.gx_suites import read_suites
from lotgate.register import present_register, write_register
from lotgate.sqlite_copy import file_sha256
from lotgate.sqlite_files import sqlite_uri
from lotgate.table_hashes import hash_tables, schema_sha256
from lotgate.verdict import Verdict
from lotgate.workdir import WorkDir
from mutations.picks import pick

PROJECT = Path(__file__).resolve().parents[3]
FILES = ("candidate.sqlite", "legacy.sqlite", "shipstation.sqlite", "snapshot.json", "build.json")

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Bench:
    """A work directory of its own, the expectations that its audit runs, and what mutations may name.

    ``picks`` are the rows of ``mutations.picks``; SQL names them ``:row``, ``:lot`` and so on. ``controls``
    is the owner's folder, a copy that can be changed.
    """

    work_dir: WorkDir
    expectations: Path
    controls: Path
    picks: Mapping[str, Any]
    models: CompiledModels | None = field(repr=False)

    @classmethod
    def copy_of(cls, good: Path, to: Path, expectations: Path, models: CompiledModels | None) -> Bench:
        """A bench in the folder ``to`` with what an audit reads of the work directory ``good``.

        With ``models``, those of the build, it can be spoiled.
        """
        work = to / "work"
        work.mkdir(parents=True)
        for name in FILES:
            shutil.copyfile(good / name, work / name)
        folder = json.loads((work / "build.json").read_text())["controls_folder"]
        controls = Path(shutil.copytree(folder, to / "controls"))
        picks = pick(work / "candidate.sqlite") if models else {}
        return cls(WorkDir(work), expectations, controls, picks, models)

    @contextmanager
    def open(self, database: str = "candidate.sqlite") -> Iterator[sqlite3.Connection]:
        """A connection for spoiling: nothing that the database itself would refuse is refused."""
        with closing(sqlite3.connect(self.work_dir.path / database)) as connection:
            connection.execute("pragma foreign_keys = off")
            connection.execute("pragma ignore_check_constraints = on")
            yield connection
            connection.commit()

    def sql(self, statement: str, database: str = "candidate.sqlite") -> None:
        """Runs a statement that must change something; ``:name`` is a row of ``picks``."""
        with self.open(database) as connection:
            before = (connection.total_changes, connection.execute("pragma schema_version").fetchone())
            connection.execute(statement, dict(self.picks))
            after = (connection.total_changes, connection.execute("pragma schema_version").fetchone())
            assert after != before, f"{statement} changed nothing"

    def rerun_models(self, after: str) -> None:
        """Makes every table of the candidate again that dbt made after the model ``after``.

        What is wrong in that model's table is thereby wrong in all that follows from it, as a faulty build
        would have it: ledger, balance and target tables agree with one another.
        """
        assert self.models is not None
        names = [model.name for model in self.models.models]
        with self.open() as connection:
            for name in ("legacy", "shipstation"):
                file = self.work_dir.path / f"{name}.sqlite"
                connection.execute(f"attach ? as {name}", (sqlite_uri(file),))
            for model in self.models.models[names.index(after) + 1 :]:
                columns = [row[1] for row in connection.execute(f'pragma main.table_info("{model.name}")')]
                listed = ", ".join(columns)
                rows = connection.execute(f"select {listed} from ({model.query})").fetchall()
                connection.execute(f'delete from main."{model.name}"')
                marks = ", ".join("?" * len(columns))
                connection.executemany(f'insert into main."{model.name}" ({listed}) values ({marks})', rows)

    def edit_build(self, edit: Edit) -> None:
        """Changes ``build.json``."""
        edit_json(self.work_dir.build_json, edit)

    def renew_hashes(self) -> None:
        """Lets ``build.json`` describe the candidate as it is now, as if the build itself had made it so."""
        candidate = self.work_dir.candidate
        hashes = [asdict(table) for table in hash_tables(candidate, hashed_tables(candidate))]
        self.edit_build(lambda build: build.update(hashes=hashes, schema_sha256=schema_sha256(candidate)))

    def renew_snapshot_hash(self) -> None:
        """Lets ``build.json`` and ``snapshot.json`` describe the snapshot as it is now."""
        found = file_sha256(self.work_dir.legacy)
        self.edit_build(lambda build: build.update(snapshot_sha256=found))
        edit_json(self.work_dir.path / "snapshot.json", lambda content: content.update(sha256=found))

    def renew_evidence_hash(self) -> None:
        """Lets ``build.json`` describe ShipStation's evidence as it is now."""
        found = file_sha256(self.work_dir.shipstation)
        self.edit_build(lambda build: build.update(evidence_sha256=found))

    def file_problems(self) -> set[str]:
        """What the comparison of files and hashes finds, by itself."""
        inputs = read_inputs(self.work_dir)
        checks = check_files(self.work_dir, inputs.build, inputs.snapshot_sha256, hash_files(self.work_dir))
        return {check.id.removeprefix("files.") for check in checks if check.closes_gate}

    def audit(self) -> Verdict:
        """The verdict on what lies here now; without pages, which no mutation needs."""
        return examine(
            self.work_dir,
            read_inputs(self.work_dir),
            reporter=SilentReporter(),
            controls_folder=self.controls,
            expectations=self.expectations,
        ).verdict()


def edit_json(file: Path, edit: Edit) -> None:
    """Changes a file of JSON."""
    content = json.loads(file.read_text(encoding="utf-8"))
    edit(content)
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")


def accept(expectations: Path, checks: tuple[DbtCheck, ...]) -> None:
    """Lets the register of a copy of the expectations demand what is there now."""
    write_register(present_register(PROJECT, expectations, read_suites(expectations), checks), expectations)
