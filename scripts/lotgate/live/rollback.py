"""The way back: the legacy tables get their names again, with everything that was written since the swap.

Source: docs/swap.md, "Rollback".
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections import Counter as Tally
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed
from lotgate.live.after_checks import unlogged_changes
from lotgate.live.carry_over import CarriedOver, carry_over, keep_not_carried
from lotgate.live.changes import NotCarried
from lotgate.live.clock import package_version, utc_now
from lotgate.live.connection import immediate, lock_database, open_for_writing
from lotgate.live.cutover import Switched, switch
from lotgate.live.history import Event, add_event, last_event, update_event
from lotgate.live.ingestion import pause_ingestion
from lotgate.live.names import ARCHIVED, BOOKS, CHANGE_LOG, PROMOTED, archive_name, is_own, undone_name
from lotgate.live.recovery import bring_home, finish, recover
from lotgate.live.schema import SchemaObject, drop_statements, foreign_keys_to, list_objects, working_objects
from lotgate.live.state import Operation, ensure_state, read_operation, table_exists, write_operation

__all__ = [
    "RollbackResult",
    "is_migrated_now",
    "rollback",
    "rollback_open",
    "rollback_statements",
    "try_carry_over",
    "undo_failed_swap",
]


@dataclass(frozen=True)
class RollbackResult:
    """A rollback that was done. ``kept_details`` are values that the legacy schema has no column for,
    ``not_carried`` what else could not come back as it was; both are in ``lotgate_not_carried_over``.
    ``broken`` are the owner's views and triggers that need the new tables and do not work now."""

    operation_id: str
    switched_at: str
    swapped_at: str
    lock_ms: float
    attempts: int
    seconds_until_back: float
    seconds: float
    inserted: int
    updated: int
    deleted: int
    kept_details: int
    not_carried: tuple[str, ...]
    broken: tuple[str, ...]
    recovered: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


def is_migrated_now(connection: sqlite3.Connection) -> bool:
    """Whether the new tables are in place and the legacy ones are archived beside them."""
    return table_exists(connection, archive_name("shipped_items")) and table_exists(connection, "skus")


def rollback(
    database: Path,
    settings: SwapSettings,
    *,
    lock_timeout: float,
    reporter: Reporter,
    force: bool = False,
) -> RollbackResult:
    """Renames the legacy tables back, with later work carried over.

    Raises GateClosed where there is nothing to roll back, where something of the owner's is in the way, and,
    unless ``force``, where rows changed without being noted; EnvironmentFailed for locks, disks and commands.
    Then the new tables stay in place.
    """
    with lock_database(database), open_for_writing(database, lock_timeout=lock_timeout) as connection:
        return rollback_open(connection, database, settings, reporter=reporter, force=force)


def rollback_open(
    connection: sqlite3.Connection,
    database: Path,
    settings: SwapSettings,
    *,
    reporter: Reporter,
    force: bool = False,
) -> RollbackResult:
    """The same, where the caller holds the database's lock."""
    start = time.monotonic()
    recovered = tuple(recover(connection, database, settings, reporter=reporter))
    swapped = _last_swap(connection, database)
    _refuse_obstacles(connection, database, swapped, force=force)
    operation = Operation(secrets.token_hex(4), "rollback", "staging", utc_now())
    try:
        with immediate(connection):
            ensure_state(connection)
            write_operation(connection, operation)
        operation = pause_ingestion(connection, operation, settings)
        switched_at = utc_now()
        with reporter.step("Putting the legacy tables back"):
            done, carried, broken = _switch_back(connection, database, settings, operation, switched_at)
        until_back = time.monotonic() - start
        with immediate(connection):
            update_event(
                connection,
                operation.id,
                finished_at=None,
                lock_ms=round(done.lock_ms, 3),
                attempts=done.attempts,
            )
        finish(connection, settings, reporter=reporter)
    except BaseException as error:
        bring_home(connection, database, settings, error, reporter=reporter)
        raise
    return RollbackResult(
        operation_id=operation.id,
        switched_at=switched_at,
        swapped_at=swapped.switched_at,
        lock_ms=done.lock_ms,
        attempts=done.attempts,
        seconds_until_back=until_back,
        seconds=time.monotonic() - start,
        inserted=carried.inserted,
        updated=carried.updated,
        deleted=carried.deleted,
        kept_details=sum(found.detail for found in carried.not_carried),
        not_carried=tuple(_sentence(found) for found in carried.not_carried if not found.detail),
        broken=broken,
        recovered=recovered,
    )


def undo_failed_swap(
    connection: sqlite3.Connection, database: Path, settings: SwapSettings, *, reporter: Reporter
) -> bool:
    """Takes back a swap whose checks did not hold; ingestion, which it paused, is resumed in any case.

    Returns False where something of the owner's refers to the new tables already, so that they stay.
    """
    operation = read_operation(connection)
    assert operation is not None  # the swap's own: it is not finished
    if _obstacles(connection):
        finish(connection, settings, reporter=reporter)
        return False
    with immediate(connection):
        update_event(connection, operation.id, finished_at=utc_now(), undone=True)
    undo = replace(operation, id=secrets.token_hex(4), kind="rollback", phase="paused")
    _switch_back(connection, database, settings, undo, utc_now())
    finish(connection, settings, reporter=reporter)
    return True


def try_carry_over(connection: sqlite3.Connection) -> CarriedOver:
    """What a rollback would carry over now: done in a transaction that is rolled back."""
    connection.execute("begin immediate")
    try:
        return carry_over(connection)
    finally:
        connection.execute("rollback")


def rollback_statements(owned: tuple[SchemaObject, ...], ours: tuple[SchemaObject, ...]) -> list[str]:
    """The renames of a rollback and what goes with them, in order; later work is carried over before."""
    statements = drop_statements((*owned, *ours))
    statements += [f"alter table {table} rename to {undone_name(table)}" for table in reversed(PROMOTED)]
    statements += [f"alter table {archive_name(table)} rename to {table}" for table in ARCHIVED]
    for table in ARCHIVED:
        statements.append(
            "update sqlite_sequence set seq = max(seq, coalesce((select later.seq"
            " from sqlite_sequence as later"
            f" where later.name = '{undone_name(table)}'), 0)) where name = '{table}'"
        )
    return statements + [item.sql for item in owned]


def _switch_back(
    connection: sqlite3.Connection,
    database: Path,
    settings: SwapSettings,
    operation: Operation,
    switched_at: str,
) -> tuple[Switched, CarriedOver, tuple[str, ...]]:
    worked = working_objects(connection)
    carried = CarriedOver()
    broken: tuple[str, ...] = ()

    def body() -> None:
        nonlocal carried, broken
        carried = carry_over(connection)
        keep_not_carried(connection, operation.id, carried.not_carried)
        objects = list_objects(connection, "view", "trigger")
        ours = tuple(item for item in objects if is_own(item.name))
        owned = tuple(item for item in objects if item not in ours)
        for statement in rollback_statements(owned, ours):
            connection.execute(statement)
        broken = tuple(sorted(worked - working_objects(connection)))
        add_event(
            connection,
            operation_id=operation.id,
            kind="rollback",
            switched_at=switched_at,
            version=package_version(),
            detail={
                "inserted": carried.inserted,
                "updated": carried.updated,
                "deleted": carried.deleted,
                "not_carried": Tally(found.table for found in carried.not_carried),
            },
        )
        write_operation(connection, replace(operation, phase="switched"))

    done = switch(
        connection,
        body,
        database=database,
        budget_ms=max(settings.lock_budget_ms, _least_budget(connection)),
        attempts=settings.lock_attempts,
    )
    return done, carried, broken


def _least_budget(connection: sqlite3.Connection) -> int:
    """Carrying a row over takes well under a millisecond; a way back is not refused for many of them."""
    (changes,) = connection.execute(f"select count(*) from {CHANGE_LOG}").fetchone()
    return int(1000 + changes)


def _last_swap(connection: sqlite3.Connection, database: Path) -> Event:
    event = last_event(connection, "swap")
    if is_migrated_now(connection) and event is not None:
        return event
    if table_exists(connection, "skus") and table_exists(connection, "lots"):
        raise GateClosed(
            f"{database} was contracted: its legacy tables are gone.",
            hint="`lotgate backups` lists backups; --restore-backup FILE puts one back, without later work.",
        )
    raise GateClosed(f"{database} is not migrated: there is nothing to roll back.")


def _refuse_obstacles(connection: sqlite3.Connection, database: Path, swapped: Event, *, force: bool) -> None:
    """What was built on the new tables since and would go with them, and changes that nothing noted."""
    found = _obstacles(connection)
    if found:
        raise GateClosed(
            f"{database} cannot be rolled back by renaming: {'; '.join(found)}.",
            hint="Take the keys out, or put a backup back with --restore-backup FILE (`lotgate backups`).",
        )
    unlogged = unlogged_changes(connection, swapped)
    if unlogged and not force:
        raise GateClosed(
            f"In {database} rows changed since the swap without being noted, so that a rollback would lose"
            f" them: {'; '.join(unlogged)}.",
            hint="Somebody made a table anew, dropped triggers or went around them. Save those rows first;"
            " --force then rolls back without them.",
        )


def _obstacles(connection: sqlite3.Connection) -> list[str]:
    own = {table.lower() for table in PROMOTED}
    found = [
        f"the table {key.child} has a foreign key to {key.parent} ({', '.join(key.columns)})"
        for key in foreign_keys_to(connection)
        if key.parent.lower() in own
        and key.child.lower() not in own
        and key.child.lower() not in {archive_name(table) for table in ARCHIVED}
    ]
    missing = [t for t in (*PROMOTED, *BOOKS, CHANGE_LOG) if not table_exists(connection, t)]
    return found + [f"the table {table} is gone" for table in missing]


def _sentence(found: NotCarried) -> str:
    return f"{found.table} {found.row_id}: {found.reason}"
