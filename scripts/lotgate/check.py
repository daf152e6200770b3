"""Build and audit in one go: the gate, from a database to a verdict or to the reason why there is none.

Source: docs/ci.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lotgate.audit import audit_candidate
from lotgate.build import Build, build_candidate
from lotgate.console import Reporter
from lotgate.errors import LotgateError
from lotgate.failed_build import write_stop
from lotgate.snapshot import Snapshot
from lotgate.verdict import Verdict
from lotgate.workdir import WorkDir, discard_audit

__all__ = ["Checked", "check_database", "report_files"]


@dataclass(frozen=True)
class Checked:
    """What one pass through the gate made, all of it in the work directory."""

    snapshot: Snapshot
    build: Build
    verdict: Verdict


def check_database(
    database: Path,
    controls_folder: Path | None,
    work_dir: WorkDir,
    *,
    lock_timeout: float,
    reporter: Reporter,
    counter: bool,
) -> Checked:
    """Builds a candidate of ``database`` and audits it. A closed gate is a result, not an error.

    With ``counter`` False nothing is written to the database, and the candidate cannot be swapped. The caller
    holds the work directory's lock. An earlier audit is removed first. Whatever ends it early leaves a JUnit
    file and a summary that say why, where the work directory can be written to. Raises what
    ``build_candidate`` and ``audit_candidate`` raise.
    """
    discard_audit(work_dir)
    try:
        snapshot, build = build_candidate(
            database,
            controls_folder,
            work_dir,
            lock_timeout=lock_timeout,
            reporter=reporter,
            counter=counter,
        )
        verdict = audit_candidate(work_dir, reporter=reporter, controls_folder=controls_folder)
    except LotgateError as error:
        if not work_dir.junit.exists():  # the build has left its own where a test or a model failed
            try:
                write_stop(work_dir, error)
            except LotgateError as another:
                error.add_note(another.message)
        raise
    return Checked(snapshot, build, verdict)


def report_files(work_dir: WorkDir) -> dict[str, str]:
    """Where the reports are, by what they are; only those that there are."""
    files = {
        "review": work_dir.review / "index.html",
        "data_docs": work_dir.data_docs / "index.html",
        "junit": work_dir.junit,
        "summary": work_dir.summary,
        "verdict": work_dir.verdict,
    }
    return {name: str(file) for name, file in files.items() if file.exists()}
