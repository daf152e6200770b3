"""The demo: a legacy database made from ``seeds/``, and then everything that any database goes through."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from lotgate.audit import audit_candidate
from lotgate.build import Build, build_candidate
from lotgate.config import Settings
from lotgate.console import Reporter
from lotgate.controls import load_controls
from lotgate.dbt_run import find_project, read_vars
from lotgate.demo_data import build_demo_database, load_evidence
from lotgate.errors import UsageError
from lotgate.evidence import create_evidence, ensure_evidence
from lotgate.live.swap import SwapResult, swap
from lotgate.live.verify import Verification, verify
from lotgate.snapshot import Snapshot
from lotgate.verdict import Verdict
from lotgate.workdir import WorkDir, open_work_dir

__all__ = ["DemoRun", "run_demo"]

MARKER = "made-by-lotgate-demo"
BACKUPS = ("backups-1", "backups-2")


@dataclass(frozen=True)
class DemoRun:
    """What the demo did, step by step. Nothing was swapped or verified where the gate is closed."""

    work: WorkDir
    database: Path
    snapshot: Snapshot
    build: Build
    verdict: Verdict
    swap: SwapResult | None
    verification: Verification | None


def run_demo(
    settings: Settings, *, lock_timeout: float, reporter: Reporter, and_swap: bool = True
) -> DemoRun:
    """Makes the demo's live database in the work directory, derives and audits a candidate, and swaps it.

    With ``and_swap`` False everything is left ready for a swap by hand. A demo database that an earlier run
    made is made anew; any other file in its place is a UsageError, as is evidence of another database in the
    work directory. Raises what ``build_candidate``, ``audit_candidate``, ``swap`` and ``verify`` raise.
    """
    work_dir = settings.work_dir
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
        swapped = verification = None
        if and_swap and verdict.is_open:
            folders = (database.parent / BACKUPS[0], database.parent / BACKUPS[1])
            swapped = swap(
                database,
                work,
                replace(settings.swap, backup_folders=folders, pause_command=None, resume_command=None),
                controls=None,
                lock_timeout=lock_timeout,
                reporter=reporter,
            )
            verification = verify(
                database,
                load_controls(project / "seeds" / "controls"),
                earliest_ship_date=str(read_vars(project)["earliest_ship_date"]),
                lock_timeout=lock_timeout,
            )
    return DemoRun(work, database, snapshot, build, verdict, swapped, verification)


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
    for name in BACKUPS:
        shutil.rmtree(folder / name, ignore_errors=True)
