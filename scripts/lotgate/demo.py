"""The demo: a legacy database made from ``seeds/``, and then everything that any database goes through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lotgate.audit import audit_candidate
from lotgate.build import Build, build_candidate
from lotgate.console import Reporter
from lotgate.dbt_run import find_project
from lotgate.demo_data import build_demo_database, load_evidence
from lotgate.errors import UsageError
from lotgate.evidence import create_evidence, ensure_evidence
from lotgate.snapshot import Snapshot
from lotgate.verdict import Verdict
from lotgate.workdir import WorkDir, open_work_dir

__all__ = ["DemoRun", "run_demo"]

MARKER = "made-by-lotgate-demo"


@dataclass(frozen=True)
class DemoRun:
    """What the demo made, step by step."""

    work: WorkDir
    snapshot: Snapshot
    build: Build
    verdict: Verdict


def run_demo(work_dir: Path, *, lock_timeout: float, reporter: Reporter) -> DemoRun:
    """Builds the demo's live database in ``work_dir/demo``, derives the candidate from it and audits that.

    A demo database that an earlier run made is made anew; any other file in its place is a UsageError, as is
    evidence of another database in the work directory. Raises what ``build_candidate`` and
    ``audit_candidate`` raise.
    """
    project = find_project()
    database = work_dir.resolve() / "demo" / "ora.db"
    with open_work_dir(work_dir, database) as work:
        ensure_evidence(work.shipstation, database)
        _make_room(database)
        with reporter.step("Making the demo's live database"):
            build_demo_database(database, project / "seeds")
            create_evidence(work.shipstation, database)
            load_evidence(work.shipstation, project / "seeds")
        snapshot, build = build_candidate(
            database, project / "seeds" / "controls", work, lock_timeout=lock_timeout, reporter=reporter
        )
        verdict = audit_candidate(work, reporter=reporter)
    return DemoRun(work, snapshot, build, verdict)


def _make_room(database: Path) -> None:
    folder = database.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    marker = folder / MARKER
    files = [folder / f"{database.name}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")]
    if any(file.exists() for file in files) and not marker.exists():
        raise UsageError(
            f"{database} exists and was not made by the demo.",
            hint="Move it away, or name another folder with --work-dir.",
        )
    marker.touch()
    for file in files:
        file.unlink(missing_ok=True)
