"""The whole migration rehearsed on a copy: swap, readers, later work, rollback, restore. Zero downtime.

Source: docs/swap.md, "Prework".
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lotgate.config import SwapSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed
from lotgate.legacy_schema import quoted
from lotgate.live.backups import take_backups
from lotgate.live.clock import utc_now
from lotgate.live.connection import immediate, lock_database, open_for_writing
from lotgate.live.legacy_queries import answers, parameters
from lotgate.live.names import ARCHIVED
from lotgate.live.plan import attach_candidate
from lotgate.live.preflight import Audited, check_source, refuse_under_way
from lotgate.live.rehearsal import SwappedCopy, copy_of_live, on_a_copy, swap_copy
from lotgate.live.restore import restore_backup
from lotgate.live.rollback import RollbackResult, rollback_open
from lotgate.live.schema import columns_of
from lotgate.live.swap import plan_or_refuse
from lotgate.sqlite_files import open_live, sqlite_uri
from lotgate.table_hashes import TableHash, hash_query
from lotgate.workdir import WorkDir

__all__ = ["Rehearsal", "rehearse"]

Tables = Mapping[str, TableHash]
LATER_WRITES = 4
"""A header, an item, a changed item, a deleted item."""


@dataclass(frozen=True)
class Rehearsal:
    """What the rehearsal took and proved. Times in seconds or milliseconds, as their names say.

    ``changed_answers`` names the readers' queries whose answers differ after the swap, because rows were
    corrected; after each rollback all of them answered as before.
    """

    backup_seconds: float
    staging_seconds: float
    longest_chunk_ms: float
    lock_ms: float
    check_seconds: float
    rollback_lock_ms: float
    restore_seconds: float
    queries: int
    changed_answers: tuple[str, ...]
    later_writes: int

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


def rehearse(
    database: Path,
    work_dir: WorkDir,
    audited: Audited,
    settings: SwapSettings,
    *,
    lock_timeout: float,
    reporter: Reporter,
) -> Rehearsal:
    """Carries everything out on a copy in ``work_dir``. The live database is only read.

    Swap, queries, rollback, comparison; restore of the backup, comparison; swap, later writes, rollback,
    comparison. Raises GateClosed with what did not hold.
    """
    with open_live(database, lock_timeout=lock_timeout) as live:
        refuse_under_way(live.connection, database)
        check_source(live.connection, database, audited)
        live.connection.execute("attach database ? as candidate", (sqlite_uri(audited.candidate, mode="ro"),))
        plan_or_refuse(live.connection, database, settings)  # the copy's journal mode may be another
    calm = on_a_copy(settings)
    folders = (work_dir.rehearsal / "backups-1", work_dir.rehearsal / "backups-2")
    with copy_of_live(database, work_dir, lock_timeout=lock_timeout, reporter=reporter) as copy:
        try:
            return _rehearse(copy, audited, calm, folders, lock_timeout, reporter)
        finally:
            _remove(folders)


def _rehearse(
    copy: Path,
    audited: Audited,
    settings: SwapSettings,
    folders: tuple[Path, Path],
    lock_timeout: float,
    reporter: Reporter,
) -> Rehearsal:
    with open_for_writing(copy) as connection:
        given = parameters(connection)
        answers_before, before = answers(connection, given), _legacy(connection)
    start = time.monotonic()
    with lock_database(copy):
        backups = take_backups(
            copy,
            folders,
            operation_id=secrets.token_hex(4),
            reason="swap",
            reporter=reporter,
            taken_at=utc_now(),
            lock_timeout=lock_timeout,
        )
    backup_seconds = time.monotonic() - start
    with open_for_writing(copy) as connection:
        done = _swap(connection, copy, audited, settings, reporter)
        with reporter.step("Asking what the legacy readers ask"):
            answers_after = answers(connection, given)
            changed = tuple(name for name in answers_before if answers_after[name] != answers_before[name])
            _expect_answers(answers_before, answers_after)
        back = _back(connection, copy, settings, reporter)
        _expect(_legacy(connection) == before, "the legacy tables after a rollback are not as before")
        _expect(answers(connection, given) == answers_before, "a reader gets another answer after a rollback")
    with lock_database(copy), reporter.step("Restoring the backup"):
        restored = restore_backup(
            copy,
            backups[0].path,
            folders,
            operation_id=secrets.token_hex(4),
            taken_at=utc_now(),
            lock_timeout=lock_timeout,
            reporter=reporter,
        )
    with open_for_writing(copy) as connection:
        _expect(_legacy(connection) == before, "the legacy tables after a restore are not as before")
        _swap(connection, copy, audited, settings, reporter)
        writes = _write(connection)
        _back(connection, copy, settings, reporter)
        _expect_written(connection, writes, backups[0].path)
    return Rehearsal(
        backup_seconds=backup_seconds,
        staging_seconds=done.staging_seconds,
        longest_chunk_ms=done.longest_chunk_ms,
        lock_ms=done.lock_ms,
        check_seconds=done.check_seconds,
        rollback_lock_ms=back.lock_ms,
        restore_seconds=restored.seconds,
        queries=len(answers_before),
        changed_answers=changed,
        later_writes=LATER_WRITES,
    )


def _swap(
    connection: sqlite3.Connection, copy: Path, audited: Audited, settings: SwapSettings, reporter: Reporter
) -> SwappedCopy:
    attach_candidate(connection, audited.candidate)
    plan = plan_or_refuse(connection, copy, settings)
    return swap_copy(connection, copy, plan, audited, settings, reporter)


def _back(
    connection: sqlite3.Connection, copy: Path, settings: SwapSettings, reporter: Reporter
) -> RollbackResult:
    result = rollback_open(connection, copy, settings, reporter=reporter)
    _expect(not result.not_carried, "; ".join(result.not_carried))
    _expect(not result.broken, f"after a rollback these do not work: {', '.join(result.broken)}")
    return result


def _legacy(connection: sqlite3.Connection) -> Tables:
    return {
        table: hash_query(connection, table, f"select * from {table} order by rowid") for table in ARCHIVED
    }


def _expect_answers(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> None:
    """Every query still runs: where it gave no error before, it gives none now."""
    broken = [
        name for name, rows in after.items() if rows and "no such" in str(rows[0][0]) and rows != before[name]
    ]
    _expect(not broken, f"after the swap these readers' queries fail: {', '.join(broken)}")


@dataclass(frozen=True)
class _LaterWrites:
    """What the rehearsal writes after its swap: a new order with an item, a changed item, a deleted item."""

    order_number: str
    changed_id: int
    deleted_id: int


def _write(connection: sqlite3.Connection) -> _LaterWrites:
    number = f"rehearsal {secrets.token_hex(4)}"
    ids = [
        row[0]
        for row in connection.execute(
            "select i.id from shipped_items as i inner join legacy_shipped_items as l on l.id = i.id"
            " where not exists (select 1 from lotgate_row_ledger as g where g.merged_into_id = i.id)"
            " order by i.id limit 2"
        )
    ]
    _expect(len(ids) == 2, "there are too few rows to rehearse later work with")
    changed, deleted = ids
    with immediate(connection):
        connection.execute(
            "insert into shipped_orders (ship_date, order_number)"
            " select ship_date, ? from shipped_items where id = ?",
            (number, changed),
        )
        connection.execute(
            "insert into shipped_items"
            " (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
            " select ship_date, 'rehearsal', sku_id, 3, ? from shipped_items where id = ?",
            (number, changed),
        )
        connection.execute(
            "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = ?", (changed,)
        )
        connection.execute("delete from shipped_items where id = ?", (deleted,))
    return _LaterWrites(number, changed, deleted)


def _expect_written(connection: sqlite3.Connection, writes: _LaterWrites, backup: Path) -> None:
    """The legacy tables differ from those of before, in the backup, by what was written and nothing else."""
    columns = [c.name for c in columns_of(connection, "shipped_items")]
    plain = [quoted(name) for name in columns if name.lower() != "quantity_shipped"]
    connection.execute("attach database ? as before", (sqlite_uri(backup, mode="ro"),))
    try:
        wrong = []
        if connection.execute(
            "select sum(quantity_shipped), count(*) from shipped_items where order_number = ?",
            (writes.order_number,),
        ).fetchone() != (3, 1):
            wrong.append("a row that was added did not come back")
        quantity = "select quantity_shipped from {}.shipped_items where id = ?"
        (now,) = connection.execute(quantity.format("main"), (writes.changed_id,)).fetchone()
        (then,) = connection.execute(quantity.format("before"), (writes.changed_id,)).fetchone()
        if now != then + 1:
            wrong.append("a row that was changed did not come back as changed")
        differs = " or ".join(f"now.{name} is not then_.{name}" for name in plain)
        others = connection.execute(
            "select count(*) from before.shipped_items as then_ left join main.shipped_items as now"
            f" on now.id = then_.id where then_.id <> ? and (now.id is null or {differs}"
            " or (now.quantity_shipped is not then_.quantity_shipped and now.id <> ?))",
            (writes.deleted_id, writes.changed_id),
        ).fetchone()[0]
        counts = [
            connection.execute(f"select count(*) from {schema}.{table}").fetchone()[0]
            for table in ARCHIVED
            for schema in ("main", "before")
        ]
        if others or counts[2] != counts[3] or counts[0] != counts[1] + 1:
            wrong.append(f"{others} other rows differ, or there are more or fewer of them")
    finally:
        connection.execute("detach database before")
    _expect(not wrong, "; ".join(wrong))


def _expect(holds: bool, problem: str) -> None:
    if not holds:
        raise GateClosed(
            f"The rehearsal on a copy does not hold: {problem}.",
            hint="The live database was only read. Do not swap before this is understood.",
        )


def _remove(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
