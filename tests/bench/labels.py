"""`lotgate sync shipments` of very many labels at once: time, memory, requests, other writers' waits.

The simulated ShipStation keeps to 40 requests in a window, as the real one does; its window is shorter than a
minute (`--window 60` is the real one). The database is the demo's after its swap, without an order. The bench
stops where units differ or the simulator had to refuse a request.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from account import CREDENTIALS, simulator, write_account
from measuring import LOTGATE, Run, measure
from tables import markdown, number

__all__ = ["sync_labels", "table"]

DAYS = 30


def sync_labels(
    folder: Path, labels: int, window: float, demo: Path | None = None
) -> dict[str, tuple[Run, dict[str, float]]]:
    """A first run, which writes all of them, and another, which finds them there.

    ``demo`` is the work directory of a demo that is there already, before its swap; it is copied.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    database = _migrated(folder / "work", demo)
    units = write_account(folder / "account", labels, DAYS)
    log = folder / "requests.log"
    with simulator(folder / "account", window, log) as url:
        found = {name: _run(database, url) for name in ("first", "again")}
    with closing(sqlite3.connect(database)) as connection:
        (written,) = connection.execute("select sum(quantity_shipped) from shipped_items").fetchone()
    refused = sum(" 429 " in line for line in log.read_text().splitlines())
    if written != units or refused:
        sys.exit(f"sync wrote {written} units of {units}, and {refused} requests went over the rate limit")
    return found


def table(found: dict[str, tuple[Run, dict[str, float]]]) -> str:
    others = next(iter(found.values()))[1]
    return markdown(
        ["run", "wall s", "CPU s", "memory MB", *others],
        [
            [name, *map(number, (run.wall_s, run.cpu_s, run.memory_mb)), *map(number, beside.values())]
            for name, (run, beside) in found.items()
        ],
    )


class Writer(threading.Thread):
    """Another program that writes every few milliseconds; remembers its slowest write."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.over = threading.Event()
        self.slowest_ms = 0.0

    def run(self) -> None:
        with closing(sqlite3.connect(self.database, timeout=30, isolation_level=None)) as connection:
            while not self.over.wait(0.005):
                start = time.monotonic()
                connection.execute("update workflows set last_run_at = 'bench' where id = 1")
                self.slowest_ms = max(self.slowest_ms, (time.monotonic() - start) * 1000)


def _migrated(work: Path, demo: Path | None) -> Path:
    database = work / "demo" / "ora.db"
    if demo is None:
        measure([*LOTGATE, "demo", "--work-dir", work])
    else:
        shutil.copytree(demo, work, symlinks=True)
        measure([*LOTGATE, "swap", "--yes", "--database", database, "--work-dir", work])
    with closing(sqlite3.connect(database)) as connection, connection:
        for name in ("shipped_items", "shipped_orders", "orders_inbox", "lotgate_change_log"):
            connection.execute(f"delete from {name}")
    return database


def _run(database: Path, url: str) -> tuple[Run, dict[str, float]]:
    writer = Writer(database)
    writer.start()
    done = measure(
        [*LOTGATE, "sync", "shipments", "--database", database, "--json"],
        folders=[database.parent],
        extra={"LOTGATE_SHIPSTATION_URL": url} | CREDENTIALS,
    )
    writer.over.set()
    writer.join()
    report = json.loads(done.out)
    return done.run, {
        "requests": report["requests"],
        "rows added": report["written"]["rows_added"],
        "slowest other write, ms": writer.slowest_ms,
    }
