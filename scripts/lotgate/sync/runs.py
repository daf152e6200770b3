"""The books of sync: one row per run, with what it read and wrote, and how it ended."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from lotgate.live.clock import package_version, utc_now
from lotgate.live.state import table_exists
from lotgate.sync.tables import RUNS
from lotgate.sync.writing import Written

__all__ = ["Outcome", "SyncRun", "begin_run", "end_run", "last_runs"]

Outcome = Literal["done", "failed", "stopped"]


@dataclass(frozen=True)
class SyncRun:
    """The last run of a service. Times are UTC; ``outcome`` is running, done, failed, stopped or
    interrupted."""

    run_id: int
    service: str
    started_at: str
    finished_at: str | None
    outcome: str
    problem: str | None
    rows_added: int | None
    units_added: int | None
    units_removed: int | None
    refused: int | None


def begin_run(connection: sqlite3.Connection, service: str) -> int:
    """Notes a run; one that still says ``running`` was killed. In a write transaction, under the lock."""
    connection.execute(
        f"update {RUNS} set outcome = 'interrupted', finished_at = ? where outcome = 'running'", (utc_now(),)
    )
    return int(
        connection.execute(
            f"insert into {RUNS} (service, started_at, outcome, lotgate_version) values (?, ?, 'running', ?)"
            " returning run_id",
            (service, utc_now(), package_version()),
        ).fetchone()[0]
    )


def end_run(
    connection: sqlite3.Connection,
    run_id: int,
    outcome: Outcome,
    written: Written,
    *,
    problem: str | None = None,
    window: tuple[str, str] | None = None,
    watermark: str | None = None,
    requests: int = 0,
    labels: int = 0,
    refused: int = 0,
    detail: dict[str, Any] | None = None,
) -> None:
    """Writes down how the run ended. In a write transaction."""
    figures = written.as_json()
    names = ("orders", "rows_added", "rows_changed", "rows_adopted", "rows_removed", "units_added",
             "units_removed")  # fmt: skip
    connection.execute(
        f"update {RUNS} set finished_at = ?, outcome = ?, problem = ?, window_from = ?, window_to = ?,"
        f" watermark = ?, requests = ?, labels = ?, refused = ?, detail = ?,"
        f" {', '.join(f'{name} = ?' for name in names)} where run_id = ?",
        (
            utc_now(),
            outcome,
            problem,
            *(window or (None, None)),
            watermark,
            requests,
            labels,
            refused,
            json.dumps({k: v for k, v in figures.items() if k not in names} | (detail or {}), sort_keys=True),
            *(figures[name] for name in names),
            run_id,
        ),
    )


def last_runs(connection: sqlite3.Connection) -> tuple[SyncRun, ...]:
    """The last run of each service; empty where sync never ran."""
    if not table_exists(connection, RUNS):
        return ()
    return tuple(
        SyncRun(*row)
        for row in connection.execute(
            "select run_id, service, started_at, finished_at, outcome, problem, rows_added, units_added,"
            f" units_removed, refused from {RUNS} where run_id in (select max(run_id) from {RUNS}"
            " group by service) order by service"
        )
    )
