"""The plan carried out on a copy: what it takes, and whether the owner's views and triggers live through it.

The copy stands in the work directory and is removed afterwards. The live database is only read.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.live.after_checks import check_switched, read_promise
from lotgate.live.clock import utc_now
from lotgate.live.connection import immediate, lock_path, open_for_writing
from lotgate.live.plan import SwapPlan, attach_candidate, make_plan
from lotgate.live.preflight import Audited
from lotgate.live.recovery import finish
from lotgate.live.rollback import rollback_open
from lotgate.live.staging import stage, verify_staged
from lotgate.live.state import Operation, ensure_state, write_operation
from lotgate.live.swap import switch_tables
from lotgate.machine import format_size, free_bytes
from lotgate.sqlite_copy import copy_database
from lotgate.sqlite_files import database_size, open_live, sqlite_uri
from lotgate.workdir import WorkDir, remove_database

__all__ = ["Forecast", "SwappedCopy", "copy_of_live", "forecast", "on_a_copy", "swap_copy"]

BUDGET_MS = 60_000
"""A rehearsal measures; it does not give up."""


@dataclass(frozen=True)
class Forecast:
    """What the real thing will take, as measured on a copy that nobody else used.

    Staging leaves other writers their share of the time; nobody waits for them on a copy, and
    ``staging_seconds`` has it all the same.
    """

    staging_seconds: float
    longest_chunk_ms: float
    lock_ms: float
    check_seconds: float
    rollback_lock_ms: float


@contextmanager
def copy_of_live(
    database: Path, work_dir: WorkDir, *, lock_timeout: float, reporter: Reporter
) -> Iterator[Path]:
    """A consistent copy of the live database in WAL mode, for its owner only, gone at the end.

    Raises EnvironmentFailed where it has no room.
    """
    folder = work_dir.rehearsal
    copy = folder / "ora.db"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        remove_database(copy)
        with open_live(database, lock_timeout=lock_timeout) as live:
            needed = 4 * database_size(live.connection)
            if free_bytes(folder) < needed:
                raise EnvironmentFailed(
                    f"The rehearsal needs up to {format_size(needed)} in {work_dir.path}.",
                    hint="Free space there, or use a --work-dir on another disk.",
                )
            with reporter.step(f"Copying {database.name} for the rehearsal"):
                copy.touch(mode=0o600)
                copy_database(live.connection, copy, copy, lock_timeout=lock_timeout)
                with closing(sqlite3.connect(sqlite_uri(copy), uri=True, isolation_level=None)) as target:
                    target.execute("pragma journal_mode = wal")
        yield copy
    except OSError as error:
        raise EnvironmentFailed(
            f"The rehearsal's copy in {folder} cannot be written: {error.strerror}.",
            hint="Make the work directory writable, or use another --work-dir.",
        ) from error
    finally:
        remove_database(copy)
        lock_path(copy).unlink(missing_ok=True)


def on_a_copy(settings: SwapSettings) -> SwapSettings:
    """The settings for a copy: nobody is paused, called or waited for, and nothing is given up for lack of
    time."""
    same = {field.name: getattr(settings, field.name) for field in fields(settings)}
    nobody = {"pause_command": None, "resume_command": None, "alert_command": None}
    return _OnACopy(**same | nobody | {"lock_budget_ms": BUDGET_MS})


class _OnACopy(SwapSettings):
    @property
    def is_shared(self) -> bool:
        return False


def forecast(
    database: Path,
    work_dir: WorkDir,
    audited: Audited,
    settings: SwapSettings,
    *,
    lock_timeout: float,
    reporter: Reporter,
) -> tuple[SwapPlan, Forecast | None]:
    """The plan for the live database, and what it took on a copy; no forecast where something is in the
    way."""
    with open_live(
        database, lock_timeout=lock_timeout
    ) as live:  # the copy is in WAL mode whatever this one is
        found = live.connection.execute("pragma journal_mode").fetchone()[0]
        mode = "wal" if live.immutable else str(found)  # only a WAL database is opened so
    with (
        copy_of_live(database, work_dir, lock_timeout=lock_timeout, reporter=reporter) as copy,
        open_for_writing(copy) as connection,
    ):
        attach_candidate(connection, audited.candidate)
        plan = make_plan(
            connection,
            pause_workflows=settings.pause_workflows,
            pause_command=settings.pause_command,
            resume_command=settings.resume_command,
            journal_mode=mode,
        )
        if plan.obstacles:
            return plan, None
        calm = on_a_copy(settings)
        done = swap_copy(connection, copy, plan, audited, calm, reporter)
        back = rollback_open(connection, copy, calm, reporter=reporter)
        return plan, Forecast(**asdict(done), rollback_lock_ms=back.lock_ms)


@dataclass(frozen=True)
class SwappedCopy:
    """A swap that was carried out on a copy, and what it took."""

    staging_seconds: float
    longest_chunk_ms: float
    lock_ms: float
    check_seconds: float


def swap_copy(
    connection: sqlite3.Connection,
    copy: Path,
    plan: SwapPlan,
    audited: Audited,
    settings: SwapSettings,
    reporter: Reporter,
) -> SwappedCopy:
    """Stages, cuts over and checks on the copy, whose candidate is attached and detached at the end.

    Raises GateClosed where something does not hold.
    """
    promised = read_promise(connection)
    operation = Operation(secrets.token_hex(4), "swap", "staging", utc_now())
    with immediate(connection):
        ensure_state(connection)
        write_operation(connection, operation)
    start = time.monotonic()
    chunks = stage(connection, plan, settings, reporter=reporter)
    verify_staged(connection, plan, dict(audited.tables))
    staging_seconds = time.monotonic() - start + chunks.not_waited_s
    with reporter.step("Rehearsing the cut-over"):
        done = switch_tables(
            connection,
            copy,
            plan,
            audited,
            settings,
            operation=operation,
            switched_at=utc_now(),
            promised=promised,
            backups=(),
        )
    start = time.monotonic()
    with reporter.step("Checking the rehearsal's tables"):
        wrong = [finding for finding in check_switched(connection, promised) if finding.problem]
    check_seconds = time.monotonic() - start
    if wrong:
        listed = "; ".join(f"{finding.name}: {finding.problem}" for finding in wrong)
        raise GateClosed(f"On a copy, the swap does not hold: {listed}.", hint="Nothing was changed.")
    finish(connection, settings)
    connection.execute("detach database candidate")
    return SwappedCopy(staging_seconds, chunks.longest_ms, done.lock_ms, check_seconds)
