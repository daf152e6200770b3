"""What dbt checks, read from its manifest: data tests and unit tests with severity and fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lotgate.dbt_run import DbtNode
from lotgate.errors import EnvironmentFailed
from lotgate.verdict import Check, Result

__all__ = ["CheckDefinition", "DbtCheck", "as_check", "fingerprint", "read_definitions", "results"]

DBT_RESULTS: dict[str, Result] = {"pass": "passed", "success": "passed", "warn": "failed", "fail": "failed"}
TEST_SETTINGS = ("enabled", "severity", "where", "limit", "fail_calc", "warn_if", "error_if")


@dataclass(frozen=True)
class CheckDefinition:
    """A data test or unit test as the project has it.

    ``severity`` is ``critical`` for tests that fail a build and for unit tests, else ``warning``.
    ``fingerprint`` changes with everything that could make the check check something else.
    """

    unique_id: str
    name: str
    kind: Literal["data_test", "unit_test"]
    severity: Literal["critical", "warning"]
    description: str
    fingerprint: str


@dataclass(frozen=True)
class DbtCheck:
    """What became of a check in a build. ``status`` is dbt's; ``failures`` the rows that it found."""

    unique_id: str
    name: str
    kind: Literal["data_test", "unit_test"]
    severity: Literal["critical", "warning"]
    description: str
    fingerprint: str
    status: str
    failures: int | None


def fingerprint(content: Any) -> str:
    """SHA-256 over JSON that is written in one way only."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_definitions(manifest: Path) -> dict[str, CheckDefinition]:
    """The enabled checks of dbt's ``manifest.json`` by unique id.

    Raises EnvironmentFailed where it cannot be read.
    """
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        tests = [node for node in content["nodes"].values() if node["resource_type"] == "test"]
        found = [_data_test(test) for test in tests]
        found += [_unit_test(test) for test in content["unit_tests"].values()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFailed(
            f"dbt's {manifest} cannot be read: {error}.", hint="Build again; if it stays, free some space."
        ) from error
    return {definition.unique_id: definition for definition in found}


def results(definitions: dict[str, CheckDefinition], nodes: Iterable[DbtNode]) -> tuple[DbtCheck, ...]:
    """Every defined check with what became of it; one that did not run has the status ``missing``."""
    by_id = {node.unique_id: node for node in nodes}
    return tuple(
        DbtCheck(
            **asdict(definition),
            status=by_id[unique_id].status if unique_id in by_id else "missing",
            failures=by_id[unique_id].failures if unique_id in by_id else None,
        )
        for unique_id, definition in sorted(definitions.items())
    )


def as_check(check: DbtCheck) -> Check:
    """A data test or unit test, and what became of it, as a check of a verdict."""
    name = check.unique_id.split(".", 2)[2]
    result: Result = "not_run" if check.status in ("missing", "skipped") else "errored"
    result = DBT_RESULTS.get(check.status, result)
    rows = "1 row" if check.failures == 1 else f"{check.failures} rows"
    return Check(
        id=f"{'dbt' if check.kind == 'data_test' else 'dbt_unit'}.{name}",
        suite="dbt" if check.kind == "data_test" else "dbt_unit",
        description=check.description or check.name.replace("_", " "),
        severity=check.severity,
        result=result,
        detail={"passed": "", "failed": f"It found {rows}."}.get(result, f"dbt says: {check.status}."),
        unexpected=check.failures if result == "failed" else None,
    )


def _data_test(node: dict[str, Any]) -> CheckDefinition:
    config = {name: node["config"].get(name) for name in TEST_SETTINGS}
    severity: Literal["critical", "warning"] = (
        "critical" if str(config["severity"]).upper() == "ERROR" else "warning"
    )
    metadata = node.get("test_metadata") or {}
    return CheckDefinition(
        unique_id=node["unique_id"],
        name=node["name"],
        kind="data_test",
        severity=severity,
        description=" ".join((node.get("description") or "").split()),
        fingerprint=fingerprint(
            [node["raw_code"], config, node.get("column_name"), metadata.get("kwargs"), node.get("refs")]
        ),
    )


def _unit_test(node: dict[str, Any]) -> CheckDefinition:
    parts = [node.get(name) for name in ("model", "given", "expect", "overrides")]
    return CheckDefinition(
        unique_id=node["unique_id"],
        name=node["name"],
        kind="unit_test",
        severity="critical",
        description=" ".join((node.get("description") or "").split()),
        fingerprint=fingerprint([*parts, node["config"].get("enabled")]),
    )
