"""Locks, readers, a rollback journal and another lotgate, beside a swap."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from conftest import LOTGATE, Outcome, run_lotgate
from lotgate.errors import EnvironmentFailed
from lotgate.live.cutover import switch
from swap_cases import SwapCase, assert_sound, copy_case, picture, query, unharmed, write
from swap_fault_cases import (
    Cli,
    Hold,
    before_calling,
    is_swapped,
    refused,
    succeeds,
)


def test_a_locked_database(case: SwapCase, lotgate: Cli, hold: Hold) -> None:
    with unharmed(case):
        holder = hold(case.database, "begin immediate")
        outcome = case.run(lotgate, "swap", "--lock-timeout", "0.3")
        holder.kill()
        holder.wait()
        refused(outcome, 3, "locked by another process", "0.3 s", "--lock-timeout")
    succeeds(case.run(lotgate, "swap"))


def test_a_lock_during_the_cut_over_is_waited_for(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(case.database, isolation_level=None, check_same_thread=False)
    timers = []

    def lock() -> None:
        other.execute("begin immediate")
        timers.append(threading.Timer(0.9, other.execute, ["commit"]))
        timers[0].start()

    before_calling(monkeypatch, "switch", lock)
    result = succeeds(case.run(lotgate, "swap", "--lock-timeout", "0.1", "--json")).json
    timers[0].join()
    other.close()
    assert 2 <= result["attempts"] <= 5
    assert is_swapped(case)
    assert_sound(case)


def test_a_lock_that_outlives_every_attempt(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTGATE_LOCK_ATTEMPTS", "2")
    with unharmed(case), closing(sqlite3.connect(case.database, isolation_level=None)) as other:
        before_calling(monkeypatch, "switch", lambda: other.execute("begin immediate"))
        outcome = case.run(lotgate, "swap", "--lock-timeout", "0.1")
        other.execute("rollback")
        refused(outcome, 3, "2 attempts")
        # undoing was not possible either, so the staged tables are there until the next command
        home = succeeds(case.run(lotgate, "status", "--json")).json
        assert home["recovered"] == ["A swap was interrupted before it changed a table; it was undone."]


def test_a_cut_over_that_takes_too_long_gives_up(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTGATE_LOCK_ATTEMPTS", "3")
    with unharmed(case):
        outcome = case.run(lotgate, "swap", "--lock-budget-ms", "1")
        refused(outcome, 3, "within 1 ms in 3 attempts", "--lock-budget-ms")
    succeeds(case.run(lotgate, "swap"))


SLOW_QUERY = (
    "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000000)"
    " select max(i) from n"
)


@pytest.mark.parametrize("what", ["one long statement", "time outside of SQLite"])
def test_the_budget_ends_what_takes_too_long(case: SwapCase, what: str) -> None:
    """In the middle of a statement, and at the latest before the commit."""

    def body() -> None:
        connection.execute("delete from polling_state")
        connection.execute("update sync_watermark set updated_at = 'now'")
        if what == "one long statement":
            connection.execute(SLOW_QUERY).fetchall()
        else:
            time.sleep(0.06)

    with unharmed(case), closing(sqlite3.connect(case.database, isolation_level=None)) as connection:
        start = time.monotonic()
        with pytest.raises(EnvironmentFailed, match="within 50 ms in 1 attempts"):
            switch(connection, body, database=case.database, budget_ms=50, attempts=1)
        assert time.monotonic() - start < 3  # the statement alone takes longer
        assert not connection.in_transaction
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_a_reader_keeps_its_snapshot(case: SwapCase, lotgate: Cli) -> None:
    old = query(case.database, "select * from shipped_items order by id")
    with closing(sqlite3.connect(case.database, isolation_level=None)) as reader:
        reader.execute("begin")
        assert reader.execute("select * from shipped_items order by id").fetchall() == old
        succeeds(case.run(lotgate, "swap"))
        assert reader.execute("select * from shipped_items order by id").fetchall() == old
        assert reader.execute("select * from sqlite_schema where name = 'skus'").fetchall() == []
        reader.execute("commit")
        new = reader.execute("select * from shipped_items order by id").fetchall()
        assert new != old
        reader.execute("begin")
        assert reader.execute("select * from shipped_items order by id").fetchall() == new
        succeeds(case.run(lotgate, "rollback"))
        assert reader.execute("select * from shipped_items order by id").fetchall() == new
        reader.execute("commit")
        assert reader.execute("select * from shipped_items order by id").fetchall() == old
    assert_sound(case)


@pytest.mark.parametrize("command", ["plan", "swap"])
def test_rollback_journal_mode(case: SwapCase, lotgate: Cli, command: str) -> None:
    write(case.database, "pragma journal_mode = delete")
    with unharmed(case):
        outcome = case.run(lotgate, command)
        assert outcome.code == 1, outcome
        for words in ("the journal mode is delete", "pragma journal_mode = wal"):
            assert words in outcome.out + outcome.err
    assert query(case.database, "pragma journal_mode") == [("delete",)]
    assert case.backups == []


def test_two_lotgates_at_once(case: SwapCase, lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    """The first waits in its pause command, with everything staged."""
    paused, go = tmp_path / "paused", tmp_path / "go"
    settings = {
        "LOTGATE_PAUSE_COMMAND": f"touch '{paused}'; while [ ! -e '{go}' ]; do sleep 0.02; done",
        "LOTGATE_RESUME_COMMAND": "true",
    }
    other = replace_work_dir(case, demo_build, tmp_path / "other")
    arguments = [*LOTGATE, *map(str, case.arguments("swap", "--json"))]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, env=os.environ | settings, cwd=tmp_path
    ) as first:
        try:
            wait_for(paused)
            during = picture(case.database)
            refused(case.run(lotgate, "swap"), 3, "work directory", "another run is in progress")
            refused(other("swap"), 3, "Another lotgate is at work", str(case.database))
            refused(other("rollback"), 3, "Another lotgate is at work")
            # the database is not migrated, which comes first
            assert other("contract", "--force", "--confirm-name", "ora.db").code in (1, 3)
            refused(other("plan"), 1, "is under way since", "lotgate status")
            found = succeeds(other("status", "--json")).json
            assert (found["phase"], found["recovered"]) == ("in progress", [])
            assert found["under_way"].startswith("swap since ")
            assert "Another lotgate is at work" in found["next_steps"][0]
            assert picture(case.database) == during
        finally:
            go.touch()
        out, _ = first.communicate(timeout=30)
    assert first.returncode == 0
    assert json.loads(out)["rows"]["shipped_items"] == 467
    assert is_swapped(case)
    assert_sound(case)


def replace_work_dir(case: SwapCase, build: Path, folder: Path) -> Cli:
    """The commands on the same database, with a work directory of their own."""
    work = copy_case(build, folder)

    def run(command: str, *more: str) -> Outcome:
        arguments = work.arguments(command, *more)
        arguments[arguments.index(work.database)] = case.database
        return run_lotgate(*arguments)

    return run


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.02)
