"""Recovering from a simulated ShipStation in tests, and looking at the evidence."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lotgate.config import ShipStationSettings
from lotgate.console import SilentReporter
from lotgate.recover import Recovery, recover_days
from lotgate.shipstation.client import Client, open_client
from lotgate.shipstation.simulator import Simulator
from lotgate.workdir import WorkDir
from shipstation_fixtures import ENVIRON, settings_for

__all__ = ["client_of", "covered", "evidence_units", "recover", "rows"]

Units = dict[tuple[str | None, str, str], int]


@contextmanager
def client_of(simulator: Simulator, **settings: object) -> Iterator[Client]:
    """A client that waits for nothing."""
    found: ShipStationSettings = settings_for(simulator, **settings)
    with open_client(found, reporter=SilentReporter(), environ=ENVIRON, sleep=lambda seconds: None) as client:
        yield client


def recover(
    simulator: Simulator, work: Path, first: str, last: str | None = None, **settings: object
) -> Recovery:
    """What ``lotgate recover`` does, for a live database beside the work directory."""
    work.mkdir(exist_ok=True)
    with client_of(simulator, **settings) as client:
        return recover_days(
            work.parent / "ora.db",
            WorkDir(work),
            first,
            last or first,
            client=client,
            reporter=SilentReporter(),
        )


def rows(work: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the evidence."""
    with closing(sqlite3.connect(work / "shipstation.sqlite")) as connection:
        return connection.execute(sql).fetchall()


def covered(work: Path) -> list[tuple[str, str, int]]:
    """The windows of the fetches, and whether they were complete."""
    return rows(work, "select ship_date_from, ship_date_to, complete from fetches order by fetch_id")


def evidence_units(work: Path) -> Units:
    """Units by order number, SKU text and ship date, counted as docs/rules.md section 3 says."""
    found: Counter[tuple[str | None, str, str]] = Counter()
    for number, sku, day, quantity in rows(
        work,
        "select s.order_number, i.sku, s.ship_date, i.quantity from shipments s"
        " join shipment_items i using (shipment_id)"
        " where not s.voided and not s.is_return_label and trim(coalesce(i.sku, '')) <> ''"
        " and i.quantity > 0 and not i.adjustment"
        " and lower(trim(coalesce(i.line_item_key, ''))) <> 'discount'",
    ):
        found[number, sku, day] += quantity
    return dict(found)
