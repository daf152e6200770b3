"""A kill at a random moment, while two processes write to other tables and one reads, through all of it."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kills.cases import expected_end, name_of
from kills.picture import Picture, core_of, differences, take_picture
from kills.processes import run_command, start_command, wait_for
from kills.world import START, World, copy_of

__all__ = ["LoadCase", "run_under_load"]

SECONDS = {"swap": 0.35, "rollback": 0.15, "restore": 0.18, "contract": 0.15}
"""About how long each command takes with writers beside it."""
RESTORED = ("restore",)
OTHERS = ("workflows", "sync_watermark", "report_runs", "sqlite_sequence")


@dataclass(frozen=True)
class LoadCase:
    """``moment`` is when to kill, as a part of what the command takes."""

    command: str
    moment: float
    seed: int


def run_under_load(world: World, desk: Path, case: LoadCase) -> dict[str, Any]:
    """The kill and what must hold: the reader saw old or new, no write is lost, and home it comes."""
    folder = desk / "case"
    start = START[case.command]
    copy_of(world.starts[start], folder)
    database = folder / "live" / "ora.db"
    cores = [p.core for name, p in world.pictures.items() if name.split()[0] == start and "quiet" not in name]
    chance = random.Random(case.seed)
    helpers = {
        "reader": _fork(
            desk / "reader", lambda: _read(database, cores, is_contract=case.command == "contract")
        ),
        "writer-0": _fork(desk / "writer-0", lambda: _write(database, 0)),
        "writer-1": _fork(desk / "writer-1", lambda: _write(database, 1)),
    }
    problems: list[str] = []
    killed = []
    found: dict[str, dict[str, Any]] = {}
    try:
        time.sleep(0.02)
        running = start_command(folder, world.arguments(case.command, folder), watched=False)
        time.sleep((case.moment + chance.random() * 0.1) * SECONDS[case.command])
        os.kill(running.pid, signal.SIGKILL)
        ended = wait_for(running, folder)
        if ended.code is None:
            killed = [[f"{case.command} under load", "at a random moment"]]
        elif ended.code != 0:
            problems.append(f"{case.command} ended with {ended.code}: {ended.output[-300:]}")
        state = name_of(world, take_picture(database), start)
        if state == "?":
            problems.append("neither old nor new")
        home = run_command(folder, world.arguments("status", folder))
        if home.code != 0:
            problems.append(f"status ended with {home.code}: {home.output[-300:]}")
    finally:
        for name, child in helpers.items():
            found[name] = _stop(child, desk / name)
    for name, content in found.items():
        problems += [f"{name}: {text}" for text in content.get("problems", ["it did not end"])]
    if state != "?":
        problems += _home_problems(world, folder, take_picture(database), expected_end(state, "status")[0])
    if case.command not in RESTORED:  # a restoration puts their tables back, too
        problems += _lost_writes(database, found)
    longest = max(found[name].get("longest_ms", 0) for name in ("writer-0", "writer-1"))
    return {
        "case": asdict(case),
        "kills": killed,
        "states": [state],
        "problems": problems,
        "load": {
            "writes": sum(found[name].get("commits", 0) for name in ("writer-0", "writer-1")),
            "reads": found["reader"].get("reads", 0),
            "longest write ms": round(longest, 1),
        },
    }


def _home_problems(world: World, folder: Path, found: Picture, name: str) -> list[str]:
    """As at home without load, but for the tables that the writers wrote to."""
    expected = world.pictures[name]
    for table in OTHERS:
        found.tables[table] = expected.tables[table]
    problems = [f"not as {name}: {text}" for text in differences(found, expected)]
    log = (folder / "commands.log").read_text().split() if (folder / "commands.log").exists() else []
    return problems + ([f"paused and not resumed: {log}"] if log and log[-1] != "resume" else [])


def _lost_writes(database: Path, found: dict[str, dict[str, Any]]) -> list[str]:
    problems = []
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        for number in (0, 1):
            commits = found[f"writer-{number}"].get("commits", -1)
            (noted,) = connection.execute(
                "select last_sync_timestamp from sync_watermark where workflow_name = ?",
                (f"writer-{number}",),
            ).fetchone()
            (rows,) = connection.execute(
                "select count(*) from report_runs where report = ?", (f"writer-{number}",)
            ).fetchone()
            if (int(noted), rows) != (commits, commits):
                problems.append(f"writer {number} committed {commits}, and {noted} and {rows} rows are there")
    return problems


def _fork(report: Path, body: Callable[[], dict[str, Any]]) -> int:
    """A child that does ``body`` until SIGTERM, and writes what it says to ``report``."""
    report.unlink(missing_ok=True)
    pid = os.fork()
    if pid:
        return pid
    try:
        try:
            content = body()
        except Exception as error:  # noqa: BLE001 - the child must end here, and say why
            content = {"problems": [f"{type(error).__name__}: {error}"]}
        report.write_text(json.dumps(content))
    finally:
        os._exit(0)


def _stop(pid: int, report: Path) -> dict[str, Any]:
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    return dict(json.loads(report.read_text())) if report.exists() else {}


class _Stopped:
    """Becomes true at SIGTERM, so that nothing is cut short."""

    def __init__(self) -> None:
        self.now = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self.now = True


def _write(database: Path, number: int) -> dict[str, Any]:
    stopped = _Stopped()
    commits, longest = 0, 0.0
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
        while not stopped.now:
            start = time.monotonic()
            connection.execute("begin immediate")
            connection.execute(
                "update workflows set duration_seconds = ? where id = ?", (commits, 1 + number)
            )
            connection.execute(
                "insert into report_runs (report, run_for_date, pallets) values (?, ?, 1)",
                (f"writer-{number}", str(commits)),
            )
            connection.execute(
                "update sync_watermark set last_sync_timestamp = ? where workflow_name = ?",
                (str(commits + 1), f"writer-{number}"),
            )
            connection.execute("commit")
            commits += 1
            longest = max(longest, time.monotonic() - start)
            time.sleep(0.002)
    return {"commits": commits, "longest_ms": longest * 1000, "problems": []}


def _read(database: Path, cores: list[dict[str, str]], *, is_contract: bool) -> dict[str, Any]:
    stopped = _Stopped()
    reads = 0
    problems: list[str] = []

    def without_archive(core: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in core.items() if not name.startswith("legacy_")}

    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
        while not stopped.now and not problems:
            core = core_of(connection)
            reads += 1
            if core not in cores and not (is_contract and without_archive(core) in cores):
                problems.append(f"saw neither old nor new: {', '.join(sorted(core))}")
            time.sleep(0.005)
    return {"reads": reads, "problems": problems}
