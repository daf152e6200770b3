"""Build, audit and swap in one go, again where the source changed meanwhile, the last time with ingestion
paused.

Source: docs/swap.md, "Migrate".
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from lotgate.audit import audit_candidate
from lotgate.build import build_candidate
from lotgate.config import Settings
from lotgate.console import Reporter
from lotgate.errors import GateClosed
from lotgate.live.clock import utc_now
from lotgate.live.connection import immediate, lock_database, open_for_writing
from lotgate.live.ingestion import pause_ingestion
from lotgate.live.preflight import SourceChanged
from lotgate.live.recovery import bring_home, recover
from lotgate.live.state import Operation, ensure_state, write_operation
from lotgate.live.swap import SwapResult, swap_open
from lotgate.verdict import Verdict
from lotgate.workdir import WorkDir

__all__ = ["migrate"]


def migrate(
    database: Path,
    work_dir: WorkDir,
    settings: Settings,
    *,
    lock_timeout: float,
    reporter: Reporter,
    approve: Callable[[Verdict | None], None],
) -> tuple[Verdict, SwapResult, int]:
    """Returns the verdict, what the swap did, and how many rounds it took.

    ``approve`` gets each open verdict, or None before the last round, which pauses ingestion and then swaps
    by itself; it raises where a person does not want to go on. The caller holds the work directory's lock.
    A source that changes during a round means another one, ``catch_up_rounds`` at most. Raises GateClosed
    where the gate is closed (the review shows why), SourceChanged where somebody writes even then, and what
    build, audit and swap raise.
    """
    rounds = max(1, settings.swap.catch_up_rounds)
    with lock_database(database), open_for_writing(database, lock_timeout=lock_timeout) as connection:
        recover(connection, database, settings.swap, reporter=reporter)
        for number in range(1, rounds + 1):
            pausing = number == rounds and rounds > 1
            if pausing:  # asked before: nobody should think about it while ingestion is off
                approve(None)
            operation = None
            try:
                if pausing:
                    operation = _pause(connection, settings)
                verdict = _audited(database, work_dir, settings, lock_timeout, reporter)
                if not pausing:
                    approve(verdict)
                result = swap_open(
                    connection,
                    database,
                    work_dir,
                    settings.swap,
                    controls=settings.controls,
                    lock_timeout=lock_timeout,
                    reporter=reporter,
                    operation=operation,
                )
                return verdict, result, number
            except BaseException as error:
                _detach(connection)
                bring_home(connection, database, settings.swap, error, reporter=reporter)
                if not isinstance(error, SourceChanged) or number == rounds:
                    raise
    raise AssertionError("unreachable: the last round returns or raises")


def _audited(
    database: Path, work_dir: WorkDir, settings: Settings, lock_timeout: float, reporter: Reporter
) -> Verdict:
    build_candidate(database, settings.controls, work_dir, lock_timeout=lock_timeout, reporter=reporter)
    verdict = audit_candidate(work_dir, reporter=reporter, controls_folder=settings.controls)
    reason = verdict.cannot_be_swapped_because
    if reason is not None:
        raise GateClosed(
            f"The candidate cannot be swapped: {reason}",
            hint=f"Look at {work_dir.review / 'index.html'}, decide what is open, and migrate again.",
        )
    return verdict


def _pause(connection: sqlite3.Connection, settings: Settings) -> Operation:
    """Ingestion stays off from here to the end of the swap; after a crash the next command switches it on."""
    operation = Operation(secrets.token_hex(4), "migrate", "staging", utc_now())
    with immediate(connection):
        ensure_state(connection)
        write_operation(connection, operation)
    return pause_ingestion(connection, operation, settings.swap)


def _detach(connection: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        connection.execute("detach database candidate")
