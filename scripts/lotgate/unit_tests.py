"""The project's unit tests, in a process of their own beside the build.

They never look at the data, so that they need not wait for it: they run on a scratch database with the legacy
tables and no rows, from which dbt takes the types of their fixtures, while the build makes the candidate.

What they find depends on the project, lotgate and what they run with, and on nothing else. Where all passed
in this work directory, and none of that has changed since, they are not run again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lotgate.child_process import end_with_parent, start_child
from lotgate.console import SilentReporter
from lotgate.controls import load_controls, write_normalized
from lotgate.dbt_run import DEMO_SEEDS, DbtNode, DbtRun, find_project, project_sha256, run_dbt
from lotgate.errors import EnvironmentFailed, LotgateError
from lotgate.evidence import create_evidence
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.workdir import WorkDir, remove_database, write_private

__all__ = ["start_unit_tests", "with_unit_tests"]

PROGRAM = "from lotgate.unit_tests import main; main()"
RESULTS = "results.json"
PASSED = "passed.json"


@contextmanager
def start_unit_tests(work_dir: WorkDir) -> Iterator[Callable[[], DbtRun]]:
    """Starts them; what it gives waits for their results. What still runs when the block ends is stopped.

    The results have a node for every unit test, and for every model that could not be made for them. Their
    giver raises EnvironmentFailed where there are none.
    """
    scratch = WorkDir(work_dir.dbt / "unit_tests")
    state = _state()
    passed = _read_passed(scratch.path / PASSED, state)
    if passed is not None:
        yield lambda: passed
        return
    _make_scratch(scratch)
    process = start_child(
        ["-c", PROGRAM, str(scratch.path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )

    def results() -> DbtRun:
        assert process.stderr is not None
        said = process.stderr.read().decode("utf-8", "replace")  # communicate() would close its input
        process.wait()
        try:
            content = json.loads((scratch.path / RESULTS).read_text(encoding="ascii"))
            run = _as_run(content)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EnvironmentFailed(
                f"The unit tests could not run: {(said.strip().splitlines() or ['no word from them'])[-1]}",
                hint=f"dbt's log may say more: {scratch.dbt / 'logs' / 'dbt.log'}",
            ) from error
        if _have_passed(run) and _state() == state:  # nobody changed what they depend on meanwhile
            with write_private(scratch.path / PASSED) as temporary:
                temporary.write_text(json.dumps({"state": state} | content), encoding="ascii")
        return run

    try:
        yield results
    finally:
        process.kill()  # nothing happens where it has ended
        process.wait()
        for stream in (process.stdin, process.stderr):
            if stream is not None:
                stream.close()
        _clear(scratch)


def with_unit_tests(run: DbtRun, results: Callable[[], DbtRun]) -> DbtRun:
    """A build's run and that of the unit tests as one. Where the build holds, they must have run."""
    try:
        tests = results()
    except EnvironmentFailed:
        if run.success:
            raise
        return run  # the build says what is wrong
    nodes = tuple(node for node in tests.nodes if node.resource_type == "unit_test" or run.success)
    return DbtRun(run.invocation_id, run.success and tests.success, run.nodes + nodes)


def main() -> None:
    """The other process: runs them in the folder that it is given."""
    end_with_parent()
    scratch = WorkDir(Path(sys.argv[1]))
    try:
        run = run_dbt(
            ["build", "--exclude", *DEMO_SEEDS, "--exclude-resource-type", "test"],
            work_dir=scratch,
            candidate=scratch.unfinished_candidate,
            reporter=SilentReporter(),
            title="",
        )
    except LotgateError as error:
        sys.exit(error.message)
    told = [node for node in run.nodes if node.resource_type == "unit_test" or node.status == "error"]
    content = {"invocation_id": run.invocation_id, "success": run.success, "nodes": [asdict(n) for n in told]}
    (scratch.path / RESULTS).write_text(json.dumps(content), encoding="ascii")


def _as_run(content: dict[str, Any]) -> DbtRun:
    nodes = tuple(DbtNode(**node) for node in content["nodes"])
    return DbtRun(content["invocation_id"], content["success"], nodes)


def _read_passed(file: Path, state: str) -> DbtRun | None:
    """What passed before, in the very same state; None where that is not known for certain."""
    try:
        content = json.loads(file.read_text(encoding="ascii"))
        run = _as_run(content)
        return run if content["state"] == state and _have_passed(run) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _have_passed(run: DbtRun) -> bool:
    return run.success and bool(run.nodes) and {node.status for node in run.nodes} == {"pass"}


def _state() -> str:
    """Everything that the results depend on: project, lotgate's own code, libraries, Python, SQLite."""
    project, package = find_project(), Path(__file__).parent
    files = [project / "profiles.yml", *project.glob("seeds/**/*.*"), *package.rglob("*.py")]
    contents = hashlib.sha256()
    for file in sorted(files):
        contents.update(hashlib.sha256(file.read_bytes()).digest())
    found = {
        "project": project_sha256(project),
        "files": contents.hexdigest(),
        "packages": sorted(f"{one.name} {one.version}" for one in importlib.metadata.distributions()),
        "python": sys.version,
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.platform(),
    }
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _make_scratch(scratch: WorkDir) -> None:
    """Empty legacy tables, evidence and controls; what dbt has parsed there before stays."""
    try:
        for folder in (scratch.path.parent, scratch.path):
            folder.mkdir(mode=0o700, exist_ok=True)
        _clear(scratch)
        create_legacy_database(scratch.legacy, Shape.late).close()
        create_evidence(scratch.shipstation, scratch.legacy)
        write_normalized(load_controls(None), scratch.controls)
    except OSError as error:
        raise EnvironmentFailed(
            f"{scratch.path} cannot be written: {error.strerror}.",
            hint="Free space there, make it writable, or use another --work-dir.",
        ) from error


def _clear(scratch: WorkDir) -> None:
    for database in (scratch.legacy, scratch.shipstation, scratch.failures, scratch.unfinished_candidate):
        remove_database(database)
    (scratch.path / RESULTS).unlink(missing_ok=True)
    shutil.rmtree(scratch.controls, ignore_errors=True)
