"""Asking on a terminal, and what is not possible on this database."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from pathlib import Path

from conftest import LOTGATE, Outcome
from swap_cases import SwapCase, assert_sound, picture, query, rebind, unharmed, write
from swap_fault_cases import (
    Cli,
    damage,
    is_swapped,
    refused,
)


def on_a_terminal(arguments: list[str | Path], answer: str) -> Outcome:
    """Runs a command with a terminal for a person who types ``answer``."""
    person, terminal = pty.openpty()
    with subprocess.Popen(
        [*LOTGATE, *map(str, arguments)], stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True
    ) as process:
        os.close(terminal)
        os.write(person, answer.encode() + b"\n")
        out, _ = process.communicate(timeout=60)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(person, 4096):
            shown += part
    os.close(person)
    return Outcome(process.returncode, out, shown.decode())


def test_asking_before_anything_is_changed(case: SwapCase, lotgate: Cli) -> None:
    for command in ("swap", "rollback"):
        before = picture(case.database)
        outcome = on_a_terminal(case.arguments(command), "no")
        assert outcome.code == 1
        assert "[y/N]" in outcome.err
        assert str(case.database) in outcome.err
        assert "Nothing was changed" in outcome.err
        assert picture(case.database) == before
        outcome = on_a_terminal(case.arguments(command), "y")
        assert outcome.code == 0, outcome
        assert is_swapped(case) == (command == "swap")
    rebind(case)
    outcome = on_a_terminal(case.arguments("swap", "--yes"), "")
    assert outcome.code == 0, outcome
    assert "[y/N]" not in outcome.err
    assert_sound(case)


def test_what_is_not_possible_on_a_migrated_database(swapped: SwapCase, lotgate: Cli, tmp_path: Path) -> None:
    with unharmed(swapped):
        for command in ("plan", "swap"):
            refused(swapped.run(lotgate, command), 1, "is migrated already", "lotgate status")
        work = tmp_path / "new work"
        outcome = lotgate(
            "build", "--database", swapped.database, "--work-dir", work, "--controls", swapped.controls
        )
        refused(outcome, 1, "migrated")
        assert not (work / "candidate.sqlite").exists()


def test_what_is_not_possible_on_a_legacy_database(case: SwapCase, lotgate: Cli) -> None:
    with unharmed(case):
        refused(case.run(lotgate, "rollback"), 1, "is not migrated", "nothing to roll back")
        refused(
            case.run(lotgate, "contract", "--force", "--confirm-name", "ora.db"), 1, "nothing to contract"
        )
        refused(
            case.run(lotgate, "rollback", "--restore-backup", case.folder / "none.sqlite"), 2, "no backup"
        )


def test_no_database(case: SwapCase, lotgate: Cli, tmp_path: Path) -> None:
    for command in ("plan", "swap", "rollback", "contract", "status"):
        none = tmp_path / "none.db"
        refused(lotgate(command, "--database", none, "--work-dir", case.work_dir), 2, str(none))
        text = tmp_path / "text.db"
        text.write_text("not a database, though it is long enough to be one" * 30)
        refused(lotgate(command, "--database", text, "--work-dir", case.work_dir), 2, "not a SQLite database")
        assert text.read_text().startswith("not a database")
    assert not (tmp_path / "none.db").exists()


def test_a_corrupt_database(case: SwapCase, lotgate: Cli) -> None:
    """A damaged page is found by the backup's check, before anything is staged."""
    damage(case.database, "weekly_shipped_history")
    refused(case.run(lotgate, "swap"), 1, "corrupt")
    assert not is_swapped(case)
    assert query(case.database, "select count(*) from sqlite_schema where name like 'lotgate_stage%'") == [
        (0,)
    ]
    assert query(case.database, "select count(*) from lotgate_state where key = 'operation'") == [(0,)]
    assert case.backups == []


def test_the_record_of_the_operation_was_changed_by_hand(case: SwapCase, lotgate: Cli) -> None:
    write(case.database, "insert into lotgate_state values ('operation', '{\"id\": 1, \"what\": 2}')")
    before = picture(case.database)
    for command in ("status", "swap", "rollback"):
        refused(case.run(lotgate, command), 1, "damaged", "lotgate_state")
    assert picture(case.database) == before
