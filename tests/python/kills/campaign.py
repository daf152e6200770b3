"""Which kills, in how many processes, and what came of them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from kills.cases import NEXT, Case, Outcome, run_case
from kills.events import Point
from kills.load import LoadCase, run_under_load
from kills.processes import be_the_reaper, run_command
from kills.world import START, World, copy_of, make_world, move_in

__all__ = ["ALL_KILLS", "Result", "choose", "run_campaign"]

ALL_KILLS = 2000
"""From this many kills on, every point of every command is among them, and of ``status`` after a cut-over."""
EVERY_SECOND = 10_000
"""And from so many on, every point of other commands, too, after a kill at any durable step."""

READS = {"sql select", "sql pragma", "sql explain"}
TELLING = {"sql commit", "sql backup", "sql close", "file command", "file fsync"}
"""Here the moment right after is taken, too: it is what matters, or something goes on by itself."""
TURNING = {"sql commit", "sql backup", "file command", "file rename"}
"""With these the database or the world outside becomes another one: a sample, too, has all of them."""
LOAD_SHARE, SECOND_SHARE = 0.1, 0.3

Item = TypeVar("Item")


@dataclass(frozen=True)
class Result:
    """What was done in a campaign: kills by what was killed and at what, and every problem with its case."""

    kills: dict[str, dict[str, int]]
    cases: int
    problems: list[dict[str, Any]]
    seconds: float
    load: dict[str, float]

    @property
    def total(self) -> int:
        return sum(sum(found.values()) for found in self.kills.values())

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"total": self.total}

    def as_text(self) -> str:
        lines = [
            f"{self.total} kills in {self.cases} cases, {self.seconds:.0f} s; {len(self.problems)} problems"
        ]
        for what, found in sorted(self.kills.items()):
            listed = ", ".join(f"{name} {n}" for name, n in sorted(found.items(), key=lambda pair: -pair[1]))
            lines.append(f"  {what}: {sum(found.values())} ({listed})")
        lines.append("  under load: " + ", ".join(f"{name} {value:g}" for name, value in self.load.items()))
        for problem in self.problems:
            lines.append(f"  PROBLEM {json.dumps(problem)}")
        return "\n".join(lines)


def run_campaign(demo: Path, folder: Path, kills: int, workers: int = 2, seed: int = 1) -> Result:
    """Makes the databases in ``folder`` and runs about ``kills`` kills, all points from ``ALL_KILLS`` on."""
    start = time.monotonic()
    be_the_reaper()
    world = make_world(demo, folder)
    work = choose(world, kills, seed)
    children = []
    for number in range(workers):
        desk = folder / f"desk-{number}"
        move_in(demo, desk)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            try:
                _work(world, desk, work[number::workers])
                os._exit(0)
            except BaseException:  # noqa: BLE001 - the child must end here, and say why
                import traceback

                traceback.print_exc()
                os._exit(1)
        children.append((pid, desk))
    found: list[dict[str, Any]] = []
    try:
        ends = [os.waitpid(pid, 0)[1] for pid, _ in children]
    except BaseException:
        for pid, _ in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
    assert not any(ends), f"a worker failed: {ends}"
    for _, desk in children:
        found += [json.loads(line) for line in (desk / "outcomes").read_text().splitlines()]
    return _sum_up(found, time.monotonic() - start)


def choose(world: World, kills: int, seed: int) -> list[Case | LoadCase]:
    """The cases, so many that about ``kills`` kills come together; the costly ones are spread evenly."""
    full = kills >= ALL_KILLS
    singles: list[Case] = []
    turning: list[Case] = []
    doubles: list[Case] = []
    for command in START:
        thens = NEXT[command]
        for kind in ("", " quiet"):
            points = _points_of(world, command, kind)
            numbers = _numbers(points, full=full)
            if kind:
                numbers = numbers[:: 11 if full else 3]
            for number, at in enumerate(numbers):
                point, case = points[at - 1], Case(command, kind, at, thens[number % len(thens)])
                is_turn = point.label in TURNING and (point.when == "after" or point.name == "rename")
                turns = is_turn and not kind
                (turning if turns else singles).append(case)
        doubles += _second_kills(world, command, full=full, every=kills >= EVERY_SECOND)
    load_count = max(10, round(kills * LOAD_SHARE))
    loads: list[LoadCase] = [
        LoadCase(("swap", "rollback", "restore", "swap", "contract")[i % 5], i / load_count, seed + i)
        for i in range(load_count)
    ]
    if full:
        return [*loads, *turning, *singles, *doubles]
    second_count = round(kills * SECOND_SHARE) // 2
    return [
        *loads,
        *turning,
        *_evenly(singles, max(0, kills - 2 * second_count - load_count - len(turning))),
        *_evenly(doubles, second_count),
    ]


def _second_kills(world: World, command: str, *, full: bool, every: bool) -> list[Case]:
    """The points of the command that comes after a kill, for kills at durable steps of the first."""
    points = _points_of(world, command, "")
    commits = [at for at, p in enumerate(points, 1) if p.label == "sql commit" and p.when == "after"]
    copies = [at for at, p in enumerate(points, 1) if p.label == "sql backup" and p.when == "after"]
    switch = copies[-1:] if command.endswith("restore") else _switch_of(points)
    firsts = sorted({*_evenly(commits, 4 if full else 2), *switch})
    cases = []
    for number, first in enumerate(firsts):
        is_full = every or (full and first in switch)
        then = "status" if first in switch or number % 2 == 0 else NEXT[command][1]
        desk = world.folder / "making"
        copy_of(world.starts[START[command]], desk / "case")
        run_command(desk / "case", world.arguments(command, desk / "case"), kill_at=first)
        again = run_command(desk / "case", world.arguments(then, desk / "case"))
        numbers = _numbers(again.points, full=is_full)
        cases += [Case(command, "", first, then, at) for at in (numbers if is_full else numbers[::3])]
    return cases


def _switch_of(points: Sequence[Point]) -> list[int]:
    """The point after the commit of the transaction that alters tables most."""
    best, altered, found = 0, 0, []
    for at, point in enumerate(points, 1):
        if point.label == "sql alter" and point.when == "after":
            altered += 1
        if point.label == "sql commit" and point.when == "after":
            if altered > best:
                best, found = altered, [at]
            altered = 0
    return found


def _points_of(world: World, command: str, kind: str) -> Sequence[Point]:
    case = world.folder / "making" / "case"
    copy_of(world.starts[f"{START[command]}{kind}"], case)
    ended = run_command(case, world.arguments(command, case))
    assert ended.code == 0, ended.output
    return ended.points


def _numbers(points: Sequence[Point], *, full: bool) -> list[int]:
    """The points worth a kill. After a statement the disk is as before the next one: one is enough."""
    numbers = [at for at, p in enumerate(points, 1) if p.when == "before" or p.label in TELLING]
    if full:
        return numbers
    # reading changes nothing on the disk: most of its points are alike
    reads = [at for at in numbers if points[at - 1].label in READS]
    return sorted(set(numbers) - set(reads) | set(reads[::9]))


def _evenly(items: Sequence[Item], count: int) -> list[Item]:
    if count >= len(items):
        return list(items)
    return [items[at * len(items) // count] for at in range(count)]


def _work(world: World, desk: Path, cases: Sequence[Case | LoadCase]) -> None:
    be_the_reaper()
    with (desk / "outcomes").open("w") as file:
        for case in cases:
            found: Outcome | dict[str, Any]
            if isinstance(case, LoadCase):
                found = run_under_load(world, desk, case)
                for part in (0.6, 0.3, 0.1):  # a quick machine was done before the moment came
                    if found["kills"] or found["problems"]:
                        break
                    found = run_under_load(world, desk, replace(case, moment=case.moment * part))
            else:
                found = _told(run_case(world, desk, case))
            file.write(json.dumps(found) + "\n")
            file.flush()
    shutil.rmtree(desk / "case", ignore_errors=True)


def _told(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    names = [f"{case.command}{case.kind}", f"{case.then} after {case.command}"]
    return {
        "case": asdict(case),
        "kills": [[names[i], point.label] for i, point in enumerate(outcome.killed)],
        "points": [point.as_json() for point in outcome.killed],
        "states": list(outcome.states),
        "problems": list(outcome.problems),
    }


def _sum_up(found: Sequence[dict[str, Any]], seconds: float) -> Result:
    kills: dict[str, Counter[str]] = {}
    load: Counter[str] = Counter()
    for one in found:
        for what, label in one["kills"]:
            kills.setdefault(what, Counter())[label] += 1
        for name, value in one.get("load", {}).items():
            load[name] = max(load[name], value) if name.startswith("longest") else load[name] + value
    return Result(
        kills={what: dict(counts) for what, counts in kills.items()},
        cases=len(found),
        problems=[one for one in found if one["problems"]],
        seconds=seconds,
        load=dict(load),
    )
