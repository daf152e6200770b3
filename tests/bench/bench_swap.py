"""The swap of a million rows while others write: how long they wait, beside what they wait without it.

Usage: python tests/bench/bench_swap.py [--rows 10000 --rows 1000000] [--work DIR]

Generated databases hold rows that only a person can decide, so their gate stays closed; the bench opens the
verdict itself, on the candidate of a real build. `--work DIR` takes a folder that holds one already
(`DIR/legacy/ora.db`, `DIR/work`); it is copied.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from live_writers import Crowd, Seen, crowd
from lotgate.audit import read_inputs
from lotgate.config import load_settings
from lotgate.console import SilentReporter, Step
from lotgate.generator import generate
from lotgate.legacy_schema import Shape
from lotgate.live.restoring import restore
from lotgate.live.rollback import rollback
from lotgate.live.swap import swap
from lotgate.verdict import Check, Verdict, count_checks, write_verdict
from lotgate.workdir import WorkDir

LOTGATE = Path(sys.executable).with_name("lotgate")
CALM_S = 10.0


def prepare(folder: Path, rows: int) -> tuple[Path, WorkDir]:
    """A generated live database and the candidate that `lotgate build` makes of it."""
    legacy, work = folder / "legacy", folder / "work"
    generate(legacy, rows=rows, seed=1, shape=Shape.late)
    work.mkdir(mode=0o700)
    shutil.copyfile(legacy / "shipstation.sqlite", work / "shipstation.sqlite")
    subprocess.run(
        [LOTGATE, "build", "--database", legacy / "ora.db", "--controls", legacy / "controls",
         "--work-dir", work],
        check=True, capture_output=True,
    )  # fmt: skip
    return legacy / "ora.db", WorkDir(work)


def open_verdict(work: WorkDir) -> None:
    """An open verdict on this very candidate, without the audit."""
    inputs = read_inputs(work)
    build = inputs.build
    checks = (Check("bench.opened", "bench", "opened by the bench", "critical", "passed"),)
    verdict = Verdict(
        checks=checks,
        audited_at="2025-10-10T00:00:00+00:00",
        source=inputs.source,
        snapshot_sha256=build.snapshot_sha256,
        evidence_sha256=build.evidence_sha256,
        controls_sha256=build.controls_sha256,
        project_sha256=build.project_sha256,
        register_sha256="0" * 64,
        candidate_schema_sha256=build.schema_sha256,
        schema_fingerprint=inputs.schema_fingerprint,
        tables=build.hashes,
        dbt_invocation_id=build.dbt_invocation_id,
        gx_run_id="",
        versions={},
        change_counter=inputs.change_counter,
        database_id=inputs.database_id,
        counts=count_checks(checks),
    )
    write_verdict(verdict, work.verdict)


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


def slowest(seen: list[Seen], phase: str, *kinds: str) -> float:
    return max((one.slowest_ms.get(phase, 0.0) for one in seen if one.kind in kinds), default=0.0)


def measure(database: Path, work: WorkDir, folder: Path) -> dict[str, float]:
    """One swap and one rollback with two writers, an ingestion and a reader at work."""
    settings = load_settings(database=str(database), work_dir=str(work.path)).swap
    os.sync()  # what copying the files left to be written is none of the swap's
    with crowd(database, watermarks=2, ingestions=1, readers=1) as live:
        live.set_phase("calm")
        time.sleep(CALM_S)
        reporter = PhaseReporter(live)
        swapped = swap(
            database,
            work,
            settings,
            controls=database.parent / "controls",
            lock_timeout=30,
            reporter=reporter,
        )
        live.set_phase("migrated")
        time.sleep(2)
        back = rollback(database, settings, lock_timeout=30, reporter=reporter)
        live.set_phase("after")
        time.sleep(1)
        seen = live.finish()
    errors = [error for one in seen for error in one.errors]
    if errors:
        sys.exit(f"a writer or reader failed: {errors[:3]}")
    new = sum(mark.startswith("new:") for one in seen for mark in one.marks)
    if back.inserted != new:
        sys.exit(f"{new} rows were written after the swap, and {back.inserted} came back")
    restored = restore(
        database, swapped.backups[0].path, settings, lock_timeout=30, reporter=SilentReporter()
    )
    with closing(sqlite3.connect(database)) as connection:
        if connection.execute("pragma integrity_check").fetchall() != [("ok",)]:
            sys.exit("the database is damaged")
    return {
        "writer calm ms": slowest(seen, "calm", "watermark"),
        **{
            f"writer, {phase} ms": slowest(seen, phase, "watermark", "ingestion")
            for phase in ("backup", "staging", "comparing", "cut-over", "checks", "rollback", "dropping")
        },
        "reader, cut-over ms": slowest(seen, "cut-over", "reader"),
        "cut-over lock ms": swapped.lock_ms,
        "longest chunk ms": swapped.longest_chunk_ms,
        "staging s": swapped.staging_seconds,
        "swap in all s": swapped.seconds,
        "rollback lock ms": back.lock_ms,
        "rollback until back s": back.seconds_until_back,
        "rollback in all s": back.seconds,
        "rows carried over": back.inserted,
        "restore, writing s": restored.seconds,
        "restore in all s": restored.total_seconds,
    }


@click.command()
@click.option("--rows", multiple=True, type=int, default=(10_000, 1_000_000), show_default=True)
@click.option("--repeat", type=int, default=3, show_default=True)
@click.option("--work", type=click.Path(path_type=Path, exists=True), help="A folder that is built already.")
def main(rows: tuple[int, ...], repeat: int, work: Path | None) -> None:
    """Measure swap and rollback with live writers at several sizes."""
    results: dict[str, dict[str, float]] = {}
    for count in ("built",) if work else rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if work:
                shutil.copytree(work, folder / "base")
            else:
                prepare(folder / "base", int(count))
            base = folder / "base"
            open_verdict(WorkDir(base / "work"))
            runs = []
            for number in range(repeat):
                copy = folder / f"run-{number}"
                shutil.copytree(base, copy)
                runs.append(measure(copy / "legacy" / "ora.db", WorkDir(copy / "work"), copy))
                shutil.rmtree(copy)
            results[str(count)] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            print(count, json.dumps({k: round(v, 2) for k, v in results[str(count)].items()}), flush=True)
    sizes = list(results)
    print(f"\n{'median of ' + str(repeat):<24}" + "".join(f"{size:>14}" for size in sizes) + "   growth")
    for key in results[sizes[0]]:
        values = [results[size][key] for size in sizes]
        growth = f"{values[-1] / values[0]:>9.1f}" if values[0] else ""
        print(f"{key:<24}" + "".join(f"{value:>14.2f}" for value in values) + growth)


if __name__ == "__main__":
    main()
