"""The bench runs: every line of its tables is there, and made of figures. How large they are is no matter."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

import labels
import startup
from measuring import ROOT, measure

FIGURE = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?|-")
LINES = {
    "limit: plain script",
    "limit: file copy, fsync",
    "limit: SQLite's online backup",
    "plan: loop with its checks",
    "by hand: dbt, stock tables",
    "by hand: GX, stock checks",
    "by hand: dbt and GX",
    "lotgate doctor",
    "lotgate snapshot",
    "lotgate's two verified backups",
    "lotgate build",
    "lotgate audit",
    "lotgate build + audit",
    "lotgate plan",
    "lotgate swap",
    "lotgate verify",
    "lotgate sync",
    "lotgate rollback",
}


def rows_of(markdown: str) -> dict[str, list[str]]:
    """The lines of all tables, but for their headers."""
    found = {}
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and not line.startswith("|---"):
            found[cells[0]] = cells[1:]
    return {name: cells for name, cells in found.items() if name not in ("what", "run", "demo, seconds")}


def assert_figures(rows: dict[str, list[str]]) -> None:
    wrong = {name: row for name, row in rows.items() if not row or not all(map(FIGURE.fullmatch, row))}
    assert wrong == {}


def test_the_comparison_and_the_swaps(demo_build: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "tests/bench/bench.py", "--part", "compare", "--part", "live", "--rows", "300",
         "--repeat", "1", "--swaps", "1", "--quiet", "0.2", "--day-labels", "5", "--window", "1",
         "--candidate", demo_build / "candidate.sqlite", "--scratch", tmp_path / "scratch",
         "--json", tmp_path / "raw.json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = rows_of(done.stdout)
    assert rows.keys() >= LINES
    assert_figures(rows)
    assert "slowest writer, quiet, ms" in rows
    raw: dict[str, Any] = json.loads((tmp_path / "raw.json").read_text())
    assert raw["compare"]["300"].keys() == LINES
    for runs in raw["compare"]["300"].values():
        assert [run.keys() for run in runs] == [{"wall_s", "cpu_s", "memory_mb", "disk_mb"}]
        assert runs[0]["wall_s"] > 0
        assert runs[0]["memory_mb"] > 1
    assert len(raw["live"]["300"]) == 1


def test_many_labels(demo_build: Path, tmp_path: Path) -> None:
    found = labels.sync_labels(tmp_path / "labels", 20, 1.0, demo_build)
    assert found["first"][1]["rows added"] == 40
    assert found["again"][1]["rows added"] == 0
    assert_figures(rows_of(labels.table(found)))


def test_starting() -> None:
    rows = rows_of(startup.starts_table(startup.starts(1)))
    assert rows.keys() == startup.IMPORTS.keys()
    assert_figures(rows)


@pytest.mark.parametrize("line", startup.PHASES)
def test_each_phase_of_the_demo_begins_with_a_step(line: str) -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("scripts/lotgate/**/*.py"))
    assert re.search(rf'step\(\s*f?"{line}', sources)


def test_memory_is_that_of_all_processes_together() -> None:
    grow = "x = bytearray(60_000_000); "
    child = f"import subprocess, sys; {grow}subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    run = measure([sys.executable, "-c", child, f"import time; {grow}time.sleep(0.4)"]).run
    assert 120 < run.memory_mb < 200


def test_a_command_that_fails_ends_the_bench() -> None:
    with pytest.raises(SystemExit, match=r"ended with 3:\nso there"):
        measure([sys.executable, "-c", "import sys; print('so there'); sys.exit(3)"])
