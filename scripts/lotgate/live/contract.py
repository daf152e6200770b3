"""The end of a migration: the archived tables and the compatibility columns go, ledger and history stay.

Source: docs/swap.md, "Contract".
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed
from lotgate.legacy_schema import quoted
from lotgate.live.clock import package_version, parse_utc, utc_now
from lotgate.live.compatibility import COMPATIBILITY_COLUMNS
from lotgate.live.connection import immediate, lock_database, open_for_writing
from lotgate.live.history import add_event, last_event, list_events, update_event
from lotgate.live.ingestion import pause_ingestion, resume_ingestion
from lotgate.live.names import (
    ARCHIVED,
    CHANGE_LOG,
    archive_name,
    final_index_name,
    is_own,
    renamed_index,
    undone_name,
)
from lotgate.live.recovery import bring_home, recover
from lotgate.live.rollback import is_migrated_now
from lotgate.live.schema import list_objects, working_objects
from lotgate.live.staging import drop_tables, leftover_tables
from lotgate.live.state import Operation, clear_operation, write_operation
from lotgate.live.status import contract_allowed_from

__all__ = [
    "ContractPreview",
    "ContractResult",
    "contract",
    "finish_contract",
    "preview_contract",
    "recovered_preview",
]


@dataclass(frozen=True)
class ContractPreview:
    """What goes, and from when on it may; ``is_early`` says that the retention has not passed."""

    swapped_at: str
    allowed_from: str
    is_early: bool
    tables: dict[str, int]
    columns: tuple[str, ...]
    triggers: tuple[str, ...]


@dataclass(frozen=True)
class ContractResult:
    """A contract that was done. ``lock_ms`` is the longest time that the write lock was held."""

    operation_id: str
    preview: ContractPreview
    lock_ms: float
    seconds: float
    recovered: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


def preview_contract(
    connection: sqlite3.Connection, database: Path, settings: SwapSettings
) -> ContractPreview:
    """What a contract would drop. Raises GateClosed where there is nothing to contract. Reads only."""
    event = last_event(connection, "swap")
    if event is None or not is_migrated_now(connection):
        raise GateClosed(
            f"{database} has no archived tables: there is nothing to contract.",
            hint="`lotgate status` shows its phase and what comes next.",
        )
    allowed = contract_allowed_from(event.switched_at, settings.retention_days)
    now = datetime.now(UTC)
    if any(parse_utc(each.switched_at) > now for each in list_events(connection)):
        raise GateClosed(
            f"The clock says {now.isoformat(timespec='seconds')}, and the history has later events.",
            hint="Set the clock right: the retention cannot be judged by it.",
        )
    return ContractPreview(
        swapped_at=event.switched_at,
        allowed_from=allowed.isoformat(timespec="seconds"),
        is_early=now < allowed,
        tables={
            archive_name(table): connection.execute(f"select count(*) from {archive_name(table)}").fetchone()[
                0
            ]
            for table in ARCHIVED
        }
        | {CHANGE_LOG: connection.execute(f"select count(*) from {CHANGE_LOG}").fetchone()[0]},
        columns=tuple(f"shipped_items.{name}" for name, _ in COMPATIBILITY_COLUMNS),
        triggers=tuple(item.name for item in list_objects(connection, "trigger") if is_own(item.name)),
    )


def recovered_preview(
    database: Path, settings: SwapSettings, *, lock_timeout: float, reporter: Reporter
) -> ContractPreview:
    """The same, once what an interrupted command left half done was finished or undone."""
    with lock_database(database), open_for_writing(database, lock_timeout=lock_timeout) as connection:
        recover(connection, database, settings, reporter=reporter)
        return preview_contract(connection, database, settings)


def contract(
    database: Path, settings: SwapSettings, *, lock_timeout: float, reporter: Reporter, force: bool = False
) -> ContractResult:
    """Drops what is left of the legacy tables. After this there is no way back but a backup.

    Raises GateClosed before the retention has passed (unless ``force``) and where a view, trigger or index of
    the owner's still needs a legacy column; then nothing is changed.
    """
    start = time.monotonic()
    with lock_database(database), open_for_writing(database, lock_timeout=lock_timeout) as connection:
        recovered = tuple(recover(connection, database, settings, reporter=reporter))
        preview = preview_contract(connection, database, settings)
        if preview.is_early and not force:
            raise GateClosed(
                f"The retention has not passed: contract is allowed from {preview.allowed_from}.",
                hint="Wait; or, where you are sure that nobody needs a rollback, use --force.",
            )
        operation = Operation(secrets.token_hex(4), "contract", "staging", utc_now())
        try:
            with immediate(connection):
                write_operation(connection, operation)
            operation = pause_ingestion(connection, operation, settings)
            with reporter.step("Dropping the legacy columns"):
                lock_ms = _drop_columns(connection, database, operation, preview)
            operation = replace(operation, phase="switched")
            longest = finish_contract(connection, operation, settings, reporter=reporter)
        except BaseException as error:
            bring_home(connection, database, settings, error, reporter=reporter)
            raise
    return ContractResult(operation.id, preview, max(lock_ms, longest), time.monotonic() - start, recovered)


def finish_contract(
    connection: sqlite3.Connection, operation: Operation, settings: SwapSettings, *, reporter: Reporter
) -> float:
    """Resumes ingestion, drops the archived tables, gives indexes their names; the longest lock, in ms.

    Each step can be done again after an interruption.
    """
    operation = resume_ingestion(connection, operation, settings)
    chunks = drop_tables(
        connection,
        leftover_tables(connection, (), [*(archive_name(t) for t in ARCHIVED), CHANGE_LOG]),
        settings,
        reporter=reporter,
    )
    longest = chunks.longest_ms
    indexes = list_objects(connection, "index")
    taken = {index.name.lower() for index in indexes}
    for index in indexes:
        name = final_index_name(index.name)
        if name is None or name.lower() in taken:  # an index of the owner's has that name: ours keeps its own
            continue
        statement = renamed_index(index.sql, name, index.table)
        assert statement is not None, index.sql  # the swap wrote it
        with reporter.step(f"Naming the index {name}"), immediate(connection):
            start = time.monotonic()
            connection.execute(statement)
            connection.execute(f"drop index {quoted(index.name)}")
        longest = max(longest, (time.monotonic() - start) * 1000)
    with immediate(connection):
        update_event(connection, operation.id, finished_at=utc_now())
        clear_operation(connection)
    return longest


def _drop_columns(
    connection: sqlite3.Connection, database: Path, operation: Operation, preview: ContractPreview
) -> float:
    worked = working_objects(connection)
    with immediate(connection):
        start = time.monotonic()
        for trigger in preview.triggers:
            connection.execute(f"drop trigger {quoted(trigger)}")
        for name, _ in COMPATIBILITY_COLUMNS:
            try:
                connection.execute(f"alter table shipped_items drop column {quoted(name)}")
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorname", "") != "SQLITE_ERROR":
                    raise
                raise _still_used(database, str(error)) from error
        lost = sorted(worked - _working_without_archive(connection))
        if lost:
            raise _still_used(database, ", ".join(lost))
        add_event(
            connection,
            operation_id=operation.id,
            kind="contract",
            switched_at=utc_now(),
            version=package_version(),
            detail={"tables": preview.tables},
        )
        write_operation(connection, replace(operation, phase="switched"))
    return (time.monotonic() - start) * 1000


def _working_without_archive(connection: sqlite3.Connection) -> frozenset[str]:
    """What will work once the archived tables are dropped: they are renamed for the length of a look."""
    connection.execute("pragma legacy_alter_table = on")  # views and triggers keep the old names
    connection.execute("savepoint look")
    try:
        for table in ARCHIVED:
            connection.execute(f"alter table {archive_name(table)} rename to {undone_name(table)}")
        return working_objects(connection)
    finally:
        if connection.in_transaction:
            connection.execute("rollback to look")
            connection.execute("release look")
        connection.execute("pragma legacy_alter_table = off")


def _still_used(database: Path, what: str) -> GateClosed:
    return GateClosed(
        f"Something in {database} still needs a legacy column or table: {what}.",
        hint="Change it to sku_id and lot_id, or drop it, then contract again. Nothing was changed.",
    )
