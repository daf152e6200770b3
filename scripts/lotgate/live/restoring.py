"""Putting a backup back as a command does it: with the lock, ingestion paused, and a line in the history."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, LotgateError
from lotgate.live.clock import package_version, utc_now
from lotgate.live.connection import immediate, lock_database, open_for_writing
from lotgate.live.history import add_event, update_event
from lotgate.live.ingestion import pause_ingestion, resume_ingestion
from lotgate.live.recovery import recover
from lotgate.live.restore import Restoration, restore_backup
from lotgate.live.state import Operation, ensure_state, write_operation

__all__ = ["restore"]


def restore(
    database: Path,
    backup: Path,
    settings: SwapSettings,
    *,
    lock_timeout: float,
    reporter: Reporter,
    force: bool = False,
) -> Restoration:
    """Restores ``backup`` into ``database``; the flags of ingestion are then those of the backup.

    The restored database has the state of the moment of the backup, with the history of then and a line about
    this. Its change-counter is that of then, too: a verdict that was open for this state still is. An
    operation that was under way then is finished or undone. Raises what ``restore_backup`` raises.
    """
    operation_id = secrets.token_hex(4)
    started_at = utc_now()
    with lock_database(database):
        paused = _pause(database, settings, operation_id, started_at, lock_timeout, reporter, force)
        try:
            result = restore_backup(
                database,
                backup,
                settings.backup_folders,
                operation_id=operation_id,
                taken_at=started_at,
                lock_timeout=lock_timeout,
                reporter=reporter,
                force=force,
            )
        except BaseException:
            with suppress(LotgateError, sqlite3.Error), open_for_writing(database) as connection:
                recover(connection, database, settings, reporter=reporter)
            raise
        with open_for_writing(database, lock_timeout=lock_timeout) as connection:
            recover(connection, database, settings, reporter=reporter)
            with immediate(connection):
                ensure_state(connection)
                add_event(
                    connection,
                    operation_id=operation_id,
                    kind="restore",
                    switched_at=started_at,
                    version=package_version(),
                    detail={"backup": str(result.backup.path), "sha256": result.backup.sha256},
                )
            if paused is not None and paused.resume_command:
                resume_ingestion(connection, paused, timeout_s=settings.command_timeout_s)
            with immediate(connection):
                update_event(connection, operation_id, finished_at=utc_now())
    return result


def _pause(
    database: Path,
    settings: SwapSettings,
    operation_id: str,
    started_at: str,
    lock_timeout: float,
    reporter: Reporter,
    force: bool,
) -> Operation | None:
    """Pauses ingestion where the live file can still be read; with ``force`` it need not be."""
    try:
        with open_for_writing(database, lock_timeout=lock_timeout) as connection:
            recover(connection, database, settings, reporter=reporter)
            operation = Operation(operation_id, "rollback", "staging", started_at)
            with immediate(connection):
                ensure_state(connection)
                write_operation(connection, operation)
            return pause_ingestion(
                connection,
                operation,
                workflows=settings.pause_workflows,
                pause_command=settings.pause_command,
                resume_command=settings.resume_command,
                timeout_s=settings.command_timeout_s,
            )
    except EnvironmentFailed:
        raise
    except LotgateError:
        if force:
            return None
        raise
