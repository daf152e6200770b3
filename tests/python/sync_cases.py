"""A migrated database and a simulated ShipStation to bring together, and what both say in units."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import LOTGATE
from lotgate.config import ShipStationSettings, SyncSettings
from lotgate.console import SilentReporter
from lotgate.parser import parse_sku
from lotgate.shipstation.client import open_client
from lotgate.shipstation.simulator import SetClock, Simulator, Store
from lotgate.shipstation.times import to_pacific
from lotgate.sync.engine import SyncReport, run_sync
from lotgate.sync.job import Job
from lotgate.sync.model import Rules
from lotgate.sync.services import SERVICES, Service
from shipstation_fixtures import ENVIRON, NOW, settings_for

__all__ = ["SKUS", "Ingestion", "empty_database", "migrated_demo", "migrated_row", "query", "run_sql", "sync"]

SKUS = frozenset({"17612", "17904", "17914", "18675", "18795"})
Units = dict[tuple[str | None, str, str | None, str], int]
"""(order number, SKU, lot, ship date) -> units."""


@pytest.fixture(scope="session")
def migrated_demo(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's database after its swap; tests copy it."""
    folder = tmp_path_factory.mktemp("migrated")
    work = folder / "work"
    shutil.copytree(demo_build, work)
    database = work / "demo" / "ora.db"
    command = [*LOTGATE, "swap", "--yes", "--database", str(database), "--work-dir", str(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    return database


def empty_database(migrated: Path, folder: Path) -> Path:
    """A migrated database with SKUs and lots, and without any order."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "ora.db"
    shutil.copy(migrated, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in ("shipped_items", "shipped_orders", "orders_inbox", "sync_watermark"):
            connection.execute(f"delete from {table}")
    return database


@pytest.fixture
def sync(migrated_demo: Path, tmp_path: Path, simulate: Callable[..., Simulator]) -> Ingestion:
    """An empty migrated database and an empty account, at noon of ``shipstation_fixtures.NOW``."""
    clock = SetClock(NOW)
    return Ingestion(empty_database(migrated_demo, tmp_path / "live"), simulate(Store(), clock=clock), clock)


def query(database: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql, parameters).fetchall()


@dataclass
class Ingestion:
    """A database and the simulator that feeds it; ``clock`` is the simulator's."""

    database: Path
    simulator: Simulator
    clock: SetClock
    settings: SyncSettings = SyncSettings()  # noqa: RUF009 - it is frozen
    attempts: int = 6
    page_size: int = 500

    @property
    def shipstation(self) -> ShipStationSettings:
        return settings_for(self.simulator, attempts=self.attempts, page_size=self.page_size)

    def run(self, service: Service = "shipments", *, backfill: bool = False, **options: Any) -> SyncReport:
        guard = None if backfill else self.settings.guard_days
        job = Job(
            service=service,
            settings=self.settings,
            rules=lambda today, skus: Rules(today, guard, skus),
            discovered_lot_status="active",
            chunk_s=0.015,
            **options,
        )
        reporter = SilentReporter()
        return run_sync(
            self.database,
            job,
            lambda: open_client(
                self.shipstation, reporter=reporter, environ=ENVIRON, sleep=lambda seconds: None
            ),
            lock_timeout=10,
            reporter=reporter,
        )

    def run_all(self) -> list[SyncReport]:
        return [self.run(service) for service in SERVICES]

    @property
    def store(self) -> Store:
        return self.simulator.store

    def later(self, **by: float) -> datetime:
        """Moves ShipStation's clock; returns the Pacific time that it shows then."""
        self.clock.advance(timedelta(**by))
        return to_pacific(self.clock())

    def ship(self, number: str, *items: tuple[str | None, int], at: datetime, **more: Any) -> tuple[int, int]:
        """An order that is shipped at once; its id and the label's."""
        order = self.store.add_order(number, items, at)
        return order, self.store.add_shipment(order, at, **more)

    def with_settings(self, **changes: Any) -> Ingestion:
        return replace(self, settings=replace(self.settings, **changes))

    def units(self) -> Units:
        """What the database says."""
        return {
            tuple(row[:4]): row[4]  # type: ignore[misc]
            for row in query(
                self.database,
                "select i.order_number, s.sku_code, l.lot_number, i.ship_date, sum(i.quantity_shipped)"
                " from shipped_items as i inner join skus as s on s.sku_id = i.sku_id"
                " left join lots as l on l.lot_id = i.lot_id group by 1, 2, 3, 4",
            )
        }

    def truth(self, today: str) -> Units:
        """What the simulator says, as far as its texts can be read and its days have come."""
        found: Counter[tuple[str | None, str, str | None, str]] = Counter()
        for (number, text, day), units in self.simulator.store.counted_units().items():
            parsed = parse_sku(text, None, known_skus=SKUS)
            if parsed.failure is None and parsed.sku_code is not None and day <= today:
                found[number, parsed.sku_code, parsed.lot_number, day] += units
        return dict(found)

    def watermark(self, service: Service = "shipments") -> str | None:
        rows = query(
            self.database,
            "select last_sync_timestamp from sync_watermark where workflow_name = ?",
            f"lotgate-sync-{service}",
        )
        return rows[0][0] if rows else None

    def quarantine(self) -> list[tuple[str, str]]:
        """The open entries: subject and reason."""
        return query(
            self.database,
            "select subject, reason from lotgate_ingest_quarantine where settled_at is null order by 1",
        )

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that sync may change, with ids; for 'nothing was changed'."""
        return {
            table: query(self.database, f"select * from {table} order by 1")
            for table in ("skus", "lots", "shipped_orders", "shipped_items")
        }


def run_sql(sync: Ingestion, *statements: str) -> None:
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def migrated_row(sync: Ingestion, number: str, units: int, day: str, order_id: int | None = None) -> None:
    """A row as the migration leaves it."""
    run_sql(
        sync,
        "insert into shipped_orders (ship_date, order_number, shipstation_order_id)"
        f" values ('{day}', '{number}', {'null' if order_id is None else repr(str(order_id))})",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped,"
        f" order_number) select '{day}', '17612 - 250300', s.sku_id, l.lot_id, {units}, '{number}'"
        " from skus as s inner join lots as l using (sku_id)"
        " where s.sku_code = '17612' and l.lot_number = '250300'",
    )
