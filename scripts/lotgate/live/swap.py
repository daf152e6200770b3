"""The swap: an audited candidate becomes the live tables, in one short transaction.

Source: docs/swap.md, "The swap, step by step". Each step leaves behind what the next command needs to finish
or to undo it (``recovery``).
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed
from lotgate.live.after_checks import Promised, check_switched, hash_triggers, read_promise
from lotgate.live.backups import Backup, on_one_disk, take_backups
from lotgate.live.clock import package_version, utc_now
from lotgate.live.connection import immediate, lock_database, open_for_writing, reading
from lotgate.live.cutover import Switched, switch
from lotgate.live.history import add_event, update_event
from lotgate.live.ingestion import pause_ingestion
from lotgate.live.plan import SwapPlan, attach_candidate, make_plan
from lotgate.live.preflight import (
    Audited,
    SourceChanged,
    check_room,
    check_same_as_snapshot,
    check_source,
    read_audited,
)
from lotgate.live.recovery import bring_home, finish, recover
from lotgate.live.schema import working_objects
from lotgate.live.staging import stage, verify_staged
from lotgate.live.state import Operation, ensure_state, write_operation
from lotgate.workdir import WorkDir

__all__ = ["SwapResult", "swap", "swap_open", "switch_tables"]


@dataclass(frozen=True)
class SwapResult:
    """A swap that was done. Times: ``lock_ms`` the cut-over held the write lock, ``longest_chunk_ms`` the
    longest staging transaction did; ``seconds`` is all of it."""

    operation_id: str
    switched_at: str
    lock_ms: float
    attempts: int
    longest_chunk_ms: float
    staging_seconds: float
    seconds: float
    rows: dict[str, int]
    units: int
    backups: tuple[Backup, ...]
    backups_on_one_disk: bool
    paused: tuple[str, ...]
    unknown_workflows: tuple[str, ...]
    recovered: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        content = asdict(self)
        for backup in content["backups"]:
            backup["path"] = str(backup["path"])
        return content


def swap(
    database: Path,
    work_dir: WorkDir,
    settings: SwapSettings,
    *,
    controls: Path | None,
    lock_timeout: float,
    reporter: Reporter,
) -> SwapResult:
    """Promotes the candidate in ``work_dir`` into ``database``.

    The caller holds the work directory's lock. Raises UsageError without a verdict, GateClosed where the gate
    is closed, the source changed or something is in the way, EnvironmentFailed for locks, disks and commands.
    After any of these the live tables are as they were, and ingestion is on as it was; but for an error that
    says that the swap was done (a resume command that fails).
    """
    with lock_database(database), open_for_writing(database, lock_timeout=lock_timeout) as connection:
        return swap_open(
            connection,
            database,
            work_dir,
            settings,
            controls=controls,
            lock_timeout=lock_timeout,
            reporter=reporter,
        )


def swap_open(
    connection: sqlite3.Connection,
    database: Path,
    work_dir: WorkDir,
    settings: SwapSettings,
    *,
    controls: Path | None,
    lock_timeout: float,
    reporter: Reporter,
    operation: Operation | None = None,
) -> SwapResult:
    """The same, where the caller holds the database's lock; ``operation`` is one that paused ingestion
    already."""
    start = time.monotonic()
    recovered = () if operation else tuple(recover(connection, database, settings, reporter=reporter))
    with reporter.step("Checking the verdict, the candidate and the live database"):
        audited = read_audited(work_dir, controls)
        with reading(connection):
            check_source(connection, database, audited)
        check_room(database, audited.candidate)
    attach_candidate(connection, audited.candidate)
    plan = plan_or_refuse(connection, database, settings)
    promised = read_promise(connection)
    operation_id = operation.id if operation else secrets.token_hex(4)
    started_at = utc_now()
    backups = take_backups(
        database,
        settings.backup_folders,
        operation_id=operation_id,
        reason="swap",
        reporter=reporter,
        taken_at=started_at,
        lock_timeout=lock_timeout,
    )
    with reporter.step("Comparing the backup with what was audited"):
        with reading(connection):  # a change that was counted is told as one
            check_source(connection, database, audited)
        check_same_as_snapshot(backups[0].path, work_dir.legacy)
    begun = operation or Operation(operation_id, "swap", "staging", started_at)
    try:
        with immediate(connection):
            ensure_state(connection)
            check_source(connection, database, audited)
            write_operation(connection, begun)
        staging_start = time.monotonic()
        chunks = stage(connection, plan, settings, reporter=reporter)
        with reporter.step("Comparing the staged rows with what was audited"):
            verify_staged(connection, plan, dict(audited.tables))
        staging_seconds = time.monotonic() - staging_start
        begun = pause_ingestion(connection, begun, settings)
        switched_at = utc_now()
        with reporter.step("Cutting over"):
            done = switch_tables(
                connection,
                database,
                plan,
                audited,
                settings,
                operation=begun,
                switched_at=switched_at,
                promised=promised,
                backups=backups,
            )
        _check_or_undo(connection, database, settings, promised, reporter)
        with immediate(connection):
            update_event(
                connection,
                operation_id,
                finished_at=None,
                lock_ms=round(done.lock_ms, 3),
                attempts=done.attempts,
                longest_chunk_ms=round(chunks.longest_ms, 3),
                staging_seconds=round(staging_seconds, 3),
            )
        finish(connection, settings)
    except BaseException as error:
        bring_home(connection, database, settings, error, reporter=reporter)
        raise
    return SwapResult(
        operation_id=operation_id,
        switched_at=switched_at,
        lock_ms=done.lock_ms,
        attempts=done.attempts,
        longest_chunk_ms=chunks.longest_ms,
        staging_seconds=staging_seconds,
        seconds=time.monotonic() - start,
        rows={table: promised.rows[table] for table in promised.rows},
        units=promised.units,
        backups=backups,
        backups_on_one_disk=on_one_disk(settings.backup_folders),
        paused=tuple(begun.enabled_before),
        unknown_workflows=plan.unknown_workflows,
        recovered=recovered,
    )


def plan_or_refuse(connection: sqlite3.Connection, database: Path, settings: SwapSettings) -> SwapPlan:
    """The plan, where nothing stands in its way; GateClosed with all that does."""
    plan = make_plan(
        connection,
        pause_workflows=settings.pause_workflows,
        pause_command=settings.pause_command,
        resume_command=settings.resume_command,
    )
    if plan.obstacles:
        listed = "\n".join(f"  {obstacle}" for obstacle in plan.obstacles)
        raise GateClosed(f"{database} cannot be swapped as it is:\n{listed}", hint="Change that, then again.")
    return plan


def switch_tables(
    connection: sqlite3.Connection,
    database: Path,
    plan: SwapPlan,
    audited: Audited,
    settings: SwapSettings,
    *,
    operation: Operation,
    switched_at: str,
    promised: Promised,
    backups: Sequence[Backup],
) -> Switched:
    """The cut-over itself. Raises SourceChanged, GateClosed where a view or trigger would not survive."""
    with reading(connection):
        check_source(connection, database, audited)
        (version,) = connection.execute("pragma main.schema_version").fetchone()
    connection.execute("detach database candidate")
    worked = working_objects(connection)
    detail = {
        "verdict": {"audited_at": audited.verdict.audited_at, "source": audited.verdict.source},
        "hashes": {name: table.sha256 for name, table in audited.tables.items()},
        "rows": dict(promised.rows),
        "units": promised.units,
        "backups": [str(backup.path) for backup in backups],
    }

    def body() -> None:
        found = connection.execute("select value, stamp from lotgate_change_counter").fetchone()
        if found != (audited.counter.value, audited.counter.stamp):
            check_source(connection, database, audited)
            raise SourceChanged(f"{database} changed after the audit.", hint="Build and audit again.")
        if connection.execute("pragma main.schema_version").fetchone()[0] != version:
            raise SourceChanged(f"The schema of {database} changed just now.", hint="Swap again.")
        for statement in plan.cut_over:
            connection.execute(statement)
        lost = worked - working_objects(connection)
        if lost:
            raise GateClosed(
                f"After the swap these would not work any more: {', '.join(sorted(lost))}.",
                hint="Change them so that they need only columns that stay, or drop them until afterwards.",
            )
        add_event(
            connection,
            operation_id=operation.id,
            kind="swap",
            switched_at=switched_at,
            version=package_version(),
            detail=detail | {"triggers": hash_triggers(connection)},
        )
        write_operation(connection, _as_switched(operation))

    try:
        return switch(
            connection,
            body,
            database=database,
            budget_ms=settings.lock_budget_ms,
            attempts=settings.lock_attempts,
        )
    finally:
        with contextlib.suppress(sqlite3.Error):
            attach_candidate(connection, audited.candidate)


def _as_switched(operation: Operation) -> Operation:
    return Operation(**(asdict(operation) | {"phase": "switched", "kind": "swap"}))


def _check_or_undo(
    connection: sqlite3.Connection,
    database: Path,
    settings: SwapSettings,
    promised: Promised,
    reporter: Reporter,
) -> None:
    """What must hold now; where it does not, the tables go back at once, and GateClosed says why."""
    from lotgate.live.rollback import undo_failed_swap

    with reporter.step("Checking the new tables"):
        wrong = [finding for finding in check_switched(connection, promised) if finding.problem]
    if wrong:
        listed = "; ".join(f"{finding.name}: {finding.problem}" for finding in wrong)
        if not undo_failed_swap(connection, database, settings, reporter=reporter):
            raise GateClosed(
                f"After the cut-over something does not hold ({listed}), and something of yours refers to the"
                " new tables already, so that they stay in place.",
                hint="`lotgate verify` shows what is wrong. `lotgate backups` lists what can be restored.",
            )
        raise GateClosed(
            f"After the cut-over something did not hold, and it was rolled back: {listed}.",
            hint="The legacy tables are in place. Build and audit again, and report this.",
        )
