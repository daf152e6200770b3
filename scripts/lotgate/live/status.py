"""Where the database stands: its phase, what could be rolled back, what comes next."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError
from lotgate.live.after_checks import unlogged_changes
from lotgate.live.carry_over import CarriedOver
from lotgate.live.clock import parse_utc
from lotgate.live.connection import LotgateAtWork, lock_database, open_for_writing
from lotgate.live.counter import read_counter
from lotgate.live.history import last_event, list_events
from lotgate.live.names import ARCHIVED, CHANGE_LOG, archive_name
from lotgate.live.recovery import recover
from lotgate.live.rehearsal import copy_of_live
from lotgate.live.rollback import is_migrated_now, try_carry_over
from lotgate.live.state import read_operation, table_exists
from lotgate.sqlite_files import open_live
from lotgate.sync.runs import last_runs
from lotgate.sync.tables import open_entries
from lotgate.verdict import Verdict, read_verdict
from lotgate.workdir import WorkDir

TRIED_IN_PLACE = 300
"""Rows that are carried over in some hundredths of a second."""

__all__ = ["Status", "contract_allowed_from", "find_status"]


@dataclass(frozen=True)
class Status:
    """What is known of one database.

    ``phase`` is ``legacy``, ``migrated`` (a rollback is possible), ``contracted`` or ``in progress``.
    ``is_lossless`` says whether a rollback now would bring every row and unit written since back; None where
    there is nothing to roll back or it could not be tried. ``recovered`` says what this call finished or
    undid. ``syncs`` are the last runs of ``lotgate sync``, ``quarantined`` counts what it refused and nobody
    settled.
    """

    database: str
    phase: str
    recovered: tuple[str, ...]
    under_way: str | None
    archived: dict[str, int]
    swapped_at: str | None
    contract_from: str | None
    changes_since: int | None
    is_lossless: bool | None
    not_carried: tuple[str, ...]
    kept_details: int
    not_tried_because: str | None
    verdict: str | None
    verdict_audited_at: str | None
    verdict_fits: str | None
    events: tuple[dict[str, Any], ...]
    syncs: tuple[dict[str, Any], ...]
    quarantined: int
    next_steps: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


def find_status(
    database: Path,
    work_dir: WorkDir,
    settings: SwapSettings,
    *,
    lock_timeout: float,
    reporter: Reporter,
) -> Status:
    """Looks at the database, and first finishes or undoes what an interrupted command left half done.

    Where another lotgate is at work, or the database cannot be written to, it only looks.
    """
    try:
        with lock_database(database), open_for_writing(database, lock_timeout=lock_timeout) as connection:
            recovered = tuple(recover(connection, database, settings, reporter=reporter))
            tried = _try(connection, database, work_dir, lock_timeout, reporter)
            return _look(connection, database, work_dir, settings, recovered, tried)
    except EnvironmentFailed as error:
        with open_live(database, lock_timeout=lock_timeout) as live:
            if read_operation(live.connection) is not None and not isinstance(error, LotgateAtWork):
                raise  # something is half done, and it cannot be brought home
            return _look(live.connection, live.path, work_dir, settings, (), _Tried(None, (), error.message))


@dataclass(frozen=True)
class _Tried:
    """What a rollback would carry over; ``problem`` says why it could not be tried, empty where it was."""

    carried: CarriedOver | None
    unlogged: tuple[str, ...] = ()
    problem: str = ""


def _try(
    connection: sqlite3.Connection, database: Path, work_dir: WorkDir, lock_timeout: float, reporter: Reporter
) -> _Tried:
    """Carries over what a rollback would.

    Few rows are tried in the database, in a transaction that is rolled back. Writers should not wait for
    many, so these are tried on a copy.
    """
    event = last_event(connection, "swap")
    if not is_migrated_now(connection) or event is None:
        return _Tried(None)
    unlogged = tuple(unlogged_changes(connection, event))
    (changes,) = connection.execute(f"select count(*) from {CHANGE_LOG}").fetchone()
    if changes <= TRIED_IN_PLACE:
        return _Tried(try_carry_over(connection), unlogged)
    try:
        place = work_dir.path if work_dir.path.is_dir() else None
        with (
            TemporaryDirectory(prefix=".lotgate-status-", dir=place) as folder,
            copy_of_live(
                database, WorkDir(Path(folder)), lock_timeout=lock_timeout, reporter=reporter
            ) as copy,
            open_for_writing(copy) as on_copy,
        ):
            return _Tried(try_carry_over(on_copy), unlogged)
    except (EnvironmentFailed, OSError) as error:
        return _Tried(None, unlogged, str(error))


def contract_allowed_from(swapped_at: str, retention_days: float) -> datetime:
    """The first moment at which ``contract`` is allowed."""
    return parse_utc(swapped_at) + timedelta(days=retention_days)


def _look(
    connection: sqlite3.Connection,
    database: Path,
    work_dir: WorkDir,
    settings: SwapSettings,
    recovered: tuple[str, ...],
    tried: _Tried,
) -> Status:
    operation = read_operation(connection)
    events = list_events(connection)
    migrated = is_migrated_now(connection)
    contracted = not migrated and table_exists(connection, "skus") and table_exists(connection, "lots")
    swaps = [event for event in events if event.kind == "swap"]
    swapped_at = swaps[-1].switched_at if swaps and (migrated or contracted) else None
    allowed = None
    if migrated and swapped_at is not None:
        allowed = contract_allowed_from(swapped_at, settings.retention_days)
    phase = "migrated" if migrated else "contracted" if contracted else "legacy"
    if operation is not None:
        phase = "in progress"
    verdict = _verdict(work_dir)
    fits = None if verdict is None or phase != "legacy" else _fits(connection, verdict)
    carried = tried.carried
    lost = () if carried is None else tuple(n for n in carried.not_carried if not n.detail)
    not_carried = (
        *(f"changed without being noted: {sentence}" for sentence in tried.unlogged),
        *(f"{n.table} {n.row_id}: {n.reason}" for n in lost),
    )
    return Status(
        database=str(database),
        phase=phase,
        recovered=recovered,
        under_way=None if operation is None else f"{operation.kind} since {operation.started_at}",
        archived={
            archive_name(table): connection.execute(f"select count(*) from {archive_name(table)}").fetchone()[
                0
            ]
            for table in ARCHIVED
            if table_exists(connection, archive_name(table))
        },
        swapped_at=swapped_at,
        contract_from=None if allowed is None else allowed.isoformat(timespec="seconds"),
        changes_since=connection.execute(f"select count(*) from {CHANGE_LOG}").fetchone()[0]
        if migrated
        else None,
        is_lossless=None if carried is None else not not_carried,
        not_carried=not_carried,
        kept_details=0 if carried is None else sum(n.detail for n in carried.not_carried),
        not_tried_because=tried.problem if migrated and carried is None else None,
        verdict=None if verdict is None else "open" if verdict.is_open else "closed",
        verdict_audited_at=None if verdict is None else verdict.audited_at,
        verdict_fits=fits,
        events=tuple(
            {"kind": e.kind, "switched_at": e.switched_at, "finished_at": e.finished_at, "id": e.operation_id}
            for e in events
        ),
        syncs=tuple(asdict(run) for run in last_runs(connection)),
        quarantined=len(open_entries(connection)),
        next_steps=_next_steps(phase, verdict, fits, allowed),
    )


def _verdict(work_dir: WorkDir) -> Verdict | None:
    if not work_dir.verdict.exists():
        return None
    try:
        return read_verdict(work_dir.verdict)
    except LotgateError:
        return None


def _fits(connection: sqlite3.Connection, verdict: Verdict) -> str:
    """Whether the candidate could be swapped now, as far as the live database says."""
    try:
        reason = verdict.cannot_be_swapped_because
        if reason is not None:
            return reason
        return "" if read_counter(connection) == verdict.change_counter else "The database changed after it."
    except GateClosed as error:
        return error.message


def _next_steps(
    phase: str, verdict: Verdict | None, fits: str | None, allowed: datetime | None
) -> tuple[str, ...]:
    if phase == "in progress":
        return ("Another lotgate is at work. Wait until it is done.",)
    if phase == "contracted":
        return ("Nothing is left to do.",)
    if phase == "migrated":
        assert allowed is not None
        steps = ["`lotgate verify` checks the tables", "`lotgate rollback` puts the legacy tables back"]
        if datetime.now(UTC) >= allowed:
            steps.append("`lotgate contract` drops them for good")
        return tuple(steps)
    if verdict is None or fits:
        return ("`lotgate build`, then `lotgate audit`; or `lotgate prework`, which rehearses the swap, too",)
    return ("`lotgate plan` shows every statement", "`lotgate swap` carries it out")
