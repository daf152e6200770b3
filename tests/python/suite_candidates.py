"""Candidates for the suites' tests, built from a legacy database in milliseconds, without dbt."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from compiled_models import CompiledModels
from lotgate.inspection import list_tables

TAKEN_AT = "2026-01-05T12:00:00+00:00"


def build(
    models: CompiledModels, legacy: Path, evidence: Path | None, controls: Path | None, to: Path
) -> Path:
    """A work directory with the snapshot of a live database, the candidate of it, and ``snapshot.json``."""
    to.mkdir(parents=True)
    with models.run(legacy, evidence, controls) as candidate:
        with closing(sqlite3.connect(to / "candidate.sqlite")) as copy:
            candidate.backup(copy, name="main")
        with closing(sqlite3.connect(to / "legacy.sqlite")) as snapshot:
            (path,) = (row[2] for row in candidate.execute("pragma database_list") if row[1] == "legacy")
            with closing(sqlite3.connect(path)) as completed:
                completed.backup(snapshot)
            snapshot.execute("create table lotgate_snapshot (key text primary key, value text) strict")
    with closing(sqlite3.connect(legacy)) as live:
        tables = [{"name": table.name, "rows": table.rows} for table in list_tables(live)]
    (to / "snapshot.json").write_text(json.dumps({"taken_at": TAKEN_AT, "tables": tables}), encoding="utf-8")
    return to


def hold_all_undecided(work: Path, controls: Path) -> int:
    """Adds a line to quarantine_decisions.csv for each undecided row of a candidate; how many."""
    with closing(sqlite3.connect(work / "candidate.sqlite")) as candidate:
        rows = candidate.execute(
            "select legacy_id, order_number, base_sku, sku_lot, cast(quantity_shipped as text)"
            " from audit_quarantine where is_undecided = 1"
        ).fetchall()
    with (controls / "quarantine_decisions.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*row, "hold", None, "looked at", "owner", "2025-11-01"] for row in rows)
    return len(rows)
