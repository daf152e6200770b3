"""May sync write now? One sync at a time, on a migrated database, while nobody switched it off."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.live.connection import lock_file, lock_path
from lotgate.live.history import last_event
from lotgate.live.schema import columns_of
from lotgate.live.state import read_operation, table_exists

__all__ = ["REPLACED", "NotNow", "SyncBusy", "check_allowed", "is_old_ingestion_on", "lock_sync"]

NEEDED = {"sku_id", "lot_id", "shipstation_sku_raw", "shipstation_shipment_id", "quantity_shipped"}


ON = {"1", "1.0", "true"}
"""What ``enabled`` says where ingestion is on; anything else is off."""

REPLACED = "unified-shipstation-sync"
"""The switch of the ingestion that sync takes the place of."""


class SyncBusy(EnvironmentFailed):
    """Another sync is at work on this database."""


class NotNow(GateClosed):
    """Sync must not write at the moment; later it may."""


def lock_sync(database: Path, *, wait_s: float) -> AbstractContextManager[None]:
    """One sync at a time on one database, over all processes; waits up to ``wait_s`` seconds.

    It is not the lock of ``live.connection.lock_database``: a swap or rollback need not wait for a long
    fetch, since sync asks ``check_allowed`` again in every transaction. Raises SyncBusy, or EnvironmentFailed
    for the file.
    """
    lock = lock_path(database)
    busy = SyncBusy(
        f"Another sync is at work on {database}.",
        hint="Wait until it is done, or give it more time with --lock-timeout.",
    )
    return lock_file(lock.with_name(f"{lock.stem}.sync{lock.suffix}"), busy, wait_s=wait_s)


def check_allowed(connection: sqlite3.Connection, database: Path, workflow: str) -> None:
    """Raises GateClosed where sync must not write now. Asked again in each of its transactions.

    Source: docs/design.md section 8.
    """
    found = {column.name.lower() for column in columns_of(connection, "shipped_items")}
    if not (found >= NEEDED and table_exists(connection, "skus") and table_exists(connection, "lots")):
        raise _not_migrated(connection, database)
    operation = read_operation(connection)
    if operation is not None:
        raise NotNow(
            f"A {operation.kind} of {database} is under way, or was interrupted.",
            hint="Wait until it is done; `lotgate status` finishes what was interrupted. Then sync again.",
        )
    columns = {column.name.lower() for column in columns_of(connection, "workflow_controls")}
    if {"workflow_name", "enabled"} <= columns:
        switches = connection.execute(
            "select enabled from workflow_controls where workflow_name = ?", (workflow,)
        ).fetchall()
        if any(str(enabled).strip().lower() not in ON for (enabled,) in switches):
            raise NotNow(
                f"{workflow} is switched off in workflow_controls.",
                hint="Nothing more is written. Set its `enabled` to 1 when ingestion may go on.",
            )


def is_old_ingestion_on(connection: sqlite3.Connection) -> bool:
    """Whether the ingestion that sync replaces is still switched on beside it."""
    columns = {column.name.lower() for column in columns_of(connection, "workflow_controls")}
    return {"workflow_name", "enabled"} <= columns and any(
        str(enabled).strip().lower() in ON
        for (enabled,) in connection.execute(
            "select enabled from workflow_controls where workflow_name = ?", (REPLACED,)
        )
    )


def _not_migrated(connection: sqlite3.Connection, database: Path) -> GateClosed:
    event = last_event(connection)
    if event is not None and event.kind in ("rollback", "restore"):
        return GateClosed(
            f"{database} was rolled back on {event.switched_at[:10]}: it has its legacy tables.",
            hint="Switch the old ingestion on again; what sync wrote was carried over. `lotgate migrate`"
            " brings the new tables back, and sync with them.",
        )
    return GateClosed(
        f"{database} is not migrated: sync writes the new tables only.",
        hint="Leave the old ingestion on for now. `lotgate status` says what comes next; after the swap, sync"
        " takes its place.",
    )
