"""After a crash: what is half done is finished or undone, and ingestion is on again as it was.

Every command that may change the live database begins with this. What to do follows from the record of the
operation (``state``) alone: before the cut-over's commit everything is undone, after it everything is
finished. Each step here can itself be interrupted and done again.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed, LotgateError
from lotgate.live.after_checks import Promised, check_switched
from lotgate.live.clock import utc_now
from lotgate.live.connection import immediate
from lotgate.live.history import last_event, update_event
from lotgate.live.ingestion import ResumeFailed, resume_ingestion
from lotgate.live.names import BOOKS, CHANGE_LOG
from lotgate.live.staging import drop_tables, leftover_tables
from lotgate.live.state import Operation, clear_operation, read_operation, table_exists

__all__ = ["bring_home", "finish", "recover"]

LEFTOVERS = ("lotgate_stage_", "lotgate_undone_")
BOOKS_OF_A_SWAP = (*BOOKS, CHANGE_LOG)
"""These mean nothing without the new tables beside them."""


def recover(
    connection: sqlite3.Connection,
    database: Path,
    settings: SwapSettings,
    *,
    reporter: Reporter,
    ask_note: bool = True,
    interrupted: bool = True,
) -> list[str]:
    """Finishes or undoes an interrupted operation; returns what was done, a sentence each, empty for nothing.

    ``ask_note``: an interrupted restoration is noted in a file (``restoring``), which is asked, too.
    ``interrupted`` is False where the operation is the caller's own, which has just failed.
    The caller holds the database's lock, so nobody else is at work. Raises EnvironmentFailed where it cannot
    be done now (no space, a resume command that fails); then the next command tries again.
    """
    if connection.in_transaction:
        connection.execute("rollback")
    operation = read_operation(connection)
    if ask_note:
        from lotgate.live.restoring import drop_note, finish_restoration, read_note

        note = read_note(database)
        if note is not None and (operation is None or operation.id != note.operation.id):
            with reporter.step("Finishing an interrupted restoration"):
                pass
            finish_restoration(connection, database, note, settings, reporter=reporter)
            return ["A restoration was interrupted after the backup was back; the rest was finished."]
        if operation is not None:
            drop_note(database)
    if operation is None:
        return []
    # said at once: the command that goes on may refuse, and then its result says nothing
    with reporter.step(
        f"{'Finishing' if operation.phase == 'switched' else 'Undoing'}"
        f" {'an interrupted' if interrupted else 'the'} {operation.kind}"
    ):
        pass
    if operation.phase != "switched":
        _end(connection, operation, settings, reporter)
        return [f"A {operation.kind} was interrupted before it changed a table; it was undone."]
    if operation.kind == "swap":
        return [_finish_swap(connection, database, operation, settings, reporter)]
    if operation.kind == "contract":
        from lotgate.live.contract import finish_contract

        finish_contract(connection, operation, settings, reporter=reporter)
        return ["A contract was interrupted; it was finished."]
    _end(connection, operation, settings, reporter)
    return ["A rollback was interrupted after the tables were back; the rest was finished."]


def bring_home(
    connection: sqlite3.Connection,
    database: Path,
    settings: SwapSettings,
    error: BaseException,
    *,
    reporter: Reporter,
) -> None:
    """After an error in an operation: the same at once, so that ingestion does not wait for the next command.

    What this may say itself is added to the error's hint and not raised. A resume command that has just
    failed is not run again.
    """
    if isinstance(error, ResumeFailed):
        return
    try:
        recover(connection, database, settings, reporter=reporter, interrupted=False)
    except (LotgateError, sqlite3.Error) as other:
        if isinstance(error, LotgateError):
            error.hint = (
                f"{error.hint or ''} Something is left half done ({other}); ingestion may still be off."
                " `lotgate status` tries again."
            ).strip()


def finish(
    connection: sqlite3.Connection, settings: SwapSettings, *, reporter: Reporter | None = None
) -> None:
    """Resumes ingestion, drops what is left over, and notes that the operation under way is done."""
    operation = read_operation(connection)
    if operation is not None:
        _end(connection, operation, settings, reporter)


def _end(
    connection: sqlite3.Connection, operation: Operation, settings: SwapSettings, reporter: Reporter | None
) -> None:
    from lotgate.console import SilentReporter

    operation = resume_ingestion(connection, operation, settings)
    migrated = table_exists(connection, "skus")
    drop_tables(
        connection,
        leftover_tables(connection, LEFTOVERS, () if migrated else BOOKS_OF_A_SWAP),
        settings,
        reporter=reporter or SilentReporter(),
    )
    with immediate(connection):
        _close_event(connection, operation)
        clear_operation(connection)


def _close_event(connection: sqlite3.Connection, operation: Operation) -> None:
    """The event of an operation that was switched is finished now."""
    if operation.phase == "switched":
        update_event(connection, operation.id, finished_at=utc_now())


def _finish_swap(
    connection: sqlite3.Connection,
    database: Path,
    operation: Operation,
    settings: SwapSettings,
    reporter: Reporter,
) -> str:
    event = last_event(connection, "swap")
    if event is None or event.operation_id != operation.id:
        raise GateClosed(
            f"{database} says that a swap was cut over, and its history does not know it.",
            hint="Somebody changed lotgate's tables. `lotgate backups` lists what can be restored.",
        )
    promised = Promised(event.detail["rows"], event.detail["units"])
    with reporter.step("Checking the tables of the interrupted swap"):
        wrong = [finding for finding in check_switched(connection, promised) if finding.problem]
    if wrong:
        from lotgate.live.rollback import undo_failed_swap

        listed = "; ".join(f"{finding.name}: {finding.problem}" for finding in wrong)
        if undo_failed_swap(connection, database, settings, reporter=reporter):
            return f"An interrupted swap did not hold ({listed}): it was rolled back."
        return f"An interrupted swap does not hold ({listed}), and cannot be rolled back by renaming."
    _end(connection, operation, settings, reporter)
    return "A swap was interrupted after its cut-over; it was checked and finished."
