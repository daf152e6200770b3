"""`lotgate sync shipments` of many labels at once: time, memory, requests, and how long other writers wait.

Usage: python tests/bench/bench_sync.py [--labels 100000] [--window 3] [--work DIR]

The simulated ShipStation runs in a process of its own and keeps to 40 requests in a window, as the real one
does; its window is shorter than a minute (`--window 60` is the real one, and takes some ten minutes more).
`--work DIR` takes the work directory of a demo that is there already; it is copied.
"""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click

LOTGATE = Path(sys.executable).with_name("lotgate")
NOW = datetime(2030, 3, 14, 12, 0, 0)
DAYS = 30
TEXTS = ("17612 - 250300", "17904 - 250240", "17914", "18675 - 240231", "18795 - 11001")
ENVIRON = {"SHIPSTATION_API_KEY": "simulator", "SHIPSTATION_API_SECRET": "simulator"}


def write_account(folder: Path, labels: int) -> int:
    """Labels of two items each, evenly over the days; returns their units."""
    folder.mkdir()
    step = timedelta(days=DAYS) / labels
    units = 0
    with (
        (folder / "shipstation_shipments.csv").open("w", newline="") as shipments_file,
        (folder / "shipstation_shipment_items.csv").open("w", newline="") as items_file,
    ):
        shipments, items = csv.writer(shipments_file), csv.writer(items_file)
        shipments.writerow(
            ["shipment_id", "order_id", "order_number", "create_date", "ship_date", "tracking_number",
             "is_return_label", "voided", "void_date"]
        )  # fmt: skip
        items.writerow(
            ["shipment_id", "line_index", "order_item_id", "line_item_key", "sku", "quantity", "adjustment"]
        )
        for place in range(labels):
            made = NOW - timedelta(days=DAYS) + step * place
            number = 900_000_000 + place
            shipments.writerow(
                [number, 800_000_000 + place, 600_005 + 10 * place, f"{made:%Y-%m-%dT%H:%M:%S}.0000000",
                 f"{made:%Y-%m-%d}", f"BENCH{number}", 0, 0, ""]
            )  # fmt: skip
            for line in range(2):
                quantity = 1 + (place + line) % 3
                units += quantity
                items.writerow([number, line, "", "", TEXTS[(place + line) % len(TEXTS)], quantity, 0])
    return units


@contextmanager
def simulator(data: Path, window: float, log: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [LOTGATE, "simulate-shipstation", "--data", data, "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}",
         "--rate-window", str(window), "--log", log],
        stdout=subprocess.PIPE, text=True, env=os.environ | ENVIRON,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def migrated(folder: Path, work: Path | None) -> Path:
    """The demo's database after its swap, without an order."""
    if work is None:
        subprocess.run([LOTGATE, "demo", "--work-dir", folder], check=True, capture_output=True)
    else:
        shutil.copytree(work, folder)
        database = folder / "demo" / "ora.db"
        swap = [LOTGATE, "swap", "--yes", "--database", database, "--work-dir", folder]
        subprocess.run(swap, check=True, capture_output=True)
    database = folder / "demo" / "ora.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in ("shipped_items", "shipped_orders", "orders_inbox", "lotgate_change_log"):
            connection.execute(f"delete from {table}")
    return database


class Writer(threading.Thread):
    """Another program that writes every few milliseconds; remembers its slowest write."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.over = threading.Event()
        self.slowest_ms = 0.0
        self.writes = 0

    def run(self) -> None:
        with closing(sqlite3.connect(self.database, timeout=30, isolation_level=None)) as connection:
            while not self.over.wait(0.005):
                start = time.monotonic()
                connection.execute("update workflows set last_run_at = 'bench' where id = 1")
                self.slowest_ms = max(self.slowest_ms, (time.monotonic() - start) * 1000)
                self.writes += 1


def run(database: Path, url: str) -> dict[str, float]:
    writer = Writer(database)
    writer.start()
    start = time.monotonic()
    process = subprocess.Popen(
        [LOTGATE, "sync", "shipments", "--database", database, "--json"],
        stdout=subprocess.PIPE, text=True, env=os.environ | ENVIRON | {"LOTGATE_SHIPSTATION_URL": url},
    )  # fmt: skip
    assert process.stdout is not None
    report = json.loads(process.stdout.read())
    _, _, usage = os.wait4(process.pid, 0)
    writer.over.set()
    writer.join()
    return {
        "seconds": time.monotonic() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "memory_mb": usage.ru_maxrss / 1024,
        "requests": report["requests"],
        "rows_added": report["written"]["rows_added"],
        "writer_ms": writer.slowest_ms,
        "writes": writer.writes,
    }


@click.command()
@click.option("--labels", default=100_000, show_default=True)
@click.option("--window", default=3.0, show_default=True, help="Seconds of the rate limit's window.")
@click.option("--work", type=click.Path(path_type=Path), help="A demo's work directory, before its swap.")
def main(labels: int, window: float, work: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        database = migrated(place / "work", work)
        units = write_account(place / "account", labels)
        log = place / "requests.log"
        with simulator(place / "account", window, log) as url:
            for name in ("first", "again"):
                figures = run(database, url)
                click.echo(f"{name}: " + ", ".join(f"{key} {value:,.1f}" for key, value in figures.items()))
        with closing(sqlite3.connect(database)) as connection:
            (found,) = connection.execute("select sum(quantity_shipped) from shipped_items").fetchone()
        refused = sum(" 429 " in line for line in log.read_text().splitlines())
        click.echo(f"{labels:,} labels: {found:,} of {units:,} units, {refused} requests over the rate limit")
        assert found == units
        assert refused == 0
        click.echo(f"bench's own memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
