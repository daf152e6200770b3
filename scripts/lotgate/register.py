"""The register of checks: the committed list of what an audit must have checked, each with a fingerprint.

A suite cannot miss an expectation that was deleted from it, nor dbt a test that was switched off; the
register can. Whoever changes a check on purpose renews the register with ``lotgate checks --accept``, and
both changes stand in one commit for a reviewer to see. Source: docs/audit.md, "The register".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lotgate.dbt_checks import CheckDefinition, DbtCheck, fingerprint
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.gx_suites import SuiteCheck, read_json
from lotgate.verdict import Check

__all__ = ["Register", "compare", "present_register", "read_register", "write_register"]

OF_EXPECTATIONS = (
    "great_expectations.yml",
    "checkpoints/*.json",
    "validation_definitions/*.json",
    "plugins/**/*.py",
)
OF_PROJECT = ("dbt_project.yml", "macros/**/*.sql")
"""What decides what a check does besides its own definition."""
RENEW = "`lotgate checks --accept` renews the register, for a reviewer to see"
NOTE = (
    "Written by `lotgate checks --accept`. Every check that an audit must run, with a hash of its definition."
)


@dataclass(frozen=True)
class Register:
    """Fingerprints by id: of the suites' expectations, of dbt's checks, and of the code that they run."""

    gx: Mapping[str, str]
    dbt: Mapping[str, str]
    code: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """The hash of all of it, for the verdict."""
        return hashlib.sha256(_as_text(self).encode()).hexdigest()


def present_register(
    project: Path,
    expectations: Path,
    suites: Iterable[SuiteCheck],
    dbt: Iterable[CheckDefinition | DbtCheck],
) -> Register:
    """What the register would be, were the checks of today what must be checked."""
    files = [
        *((f"expectations/{name}", file) for name, file in _files(expectations, OF_EXPECTATIONS)),
        *_files(project, OF_PROJECT),
    ]
    return Register(
        gx={check.id: check.fingerprint for check in suites},
        dbt={check.unique_id: fingerprint([check.severity, check.fingerprint]) for check in dbt},
        code={name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files},
    )


def _files(root: Path, patterns: Iterable[str]) -> list[tuple[str, Path]]:
    found = {file for pattern in patterns for file in root.glob(pattern) if file.is_file()}
    return [(file.relative_to(root).as_posix(), file) for file in sorted(found)]


def read_register(expectations: Path) -> Register:
    """The committed register. UsageError where there is none, or it is not one."""
    file = expectations / "register.json"
    if not file.exists():
        raise UsageError(
            f"There is no register of checks, {file}.",
            hint="Restore it as it was committed, or write it with `lotgate checks --accept`.",
        )
    content = read_json(file)
    parts = [content.get(name) for name in ("gx", "dbt", "code")]
    for part in parts:
        if not isinstance(part, dict) or not all(isinstance(value, str) for value in part.values()):
            raise UsageError(f"{file} is not a register of checks.", hint="Restore it as it was committed.")
    gx, dbt, code = parts
    return Register(gx=gx or {}, dbt=dbt or {}, code=code or {})


def write_register(register: Register, expectations: Path) -> Path:
    """Replaces the committed register. EnvironmentFailed where it cannot be written."""
    file = expectations / "register.json"
    try:
        file.write_text(_as_text(register), encoding="ascii")
    except OSError as error:
        raise EnvironmentFailed(
            f"{file} cannot be written: {error.strerror}.", hint="Make it writable."
        ) from error
    return file


def compare(required: Register, present: Register) -> tuple[Check, ...]:
    """A check for each part of the register: is everything there that must be, as it was accepted?

    One check per part that holds; one per entry that is missing or was changed. Checks that the register does
    not know are welcome: they run, and count.
    """
    parts = (
        ("gx", "the suites", required.gx, present.gx),
        ("dbt", "dbt", required.dbt, present.dbt),
        ("code", "the code of the checks", required.code, present.code),
    )
    checks: list[Check] = []
    for part, where, wanted, found in parts:
        description = f"What the register demands of {where} is there, as it was accepted ({RENEW})."
        problems = [
            _check(f"{part}.{identity}", description, identity in found, f"{identity} {what}.")
            for identity in sorted(wanted)
            if (what := _difference(wanted[identity], found.get(identity)))
        ]
        if not wanted:
            problems.append(_check(part, description, True, f"It demands nothing of {where}."))
        checks += problems or [_check(part, description, True, "")]
    return tuple(checks)


def _difference(wanted: str, found: str | None) -> str:
    if found is None:
        return "is missing"
    return "" if found == wanted else "was changed"


def _check(name: str, description: str, is_there: bool, detail: str) -> Check:
    return Check(
        id=f"register.{name}",
        suite="register",
        description=description,
        severity="critical",
        result=("failed" if is_there else "not_run") if detail else "passed",
        detail=detail,
    )


def _as_text(register: Register) -> str:
    content = {"note": NOTE, "gx": register.gx, "dbt": register.dbt, "code": register.code}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
