"""What a build or an audit that stopped leaves for CI, in the places where an audit leaves its reports.

CI shall show why there is no verdict: the dbt test that failed, the control that means nothing.
Source: docs/ci.md, "What closes the gate".
"""

from __future__ import annotations

from collections.abc import Mapping

from lotgate.ci_reports import failure_as_junit, failure_as_markdown
from lotgate.controls import ControlsRefused
from lotgate.dbt_checks import as_check, read_definitions, results
from lotgate.dbt_run import DbtNode, DbtRun
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError
from lotgate.verdict import Check, Result
from lotgate.workdir import WorkDir, write_private

__all__ = ["write_failed_build", "write_stop"]

STEPS = ("seed", "model")
STEP_RESULTS: Mapping[str, Result] = {"success": "passed", "skipped": "not_run"}


def write_failed_build(work_dir: WorkDir, error: LotgateError, run: DbtRun) -> None:
    """Writes ``junit`` and ``summary`` of a dbt run that did not hold: a case for each test, model and seed.

    Raises EnvironmentFailed where dbt's manifest cannot be read or the files cannot be written.
    """
    definitions = read_definitions(work_dir.dbt / "manifest.json")
    tests = [as_check(check) for check in results(definitions, run.nodes)]
    steps = [_step(node) for node in run.nodes if node.resource_type in STEPS]
    messages = {_id(node): node.message for node in run.nodes if node.message.strip()}
    _write(work_dir, error, [*steps, *tests], messages)


def write_stop(work_dir: WorkDir, error: LotgateError) -> None:
    """Writes ``junit`` and ``summary`` of what ended before there was anything to check.

    Controls that were refused have a case for each problem. Raises EnvironmentFailed where the files cannot
    be written.
    """
    if isinstance(error, ControlsRefused):
        checks = [_refused(problem.file, str(problem), at) for at, problem in enumerate(error.problems, 1)]
    else:
        result: Result = "failed" if isinstance(error, GateClosed) else "errored"
        checks = [
            Check("lotgate.run", "lotgate", "Build and audit could run.", "critical", result, error.message)
        ]
    _write(work_dir, error, checks, {})


def _write(work_dir: WorkDir, error: LotgateError, checks: list[Check], messages: Mapping[str, str]) -> None:
    try:
        work_dir.gx.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise EnvironmentFailed(
            f"{work_dir.gx} cannot be written: {problem.strerror}.",
            hint="Free space there, make it writable, or use another --work-dir.",
        ) from problem
    with write_private(work_dir.junit) as temporary:
        temporary.write_text(failure_as_junit(checks, messages), encoding="utf-8")
    with write_private(work_dir.summary) as temporary:
        temporary.write_text(failure_as_markdown(error, checks), encoding="utf-8")


def _step(node: DbtNode) -> Check:
    result = STEP_RESULTS.get(node.status, "errored")
    return Check(
        id=_id(node),
        suite=f"dbt_{node.resource_type}s",
        description=node.description or f"The {node.resource_type} {node.name} is built.",
        severity="critical",
        result=result,
        detail="" if result == "passed" else " ".join(node.message.split()) or f"dbt says: {node.status}.",
    )


def _id(node: DbtNode) -> str:
    """As a verdict names the check; a model or a seed by its kind and name."""
    kinds = {"test": "dbt", "unit_test": "dbt_unit"}
    kind = kinds.get(node.resource_type, f"dbt_{node.resource_type}s")
    return f"{kind}.{node.unique_id.split('.', 2)[2]}"


def _refused(file: str, problem: str, number: int) -> Check:
    return Check(
        id=f"controls.{file}.{number}",
        suite="controls",
        description="Every line of the controls means something.",
        severity="critical",
        result="failed",
        detail=problem,
    )
