"""Putting a backup back as a command does it: with the lock, ingestion paused, and a line in the history.

The backup takes the record of the operation under way with it, out of the live database. So a file beside the
database notes what is left to do after a crash, above all the resume command; ``recovery`` asks for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError
from lotgate.live.clock import package_version, utc_now
from lotgate.live.connection import immediate, lock_database, open_for_writing
from lotgate.live.history import add_event
from lotgate.live.ingestion import pause_ingestion
from lotgate.live.recovery import finish, recover
from lotgate.live.restore import Restoration, restore_backup
from lotgate.live.state import Operation, ensure_state, write_operation
from lotgate.workdir import fsync_folder

__all__ = ["Note", "drop_note", "finish_restoration", "read_note", "restore"]


@dataclass(frozen=True)
class Note:
    """A restoration under way: ``operation`` as the live database had it before, ``backup`` what is put back.

    While the live database knows the operation, the backup has not been copied into it.
    """

    operation: Operation
    backup: str


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
        paused = None
        try:
            paused = _pause(database, settings, operation_id, started_at, lock_timeout, reporter, force)
            if paused is not None:
                _write_note(database, Note(paused, str(backup)))
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
                recover(connection, database, settings, reporter=reporter, interrupted=False)
            raise
        operation = paused or Operation(operation_id, "rollback", "staging", started_at)
        with open_for_writing(database, lock_timeout=lock_timeout) as connection:
            finish_restoration(
                connection, database, Note(operation, str(result.backup.path)), settings, reporter=reporter
            )
    return result


def finish_restoration(
    connection: sqlite3.Connection,
    database: Path,
    note: Note,
    settings: SwapSettings,
    *,
    reporter: Reporter,
) -> None:
    """What is left once the backup is in the live file; each step can be done again after an interruption.

    The flags of ingestion are those of the backup. An operation that was under way when it was taken is
    finished or undone first, which switches on again what that one had switched off.
    """
    recover(connection, database, settings, reporter=reporter, ask_note=False, interrupted=False)
    with immediate(connection):
        ensure_state(connection)
        add_event(
            connection,
            operation_id=note.operation.id,
            kind="restore",
            switched_at=note.operation.started_at,
            version=package_version(),
            detail={"backup": note.backup},
        )
        # from here on the database itself knows what is left to do
        write_operation(connection, replace(note.operation, phase="switched", enabled_before={}))
    drop_note(database)
    finish(connection, settings, reporter=reporter)


def read_note(database: Path) -> Note | None:
    """The restoration that was interrupted; None where there is none. GateClosed for a damaged note."""
    path = _note_path(database)
    try:
        content = json.loads(path.read_bytes())
        return Note(Operation(**content["operation"]), content["backup"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentFailed(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise GateClosed(
            f"{path}, the note of an interrupted restoration, is damaged.",
            hint="Restore the backup again once the note is moved away, and see that ingestion is on.",
        ) from error


def drop_note(database: Path) -> None:
    """Nothing is left to do that the live database does not know itself."""
    path = _note_path(database)
    for file in (path, _unfinished(path)):
        file.unlink(missing_ok=True)


def _write_note(database: Path, note: Note) -> None:
    path = _note_path(database)
    temporary = _unfinished(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with contextlib.ExitStack() as stack:
            descriptor = os.open(temporary, flags, 0o600)
            stack.callback(os.close, descriptor)
            os.write(descriptor, json.dumps(asdict(note)).encode("ascii"))
            os.fsync(descriptor)
        temporary.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise EnvironmentFailed(
            f"{path} cannot be written: {error.strerror}.",
            hint=f"Run as a user who may write in {path.parent}. Nothing was restored.",
        ) from error


def _note_path(database: Path) -> Path:
    real = database.resolve()
    return real.with_name(f".{real.name}.lotgate.restoring")


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


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
            return pause_ingestion(connection, operation, settings)
    except EnvironmentFailed:
        raise
    except LotgateError:
        if force:
            return None
        raise
