"""Verdict, candidate, controls or backups are not what was audited."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lotgate.live.swap as swap_module
from lotgate.live.after_checks import Finding
from lotgate.table_hashes import schema_sha256
from lotgate.verdict import count_checks, read_verdict, write_verdict
from swap_cases import SwapCase, assert_sound, copy_case, picture, query, unharmed, write
from swap_fault_cases import (
    WORKFLOWS,
    Cli,
    before_calling,
    damage,
    is_swapped,
    refused,
    succeeds,
)


def edit_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def tamper(case: SwapCase, what: str) -> None:
    """One thing that is not as it was audited."""
    if what == "a value of the candidate":
        write(
            case.work_dir / "candidate.sqlite",
            "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)",
        )
    elif what == "the candidate's ledger":
        write(
            case.work_dir / "candidate.sqlite",
            "update audit_row_ledger set reason = 'x'"
            " where legacy_id = (select min(legacy_id) from audit_row_ledger)",
        )
    elif what == "the candidate's index":
        write(case.work_dir / "candidate.sqlite", "drop index uniq_shipped_items_key")
    elif what == "the candidate's constraints, and its description":
        weaken(case)
    elif what == "a damaged candidate":
        damage(case.work_dir / "candidate.sqlite", "shipped_items")
    elif what == "the snapshot":
        (case.work_dir / "legacy.sqlite").chmod(0o600)
        write(
            case.work_dir / "legacy.sqlite",
            "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)",
        )
    elif what == "the controls":
        with (case.controls / "expected_units.csv").open("a") as file:
            file.write("2025-10-07,1,nobody\n")
    elif what == "build.json":
        case.work_dir.joinpath("build.json").write_text("{}")
    elif what == "a damaged verdict":
        case.verdict.write_text(case.verdict.read_text()[:500])
    elif what == "a verdict of another version":
        edit_json(case.verdict, format=1)
    elif what == "a verdict painted open":
        checks = json.loads(case.verdict.read_text())["checks"]
        edit_json(
            case.verdict, checks=[checks[0] | {"result": "failed", "severity": "critical"}, *checks[1:]]
        )
    elif what == "a closed verdict":
        close(case)
    elif what == "a verdict without a counter":
        write_verdict(replace(read_verdict(case.verdict), change_counter=None), case.verdict)
    elif what == "a verdict of another database":
        write_verdict(replace(read_verdict(case.verdict), database_id="0" * 32), case.verdict)
    elif what == "another database of that name":
        write(case.database, "update lotgate_state set value = hex(randomblob(16)) where key = 'database_id'")
    elif what == "a verdict of another moment":
        verdict = read_verdict(case.verdict)
        assert verdict.change_counter is not None
        counter = replace(verdict.change_counter, stamp=verdict.change_counter.stamp ^ 1)
        write_verdict(replace(verdict, change_counter=counter), case.verdict)
    elif what == "no verdict":
        case.verdict.unlink()
    elif what == "no candidate":
        (case.work_dir / "candidate.sqlite").unlink()
    else:
        raise AssertionError(what)


def weaken(case: SwapCase) -> None:
    """The candidate of another build: the same rows with weaker constraints, and what describes it."""
    candidate = case.work_dir / "candidate.sqlite"
    with closing(sqlite3.connect(candidate)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_schema set sql = replace(sql, 'check (quantity_shipped > 0)', '')"
            " where name = 'shipped_items'"
        )
        connection.commit()
    edit_json(case.work_dir / "build.json", schema_sha256=schema_sha256(candidate))


def close(case: SwapCase) -> None:
    verdict = read_verdict(case.verdict)
    first = replace(verdict.checks[0], result="failed", severity="critical")
    checks = (first, *verdict.checks[1:])
    write_verdict(replace(verdict, checks=checks, counts=count_checks(checks)), case.verdict)


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("a value of the candidate", 1, "Not as audited: the candidate's table shipped_items"),
        ("the candidate's ledger", 1, "the candidate's table audit_row_ledger"),
        ("the candidate's index", 1, "the candidate's tables and constraints"),
        ("the candidate's constraints, and its description", 1, "the candidate's tables and constraints"),
        ("a damaged candidate", 1, "candidate"),
        ("the snapshot", 1, "Not as audited: the snapshot"),
        ("the controls", 1, "Not as audited: the controls"),
        ("build.json", 1, "missing or damaged"),
        ("a damaged verdict", 1, "verdict.json is damaged"),
        ("a verdict of another version", 1, "another version of lotgate"),
        ("a verdict painted open", 1, "contradicts itself"),
        ("a closed verdict", 1, "The gate is closed"),
        ("a verdict without a counter", 1, "no change-counter"),
        ("a verdict of another database", 1, "is another database"),
        ("another database of that name", 1, "is another database"),
        ("a verdict of another moment", 1, "went another way"),
        ("no verdict", 2, "There is no verdict"),
        ("no candidate", 2, "no candidate"),
    ],
)
def test_not_what_was_audited(case: SwapCase, lotgate: Cli, what: str, code: int, words: str) -> None:
    tamper(case, what)
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), code, words)
    assert case.backups == []


def test_the_candidate_changes_while_it_is_staged(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_calling(monkeypatch, "stage", lambda: tamper(case, "a value of the candidate"))
    with unharmed(case):
        refused(case.run(lotgate, "swap"), 1, "What was staged for shipped_items is not what was audited")


def test_a_staged_table_is_changed_before_the_cut_over(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody writes to these tables; if somebody does, the checks afterwards take the swap back."""
    before = picture(case.database, own=False)
    before_calling(
        monkeypatch,
        "switch_tables",
        lambda: write(
            case.database,
            "delete from lotgate_stage_shipped_items"
            " where id = (select max(id) from lotgate_stage_shipped_items)",
        ),
    )
    refused(case.run(lotgate, "swap"), 1, "rows of shipped_items: 466 where 467 were audited", "rolled back")
    assert picture(case.database, own=False) == before
    assert_sound(case)


def test_a_check_after_the_cut_over_that_does_not_hold(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, flags = picture(case.database, own=False), query(case.database, WORKFLOWS)
    monkeypatch.setattr(swap_module, "check_switched", lambda *a, **k: [Finding("units", "1 too many")])
    refused(case.run(lotgate, "swap"), 1, "units: 1 too many", "rolled back", "Build and audit again")
    assert picture(case.database, own=False) == before
    assert query(case.database, WORKFLOWS) == flags
    assert_sound(case)
    assert not is_swapped(case)


@pytest.mark.parametrize("what", ["changed", "no manifest", "of another database"])
def test_a_backup_that_is_not_what_it_says(
    swapped: SwapCase, lotgate: Cli, what: str, demo_build: Path, tmp_path: Path
) -> None:
    backup = swapped.backups[0]
    words = {
        "changed": "was changed",
        "no manifest": "has no manifest",
        "of another database": "another database",
    }
    if what == "changed":
        write(
            backup,
            "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)",
        )
    elif what == "no manifest":
        Path(f"{backup}.json").unlink()
    else:
        other = copy_case(demo_build, tmp_path / "other")
        tamper(other, "another database of that name")
        (identity,) = query(other.database, "select value from lotgate_state where key = 'database_id'")[0]
        write_verdict(replace(read_verdict(other.verdict), database_id=identity), other.verdict)
        succeeds(other.run(lotgate, "swap"))
        backup = other.backups[0]
    before = picture(swapped.database)
    outcome = swapped.run(lotgate, "rollback", "--restore-backup", backup)
    refused(outcome, 1, words[what])
    assert picture(swapped.database) == before


@pytest.mark.parametrize("way", ["table made anew", "unknown unique index", "trigger dropped"])
def test_rows_that_changed_without_a_note_stop_a_rollback(swapped: SwapCase, lotgate: Cli, way: str) -> None:
    """status says so, rollback refuses, and --force rolls back without them."""
    database = swapped.database
    if way == "table made anew":
        (ddl,) = query(database, "select sql from sqlite_schema where name = 'shipped_items'")[0]
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("pragma legacy_alter_table = on")
            connection.execute(ddl.replace('"shipped_items"', "made_anew", 1))
            connection.execute("insert into made_anew select * from shipped_items")
            connection.execute("drop table shipped_items")
            connection.execute("alter table made_anew rename to shipped_items")
            connection.execute(
                "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped)"
                " values ('2025-10-09', '17612', 1, 50)"
            )
    elif way == "unknown unique index":
        (number,) = query(
            database, "select shipstation_order_id from shipped_orders group by 1 having count(*) = 1 limit 1"
        )[0]
        write(
            database,
            "create unique index own on shipped_orders (shipstation_order_id)"
            f" where shipstation_order_id = '{number}'",
            "insert or replace into shipped_orders (ship_date, order_number, shipstation_order_id)"
            f" values ('2025-10-09', 'own', '{number}')",
        )
    else:
        write(database, "drop trigger lotgate_log_shipped_items_delete")
    found = succeeds(swapped.run(lotgate, "status", "--json")).json
    assert found["is_lossless"] is False
    assert "without being noted" in found["not_carried"][0]
    refused(swapped.run(lotgate, "rollback"), 1, "without being noted", "--force")
    assert query(database, "select count(*) from skus") == [(5,)]
    succeeds(swapped.run(lotgate, "rollback", "--force"))
