"""The demo: a legacy database made from ``seeds/``, and then everything that any database goes through.

ShipStation is a simulator on this machine, over ``seeds/shipstation``; the client and the HTTP are real.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lotgate.audit import audit_candidate
from lotgate.build import Build, build_candidate
from lotgate.config import Settings, ShipStationSettings
from lotgate.console import Reporter
from lotgate.controls import load_controls
from lotgate.dbt_run import find_project, read_vars
from lotgate.demo_data import build_demo_database
from lotgate.errors import UsageError
from lotgate.evidence import create_evidence, ensure_evidence
from lotgate.live.swap import SwapResult, swap
from lotgate.live.verify import Verification, verify
from lotgate.recover import Recovery, recover_days
from lotgate.snapshot import Snapshot
from lotgate.verdict import Verdict
from lotgate.workdir import WorkDir, open_work_dir

if TYPE_CHECKING:
    from lotgate.shipstation.simulator import Simulator

__all__ = ["DemoRun", "recover_from_seeds", "run_demo"]

MARKER = "made-by-lotgate-demo"
BACKUPS = ("backups-1", "backups-2")
DAY: Final = "2025-10-06"
ASKED_AT: Final = datetime(2025, 10, 10, 18, 5)
"""When the demo asks ShipStation, US Pacific: four days after the day that it is about."""
REQUEST_LOG: Final = "shipstation-requests.log"


@dataclass(frozen=True)
class DemoRun:
    """What the demo did, step by step. Nothing was swapped or verified where the gate is closed."""

    work: WorkDir
    database: Path
    recovery: Recovery
    request_log: Path
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
        request_log = work.path / REQUEST_LOG
        request_log.unlink(missing_ok=True)
        recovery = recover_from_seeds(
            database, work, project / "seeds" / "shipstation", request_log, reporter=reporter
        )
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
    return DemoRun(work, database, recovery, request_log, snapshot, build, verdict, swapped, verification)


def recover_from_seeds(
    database: Path, work: WorkDir, seeds: Path, request_log: Path, *, reporter: Reporter
) -> Recovery:
    """Recovers the demo's day over HTTP, from a simulator that serves the CSV files of ``seeds``.

    Each request is a line of ``request_log``, without key or secret. Raises what ``recover_days`` raises.
    """
    from lotgate.shipstation.client import KEY, SECRET, open_client
    from lotgate.shipstation.simulator import Store, TickingClock, serve
    from lotgate.shipstation.simulator.server import KEY as SIMULATED

    store = Store.load_folder(seeds)
    with (
        serve(store, clock=TickingClock(ASKED_AT), log_file=request_log) as simulator,
        open_client(
            _settings(simulator), reporter=reporter, environ={KEY: SIMULATED, SECRET: SIMULATED}
        ) as client,
    ):
        return recover_days(database, work, DAY, DAY, client=client, reporter=reporter)


def _settings(simulator: Simulator) -> ShipStationSettings:
    return ShipStationSettings(url=simulator.url, timeout_s=10.0)


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
