"""One way to measure a command, whatever it is: wall time, CPU time, peak memory, and what it left on disk.

Wall time is from the start of the process to its end. CPU time is user and system time of the process and of
all its children, as the kernel counts them. Memory is that of the whole tree of processes: the sum of their
proportional set sizes (a page that several share counts once), looked at every few hundredths of a second, or
the largest process's own high-water mark where that is more. Where there is no /proc, it is the largest
process's alone. Disk is what the given folders grew by, in bytes of files, and may be less than nothing.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

__all__ = [
    "LOTGATE",
    "ROOT",
    "Done",
    "Run",
    "bytes_under",
    "environment",
    "machine",
    "measure",
    "median_of",
    "total",
]

ROOT = Path(__file__).resolve().parents[2]
LOTGATE = (sys.executable, "-c", "import sys; from lotgate.cli import main; sys.exit(main())")
"""The command line of this very tree, wherever another is installed: see ``environment``."""
PROC = Path("/proc")
FIRST_LOOKS_S, LATER_LOOKS_S, FIRST_S = 0.01, 0.1, 1.0


@dataclass(frozen=True)
class Run:
    """What a command took: seconds of wall and CPU time, peak memory and growth on disk in MB (10^6)."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    disk_mb: float

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Done:
    """A measured command that ended as it may: its figures, its exit code, what it printed."""

    run: Run
    code: int
    out: str


def measure(
    command: Sequence[str | Path],
    *,
    folders: Iterable[Path] = (),
    allowed: Sequence[int] = (0,),
    extra: dict[str, str] | None = None,
    follow: Callable[[str, float], None] | None = None,
) -> Done:
    """Runs a command and measures it; ends the bench where it ends with another exit code than allowed.

    ``folders`` are those that it writes to. ``extra`` is added to the environment. ``follow`` gets each line
    of stderr as it comes, and the seconds since the start. What others left to be written is written before,
    so that nobody pays for it.
    """
    os.sync()
    folders = tuple(folders)
    before = bytes_under(folders)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment() | (extra or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE if follow else err,
            text=bool(follow),
        )
        watcher = _Watcher(child.pid)
        watcher.start()
        lines = []
        if follow:
            assert child.stderr is not None
            for line in child.stderr:
                lines.append(line)
                follow(line.rstrip("\n"), time.perf_counter() - start)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        watcher.over.set()
        watcher.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = out.read().decode("utf-8", "replace")
        if child.returncode not in allowed:
            complaints = "".join(lines) or err.read().decode("utf-8", "replace")
            shown = " ".join(str(part) for part in command)
            sys.exit(f"{shown}\nended with {child.returncode}:\n{said}{complaints}")
    memory = watcher.peak_bytes or usage.ru_maxrss * 1024
    run = Run(wall, usage.ru_utime + usage.ru_stime, memory / 1e6, (bytes_under(folders) - before) / 1e6)
    return Done(run, child.returncode, said)


def environment() -> dict[str, str]:
    """The environment without anybody's settings of lotgate or dbt, and with this tree's package first."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOTGATE_", "DBT_"))}
    paths = [str(ROOT / "scripts"), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


def bytes_under(folders: Iterable[Path]) -> int:
    """The bytes of all files in the folders."""
    found = 0
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                with suppress(FileNotFoundError):  # a journal may just have gone
                    found += (Path(place) / name).lstat().st_size
    return found


def median_of(runs: Sequence[Run]) -> Run:
    """The median of each figure on its own."""
    return Run(*(statistics.median(getattr(run, field.name) for run in runs) for field in fields(Run)))


def total(runs: Iterable[Run]) -> Run:
    """Several commands one after the other, as one: times and disk add up, memory is the largest."""
    runs = list(runs)
    return Run(
        sum(run.wall_s for run in runs),
        sum(run.cpu_s for run in runs),
        max(run.memory_mb for run in runs),
        sum(run.disk_mb for run in runs),
    )


def machine() -> dict[str, str]:
    """What the figures were measured on, without names of anybody's."""
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


class _Watcher(threading.Thread):
    """Looks at the memory of a process and of all that come from it, until told that it is over."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.over = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        if not (PROC / "self" / "status").exists():
            return
        start = time.monotonic()
        while True:
            tree = _tree(self.pid)
            shared = sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in tree)
            largest = max((_kilobytes(pid, "status", "VmHWM:") for pid in tree), default=0)
            self.peak_bytes = max(self.peak_bytes, 1024 * max(shared, largest))
            quick = time.monotonic() - start < FIRST_S
            if self.over.wait(FIRST_LOOKS_S if quick else LATER_LOOKS_S):
                return


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:  # grows while it is gone through
        with suppress(OSError):
            for task in (PROC / str(one) / "task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _kilobytes(pid: int, file: str, name: str) -> int:
    with suppress(OSError):
        for line in (PROC / str(pid) / file).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0
