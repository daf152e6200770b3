"""Two processes share the suites of a large candidate, and read what was built no more than they must."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import lotgate.file_checks
import lotgate.gx_run
from lotgate.audit import read_inputs
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.file_checks import check_files, hash_files
from lotgate.gx_beside import SUITES_BESIDE, start_beside
from lotgate.gx_run import run_suites
from lotgate.gx_suites import read_suites
from lotgate.verdict import Check
from lotgate.workdir import WorkDir
from pages import ROOT
from suites import copy_of, parameters_of

SUITES = ROOT / "expectations"
ONE_UNIT_MORE = """
update shipped_items set quantity_shipped = quantity_shipped + 1
where id = (select min(id) from shipped_items)
"""
RUN_TIME = "2026-01-02T03:04:05+00:00"


@pytest.fixture
def work(demo_build: Path, tmp_path: Path) -> WorkDir:
    return WorkDir(copy_of(demo_build, tmp_path / 'it\'s a "work" dir'))


@pytest.fixture
def built(demo_build: Path, tmp_path: Path) -> WorkDir:
    """With the description of what was built."""
    return WorkDir(Path(shutil.copytree(demo_build, tmp_path / "built")))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every candidate is a large one."""
    monkeypatch.setattr(lotgate.gx_run, "LARGE_BYTES", 0)


def stored_runs(work: WorkDir) -> dict[str, set[str]]:
    """Suite: the runs of which GX stored results."""
    folder = work.gx / "validation_results"
    runs: dict[str, set[str]] = {}
    for file in folder.rglob("*.json"):
        suite, _, run_time, _ = file.relative_to(folder).parts
        runs.setdefault(suite, set()).add(run_time)
    return runs


def test_both_ways_find_the_same(work: WorkDir, large: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(work.candidate)) as connection:  # something to find on both sides
        connection.execute(ONE_UNIT_MORE)
        connection.execute("update lots set status = 'inactive'")
        connection.commit()
    shared = run_suites(SUITES, work, parameters_of(work.path))
    runs = stored_runs(work)
    assert set(runs) == {check.suite for check in read_suites(SUITES)}
    assert len(set.union(*runs.values())) == 1, "one run, whoever carried it out"
    monkeypatch.undo()
    shutil.rmtree(work.gx)
    alone = run_suites(SUITES, work, parameters_of(work.path))
    assert shared.checks == alone.checks
    assert {check.suite for check in alone.checks if check.result == "failed"} & SUITES_BESIDE
    assert {check.suite for check in alone.checks if check.result == "failed"} - SUITES_BESIDE


def test_each_process_has_its_share(work: WorkDir) -> None:
    with start_beside(SUITES, work, parameters_of(work.path), RUN_TIME) as beside:
        part = beside.part()
    assert {check.suite for check in part.checks} == SUITES_BESIDE
    assert set(stored_runs(work)) == SUITES_BESIDE
    assert {check.result for check in part.sources} == {"passed"}


def test_what_a_killed_process_did_not_say_is_no_result(work: WorkDir) -> None:
    with start_beside(SUITES, work, parameters_of(work.path), RUN_TIME) as beside:
        beside.process.kill()
        with pytest.raises(EnvironmentFailed, match="second process of the audit ended"):
            beside.part()


def test_errors_come_through(work: WorkDir, tmp_path: Path) -> None:
    expectations = Path(shutil.copytree(SUITES, tmp_path / "expectations"))
    (expectations / "great_expectations.yml").write_text("config_version: none\n")
    with (
        start_beside(expectations, work, parameters_of(work.path), RUN_TIME) as beside,
        pytest.raises(UsageError, match="cannot be opened") as caught,
    ):
        beside.part()
    assert "Restore" in (caught.value.hint or "")


def test_nothing_goes_on_when_the_block_ends(work: WorkDir) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        start_beside(SUITES, work, parameters_of(work.path), RUN_TIME) as beside,
    ):
        raise KeyboardInterrupt
    assert beside.process.returncode is not None


def test_it_ends_with_its_parent(work: WorkDir, tmp_path: Path) -> None:
    """A parent that is killed cannot stop it; it must notice by itself."""
    program = tmp_path / "parent.py"
    program.write_text(
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from lotgate.gx_beside import start_beside\n"
        "from lotgate.workdir import WorkDir\n"
        f"order = Path({str(SUITES)!r}), WorkDir(Path(sys.argv[1])), {{}}, {RUN_TIME!r}\n"
        "with start_beside(*order) as beside:\n"
        "    print(beside.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, program, work.path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = Path("/proc") / parent.stdout.readline().strip()
        parent.kill()
        parent.wait()
    until = time.monotonic() + 20
    while child.exists() and "\nState:\tZ" not in (child / "status").read_text():
        assert time.monotonic() < until, "it goes on without its parent"
        time.sleep(0.05)


def files(work: WorkDir) -> dict[str, Check]:
    inputs = read_inputs(work)
    found = check_files(work, inputs.build, inputs.snapshot_sha256, hash_files(work))
    return {check.id.removeprefix("files."): check for check in found}


def test_the_file_that_was_built_is_not_read_again(built: WorkDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("it was read")

    before = files(built)
    for name in ("hash_tables", "check_integrity"):
        monkeypatch.setattr(lotgate.file_checks, name, never)
    assert files(built) == before
    assert {check.result for check in before.values()} == {"passed"}


@pytest.mark.parametrize("beside", ["wal", "journal"])
def test_with_a_journal_beside_it_is(built: WorkDir, beside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(lotgate.file_checks, "hash_tables", lambda *_: read.append(1) or ())
    built.path.joinpath(f"candidate.sqlite-{beside}").touch()
    assert files(built)["table_shipped_items"].result == "failed"
    assert read


def test_a_changed_value_is_found_and_so_is_a_changed_description(built: WorkDir) -> None:
    described = built.build_json.read_text()
    (table,) = (one for one in read_inputs(built).build.hashes if one.table == "shipped_items")
    built.build_json.write_text(described.replace(table.sha256, "0" * 64))
    assert [name for name, check in files(built).items() if check.result != "passed"] == [
        "table_shipped_items"
    ]
    built.build_json.write_text(described)
    with closing(sqlite3.connect(built.candidate)) as connection:
        connection.execute(ONE_UNIT_MORE)
        connection.commit()
    assert [name for name, check in files(built).items() if check.result != "passed"] == [
        "table_shipped_items"
    ]
