"""The project's unit tests, in a process of their own beside the build.

They never look at the data, so that they need not wait for it: they run on a scratch database with the legacy
tables and no rows, from which dbt takes the types of their fixtures, while the build makes the candidate.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lotgate.console import SilentReporter
from lotgate.controls import load_controls, write_normalized
from lotgate.dbt_run import DEMO_SEEDS, DbtNode, DbtRun, run_dbt
from lotgate.errors import EnvironmentFailed, LotgateError
from lotgate.evidence import create_evidence
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.workdir import WorkDir, remove_database

__all__ = ["start_unit_tests", "with_unit_tests"]

PROGRAM = "from lotgate.unit_tests import main; main()"
RESULTS = "results.json"


@contextmanager
def start_unit_tests(work_dir: WorkDir) -> Iterator[Callable[[], DbtRun]]:
    """Starts them; what it gives waits for their results. What still runs when the block ends is stopped.

    The results have a node for every unit test, and for every model that could not be made for them. Their
    giver raises EnvironmentFailed where there are none.
    """
    scratch = WorkDir(work_dir.dbt / "unit_tests")
    _make_scratch(scratch)
    process = subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-c", PROGRAM, str(scratch.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )

    def results() -> DbtRun:
        _, said = process.communicate()
        try:
            content = json.loads((scratch.path / RESULTS).read_text(encoding="ascii"))
            nodes = tuple(DbtNode(**node) for node in content["nodes"])
            return DbtRun(content["invocation_id"], content["success"], nodes)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EnvironmentFailed(
                f"The unit tests could not run: {(said.strip().splitlines() or ['no word from them'])[-1]}",
                hint=f"dbt's log may say more: {scratch.dbt / 'logs' / 'dbt.log'}",
            ) from error

    try:
        yield results
    finally:
        process.kill()  # nothing happens where it has ended
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
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
