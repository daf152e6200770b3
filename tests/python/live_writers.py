"""Processes that read and write a live database while it is swapped and rolled back, and what they saw.

Three kinds: a service that knows nothing of the migrated tables (watermarks), an ingestion that writes
shipments into whatever tables are there and stops while `workflow_controls` says so, and readers.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

WORKFLOW = "unified-shipstation-sync"
PAUSE_S = 0.003
NEW = "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number) values (?, ?, (select min(sku_id) from skus), 1, null)"  # noqa: E501
LEGACY = "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number) values (?, '', ?, 1, null)"  # noqa: E501


@dataclass
class Seen:
    """What one process did and how long its slowest transaction took, by phase.

    ``marks`` are the texts of the shipments that it committed, by the tables that it found.
    """

    kind: str
    transactions: int = 0
    slowest_ms: dict[str, float] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def took(self, phase: str, seconds: float) -> None:
        self.transactions += 1
        self.slowest_ms[phase] = max(self.slowest_ms.get(phase, 0.0), seconds * 1000)


@dataclass
class Crowd:
    """The processes at work. ``phase`` names the time that their measurements belong to."""

    context: multiprocessing.context.BaseContext
    stop: Event
    phase: object
    queue: Queue[Seen]
    processes: list[multiprocessing.process.BaseProcess]

    def set_phase(self, name: str) -> None:
        self.phase.value = name.encode()  # type: ignore[attr-defined]

    def finish(self) -> list[Seen]:
        """Ends them, and returns what each saw."""
        self.stop.set()
        found = [self.queue.get(timeout=60) for _ in self.processes]
        for process in self.processes:
            process.join(timeout=60)
        return found


@contextmanager
def crowd(database: Path, *, watermarks: int = 2, ingestions: int = 1, readers: int = 1) -> Iterator[Crowd]:
    """Starts the processes, and ends them whatever happens."""
    context = multiprocessing.get_context("fork")
    stop, queue = context.Event(), context.Queue()
    phase = context.Array("c", 32)
    phase.value = b"before"  # type: ignore[attr-defined]
    jobs = [(_watermarks, number) for number in range(watermarks)]
    jobs += [(_ingestion, number) for number in range(ingestions)]
    jobs += [(_reader, number) for number in range(readers)]
    processes = [
        context.Process(target=job, args=(database, number, stop, phase, queue), daemon=True)
        for job, number in jobs
    ]
    for process in processes:
        process.start()
    try:
        yield Crowd(context, stop, phase, queue, list(processes))
    finally:
        stop.set()
        for process in processes:
            process.join(timeout=30)
            if process.is_alive():
                process.kill()


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=30, isolation_level=None)


def _now(phase: object) -> str:
    return phase.value.decode()  # type: ignore[attr-defined, no-any-return]


def _watermarks(database: Path, number: int, stop: Event, phase: object, queue: Queue[Seen]) -> None:
    seen = Seen("watermark")
    name = f"writer-{number}"
    with closing(_connect(database)) as connection:
        connection.execute(
            "insert into sync_watermark (workflow_name, last_sync_timestamp) values (?, '0')"
            " on conflict (workflow_name) do update set last_sync_timestamp = '0'",
            (name,),
        )
        count = 0
        while not stop.is_set():
            label, start = _now(phase), time.monotonic()
            try:
                connection.execute("begin immediate")
                connection.execute(
                    "update sync_watermark set last_sync_timestamp = ? where workflow_name = ?",
                    (str(count + 1), name),
                )
                connection.execute("commit")
                count += 1
            except sqlite3.Error as error:
                seen.errors.append(str(error))
                if connection.in_transaction:
                    connection.execute("rollback")
            seen.took(label, time.monotonic() - start)
            time.sleep(PAUSE_S)
        found = connection.execute(
            "select last_sync_timestamp from sync_watermark where workflow_name = ?", (name,)
        ).fetchone()[0]
        if found != str(count):
            seen.errors.append(f"{name}: {found} where {count} was committed")
    queue.put(seen)


def _ingestion(database: Path, number: int, stop: Event, phase: object, queue: Queue[Seen]) -> None:
    """Writes a shipment into the tables that are there; not before the first swap, which would refuse it."""
    seen = Seen("ingestion")
    with closing(_connect(database)) as connection:
        while not stop.is_set():
            label, start = _now(phase), time.monotonic()
            if label not in ("migrated", "rollback", "dropping", "after"):
                migrated = connection.execute("select 1 from sqlite_schema where name = 'skus'").fetchone()
                if not migrated:
                    time.sleep(PAUSE_S)
                    continue
            mark = f"mark {number}-{len(seen.marks)}"
            try:
                connection.execute("begin immediate")
                paused = connection.execute(
                    "select 1 from workflow_controls where workflow_name = ? and enabled = 0", (WORKFLOW,)
                ).fetchone()
                new = connection.execute("select 1 from sqlite_schema where name = 'skus'").fetchone()
                if not paused:
                    connection.execute(NEW if new else LEGACY, ("2025-10-09", mark))
                connection.execute("commit")
                if not paused:
                    seen.marks.append(f"{'new' if new else 'legacy'}:{mark}")
            except sqlite3.Error as error:
                seen.errors.append(str(error))
                if connection.in_transaction:
                    connection.execute("rollback")
            seen.took(label, time.monotonic() - start)
            time.sleep(PAUSE_S)
    queue.put(seen)


def _reader(database: Path, number: int, stop: Event, phase: object, queue: Queue[Seen]) -> None:
    """Asks what the dashboard asks, of one day; in one transaction the sum by SKU is the sum."""
    seen = Seen("reader")
    with closing(_connect(database)) as connection:
        while not stop.is_set():
            label, start = _now(phase), time.monotonic()
            try:
                connection.execute("begin")
                by_sku = connection.execute(
                    "select base_sku, sum(quantity_shipped) from shipped_items where ship_date = '2025-10-06'"
                    " group by base_sku"
                ).fetchall()
                total = connection.execute(
                    "select coalesce(sum(quantity_shipped), 0) from shipped_items"
                    " where ship_date = '2025-10-06'"
                ).fetchone()[0]
                connection.execute("commit")
                if sum(units for _, units in by_sku) != total:
                    seen.errors.append("one transaction saw two states")
            except sqlite3.Error as error:
                seen.errors.append(str(error))
                if connection.in_transaction:
                    connection.execute("rollback")
            seen.took(label, time.monotonic() - start)
            time.sleep(PAUSE_S)
    queue.put(seen)
