"""Many swaps and rollbacks of one database while others write: how long they wait for the lock.

Two services write a transaction every few milliseconds, an ingestion writes shipments into whatever tables
are there, a reader sums up a day (tests/python/live_writers.py). A writer's wait is its slowest transaction,
from BEGIN IMMEDIATE to COMMIT. Before each swap and after each rollback they are left alone for some seconds:
so long do they wait for each other, before it without the ingestion, which begins with the new tables. Then
the swap's own backup is put back, so that the same open verdict holds again.

Stops where a writer or reader gets an error, where a row that was written after the swap does not come back,
or where SQLite finds damage.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from databases import Place
from measuring import ROOT
from tables import markdown, number

sys.path.insert(0, str(ROOT / "tests" / "python"))

from live_writers import Crowd, Seen, crowd
from lotgate.config import SwapSettings, load_settings
from lotgate.console import SilentReporter, Step
from lotgate.live.backups import list_backups
from lotgate.live.restoring import restore
from lotgate.live.rollback import rollback
from lotgate.live.swap import swap

__all__ = ["Cycle", "as_audited", "cycles", "table"]

Cycle = dict[str, float]
"""What one swap with its rollback took; the names say the unit."""
PHASES = {
    "Backing": "backup",
    "Checking the backup": "backup",
    "Copying": "backup",
    "Staging": "staging",
    "Comparing the staged": "comparing",
    "Cutting": "cut-over",
    "Checking the new": "checks",
    "Putting": "rollback",
    "Dropping": "dropping",
}
WAITED_FOR = tuple(dict.fromkeys(PHASES.values()))


def cycles(place: Place, count: int, *, quiet_s: float) -> list[Cycle]:
    """So many swaps and rollbacks on the place's database, which is as it was when its verdict was opened."""
    found = []
    for number_ in range(count):
        found.append(_cycle(place, quiet_s))
        print(f"swap {number_ + 1} of {count}", file=sys.stderr, flush=True)
    return found


def as_audited(place: Place) -> None:
    """Puts the backup of the last swap back, after a swap and rollback that somebody else measured."""
    settings = _settings(place)
    newest = list_backups(settings.backup_folders, None)[0]
    _restore(place, newest.path, settings)


def table(sizes: dict[int, list[Cycle]]) -> str:
    """Median and worst of each size."""
    headers = ["what"]
    for rows, found in sizes.items():
        headers += [f"{rows:,} rows: median of {len(found)}", "worst"]
    names = next(iter(sizes.values()))[0]
    lines = []
    for name in names:
        figures = []
        for found in sizes.values():
            values = [cycle[name] for cycle in found]
            figures += [number(statistics.median(values)), number(max(values))]
        lines.append([name, *figures])
    return markdown(headers, lines)


@dataclass
class PhaseReporter:
    """Tells the crowd which step is under way, so that its waits belong to a step."""

    live: Crowd

    @contextmanager
    def step(self, title: str, total: float | None = None) -> Iterator[Step]:
        name = next((phase for start, phase in PHASES.items() if title.startswith(start)), "other")
        self.live.set_phase(name)
        with SilentReporter().step(title, total) as step:
            yield step
        self.live.set_phase("other")


def _cycle(place: Place, quiet_s: float) -> Cycle:
    database, settings = place.database, _settings(place)
    os.sync()  # what copying the files left to be written is none of the swap's
    with crowd(database, watermarks=2, ingestions=1, readers=1) as live:
        live.set_phase("quiet")
        time.sleep(quiet_s)
        reporter = PhaseReporter(live)
        swapped = swap(
            database, place.work, settings, controls=place.controls, lock_timeout=30, reporter=reporter
        )
        live.set_phase("migrated")
        time.sleep(1)
        back = rollback(database, settings, lock_timeout=30, reporter=reporter)
        live.set_phase("after")
        time.sleep(quiet_s)
        log = database.with_name(f"{database.name}-wal").stat().st_size  # it is never shortened meanwhile
        seen = live.finish()
    errors = [error for one in seen for error in one.errors]
    if errors:
        sys.exit(f"a writer or reader failed: {errors[:3]}")
    new = sum(mark.startswith("new:") for one in seen for mark in one.marks)
    if back.inserted != new:
        sys.exit(f"{new} rows were written after the swap, and {back.inserted} came back")
    stalls = {phase: _slowest(seen, phase, "watermark", "ingestion") for phase in WAITED_FOR}
    restored_s = _restore(place, swapped.backups[0].path, settings)
    with closing(sqlite3.connect(database)) as connection:
        if connection.execute("pragma integrity_check").fetchall() != [("ok",)]:
            sys.exit("the database is damaged")
    return {
        "cut-over: write lock held, ms": swapped.lock_ms,
        "rollback: write lock held, ms": back.lock_ms,
        "longest staging transaction, ms": swapped.longest_chunk_ms,
        "slowest writer, without lotgate before it, ms": _slowest(seen, "quiet", "watermark"),
        "slowest writer, without lotgate after it, ms": _slowest(seen, "after", "watermark", "ingestion"),
        "slowest writer, whole swap and rollback, ms": max(stalls.values()),
        **{f"slowest writer, {phase}, ms": stall for phase, stall in stalls.items()},
        "slowest reader, cut-over, ms": _slowest(seen, "cut-over", "reader"),
        "longest write-ahead log, MB": log / 1e6,
        "staging, s": swapped.staging_seconds,
        "swap in all, s": swapped.seconds,
        "rollback until the legacy tables are back, s": back.seconds_until_back,
        "rollback in all, s": back.seconds,
        "rows carried over by the rollback": float(back.inserted),
        "putting the backup back, s": restored_s,
    }


def _slowest(seen: list[Seen], phase: str, *kinds: str) -> float:
    return max((one.slowest_ms.get(phase, 0.0) for one in seen if one.kind in kinds), default=0.0)


def _settings(place: Place) -> SwapSettings:
    return load_settings(database=str(place.database), work_dir=str(place.work.path)).swap


def _restore(place: Place, backup: Path, settings: SwapSettings) -> float:
    """Puts the backup back and removes all backups: a hundred of them would fill the disk."""
    restored = restore(place.database, backup, settings, lock_timeout=30, reporter=SilentReporter())
    for folder in settings.backup_folders:
        shutil.rmtree(folder, ignore_errors=True)
    return restored.total_seconds
