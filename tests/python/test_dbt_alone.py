"""Plain dbt, without lotgate: in a fresh clone on the demo's seeds, and beside a real snapshot and evidence.

The two stories are told in two copies of the project; each of their dbt commands runs once, and the tests
look at what it said and left behind.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lotgate.sqlite_files import sqlite_uri
from plain_dbt import Said, copy_project, dbt

# Rows of the target tables without the ids that only number them.
SKUS = "select * from skus order by sku_code"
LOTS = "select * from lots order by sku_id, lot_number"
ITEMS = "select * from shipped_items order by id"
# A seed's empty field is NULL, the live table has '' there: the one thing that may differ.
LEDGER = "select * from audit_row_ledger order by legacy_id"
A_CLEAN_ROW = "select min(legacy_id) from audit_row_ledger where reason = 'clean'"


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in a database that is only read."""
    with closing(sqlite3.connect(sqlite_uri(database, mode="ro"), uri=True)) as connection:
        return connection.execute(query).fetchall()


def digests(folder: Path) -> dict[str, str]:
    """The hash of every database in a folder, and of whatever SQLite left beside one."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.sqlite*"))
    }


# In a fresh clone

STEPS = (("seed",), ("run",), ("test",), ("docs", "generate"), ("build",))


@dataclass(frozen=True)
class Clone:
    """A clone in which every step was run, and what was in the candidate after `run` and after `build`."""

    project: Path
    said: dict[str, Said]
    ran: dict[str, list[tuple[Any, ...]]]
    built: dict[str, list[tuple[Any, ...]]]

    @property
    def candidate(self) -> Path:
        return self.project / "target" / "candidate.sqlite"


def _contents(candidate: Path) -> dict[str, list[tuple[Any, ...]]]:
    queries = {"skus": SKUS, "lots": LOTS, "shipped_items": ITEMS, "ledger": LEDGER}
    return {name: rows(candidate, query) for name, query in queries.items()}


def _work_in_a_fresh_clone(project: Path) -> Clone:
    copy_project(project)
    candidate = project / "target" / "candidate.sqlite"
    said: dict[str, Said] = {}
    ran: dict[str, list[tuple[Any, ...]]] = {}
    for step in STEPS:
        said[" ".join(step)] = dbt(project, *step)
        if step == ("run",):
            ran = _contents(candidate)
            candidate.rename(candidate.with_name("candidate.ran.sqlite"))
            shutil.copyfile(candidate.with_name("candidate.ran.sqlite"), candidate)
    return Clone(project, said, ran, _contents(candidate))


@pytest.mark.parametrize("step", [" ".join(step) for step in STEPS])
def test_every_command_works_in_a_fresh_clone(clone: Clone, step: str) -> None:
    assert clone.said[step].code == 0, clone.said[step].out


def test_docs_are_generated(clone: Clone) -> None:
    target = clone.project / "target"
    assert (target / "catalog.json").stat().st_size > 0
    assert (target / "index.html").stat().st_size > 0


@pytest.mark.parametrize("table", ["skus", "lots", "shipped_items"])
def test_a_fresh_clone_has_the_rows_of_the_demo(clone: Clone, demo_build: Path, table: str) -> None:
    demo = _contents(demo_build / "candidate.sqlite")[table]
    assert demo
    assert clone.ran[table] == demo
    assert clone.built[table] == demo


def test_the_ledger_of_a_fresh_clone_differs_in_empty_texts_at_most(clone: Clone, demo_build: Path) -> None:
    def filled(ledger: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [tuple("" if value is None else value for value in row) for row in ledger]

    demo = filled(_contents(demo_build / "candidate.sqlite")["ledger"])
    assert demo
    assert filled(clone.ran["ledger"]) == demo
    assert filled(clone.built["ledger"]) == demo


# Beside a real snapshot and real evidence


@dataclass(frozen=True)
class RealWork:
    """A clone with a snapshot and evidence that are not the demo's, and what each command did to them."""

    project: Path
    said: dict[str, Said]
    before: dict[str, str]
    after: dict[str, dict[str, str]]

    @property
    def target(self) -> Path:
        return self.project / "target"


def _work_beside_real_files(project: Path, demo_build: Path) -> RealWork:
    copy_project(project)
    target = project / "target"
    target.mkdir()
    # The demo's files, changed, so that a candidate of the seeds could not be taken for theirs.
    changes = {
        "legacy.sqlite": "update shipped_items set tracking_number = 'of the snapshot' where id ="
        f" {rows(demo_build / 'candidate.sqlite', A_CLEAN_ROW)[0][0]}",
        "shipstation.sqlite": "update fetches set complete = 0",
    }
    for name, change in changes.items():
        shutil.copyfile(demo_build / name, target / name)
        with closing(sqlite3.connect(target / name)) as connection:
            assert connection.execute(change).rowcount == 1
            connection.commit()
    before = digests(target)
    said: dict[str, Said] = {}
    after: dict[str, dict[str, str]] = {}
    for step in ("seed", "run", "clean"):
        said[step] = dbt(project, step)
        after[step] = digests(target)
    said["parse"] = dbt(project, "--warn-error", "parse", "--no-partial-parse")
    return RealWork(project, said, before, after)


@pytest.fixture(scope="module")
def stories(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, RealWork]:
    """Both stories at once: each is one dbt process after the other, and a machine has two cores."""
    folder = tmp_path_factory.mktemp("clones")
    with ThreadPoolExecutor(2) as pool:
        fresh = pool.submit(_work_in_a_fresh_clone, folder / "a clone")
        real = pool.submit(_work_beside_real_files, folder / "real", demo_build)
        return fresh.result(), real.result()


@pytest.fixture(scope="module")
def clone(stories: tuple[Clone, RealWork]) -> Clone:
    return stories[0]


@pytest.fixture(scope="module")
def real_work(stories: tuple[Clone, RealWork]) -> RealWork:
    return stories[1]


def test_seed_leaves_a_snapshot_and_evidence_alone_and_says_so(real_work: RealWork) -> None:
    seeded = real_work.said["seed"]
    assert seeded.code == 0, seeded.out
    for name in ("legacy.sqlite", "shipstation.sqlite"):
        assert real_work.after["seed"][name] == real_work.before[name]
    assert "left out: legacy holds real data (lotgate_snapshot), not the demo" in seeded.out
    assert "left out: shipstation holds real data (lotgate_evidence), not the demo" in seeded.out


def test_run_takes_the_snapshot_and_the_evidence(real_work: RealWork, demo_build: Path) -> None:
    done = real_work.said["run"]
    assert done.code == 0, done.out
    for name in ("legacy.sqlite", "shipstation.sqlite"):
        assert real_work.after["run"][name] == real_work.before[name]
    candidate = real_work.target / "candidate.sqlite"
    changed = "select count(*) from shipped_items where tracking_number = 'of the snapshot'"
    assert rows(candidate, changed) == [(1,)]
    assert rows(candidate, "select count(*) from int_recovered_lines") == [(0,)]
    # Without covered days nothing is recovered: the seeds' candidate is another one.
    assert rows(demo_build / "candidate.sqlite", "select count(*) from int_recovered_lines") != [(0,)]


def test_clean_takes_no_database_away(real_work: RealWork) -> None:
    assert real_work.said["clean"].code == 0, real_work.said["clean"].out
    databases = {"candidate.sqlite", "failures.sqlite", "legacy.sqlite", "shipstation.sqlite"}
    assert set(real_work.after["clean"]) == databases
    assert real_work.after["clean"] == real_work.after["run"]


def test_the_project_parses_without_a_warning(real_work: RealWork) -> None:
    assert real_work.said["parse"].code == 0, real_work.said["parse"].out
