"""The plan: it changes nothing, and a swap executes it and nothing else."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest

from swap_cases import SwapCase, unharmed
from swap_fault_cases import (
    Cli,
    succeeds,
)


def test_the_plan_changes_nothing(case: SwapCase, lotgate: Cli) -> None:
    files = {path: path.stat().st_mtime_ns for path in case.work_dir.iterdir()}
    with unharmed(case):
        outcome = succeeds(case.run(lotgate, "plan", "--json"))
        text = succeeds(case.run(lotgate, "plan")).out
    now = {path: path.stat().st_mtime_ns for path in case.work_dir.iterdir()}
    assert {path.name for path in now.keys() - files.keys()} <= {".lotgate.lock", "rehearsal"}
    assert {path: now[path] for path in files} == files
    assert not (case.work_dir / "rehearsal").exists() or list((case.work_dir / "rehearsal").iterdir()) == []
    assert case.backups == []
    plan = outcome.json
    assert plan["obstacles"] == []
    rows = {step["table"]: step["rows"] for step in plan["staging"]}
    assert (rows["skus"], rows["lots"], rows["shipped_items"], rows["lotgate_row_ledger"]) == (
        5,
        10,
        467,
        477,
    )
    assert plan["pause"]["workflows"] == ["unified-shipstation-sync", "shipstation-upload", "xml-import"]
    assert plan["backup_folders"] == [str(folder) for folder in case.backup_folders]
    assert plan["recreated"] == ["view dashboard_daily_units"]
    assert plan["added_columns"] == ["packed_by_station"]
    assert plan["lock_budget_ms"] == 250
    assert plan["bytes_needed"] > 0
    assert plan["forecast"]["lock_ms"] > 0
    assert "carried over" in plan["rollback"]
    for statement in plan["cut_over"]:
        for line in statement.strip().splitlines():
            assert line.strip() in text
    for table in rows:
        assert f"{table}: {rows[table]} rows" in text


def test_the_swap_executes_the_plan_and_nothing_else(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = succeeds(case.run(lotgate, "plan", "--json")).json
    seen: list[str] = []
    real = sqlite3.connect

    def connect(database: Any, *arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = real(database, *arguments, **more)
        if "live/ora.db" in str(database):
            # what a trigger does is told as a comment
            connection.set_trace_callback(lambda sql: None if sql.startswith("--") else seen.append(sql))
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)
    succeeds(case.run(lotgate, "swap"))
    monkeypatch.undo()
    (first,) = (at for at, sql in enumerate(seen) if sql == plan["cut_over"][0])
    begin = max(at for at in range(first) if seen[at] == "begin immediate")
    commit = min(at for at in range(first, len(seen)) if seen[at] == "commit")
    transaction = [sql for sql in seen[begin + 1 : commit] if not is_read(sql)]
    planned = len(plan["cut_over"])
    assert transaction[:planned] == plan["cut_over"]
    rest = [re.split(r"[(]| set ", sql)[0].strip() for sql in transaction[planned:]]
    assert rest == [
        "create table if not exists lotgate_history",
        "insert into lotgate_history",
        "insert into lotgate_state",
    ]
    outside = [sql for sql in seen[:begin] + seen[commit:] if not is_read(sql)]
    creates = [statement for step in plan["staging"] for statement in step["create"]]
    copies = [
        re.escape(step["insert"]).replace(":after", r"-?\d+").replace(":upto", r"\d+")
        for step in plan["staging"]
    ]
    books = (
        r"(insert into|update|delete from|create table if not exists)"
        r" (lotgate_state|lotgate_history|workflow_controls)\b.*"
    )
    allowed = [*map(re.escape, creates), *copies, books]
    strange = [sql for sql in outside if not any(re.fullmatch(each, sql, re.DOTALL) for each in allowed)]
    assert strange == []
    assert [sql for sql in outside if sql in creates] == creates


def is_read(sql: str) -> bool:
    words = ("select", "pragma", "begin", "commit", "rollback", "attach", "detach", "explain")
    return sql.lstrip().lower().startswith(words)


def test_the_plan_waits_for_nobody_and_forecasts_the_wait(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy is nobody else's, so that its rehearsal leaves no time to others; the swap does."""
    waited: list[float] = []
    monkeypatch.setattr("lotgate.live.connection.time.sleep", waited.append)
    plan = succeeds(case.run(lotgate, "plan", "--json")).json
    assert waited == []
    monkeypatch.setattr("lotgate.live.write_ahead_log.SHARE_FOR_OTHERS", 300.0)
    patient = succeeds(case.run(lotgate, "plan", "--json")).json
    assert waited == []
    assert patient["forecast"]["staging_seconds"] > 10 * plan["forecast"]["staging_seconds"]
    succeeds(case.run(lotgate, "swap", "--yes"))
    assert len(waited) > 10
    assert sum(waited) > patient["forecast"]["staging_seconds"] / 10
