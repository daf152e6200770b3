"""``lotgate prework`` rehearses on a copy; ``lotgate migrate`` catches up with writers."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lotgate.live.migrate
import lotgate.live.prework
import lotgate.live.rollback
from conftest import LOTGATE, Outcome
from later_work import swap_settings
from lotgate.config import SwapSettings, load_settings
from lotgate.console import SilentReporter
from lotgate.errors import GateClosed, LotgateError
from lotgate.live.carry_over import CarriedOver, carry_over
from lotgate.live.legacy_queries import QUERIES
from lotgate.live.migrate import migrate
from lotgate.live.preflight import SourceChanged, read_audited
from lotgate.live.prework import Rehearsal, rehearse
from lotgate.live.restore import restore_backup
from lotgate.live.status import find_status
from lotgate.workdir import WorkDir, open_work_dir
from swap_cases import SwapCase, assert_sound, copy_case, picture, query, unharmed, write

Cli = Callable[..., Outcome]
PAUSED = ("unified-shipstation-sync", "shipstation-upload", "xml-import")
FLAGS = "select workflow_name, enabled from workflow_controls order by 1"


def own_evidence(case: SwapCase) -> SwapCase:
    """Evidence is of one database, and a copy of that is another one."""
    name = str(case.database.resolve()).replace("'", "''")
    write(
        case.work_dir / "shipstation.sqlite",
        f"update lotgate_evidence set value = '{name}' where key = 'database'",
    )
    return case


def legacy_picture(database: Path) -> dict[str, tuple[str, str]]:
    """All that is the owner's."""
    return {
        name: found
        for name, found in picture(database, own=False).items()
        if not name.startswith(("trigger lotgate_", "index sqlite_autoindex_lotgate_"))
    }


# One run of the command, in a process of its own.


@dataclass(frozen=True)
class Prework:
    case: SwapCase
    before: dict[str, tuple[str, str]]
    outcome: Outcome


@pytest.fixture(scope="session")
def prework_run(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Prework:
    case = own_evidence(copy_case(demo_build, tmp_path_factory.mktemp("prework") / "case"))
    with closing(sqlite3.connect(case.database, isolation_level=None)) as connection:
        for kind in ("trigger", "table"):  # as it was before lotgate ever saw it
            for (name,) in connection.execute(
                "select name from sqlite_schema where type = ? and name like 'lotgate%'", (kind,)
            ).fetchall():
                connection.execute(f"drop {kind} {name}")
    before = legacy_picture(case.database)
    paths = ["--database", case.database, "--work-dir", case.work_dir, "--controls", case.controls]
    done = subprocess.run(
        [*LOTGATE, "prework", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        cwd=case.folder,
    )
    return Prework(case, before, Outcome(done.returncode, done.stdout, done.stderr))


def test_prework_on_the_demo(prework_run: Prework) -> None:
    done = prework_run.outcome
    assert done.code == 0, done.err
    assert "The gate is open." in done.out
    report = done.out[done.out.index("Rehearsed on a copy") :].splitlines()
    assert report[0] == "Rehearsed on a copy; the live database was only read:"
    assert [line.split()[0] for line in report[1:7]] == [
        "backups",
        "staging",
        "cut-over",
        "checks",
        "rollback",
        "restore",
    ]
    changed = report[7].partition("other answers after the swap: ")[2].partition(";")[0].split(", ")
    assert report[7].startswith(f"{len(QUERIES)} queries of legacy readers ran;")
    assert {"R2", "R3", "R5", "R6", "R7", "R12", "R21"} <= set(changed)
    assert not {"R13", "R14", "R17"} & set(changed)
    assert "4 later writes came back with a rollback, and nothing else changed." in report[8]


def test_prework_changes_nothing_but_for_the_counter(prework_run: Prework) -> None:
    case = prework_run.case
    assert legacy_picture(case.database) == prework_run.before
    own = [
        name
        for (name,) in query(
            case.database, "select name from sqlite_schema where type = 'table' and name like 'lotgate%'"
        )
    ]
    assert sorted(own) == ["lotgate_change_counter", "lotgate_changed_orders", "lotgate_state"]
    assert query(case.database, "select key from lotgate_state") == [("database_id",)]
    assert not list(WorkDir(case.work_dir).rehearsal.glob("*"))
    assert not any(folder.exists() for folder in case.backup_folders)
    assert_sound(case)


def test_after_prework_the_swap_goes_through(prework_run: Prework, lotgate: Cli, tmp_path: Path) -> None:
    """The rehearsal writes to its copy only, so the verdict still fits."""
    case = prework_run.case
    again = copy_case(case.work_dir, tmp_path / "case", live=case.database)
    done = again.run(lotgate, "swap", "--yes")
    assert done.code == 0, done.err


# The rehearsal with something broken.


@pytest.fixture
def case(demo_build: Path, tmp_path: Path) -> SwapCase:
    return copy_case(demo_build, tmp_path / "case")


def rehearsed(case: SwapCase, settings: SwapSettings | None = None) -> Rehearsal:
    with open_work_dir(case.work_dir, case.database) as work:
        return rehearse(
            case.database,
            work,
            read_audited(work, case.controls),
            settings or swap_settings(case.folder),
            lock_timeout=5,
            reporter=SilentReporter(),
        )


def assert_left_nothing(case: SwapCase) -> None:
    assert not list(WorkDir(case.work_dir).rehearsal.glob("*"))


def test_a_rehearsal_measures_everything(case: SwapCase) -> None:
    with unharmed(case):
        found = rehearsed(case)
    times = found.as_json()
    for name in ("backup_seconds", "staging_seconds", "check_seconds", "restore_seconds"):
        assert 0 < times[name] < 60, name
    for name in ("longest_chunk_ms", "lock_ms", "rollback_lock_ms"):
        assert 0 < times[name] < 60_000, name
    assert (found.queries, found.later_writes) == (len(QUERIES), 4)
    assert_left_nothing(case)


def losing_a_row(connection: sqlite3.Connection) -> CarriedOver:
    done = carry_over(connection)
    connection.execute(
        "delete from legacy_shipped_items where id = (select max(id) from legacy_shipped_items)"
    )
    return done


def inventing_units(connection: sqlite3.Connection) -> CarriedOver:
    done = carry_over(connection)
    if done.inserted:  # only where there is later work
        connection.execute(
            "update legacy_shipped_items set quantity_shipped = quantity_shipped + 1"
            " where id = (select min(id) + 10 from legacy_shipped_items)"
        )
    return done


def carrying_nothing(connection: sqlite3.Connection) -> CarriedOver:
    return CarriedOver()


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (losing_a_row, "the legacy tables after a rollback are not as before"),
        (inventing_units, "1 other rows differ"),
        (carrying_nothing, "a row that was added did not come back"),
    ],
)
def test_a_rollback_that_does_not_carry_over(
    case: SwapCase,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[sqlite3.Connection], CarriedOver],
    problem: str,
) -> None:
    monkeypatch.setattr("lotgate.live.rollback.carry_over", broken)
    with unharmed(case), pytest.raises(GateClosed, match=problem):
        rehearsed(case)
    assert_left_nothing(case)


def test_a_restore_that_differs(case: SwapCase, monkeypatch: pytest.MonkeyPatch) -> None:
    def differing(copy: Path, *arguments: Any, **more: Any) -> Any:
        found = restore_backup(copy, *arguments, **more)
        write(copy, "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = 4101")
        return found

    monkeypatch.setattr("lotgate.live.prework.restore_backup", differing)
    with unharmed(case), pytest.raises(GateClosed, match="after a restore are not as before"):
        rehearsed(case)
    assert_left_nothing(case)


def test_a_readers_query_that_fails_after_the_swap(case: SwapCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "lotgate.live.legacy_queries.QUERIES",
        {
            **QUERIES,
            "R99": "select lot_id from shipped_items",
            "R98": "select shipped_orders.customer_email from shipped_orders",
        },
    )
    rehearsed(case)  # R99 failed before, too
    real = lotgate.live.prework.answers
    calls = []

    def failing_once(connection: sqlite3.Connection, given: Any) -> Any:
        calls.append(1)
        found = real(connection, given)
        return found | {"R98": [("no such column: customer_email",)]} if len(calls) == 2 else found

    monkeypatch.setattr("lotgate.live.prework.answers", failing_once)
    with unharmed(case), pytest.raises(GateClosed, match="queries fail: R98"):
        rehearsed(case)


def test_a_source_that_changed_is_not_rehearsed(case: SwapCase) -> None:
    write(case.database, "update shipped_items set quantity_shipped = 40 where id = 4101")
    with unharmed(case), pytest.raises(SourceChanged):
        rehearsed(case)


def test_the_command_says_so_with_exit_code_1(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Build and audit are those of the session; the rehearsal is the real one."""
    monkeypatch.setattr("lotgate.build.build_candidate", lambda *a, **k: None)
    monkeypatch.setattr("lotgate.audit.audit_candidate", lambda work, **k: read_audited(work, None).verdict)
    monkeypatch.setattr("lotgate.live.rollback.carry_over", losing_a_row)
    with unharmed(case):
        done = case.run(lotgate, "prework", "--controls", case.controls)
    assert done.code == 1
    assert (
        "The rehearsal on a copy does not hold: the legacy tables after a rollback are not as before"
        in done.err
    )
    assert "Do not swap before this is understood." in done.err
    assert_left_nothing(case)


# Migrate. Build and audit are those of the session, unless a test is about the real ones.


def test_migrate_does_it_all(demo_build: Path, tmp_path: Path) -> None:
    case = own_evidence(copy_case(demo_build, tmp_path / "case"))
    flags = query(case.database, FLAGS)
    paths = ["--database", case.database, "--work-dir", case.work_dir, "--controls", case.controls]
    done = subprocess.run(
        [*LOTGATE, "migrate", "--yes", "--json", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        cwd=case.folder,
    )
    assert done.returncode == 0, done.stderr
    found = Outcome(0, done.stdout, done.stderr).json
    assert found["rounds"] == 1
    assert found["swap"]["rows"]["shipped_items"] == 467
    assert query(
        case.database, "select sum(quantity_shipped) from shipped_items where ship_date = '2025-10-06'"
    ) == [(331,)]
    assert query(case.database, FLAGS) == flags
    assert_sound(case)


@dataclass
class Migration:
    """A migration whose build and audit put the verdict's counter right, as they do, and nothing else."""

    case: SwapCase
    monkeypatch: pytest.MonkeyPatch
    flags: list[list[tuple[Any, ...]]]

    def run(self, during_audit: Callable[[int], None], *, rounds: int = 3) -> tuple[int, LotgateError | None]:
        """The rounds that it took; 0 and the error where it did not go through."""
        case, count = self.case, 0

        def build(database: Path, *arguments: Any, **more: Any) -> None:
            rebind_counter(case)

        def audit(work: WorkDir, **more: Any) -> Any:
            nonlocal count
            count += 1
            self.flags.append(query(case.database, FLAGS))
            verdict = read_audited(work, None).verdict
            during_audit(count)
            return verdict

        self.monkeypatch.setattr("lotgate.live.migrate.build_candidate", build)
        self.monkeypatch.setattr("lotgate.live.migrate.audit_candidate", audit)
        self.monkeypatch.setenv("LOTGATE_CATCH_UP_ROUNDS", str(rounds))
        settings = load_settings(
            database=str(case.database), work_dir=str(case.work_dir), controls=str(case.controls)
        )
        with open_work_dir(case.work_dir, case.database) as work:
            try:
                _, result, needed = migrate(
                    case.database,
                    work,
                    settings,
                    lock_timeout=5,
                    reporter=SilentReporter(),
                    approve=lambda verdict: None,
                )
            except LotgateError as error:
                return 0, error
        assert result.rows["shipped_items"] == 467
        return needed, None


def rebind_counter(case: SwapCase) -> None:
    from swap_cases import rebind

    rebind(case)


@pytest.fixture
def migration(case: SwapCase, monkeypatch: pytest.MonkeyPatch) -> Migration:
    monkeypatch.chdir(case.folder)
    return Migration(case, monkeypatch, [])


# A change that a build takes in without the candidate being another one.
TOUCH = "update inventory_current set last_updated = last_updated || ' ' where sku = '17612'"
UNTOUCH = "update inventory_current set last_updated = trim(last_updated) where sku = '17612'"


def touched(case: SwapCase) -> None:
    write(case.database, TOUCH, UNTOUCH)  # counted twice, and the rows are as they were


def test_a_writer_during_the_first_round_costs_a_second(migration: Migration) -> None:
    before = query(migration.case.database, FLAGS)
    rounds, error = migration.run(lambda number: touched(migration.case) if number == 1 else None)
    assert error is None
    assert rounds == 2
    assert migration.flags == [before, before]  # nothing is paused before the last round
    assert query(migration.case.database, FLAGS) == before
    assert_sound(migration.case)


def test_the_last_round_runs_with_ingestion_paused(migration: Migration) -> None:
    """A writer that honours the switch is quiet then, and the migration goes through."""
    case = migration.case
    write(case.database, "update workflow_controls set enabled = 0 where workflow_name = 'xml-import'")
    before = query(case.database, FLAGS)

    def obedient(number: int) -> None:
        if dict(query(case.database, FLAGS))["unified-shipstation-sync"]:
            touched(case)

    rounds, error = migration.run(obedient)
    assert error is None
    assert rounds == 3
    assert migration.flags[:2] == [before, before]
    assert {name: dict(migration.flags[2])[name] for name in PAUSED} == dict.fromkeys(PAUSED, 0)
    others = [flag for flag in before if flag[0] not in PAUSED]
    assert others
    assert [flag for flag in migration.flags[2] if flag[0] not in PAUSED] == others
    assert query(case.database, FLAGS) == before
    assert_sound(case)


def test_a_writer_who_never_stops(migration: Migration) -> None:
    case = migration.case
    before = query(case.database, FLAGS)
    rows = legacy_picture(case.database)
    rounds, error = migration.run(lambda number: touched(case))
    assert rounds == 0
    assert isinstance(error, SourceChanged)
    assert error.exit_code == 1
    assert len(migration.flags) == 3
    assert dict(migration.flags[2])["unified-shipstation-sync"] == 0
    assert query(case.database, FLAGS) == before
    assert legacy_picture(case.database) == rows
    assert_sound(case)
    status = find_status(
        case.database,
        WorkDir(case.work_dir),
        swap_settings(case.folder),
        lock_timeout=5,
        reporter=SilentReporter(),
    )
    assert (status.phase, status.recovered) == ("legacy", ())


def test_one_round_pauses_only_for_the_cut_over(migration: Migration) -> None:
    before = query(migration.case.database, FLAGS)
    assert migration.run(lambda number: None, rounds=1) == (1, None)
    assert migration.flags == [before]


def test_an_error_in_the_paused_round_switches_ingestion_on_again(migration: Migration) -> None:
    case = migration.case
    before = query(case.database, FLAGS)

    def failing(number: int) -> None:
        touched(case)
        if number == 2:
            raise GateClosed("The suites do not hold.")

    rounds, error = migration.run(failing, rounds=2)
    assert rounds == 0
    assert error is not None
    assert "suites" in error.message
    assert dict(migration.flags[1])["unified-shipstation-sync"] == 0
    assert query(case.database, FLAGS) == before
    assert_sound(case)


def test_a_person_who_says_no(case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotgate.live.migrate.build_candidate", lambda *a, **k: None)
    monkeypatch.setattr(
        "lotgate.live.migrate.audit_candidate", lambda work, **k: read_audited(work, None).verdict
    )

    def no(question: str, *, yes: bool) -> None:
        assert "review" in question
        raise GateClosed("Nothing was changed.")

    monkeypatch.setattr("lotgate.commands.migrate.confirm", no)
    with unharmed(case):
        done = case.run(lotgate, "migrate", "--controls", case.controls)
    assert done.code == 1
    assert "Nothing was changed." in done.err


def test_a_closed_gate_is_not_swapped(case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    def closed(work: WorkDir, **more: Any) -> Any:
        return replace(read_audited(work, None).verdict, checks=())

    monkeypatch.setattr("lotgate.live.migrate.build_candidate", lambda *a, **k: None)
    monkeypatch.setattr("lotgate.live.migrate.audit_candidate", closed)
    with unharmed(case):
        done = case.run(lotgate, "migrate", "--yes", "--controls", case.controls)
    assert done.code == 1
    assert "cannot be swapped" in done.err
