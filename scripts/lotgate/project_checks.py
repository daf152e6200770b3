"""What this project checks: the suites' expectations and dbt's tests, beside the register."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from lotgate.dbt_checks import CheckDefinition, read_definitions
from lotgate.dbt_run import dbt_environment
from lotgate.errors import UsageError
from lotgate.gx_suites import read_suites
from lotgate.project import require_project
from lotgate.register import Register, compare, present_register, read_register, write_register
from lotgate.verdict import Check, Severity
from lotgate.workdir import WorkDir

__all__ = ["Listed", "ProjectCheck", "list_checks"]


@dataclass(frozen=True)
class ProjectCheck:
    """One check, by the id that a verdict gives it."""

    id: str
    severity: Severity
    description: str


@dataclass(frozen=True)
class Listed:
    """All checks, how they differ from the register (``lotgate.register.compare``), and where that is."""

    checks: tuple[ProjectCheck, ...]
    differences: tuple[Check, ...]
    register: Path


def list_checks(*, accept: bool) -> Listed:
    """Reads suites and dbt project; with ``accept`` the register is written anew first.

    A check that is there and that the register does not know counts as a difference here, though not in an
    audit. Raises UsageError where suites or project cannot be read, and for ``accept`` on the project that
    came with the package: a register is accepted where its changes are, and an upgrade would undo it.
    """
    found = require_project(Path.cwd())
    project = found.path
    if accept and found.is_installed:
        raise UsageError(
            f"The project in {project} is the installed one, which nobody edits.",
            hint="Change a copy: `lotgate init DIR --with-project`, then accept inside DIR.",
        )
    expectations = project / "expectations"
    suites = read_suites(expectations)
    definitions = _parse(project)
    present = present_register(project, expectations, suites, definitions.values())
    if accept:
        write_register(present, expectations)
    required = read_register(expectations)
    return Listed(
        checks=(
            *(ProjectCheck(check.id, check.severity, check.description) for check in suites),
            *(_dbt_check(check) for check in definitions.values()),
        ),
        differences=(*compare(required, present), *_unknown(required, present)),
        register=expectations / "register.json",
    )


def _parse(project: Path) -> dict[str, CheckDefinition]:
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        work = WorkDir(Path(folder))
        flags = ["--project-dir", str(project), "--profiles-dir", str(project)]
        paths = ["--target-path", folder, "--log-path", folder]
        with dbt_environment(work, work.candidate, controls=project / "seeds" / "controls"):
            outcome = dbtRunner().invoke(["--quiet", "--log-level", "none", "parse", *flags, *paths])
        if not outcome.success:
            raise UsageError(
                f"The dbt project in {project} cannot be parsed: {outcome.exception}",
                hint="`dbt parse` says more.",
            )
        return read_definitions(Path(folder) / "manifest.json")


def _dbt_check(check: CheckDefinition) -> ProjectCheck:
    suite = "dbt" if check.kind == "data_test" else "dbt_unit"
    name = check.unique_id.split(".", 2)[2]
    return ProjectCheck(f"{suite}.{name}", check.severity, check.description or check.name.replace("_", " "))


def _unknown(required: Register, present: Register) -> tuple[Check, ...]:
    pairs = ((required.gx, present.gx), (required.dbt, present.dbt), (required.code, present.code))
    return tuple(
        Check(
            id=f"register.unknown.{identity}",
            suite="register",
            description="The register knows every check.",
            severity="critical",
            result="failed",
            detail=f"{identity} is not in the register yet: accept it with `lotgate checks --accept`.",
        )
        for wanted, found in pairs
        for identity in sorted(set(found) - set(wanted))
    )
