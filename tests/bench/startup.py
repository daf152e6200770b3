"""What does not depend on the data: starting, importing, and the demo from end to end, step by step.

The demo's steps are told by its own lines on stderr, each with the time at which it came. Importing dbt and
GX happens inside of build and audit; what it takes by itself is measured in processes of their own.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from measuring import LOTGATE, Run, measure, median_of
from tables import in_lines, markdown, number

__all__ = ["IMPORTS", "demo", "demo_table", "starts", "starts_table"]

IMPORTS = {
    "python, nothing else": (sys.executable, "-c", "pass"),
    "lotgate --help": (*LOTGATE, "--help"),
    "importing dbt": (sys.executable, "-c", "import dbt.cli.main, dbt.adapters.sqlite"),
    "importing GX": (sys.executable, "-c", "import great_expectations"),
}
PHASES = {
    "Making the demo's": "database and evidence",
    "Reading": "database and evidence",
    "Asking": "database and evidence",
    "Storing the evidence": "database and evidence",
    "Installing the change-counter": "build",
    "Comparing files": "audit",
    "Checking the verdict": "swap",
}
"""The step that begins each phase, by how its line begins; what comes between belongs to the phase before."""
STARTING, ENDING = "starting", "in all"


def starts(repeat: int) -> dict[str, list[Run]]:
    """Each process several times, in turn."""
    runs: dict[str, list[Run]] = {name: [] for name in IMPORTS}
    for _ in range(repeat):
        for name, command in IMPORTS.items():
            runs[name].append(measure(command).run)
    return runs


def demo(folder: Path) -> dict[str, dict[str, float]]:
    """Seconds of each phase, of a first run in an empty work directory and of another in the same."""
    shutil.rmtree(folder, ignore_errors=True)
    return {name: _demo(folder) for name in ("first", "again")}


def _demo(work: Path) -> dict[str, float]:
    seconds: dict[str, float] = {}
    phase, since = STARTING, 0.0

    def follow(line: str, now: float) -> None:
        nonlocal phase, since
        new = next((name for start, name in PHASES.items() if line.startswith(start)), phase)
        if new != phase:
            seconds[phase] = seconds.get(phase, 0.0) + now - since
            phase, since = new, now

    run = measure([*LOTGATE, "demo", "--work-dir", work], folders=[work], follow=follow).run
    seconds[phase] = seconds.get(phase, 0.0) + run.wall_s - since
    return seconds | {ENDING: run.wall_s, "CPU": run.cpu_s, "memory MB": run.memory_mb}


def starts_table(runs: dict[str, list[Run]]) -> str:
    return in_lines({name: median_of(found) for name, found in runs.items()})


def demo_table(found: dict[str, dict[str, float]]) -> str:
    names = list(dict.fromkeys(name for phases in found.values() for name in phases))
    return markdown(
        ["demo, seconds", *names],
        [[run, *(number(phases.get(name)) for name in names)] for run, phases in found.items()],
    )
