"""Running the dbt project on one work directory, in this process.

dbt finds the databases and the controls through the environment variables that ``profiles.yml`` and
``dbt_project.yml`` name, so that plain ``dbt`` and lotgate run the same project.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotgate.console import Reporter
from lotgate.dbt_shortcut import injecting_quickly
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.project import require_project
from lotgate.workdir import WorkDir

__all__ = [
    "DEMO_SEEDS",
    "DbtNode",
    "DbtRun",
    "dbt_environment",
    "find_project",
    "project_sha256",
    "read_vars",
    "run_dbt",
]

DEMO_SEEDS = ("path:seeds/legacy", "path:seeds/shipstation")
"""What stands in for a snapshot and for evidence in a fresh clone; never part of a build."""


PROJECT_FILES = (
    "dbt_project.yml",
    "vars.yml",
    "packages.yml",
    "dependencies.yml",
    "models/**/*",
    "macros/**/*",
    "tests/dbt/**/*",
    "dbt_packages/**/*",
)


@dataclass(frozen=True)
class DbtNode:
    """What became of one seed, model or test.

    ``status`` is dbt's: success, pass, warn, fail, error or skipped. ``failures`` is the number of rows that
    a test found. ``seconds`` is wall time. ``description`` is the YAML's.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str
    message: str
    failures: int | None
    seconds: float
    description: str


@dataclass(frozen=True)
class DbtRun:
    """One invocation: dbt's run id, whether everything succeeded, and the nodes in the order they ran."""

    invocation_id: str
    success: bool
    nodes: tuple[DbtNode, ...]

    def with_status(self, *statuses: str) -> tuple[DbtNode, ...]:
        """The nodes with one of these statuses."""
        return tuple(node for node in self.nodes if node.status in statuses)


def find_project() -> Path:
    """The folder of the dbt project (``lotgate.project``). EnvironmentFailed where there is none."""
    return require_project(Path.cwd()).path


def project_sha256(project: Path) -> str:
    """Hashes what a build is made with: ``dbt_project.yml``, models, macros, tests and packages of dbt, names
    and contents. Files that dbt does not read, such as an editor's copies, are left out."""
    files = {
        file
        for pattern in PROJECT_FILES
        for file in project.glob(pattern)
        if file.suffix in (".sql", ".yml", ".yaml", ".csv", ".py") and file.is_file()
    }
    digest = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(project).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def read_vars(project: Path) -> dict[str, Any]:
    """The variables of ``dbt_project.yml``. UsageError where it cannot be read."""
    import yaml

    file = project / "dbt_project.yml"
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))["vars"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{file} has no variables that can be read.", hint="Restore it as it was committed."
        ) from error
    return {str(name): value for name, value in found.items()}


def run_dbt(
    arguments: Sequence[str],
    *,
    work_dir: WorkDir,
    candidate: Path,
    reporter: Reporter,
    title: str,
) -> DbtRun:
    """Invokes dbt with ``arguments`` on the work directory's snapshot, evidence and controls.

    The models go to ``candidate``; dbt's artifacts and log to ``work_dir.dbt``. Raises EnvironmentFailed
    where dbt could not run at all; what failed within a run is in the result.
    """
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner

    project = find_project()
    flags = [
        "--project-dir", str(project),
        "--profiles-dir", str(project),
        "--target-path", str(work_dir.dbt),
        "--log-path", str(work_dir.dbt / "logs"),
    ]  # fmt: skip
    quiet = ["--log-level", "none", "--log-level-file", "info", "--no-use-colors"]
    with dbt_environment(work_dir, candidate), reporter.step(title, total=1) as step:

        def follow(event: Any) -> None:
            if event.info.name == "LogStartLine" and event.data.total:
                step.advance(1 / event.data.total)

        runner = dbtRunner(callbacks=[follow])
        with injecting_quickly():
            outcome = runner.invoke([*quiet, *arguments, *flags])
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception
    if outcome.exception is not None:
        log = f"dbt's log says more: {work_dir.dbt / 'logs' / 'dbt.log'}"
        room = f"Look after space and permissions in {work_dir.path}, and build again."
        raise EnvironmentFailed(
            f"dbt could not run: {outcome.exception}",
            hint=room if isinstance(outcome.exception, OSError) else log,
        ) from outcome.exception
    if not isinstance(outcome.result, RunExecutionResult):
        raise EnvironmentFailed(
            "dbt gave no result.", hint=f"dbt's log says more: {work_dir.dbt / 'logs' / 'dbt.log'}"
        )
    return DbtRun(
        invocation_id=_invocation_id(work_dir),
        success=outcome.success,
        nodes=tuple(_node(result) for result in outcome.result.results),
    )


def _node(result: Any) -> DbtNode:
    return DbtNode(
        unique_id=result.node.unique_id,
        name=result.node.name,
        resource_type=str(result.node.resource_type),
        status=str(result.status),
        message=result.message or "",
        failures=result.failures,
        seconds=result.execution_time,
        description=" ".join((result.node.description or "").split()),
    )


def _invocation_id(work_dir: WorkDir) -> str:
    content = json.loads((work_dir.dbt / "run_results.json").read_text(encoding="utf-8"))
    return str(content["metadata"]["invocation_id"])


@contextmanager
def dbt_environment(work_dir: WorkDir, candidate: Path, *, controls: Path | None = None) -> Iterator[None]:
    """The environment that ``profiles.yml`` and ``dbt_project.yml`` read, and none of the shell's for dbt."""
    wanted = {
        "LOTGATE_CANDIDATE_DB": str(candidate),
        "LOTGATE_LEGACY_DB": str(work_dir.legacy),
        "LOTGATE_SHIPSTATION_DB": str(work_dir.shipstation),
        "LOTGATE_FAILURES_DB": str(work_dir.failures),
        "LOTGATE_CONTROL_SEEDS": str(controls or work_dir.controls),
        "LOTGATE_DBT_DIR": str(work_dir.dbt),
        # usage statistics are off in dbt_project.yml; this also keeps dbt from looking for a newer version
        "DBT_VERSION_CHECK": "false",
    }
    # dbt takes every option from a variable too: DBT_EMPTY=1 would build a candidate without rows, and
    # DBT_EXCLUDE_RESOURCE_TYPES one without checks. A build is to be the same whoever's shell it is.
    strangers = [name for name in os.environ if name.startswith("DBT_")]
    before = {name: os.environ.get(name) for name in (*wanted, *strangers)}
    for name in strangers:
        del os.environ[name]
    os.environ.update(wanted)
    # dbt's files hold texts of the data, and dbt leaves their modes to the shell
    umask = os.umask(0o077)
    # there before SQLite makes it, since SQLite would let others read it; where it cannot be, dbt says why
    with suppress(OSError):
        os.close(os.open(work_dir.failures, os.O_CREAT | os.O_RDONLY, 0o600))
    try:
        yield
    finally:
        os.umask(umask)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
