"""Ingestion is paused and resumed exactly as it was, whatever fails."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from swap_cases import SwapCase, assert_sound, query, unharmed, write
from swap_fault_cases import (
    WORKFLOWS,
    Cli,
    before_calling,
    refused,
    succeeds,
)


@pytest.mark.parametrize(
    ("command", "words"), [("exit 7", "exit code 7"), ("sleep 30", "did not end within 0.3 s")]
)
def test_a_pause_command_that_fails(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, words: str
) -> None:
    resumed = tmp_path / "resumed"
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", command)
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"echo again >> '{resumed}'")
    monkeypatch.setenv("LOTGATE_COMMAND_TIMEOUT_S", "0.3")
    start = time.monotonic()
    with unharmed(case):
        refused(case.run(lotgate, "swap"), 3, "pause_command", words)
    assert time.monotonic() - start < 5
    assert resumed.read_text() == "again\n"  # it may have paused half of what it should


@pytest.mark.parametrize("command", ["swap", "rollback"])
def test_a_resume_command_that_fails_is_tried_again(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    flags = query(case.database, WORKFLOWS)
    if command == "rollback":
        succeeds(case.run(lotgate, "swap"))
    fixed, log = tmp_path / "fixed", tmp_path / "log"
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "true")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"echo tried >> '{log}'; test -e '{fixed}'")
    refused(case.run(lotgate, command), 3, "resume_command", "exit code 1", "lotgate status")
    tries = len(log.read_text().splitlines())
    assert query(case.database, WORKFLOWS) == flags  # what lotgate itself switched is on again
    refused(case.run(lotgate, "status"), 3, "resume_command")
    assert len(log.read_text().splitlines()) == tries + 1
    fixed.touch()
    home = succeeds(case.run(lotgate, "status", "--json")).json
    assert len(home["recovered"]) == 1
    assert home["phase"] == ("migrated" if command == "swap" else "legacy")
    assert len(log.read_text().splitlines()) == tries + 2
    assert succeeds(case.run(lotgate, "status", "--json")).json["recovered"] == []
    assert_sound(case)


def test_what_the_database_says_never_runs_in_a_shell(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who may write SQL to the database must not decide what the operator runs."""
    succeeds(case.run(lotgate, "swap"))
    planted = {
        "id": "0", "kind": "swap", "phase": "paused", "started_at": "2025-10-10T00:00:00+00:00",
        "enabled_before": {}, "resume_command": f"touch '{tmp_path / 'ran'}'", "detail": {},
    }  # fmt: skip
    put = "insert into lotgate_state (key, value) values ('operation', '{}')"
    write(case.database, put.format(json.dumps(planted).replace("'", "''")))
    refused(case.run(lotgate, "status"), 1, "operation", "damaged")
    del planted["resume_command"]
    write(case.database, "delete from lotgate_state where key = 'operation'")
    write(case.database, put.format(json.dumps(planted | {"must_resume": True})))
    refused(case.run(lotgate, "status"), 3, "resume_command is not configured any more")
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "true")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"touch '{tmp_path / 'own'}'")
    succeeds(case.run(lotgate, "status"))
    assert [path.name for path in tmp_path.iterdir() if path.name in ("ran", "own")] == ["own"]


def test_restore_whose_pause_fails_leaves_ingestion_on(
    swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flags = query(swapped.database, WORKFLOWS)
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "exit 3")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"touch '{tmp_path / 'resumed'}'")
    outcome = swapped.run(lotgate, "rollback", "--restore-backup", swapped.backups[0])
    refused(outcome, 3, "pause_command failed with exit code 3")
    assert query(swapped.database, WORKFLOWS) == flags
    assert (tmp_path / "resumed").exists()
    assert succeeds(swapped.run(lotgate, "status", "--json")).json["recovered"] == []


def test_a_resume_command_that_starts_a_service_is_done(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service keeps the command's output open, which nobody waits for."""
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "true")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", "sleep 20 &")
    monkeypatch.setenv("LOTGATE_COMMAND_TIMEOUT_S", "5")
    succeeds(case.run(lotgate, "swap"))


def test_an_operator_changes_a_switch_meanwhile(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was switched on by hand stays on, what was off stays off, and a row that is gone stays gone."""

    def operate() -> None:
        write(
            case.database,
            "update workflow_controls set enabled = 1, updated_by = 'operator'"
            " where workflow_name = 'shipstation-upload'",
            "delete from workflow_controls where workflow_name = 'unified-shipstation-sync'",
            "update workflow_controls set enabled = 0 where workflow_name = 'weekly-reporter'",
        )

    before_calling(monkeypatch, "switch_tables", operate)
    result = succeeds(case.run(lotgate, "swap", "--json")).json
    assert result["paused"] == ["shipstation-upload", "unified-shipstation-sync"]
    assert query(case.database, WORKFLOWS) == [
        ("orders-cleanup", 1),
        ("shipstation-upload", 1),
        ("weekly-reporter", 0),
        ("xml-import", 0),
    ]


def test_what_is_paused_is_off_during_the_cut_over_only(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    for step in ("stage", "pause_ingestion", "switch_tables", "check_switched"):
        before_calling(
            monkeypatch, step, lambda step=step: seen.update({step: dict(query(case.database, WORKFLOWS))})
        )
    flags = dict(query(case.database, WORKFLOWS))
    succeeds(case.run(lotgate, "swap"))
    off = flags | {"shipstation-upload": 0, "unified-shipstation-sync": 0}
    assert seen == {"stage": flags, "pause_ingestion": flags, "switch_tables": off, "check_switched": off}
    assert dict(query(case.database, WORKFLOWS)) == flags
