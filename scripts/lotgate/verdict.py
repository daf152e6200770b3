"""The verdict of an audit: every check with its result, what was audited, and whether the gate is open.

Source: docs/audit.md, "The verdict".
"""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lotgate.errors import GateClosed
from lotgate.live.counter import Counter
from lotgate.table_hashes import TableHash
from lotgate.workdir import write_private

__all__ = [
    "Check",
    "Result",
    "Severity",
    "Verdict",
    "count_checks",
    "read_summary",
    "read_verdict",
    "write_verdict",
]

Severity = Literal["critical", "warning", "info"]
Result = Literal["passed", "failed", "errored", "not_run"]
FORMAT = 2
"""Raised when a field changes its meaning, so that an older verdict is not misread."""


@dataclass(frozen=True)
class Check:
    """One check that ran, or should have.

    ``id`` is unique in a verdict: the suite and the check's own name, joined by a dot. ``suite`` is a GX
    suite, ``dbt`` (data tests), ``dbt_unit`` (unit tests), ``files`` (hashes and data sources) or
    ``register`` (the committed list of what must be checked). ``errored`` means that the check could not be
    carried out, ``not_run`` that it was left out. ``detail`` says what was found, in one sentence; empty
    where it passed. ``unexpected`` counts what should not be there, None where nothing is counted.
    """

    id: str
    suite: str
    description: str
    severity: Severity
    result: Result
    detail: str = ""
    unexpected: int | None = None

    @property
    def closes_gate(self) -> bool:
        """A failed critical check, and any check that could not be carried out, whatever its severity."""
        return self.result in ("errored", "not_run") or (
            self.result == "failed" and self.severity == "critical"
        )


@dataclass(frozen=True)
class Verdict:
    """May this candidate be promoted, and why?

    ``audited_at`` is UTC, ISO 8601. ``change_counter``, ``schema_fingerprint`` and ``database_id`` are the
    live database's at the snapshot. ``change_counter`` is None where the build put none there; then the
    candidate can be audited and cannot be swapped. ``candidate_schema_sha256`` covers the candidate's tables,
    constraints and indexes, which become the live ones.
    """

    checks: tuple[Check, ...]
    audited_at: str
    source: str
    snapshot_sha256: str
    evidence_sha256: str
    controls_sha256: str
    project_sha256: str
    register_sha256: str
    candidate_schema_sha256: str
    schema_fingerprint: str
    tables: tuple[TableHash, ...]
    dbt_invocation_id: str
    gx_run_id: str
    versions: Mapping[str, str]
    change_counter: Counter | None = None
    database_id: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """No check closes the gate, and there are checks at all."""
        return bool(self.checks) and not any(check.closes_gate for check in self.checks)

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The checks that close the gate; empty where it is open."""
        return tuple(check for check in self.checks if check.closes_gate)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The failed checks that are shown and close nothing."""
        return tuple(check for check in self.checks if check.result == "failed" and not check.closes_gate)

    @property
    def cannot_be_swapped_because(self) -> str | None:
        """Why ``swap`` refuses this candidate; None where it would take it."""
        if not self.is_open:
            return "The gate is closed."
        if self.change_counter is None:
            return "The build put no change-counter into the live database."
        if self.database_id is None:
            return "The live database had no id of its own when the snapshot was taken."
        return None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it: the content of ``verdict.json``."""
        return {
            "format": FORMAT,
            "verdict": "open" if self.is_open else "closed",
            "reasons": [f"{check.id}: {check.detail or check.description}" for check in self.reasons],
            "cannot_be_swapped_because": self.cannot_be_swapped_because,
            "audited_at": self.audited_at,
            "source": self.source,
            "database_id": self.database_id,
            "change_counter": None if self.change_counter is None else asdict(self.change_counter),
            "schema_fingerprint": self.schema_fingerprint,
            "hashes": {
                "snapshot": self.snapshot_sha256,
                "evidence": self.evidence_sha256,
                "controls": self.controls_sha256,
                "project": self.project_sha256,
                "register": self.register_sha256,
                "candidate_schema": self.candidate_schema_sha256,
                "tables": {table.table: table.sha256 for table in self.tables},
            },
            "rows": {table.table: table.rows for table in self.tables},
            "runs": {"dbt": self.dbt_invocation_id, "gx": self.gx_run_id},
            "versions": dict(self.versions),
            "counts": dict(self.counts),
            "checks": [asdict(check) for check in self.checks],
        }


def count_checks(checks: Iterable[Check]) -> dict[str, int]:
    """How many checks there are, and how many of them have each result."""
    found = list(checks)
    by_result = collections.Counter(check.result for check in found)
    results: tuple[Result, ...] = ("passed", "failed", "errored", "not_run")
    return {"checks": len(found)} | {result: by_result[result] for result in results}


def read_summary(path: Path) -> dict[str, Any]:
    """The head of a ``verdict.json``: its verdict, reasons and time. GateClosed where it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        return {name: content[name] for name in ("verdict", "reasons", "audited_at", "counts")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GateClosed(f"{path} is damaged.", hint="Audit again with `lotgate audit`.") from error


def read_verdict(path: Path) -> Verdict:
    """The whole verdict, as ``write_verdict`` wrote it, for the swap to believe.

    What the head says must follow from the checks below it: a file that says ``open`` above a check that
    closes the gate, or whose counts differ, is damaged. Raises GateClosed for that, for a file of another
    format, and where there is none.
    """
    from pydantic import TypeAdapter

    try:
        content = json.loads(path.read_text(encoding="ascii"))
        if content["format"] != FORMAT:
            raise GateClosed(
                f"{path} is of another version of lotgate (format {content['format']}, not {FORMAT}).",
                hint="Audit again with `lotgate audit`.",
            )
        verdict = TypeAdapter(Verdict).validate_json(json.dumps(_fields(content)), strict=True)
    except FileNotFoundError as error:
        raise GateClosed(f"There is no verdict {path}.", hint="Audit with `lotgate audit`.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GateClosed(f"{path} is damaged.", hint="Audit again with `lotgate audit`.") from error
    expected = verdict.as_json()
    wrong = [name for name in {*content, *expected} if content.get(name, ...) != expected.get(name, ...)]
    if verdict.counts != count_checks(verdict.checks):
        wrong.append("counts")
    if len({check.id for check in verdict.checks}) != len(verdict.checks):
        wrong.append("checks")
    if wrong:
        raise GateClosed(
            f"{path} contradicts itself ({', '.join(sorted(wrong))}): it was changed after the audit.",
            hint="Audit again with `lotgate audit`.",
        )
    return verdict


def _fields(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``Verdict`` from the content of a file."""
    hashes = content["hashes"]
    named = ("snapshot", "evidence", "controls", "project", "register", "candidate_schema")
    same = (
        "audited_at",
        "source",
        "change_counter",
        "schema_fingerprint",
        "database_id",
        "versions",
        "counts",
    )
    return (
        {f"{name}_sha256": hashes[name] for name in named}
        | {name: content[name] for name in (*same, "checks")}
        | {
            "tables": [
                {"table": table, "rows": content["rows"][table], "sha256": sha256}
                for table, sha256 in hashes["tables"].items()
            ],
            "dbt_invocation_id": content["runs"]["dbt"],
            "gx_run_id": content["runs"]["gx"],
        }
    )


def write_verdict(verdict: Verdict, path: Path) -> None:
    """Writes ``verdict.json``, complete or not at all. EnvironmentFailed where that is not possible."""
    with write_private(path) as temporary:
        temporary.write_text(json.dumps(verdict.as_json(), indent=2) + "\n", encoding="ascii")
