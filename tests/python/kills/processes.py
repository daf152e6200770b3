"""A command of lotgate's in a forked child of this process, which has everything imported already."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from kills.events import Point, Watch

__all__ = ["Ended", "Running", "be_the_reaper", "run_command", "start_command", "wait_for"]

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Ended:
    """How a child ended. ``code`` is None for one that was killed, at ``point`` where it killed itself.

    ``points`` are all that it passed, where it was not to be killed. ``output`` is all that it printed.
    """

    code: int | None
    point: Point | None
    points: tuple[Point, ...]
    output: str


@dataclass(frozen=True)
class Running:
    """A command that was started, and which children this process had before it."""

    pid: int
    siblings: frozenset[int]


def be_the_reaper() -> None:
    """Orphans of killed children become this process's, so that it can wait for what they still do."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_command(folder: Path, arguments: list[str], *, kill_at: int | None = None) -> Ended:
    """Runs ``lotgate`` in ``folder`` to its end, or until it reaches its ``kill_at``-th point."""
    return wait_for(start_command(folder, arguments, kill_at=kill_at), folder)


def start_command(
    folder: Path, arguments: list[str], *, kill_at: int | None = None, watched: bool = True
) -> Running:
    """Forks the command.

    No connection to a database may be open here: SQLite's must not be carried across a fork.
    """
    gc.collect()
    for file in (_report(folder), _output(folder)):  # the child may be killed before it writes any
        file.write_bytes(b"")
    sys.stdout.flush()
    sys.stderr.flush()
    siblings = _children()
    pid = os.fork()
    if pid:
        return Running(pid, siblings)
    try:
        _be_the_command(folder, arguments, kill_at, watched)
    finally:
        os._exit(99)


def wait_for(running: Running, folder: Path) -> Ended:
    """Waits for the command and for every process that it started and that outlives it.

    Those became this process's when the command died. Each is waited for by its own id: one that leaves its
    process group for a session of its own would never wake a process that waits for the group.
    """
    _, status = os.waitpid(running.pid, 0)
    while orphans := _children() - running.siblings:
        for orphan in orphans:
            os.waitpid(orphan, 0)
    report = json.loads(_report(folder).read_text() or "{}")
    _import(report.get("modules", ()))
    return Ended(
        code=None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status),
        point=Point(**report["point"]) if "point" in report else None,
        points=tuple(Point(*found) for found in report.get("points", ())),
        output=_output(folder).read_text(errors="replace"),
    )


def _children() -> frozenset[int]:
    """The children of this process, which has one thread (proc_pid_task_children(5))."""
    return frozenset(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def _report(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.report")


def _output(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.output")


def _import(names: list[str]) -> None:
    """What a child had to import, so that the next need not, and writes no file for it."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _be_the_command(folder: Path, arguments: list[str], kill_at: int | None, watched: bool) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setsid()
    os.chdir(folder)
    sys.dont_write_bytecode = True
    for key in [key for key in os.environ if key.startswith("LOTGATE_")]:
        del os.environ[key]
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(_output(folder), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    report = os.open(_report(folder), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, number)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115

    def told(point: Point) -> None:
        os.write(report, json.dumps({"point": point.as_json()}).encode())

    from lotgate.cli import main

    before = set(sys.modules)
    watch = Watch(kill_at, told)
    if watched:
        watch.install()
    code = 98
    try:
        main(arguments)
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 97
    sys.stdout.flush()
    sys.stderr.flush()
    new = sorted(name for name in set(sys.modules) - before if name.split(".")[0] != "__main__")
    points = [[p.kind, p.name, p.when, p.text] for p in watch.points]
    content = json.dumps({"points": points, "modules": new}).encode()
    while content:
        content = content[os.write(report, content) :]
    os._exit(code)
