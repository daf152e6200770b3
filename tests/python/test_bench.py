"""The bench runs: every line of its tables is there, and made of figures. How large they are is no matter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

import alternatives
import compare
import databases
import labels
import live
import startup
from measuring import ROOT, Done, measure

FIGURE = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?|-")
OTHERS = {
    "limit: plain script",
    "limit: file copy, fsync",
    "limit: SQLite's online backup",
    "plan: loop with its checks",
    "by hand: dbt, stock tables",
    "by hand: GX, stock checks",
    "by hand: dbt and GX",
}
LOTGATES = {
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
KEPT = ("build.json", "snapshot.json")
SOME = frozenset({"lotgate"})


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


def test_the_other_ways(demo_build: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "tests/bench/bench.py", "--part", "compare", "--without", "lotgate", "--rows", "300",
         "--repeat", "1", "--candidate", demo_build / "candidate.sqlite", "--scratch", tmp_path / "scratch",
         "--json", tmp_path / "raw.json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = rows_of(done.stdout)
    assert rows.keys() == OTHERS
    assert_figures(rows)
    raw: dict[str, Any] = json.loads((tmp_path / "raw.json").read_text())
    assert raw["compare"]["300"].keys() == OTHERS
    for runs in raw["compare"]["300"].values():
        assert [run.keys() for run in runs] == [{"wall_s", "cpu_s", "memory_mb", "disk_mb"}]
        assert runs[0]["wall_s"] > 0
        assert runs[0]["memory_mb"] > 1
    assert [file.name for file in (tmp_path / "scratch").iterdir() if file.is_dir()] == ["generated-300"]


@pytest.fixture
def quick_build(demo_build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build and audit are asked whether they know their options, and bring what the demo's brought."""

    def quick(command: Sequence[str | Path], **more: Any) -> Done:
        words = [str(part) for part in command]
        name = next((word for word in words if word in ("build", "audit")), None)
        if name is None:
            return measure(command, **more)
        work = Path(words[words.index("--work-dir") + 1])
        brought = ("verdict.json",) if name == "audit" else ("legacy.sqlite", "candidate.sqlite", *KEPT)
        for file in brought:
            shutil.copy2(demo_build / file, work / file)
        return measure([*words, "--help"], **more)

    monkeypatch.setattr(alternatives, "measure", quick)


def test_a_migration_and_swaps_beside_writers(demo_build: Path, tmp_path: Path, quick_build: None) -> None:
    legacy = tmp_path / "demo"
    shutil.copytree(demo_build / "demo", legacy)
    shutil.copytree(ROOT / "seeds" / "controls", legacy / "controls", ignore=shutil.ignore_patterns("*.yml"))
    shutil.copyfile(demo_build / "shipstation.sqlite", legacy / "shipstation.sqlite")
    options = compare.Options(1, frozenset(compare.SIDES) - {"lotgate"}, labels=5, window=1.0)
    found = compare.compare(databases.given(legacy), tmp_path / "turn", tmp_path / "no schema", options)
    assert found.rows == 477
    rows = rows_of(compare.table(found.medians))
    assert rows.keys() == LOTGATES
    assert_figures(rows)

    live.as_audited(found.place)
    cycles = live.cycles(found.place, 2, quiet_s=0.2)
    rows = rows_of(live.table({found.rows: cycles}))
    assert rows.keys() == cycles[0].keys() == cycles[1].keys()
    assert {"cut-over: write lock held, ms", "slowest writer, without lotgate after it, ms"} <= rows.keys()
    assert_figures(rows)


def test_a_difference_stops_the_bench() -> None:
    """Each side's result is compared with what another side's says that it must be."""
    source, place, options = databases.Source(ROOT, 10), databases.Place(ROOT), compare.Options(1, SOME)
    fine = alternatives.Results(
        limit=(9, 90), limit_doubles=(2, 20), by_hand=(9, 90), by_hand_failed=[compare.THE_KEY],
        loop={"rows": 7, "units": 70, "legacy_rows": 10, "refused_rows": 1},
        hashes={"skus": "a"},
    )  # fmt: skip
    assert list(compare.differences(source, place, fine, [fine], options)) == []
    for wrong in (
        {"limit": (9, 91)},
        {"limit_doubles": (2, 21)},
        {"loop": fine.loop | {"units": 71}},
        {"loop": fine.loop | {"rows": 8}},
        {"loop": fine.loop | {"refused_rows": 2}},
        {"by_hand": (9, 89)},
        {"by_hand_failed": []},
        {"by_hand_failed": [compare.THE_KEY, "another"]},
        {"hashes": {"skus": "b"}},
    ):
        assert list(compare.differences(source, place, replace(fine, **wrong), [fine], options)), wrong


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
