"""The candidate: dbt's models on the snapshot, checked, hashed, and only then put in its place.

Source: docs/design.md, "The way of the data".
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotgate.console import Reporter
from lotgate.controls import Controls, load_controls, write_normalized
from lotgate.dbt_checks import DbtCheck, read_definitions, results
from lotgate.dbt_run import DEMO_SEEDS, DbtNode, DbtRun, find_project, project_sha256, run_dbt
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError, UsageError
from lotgate.evidence import EvidenceSummary, ensure_evidence
from lotgate.failed_build import write_failed_build
from lotgate.inspection import check_integrity
from lotgate.live.counter import CannotCount, install_counter
from lotgate.snapshot import Snapshot, take_snapshot
from lotgate.sqlite_copy import file_sha256
from lotgate.sqlite_files import path_text, sqlite_uri
from lotgate.table_hashes import TableHash, hash_tables, schema_sha256, seal
from lotgate.unit_tests import start_unit_tests, with_unit_tests
from lotgate.workdir import WorkDir, fsync_folder, remove_database, write_private

__all__ = ["TARGET_TABLES", "Build", "build_candidate", "hashed_tables", "read_build"]

TARGET_TABLES = ("skus", "lots", "shipped_orders", "shipped_items")
"""What the swap promotes; every other table of the candidate explains it."""

READ_BY_THE_AUDIT = {"int_recovered_lines"}
SHOWN_PROBLEMS = 20
OUT_OF_ROOM = ("disk is full", "disk i/o error", "unable to open", "database is locked", "readonly database")


@dataclass(frozen=True)
class Build:
    """A candidate that holds: what it was made from, what it has in it, and what was checked.

    ``project_sha256`` covers the models, macros, tests and variables of the dbt project.
    ``schema_sha256`` covers tables, constraints and indexes. ``seal`` binds both to the candidate's file
    (``lotgate.table_hashes.seal``). ``hashes`` cover the target tables, and every
    table that explains them or that the audit reads.
    ``checks`` are all data tests and unit tests of the project, whether they ran or not. ``warnings`` are
    the data tests of severity warn that found something: they are shown and close nothing.
    ``no_counter_because`` says, in a sentence, why the snapshot knows no change-counter of the live database;
    None where it knows one.
    """

    candidate: Path
    snapshot_sha256: str
    controls_folder: Path | None
    controls_sha256: str
    evidence: EvidenceSummary
    evidence_sha256: str
    project_sha256: str
    dbt_invocation_id: str
    models: int
    checks: tuple[DbtCheck, ...]
    warnings: tuple[DbtNode, ...]
    hashes: tuple[TableHash, ...]
    schema_sha256: str
    seal: str
    no_counter_because: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        folder = None if self.controls_folder is None else path_text(self.controls_folder)
        return asdict(self) | {"candidate": path_text(self.candidate), "controls_folder": folder}


def build_candidate(
    database: Path,
    controls_folder: Path | None,
    work_dir: WorkDir,
    *,
    lock_timeout: float,
    reporter: Reporter,
    counter: bool = True,
) -> tuple[Snapshot, Build]:
    """Takes a snapshot of ``database`` and builds ``work_dir.candidate`` from it.

    The live file is only read, but for the change-counter, which is put into it first; with ``counter``
    False nothing is. Where the file cannot be written to, the build goes on without, and the candidate cannot
    be swapped: see ``Build.no_counter_because``.

    The caller holds the work directory's lock. The snapshot takes an older candidate away. Where a check
    fails, what was built is left as ``candidate.failed.sqlite``, and ``junit`` and ``summary`` say what
    failed. Raises GateClosed where a check or a constraint does not hold, UsageError where a control does not
    fit, EnvironmentFailed where dbt or the disk fails, and what ``take_snapshot`` raises.
    """
    controls = load_controls(controls_folder)
    evidence = ensure_evidence(work_dir.shipstation, database)
    evidence_sha256 = file_sha256(work_dir.shipstation)
    with start_unit_tests(work_dir) as unit_tests:  # they need nothing of the database
        problem = _count_changes(database, lock_timeout, reporter) if counter else "--no-counter was given."
        snapshot = take_snapshot(database, work_dir, lock_timeout=lock_timeout, reporter=reporter)
        if snapshot.change_counter is not None:
            problem = None
        elif problem is None:
            problem = "It was taken out again, or the schema changed, while the snapshot was taken."
        write_normalized(controls, work_dir.controls)
        with _unfinished_candidate(work_dir) as unfinished:
            run = run_dbt(
                ["build", "--exclude", *DEMO_SEEDS, "--exclude-resource-type", "unit_test"],
                work_dir=work_dir,
                candidate=unfinished,
                reporter=reporter,
                title="Building the candidate with dbt",
            )
            with reporter.step("Waiting for the unit tests"):
                run = with_unit_tests(run, unit_tests)
            write_normalized(controls, work_dir.controls)  # dbt left its SQL in seeds named by absolute paths
            if not run.success:
                failure = _explain_failure(run, unfinished, work_dir, controls_folder)
                write_failed_build(work_dir, failure, run)
                raise failure
            with reporter.step("Checking and hashing the candidate"):
                sealed = _check_and_seal(unfinished, work_dir)
            _check_unchanged(work_dir, snapshot, evidence_sha256)
            build = _describe(
                work_dir, snapshot, controls_folder, controls, evidence, evidence_sha256, run, sealed, problem
            )
            _finish(unfinished, work_dir, build)
    return snapshot, build


@contextmanager
def _unfinished_candidate(work_dir: WorkDir) -> Iterator[Path]:
    """An empty file for the candidate; what is in it when the block fails is kept as the failed one."""
    unfinished = work_dir.unfinished_candidate
    remove_database(unfinished)
    try:
        # there before SQLite makes it, since SQLite would let others read it
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise EnvironmentFailed(
            f"{unfinished} cannot be written: {error.strerror}.",
            hint="Make the work directory writable, or use another --work-dir.",
        ) from error
    try:
        yield unfinished
    except BaseException:
        if unfinished.exists() and unfinished.stat().st_size:
            remove_database(work_dir.failed_candidate)
            unfinished.rename(work_dir.failed_candidate)
        else:
            remove_database(unfinished)
        raise


@dataclass(frozen=True)
class _Sealed:
    hashes: tuple[TableHash, ...]
    schema_sha256: str
    seal: str


def _check_and_seal(candidate: Path, work_dir: WorkDir) -> _Sealed:
    """The hashes of a candidate that is sound, bound to the very bytes that were read."""
    file_hash = file_sha256(candidate)
    with ThreadPoolExecutor(max_workers=1) as beside:  # SQLite checks while Python hashes
        checked = beside.submit(_check, candidate, work_dir)
        hashes = hash_tables(candidate, hashed_tables(candidate))
        checked.result()
    schema = schema_sha256(candidate)
    if file_sha256(candidate) != file_hash:
        raise GateClosed(
            "The candidate changed while it was checked.",
            hint="Leave the work directory alone while lotgate runs, and build again.",
        )
    return _Sealed(hashes, schema, seal(file_hash, schema, hashes))


def _check_unchanged(work_dir: WorkDir, snapshot: Snapshot, evidence_sha256: str) -> None:
    found = file_sha256(work_dir.legacy), file_sha256(work_dir.shipstation)
    if found != (snapshot.sha256, evidence_sha256):
        raise GateClosed(
            "The snapshot or the evidence changed while the candidate was built.",
            hint="Leave the work directory alone while lotgate runs, and build again.",
        )


def _count_changes(database: Path, lock_timeout: float, reporter: Reporter) -> str | None:
    """Puts the change-counter into the live database; why not, where it cannot be."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with reporter.step("Installing the change-counter"):
            install_counter(database, lock_timeout=lock_timeout, now=now)
    except (CannotCount, EnvironmentFailed) as error:
        return error.message
    return None


def _describe(
    work_dir: WorkDir,
    snapshot: Snapshot,
    controls_folder: Path | None,
    controls: Controls,
    evidence: EvidenceSummary,
    evidence_sha256: str,
    run: DbtRun,
    sealed: _Sealed,
    no_counter_because: str | None,
) -> Build:
    return Build(
        candidate=work_dir.candidate,
        snapshot_sha256=snapshot.sha256,
        controls_folder=None if controls_folder is None else controls_folder.resolve(),
        controls_sha256=controls.sha256,
        evidence=evidence,
        evidence_sha256=evidence_sha256,
        project_sha256=project_sha256(find_project()),
        dbt_invocation_id=run.invocation_id,
        models=sum(node.resource_type == "model" for node in run.nodes),
        checks=results(read_definitions(work_dir.dbt / "manifest.json"), run.nodes),
        warnings=run.with_status("warn"),
        hashes=sealed.hashes,
        schema_sha256=sealed.schema_sha256,
        seal=sealed.seal,
        no_counter_because=no_counter_because,
    )


def read_build(work_dir: WorkDir) -> Build:
    """What ``build_candidate`` wrote beside the candidate.

    Raises UsageError where there is no candidate, GateClosed where its description is missing or damaged.
    """
    if not work_dir.candidate.exists():
        failed = work_dir.failed_candidate.exists()
        raise UsageError(
            f"There is no candidate in {work_dir.path}"
            + (", only one that did not hold." if failed else "."),
            hint="Make one with `lotgate build`, or name the folder that has it with --work-dir.",
        )
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(Build).validate_json(work_dir.build_json.read_bytes())
    except (OSError, ValueError) as error:
        raise GateClosed(
            f"{work_dir.build_json}, the candidate's description, is missing or damaged.",
            hint="Build again: what the candidate was made from cannot be proved without it.",
        ) from error


def _finish(unfinished: Path, work_dir: WorkDir, build: Build) -> None:
    descriptor = os.open(unfinished, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    # the candidate comes last: whoever finds it finds its description too
    with write_private(work_dir.build_json) as temporary:
        temporary.write_text(json.dumps(build.as_json(), indent=2) + "\n", encoding="ascii")
    unfinished.rename(work_dir.candidate)
    fsync_folder(work_dir.path)


def _check(candidate: Path, work_dir: WorkDir) -> None:
    """SQLite's own word that the target tables are sound; their constraints held while they were filled."""
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
        for table in TARGET_TABLES:
            complaints = check_integrity(connection, table)
            if complaints:
                raise EnvironmentFailed(
                    f"The candidate's table {table} is damaged: {complaints[0]}",
                    hint=f"Check the disk under {work_dir.path} and build again.",
                )
        broken = connection.execute("select count(*) from pragma_foreign_key_check").fetchone()[0]
        if broken:
            raise GateClosed(
                f"{broken} rows of the candidate break a foreign key.",
                hint=f"Look at {work_dir.failed_candidate}: pragma foreign_key_check.",
            )


def hashed_tables(candidate: Path) -> tuple[str, ...]:
    """The tables of a candidate whose content means something after the build.

    All but the steps in between (``stg_`` and ``int_``), which nothing promotes, and which are as big as the
    rest together; of these only the recovered lines, which stand in no other table.
    """
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
        found = connection.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'"
        ).fetchall()
    names = {name for (name,) in found}
    steps = {name for name in names if name.startswith(("stg_", "int_"))} - READ_BY_THE_AUDIT
    return tuple(sorted(names - steps))


def _explain_failure(
    run: DbtRun, candidate: Path, work_dir: WorkDir, controls_folder: Path | None
) -> LotgateError:
    broken = run.with_status("fail", "error", "runtime error", "partial success")
    if any(node.name == "assert_decisions_can_be_applied" for node in broken):
        return _decision_problems(candidate, controls_folder)
    lines = [_line(node) for node in broken[:SHOWN_PROBLEMS]]
    if len(broken) > SHOWN_PROBLEMS:
        lines.append(f"and {len(broken) - SHOWN_PROBLEMS} more")
    text = "\n".join(f"  {line}" for line in lines)
    if any(word in node.message.lower() for node in broken for word in OUT_OF_ROOM):
        return EnvironmentFailed(
            f"The candidate could not be written:\n{text}",
            hint=f"Look after space and permissions in {work_dir.path}, and build again.",
        )
    return GateClosed(
        f"The candidate does not hold; {len(broken)} of {len(run.nodes)} steps failed:\n{text}",
        hint=f"What was built is in {work_dir.failed_candidate}, the rows that a check found in its table of"
        f" {work_dir.failures}, dbt's log in {work_dir.dbt / 'logs'}.",
    )


def _line(node: DbtNode) -> str:
    if node.status == "fail":
        rows = "1 row" if node.failures == 1 else f"{node.failures} rows"
        about = f": {node.description}" if node.description else ""
        return f"check {node.name} found {rows}{about}"
    message = " ".join(node.message.split())
    return f"{node.resource_type} {node.name}: {message}"


def _decision_problems(candidate: Path, controls_folder: Path | None) -> UsageError:
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
        found = connection.execute(
            "select legacy_id, decision, problem from audit_decisions where problem is not null"
            " order by legacy_id, decision_id"
        ).fetchall()
    lines = [f"  row {row} ({decision}) {problem}" for row, decision, problem in found[:SHOWN_PROBLEMS]]
    if len(found) > SHOWN_PROBLEMS:
        lines.append(f"  and {len(found) - SHOWN_PROBLEMS} more")
    count = "1 decision" if len(found) == 1 else f"{len(found)} decisions"
    return UsageError(
        f"{count} in {controls_folder}/quarantine_decisions.csv cannot be applied:\n" + "\n".join(lines),
        hint="Correct those lines, or name the folder of this database's controls with --controls.",
    )
