"""A plan as text for a person, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lotgate.config import SwapSettings
from lotgate.live.names import ARCHIVED, archive_name
from lotgate.live.plan import SwapPlan
from lotgate.live.rehearsal import Forecast
from lotgate.machine import format_size
from lotgate.verdict import Verdict

__all__ = ["plan_as_json", "plan_as_text"]

RULE = (
    "Rolling back would put these names back: "
    + ", ".join(f"{archive_name(table)} -> {table}" for table in ARCHIVED)
    + ". Rows that were added, changed or deleted after the swap are carried over to the legacy tables;"
    " what those cannot express is kept in lotgate_not_carried_over."
)


def plan_as_json(
    plan: SwapPlan, forecast: Forecast | None, verdict: Verdict, settings: SwapSettings, needed: int
) -> dict[str, Any]:
    """Everything that the text says, for programs."""
    return {
        "verdict": {"audited_at": verdict.audited_at, "source": verdict.source},
        "obstacles": list(plan.obstacles),
        "backup_folders": [str(folder) for folder in settings.backup_folders],
        "bytes_needed": needed,
        "pause": {
            "workflows": list(plan.pause_workflows),
            "unknown_workflows": list(plan.unknown_workflows),
            "pause_command": plan.pause_command,
            "resume_command": plan.resume_command,
        },
        "staging": [
            {
                "table": table.table,
                "rows": table.copy.rows,
                "create": list(table.create),
                "insert": table.copy.insert,
                "indexes": table.indexes,
            }
            for table in plan.tables
        ],
        "cut_over": list(plan.cut_over),
        "recreated": list(plan.recreated),
        "added_columns": list(plan.added_columns),
        "lost_indexes": list(plan.lost_indexes),
        "lock_budget_ms": settings.lock_budget_ms,
        "lock_attempts": settings.lock_attempts,
        "forecast": None if forecast is None else asdict(forecast),
        "rollback": RULE,
    }


def plan_as_text(
    plan: SwapPlan, forecast: Forecast | None, verdict: Verdict, settings: SwapSettings, needed: int
) -> str:
    """The plan, step by step, with every statement."""
    lines = [f"Plan for the candidate of {verdict.source}, as audited at {verdict.audited_at}", ""]
    if plan.obstacles:
        lines += ["It cannot be carried out:", *(f"  - {obstacle}" for obstacle in plan.obstacles), ""]
    lines += ["1. Two verified backups", *(f"     {folder}" for folder in settings.backup_folders), ""]
    lines += [f"2. Stage beside the writers (up to {format_size(needed)}; chunks of {settings.chunk_ms} ms)"]
    for table in plan.tables:
        lines += ["", f"   {table.table}: {table.copy.rows} rows"]
        lines += [f"     {_indented(statement)};" for statement in (*table.create, table.copy.insert)]
    lines += ["", "3. Pause ingestion"]
    if plan.pause_workflows:
        lines.append(f"     workflow_controls.enabled = 0 for {', '.join(plan.pause_workflows)}")
    if plan.unknown_workflows:
        lines.append(f"     (not in workflow_controls: {', '.join(plan.unknown_workflows)})")
    if plan.pause_command:
        lines.append(f"     $ {plan.pause_command}")
    lines += [
        "",
        f"4. Cut over: one transaction, at most {settings.lock_budget_ms} ms,"
        f" up to {settings.lock_attempts} attempts; nothing where data or schema changed since the audit",
        "     begin immediate;",
        *(f"     {_indented(statement)};" for statement in plan.cut_over),
        "     insert into lotgate_history ...;",
        "     commit;",
        "",
        "5. Check foreign keys, rows, units, constraints; where one does not hold, roll back at once",
        "",
        "6. Resume ingestion exactly as it was",
    ]
    if plan.resume_command:
        lines.append(f"     $ {plan.resume_command}")
    lines += ["", RULE]
    if plan.added_columns:
        lines.append(f"Columns of your own in shipped_items are kept: {', '.join(plan.added_columns)}.")
    if plan.lost_indexes:
        lines.append(
            f"Indexes of shipped_items that the new table does not have: {', '.join(plan.lost_indexes)}."
            " Make those that you need anew afterwards."
        )
    if plan.recreated:
        lines.append(f"Views and triggers of your own are made anew: {', '.join(plan.recreated)}.")
    if forecast is not None:
        lines += [
            "",
            f"Tried on a copy: staging {forecast.staging_seconds:.1f} s, its longest transaction"
            f" {forecast.longest_chunk_ms:.1f} ms; the cut-over held the lock {forecast.lock_ms:.1f} ms;"
            f" checks {forecast.check_seconds:.1f} s;"
            f" rolling back held it {forecast.rollback_lock_ms:.1f} ms.",
        ]
    return "\n".join(lines)


def _indented(statement: str) -> str:
    return "\n     ".join(line.rstrip() for line in statement.strip().splitlines() if line.strip())
