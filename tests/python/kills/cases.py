"""One case: a command is killed at one of its points, perhaps the next one, too; then one brings it home."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kills.events import Point
from kills.picture import Picture, differences, take_picture
from kills.processes import Ended, run_command
from kills.world import START, World, copy_of

__all__ = [
    "NEXT",
    "Case",
    "Outcome",
    "Seen",
    "expected_end",
    "look",
    "name_of",
    "problems_at_home",
    "run_case",
]

NEXT = {
    "swap": ("status", "swap", "rollback"),
    "rollback": ("status", "rollback", "swap"),
    "restore": ("status", "restore", "rollback", "swap"),
    "unrestore": ("status", "unrestore"),
    "contract": ("status", "contract", "rollback"),
}
"""The commands that may come after a kill of each."""

MOVES = {
    ("legacy", "swap"): "legacy swap",
    ("legacy swap", "rollback"): "legacy swap rollback",
    ("worked", "rollback"): "worked rollback",
    ("worked", "restore"): "worked restore",
    ("worked rollback", "restore"): "worked restore",
    ("worked restore", "restore"): "worked restore",
    # the backup is the audited state, counter and all: it can be swapped again
    ("worked restore", "swap"): "worked restore swap",
    ("restored", "unrestore"): "restored unrestore",
    ("restored unrestore", "unrestore"): "restored unrestore",
    ("prepared", "contract"): "prepared contract",
    ("prepared", "rollback"): "prepared rollback",
}
"""What a command makes of a database; what is not here is refused and changes nothing, but for ``status``."""


@dataclass(frozen=True)
class Case:
    """``kill_at`` counts the command's points, ``kill_next_at`` those of ``then``, which then runs again."""

    command: str
    kind: str
    kill_at: int
    then: str
    kill_next_at: int | None = None

    @property
    def start(self) -> str:
        return f"{START[self.command]}{self.kind}"


@dataclass(frozen=True)
class Outcome:
    """What came of a case: where it was killed, at most twice, and what is wrong."""

    case: Case
    killed: tuple[Point, ...]
    states: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """A database right after a kill: its state, ``?`` for none, and whether an operation is noted."""

    state: str
    is_under_way: bool
    problems: tuple[str, ...]


def run_case(world: World, desk: Path, case: Case) -> Outcome:
    """Runs it in ``desk``/case. The problems are sentences; none is how it should be."""
    folder = desk / "case"
    copy_of(world.starts[case.start], folder)
    killed: list[Point] = []
    first = _run(world, folder, case.command, case.kill_at)
    if first.point is None:
        wrong = () if first.code == 0 else (f"{case.command} ended with {first.code}: {first.output[-300:]}",)
        return Outcome(case, (), (), wrong)
    killed.append(first.point)
    seen = [look(world, desk, case, first=True)]
    if case.kill_next_at is not None:
        second = _run(world, folder, case.then, case.kill_next_at)
        if second.point is not None:
            killed.append(second.point)
        seen.append(look(world, desk, case, first=False))
    problems = [text for one in seen for text in one.problems]
    if seen[-1].state != "?":
        wanted, code = expected_end(seen[-1].state, case.then)
        last = _run(world, folder, case.then, None)
        if last.code != code:
            problems.append(f"{case.then} ended with {last.code} instead of {code}: {last.output[-300:]}")
        if seen[-1].is_under_way and "interrupted" not in last.output:
            problems.append(f"{case.then} did not say that something was half done")
        problems += problems_at_home(world, folder, _quiet(wanted, case.kind))
    return Outcome(case, tuple(killed), tuple(one.state for one in seen), tuple(problems))


def expected_end(state: str, command: str) -> tuple[str, int]:
    """How a database looks after a command that was not killed, and the exit code."""
    if command == "status":
        return state, 0
    moved = MOVES.get((state, command))
    return (moved, 0) if moved else (state, 1)


def look(world: World, desk: Path, case: Case, *, first: bool) -> Seen:
    """Looks at a copy of the database as a kill left it, -wal and all; ``first``: it was the first kill."""
    folder, copy = desk / "case", desk / "look"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in ("ora.db", "ora.db-wal"):
        if (folder / "live" / name).exists():
            shutil.copy2(folder / "live" / name, copy / name)
    found = take_picture(copy / "ora.db")
    start = world.pictures[case.start]
    state = name_of(world, found, case.start, case.kind)
    problems = [f"integrity: {text}" for text in found.damage]
    if len(found.broken_keys) > len(start.broken_keys):
        problems.append(f"{len(found.broken_keys)} broken foreign keys, and {len(start.broken_keys)} before")
    if state == "?":
        problems.append(f"neither old nor new: {', '.join(sorted(found.core))}")
    problems += _flag_problems(found, start)
    problems += _backup_problems(folder)
    added = _log(folder)[len(_log(world.starts[case.start])) :]
    if first and state == START[case.command] and "resume" in added:
        problems.append("ingestion was resumed before the command had changed anything")
    is_noted = (folder / "live" / ".ora.db.lotgate.restoring").exists()
    return Seen(state, found.operation is not None or is_noted, tuple(problems))


def name_of(world: World, found: Picture, start: str, kind: str = "") -> str:
    """Which state a database is in, by the tables that the swap is about; ``?`` for none, or between two."""
    base = start.removesuffix(kind) if kind else start
    names = [base]
    for name in names:
        names += [to for (at, _), to in MOVES.items() if at == name and to not in names]
    matching = [name for name in names if _matches(found, world.pictures[_quiet(name, kind)], name)]
    # a rollback without later work gives the legacy tables as they were: the history tells them apart
    if {"legacy", "legacy swap rollback"} <= set(matching):
        return "legacy swap rollback" if any(event == "rollback" for event, _ in found.events) else "legacy"
    return matching[0] if matching else "?"


def problems_at_home(world: World, folder: Path, name: str) -> list[str]:
    """What is not as in a database that was never killed."""
    found = take_picture(folder / "live" / "ora.db")
    problems = [f"not as {name}: {text}" for text in differences(found, world.pictures[name])]
    if found.leftovers:
        problems.append(f"left over: {', '.join(found.leftovers)}")
    log = _log(folder)
    if log and log[-1] != "resume":
        problems.append(f"paused and not resumed: {log}")
    known = {"ora.db", "ora.db-wal", "ora.db-shm", ".ora.db.lotgate.lock"}
    problems += [f"left over: {path.name}" for path in (folder / "live").iterdir() if path.name not in known]
    return [*problems, *_backup_problems(folder)]


def _quiet(name: str, kind: str) -> str:
    """A state's name where no commands are set: the word stands behind the start."""
    start, _, rest = name.partition(" ")
    return f"{start}{kind} {rest}".rstrip()


def _run(world: World, folder: Path, command: str, kill_at: int | None) -> Ended:
    return run_command(folder, world.arguments(command, folder), kill_at=kill_at)


def _matches(found: Picture, expected: Picture, name: str) -> bool:
    if not name.endswith("contract"):
        return found.core == expected.core
    # once the columns are gone, the archived tables are emptied bit by bit
    return {k: v for k, v in found.core.items() if not k.startswith("legacy_")} == expected.core


def _flag_problems(found: Picture, start: Picture) -> Iterator[str]:
    noted = dict(found.operation["enabled_before"]) if found.operation else {}
    for name, enabled in start.flags.items():
        now = found.flags.get(name)
        if now != enabled and noted.get(name) != enabled:
            yield f"workflow {name} is {now}, was {enabled}, and nobody wrote that down"
        if name in noted and now != 0:
            yield f"workflow {name} is noted as paused and is on"


def _backup_problems(folder: Path) -> Iterator[str]:
    for manifest in folder.glob("backups-*/*.sqlite.json"):
        content = json.loads(manifest.read_text())
        file = manifest.with_name(content["file"])
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != content["sha256"]:
            yield f"the backup {file.name} is not what its manifest says"


def _log(folder: Path) -> list[str]:
    file = folder / "commands.log"
    return file.read_text().split() if file.exists() else []
