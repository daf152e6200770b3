"""The committed GX suites as files: which checks there are, each with its name, severity and fingerprint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from lotgate.dbt_checks import fingerprint
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.verdict import Severity

__all__ = ["SuiteCheck", "read_json", "read_suites"]


@dataclass(frozen=True)
class SuiteCheck:
    """An expectation as its suite's file has it.

    ``fingerprint`` changes with everything but the description.
    """

    suite: str
    name: str
    description: str
    severity: Severity
    fingerprint: str

    @property
    def id(self) -> str:
        """Unique over all suites."""
        return f"{self.suite}.{self.name}"


def read_suites(expectations: Path) -> tuple[SuiteCheck, ...]:
    """Every check of every committed suite.

    Raises UsageError for a folder without suites, a file that is not valid JSON or not a suite, and a check
    without a name, a description or a severity, or with a name that its suite has twice.
    """
    files = sorted((expectations / "suites").glob("*.json"))
    if not files:
        raise UsageError(
            f"There are no suites in {expectations / 'suites'}.",
            hint="Restore the folder expectations as it was committed, or install lotgate again.",
        )
    checks: dict[str, SuiteCheck] = {}
    for file in files:
        content = read_json(file)
        if content.get("name") != file.stem or not isinstance(content.get("expectations"), list):
            raise UsageError(
                f"{file} is not the suite {file.stem}.",
                hint='A suite has a "name", equal to that of its file, and a list of "expectations".',
            )
        for place, entry in enumerate(content["expectations"], start=1):
            check = _suite_check(file, place, entry)
            if check.id in checks:
                raise UsageError(
                    f"{file}: two expectations are named {check.name}.",
                    hint="Give each its own meta.check.",
                )
            checks[check.id] = check
    return tuple(checks.values())


def _suite_check(file: Path, place: int, entry: Any) -> SuiteCheck:
    def wrong(what: str) -> UsageError:
        return UsageError(
            f"{file}: expectation {place} {what}.",
            hint='Each has "type", "description", "severity" (critical, warning or info), "kwargs" and'
            ' "meta": {"check": "its_name"}.',
        )

    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise wrong("has no type")
    name = (entry.get("meta") or {}).get("check")
    if not isinstance(name, str) or not name.replace("_", "a").isalnum():
        raise wrong("has no name in meta.check")
    description = entry.get("description")
    if not isinstance(description, str) or not description.strip():
        raise wrong(f"({name}) has no description")
    if entry.get("severity") not in get_args(Severity):
        raise wrong(f"({name}) has no severity that GX knows")
    return SuiteCheck(
        suite=file.stem,
        name=name,
        description=description,
        severity=entry["severity"],
        fingerprint=fingerprint([entry["type"], entry.get("kwargs"), entry["severity"]]),
    )


def read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            f"{file} is not valid JSON: {error}", hint="Correct it, or restore it as it was committed."
        ) from error
    except OSError as error:
        raise EnvironmentFailed(
            f"{file} cannot be read: {error.strerror}.", hint="Make it readable."
        ) from error
    if not isinstance(content, dict):
        raise UsageError(f"{file} is not a JSON object.", hint="Restore it as it was committed.")
    return content
