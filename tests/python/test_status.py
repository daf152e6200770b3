"""``lotgate status``: many rows written since the swap are tried on a copy, while a writer holds the lock."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Outcome
from lotgate.live.status import TRIED_IN_PLACE

Cli = Callable[..., Outcome]
PARCEL = (
    "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number,"
    " shipstation_shipment_id) values ('2025-10-09', '17612', 1, 1, ?, ?)"
)


@pytest.fixture
def swapped(lotgate: Cli, demo_build: Path, tmp_path: Path) -> Path:
    work = Path(shutil.copytree(demo_build, tmp_path / "work", symlinks=True))
    outcome = lotgate("swap", "--database", work / "demo" / "ora.db", "--work-dir", work)
    assert outcome.code == 0, outcome.err
    return work


def test_many_rows_are_tried_on_a_copy_beside_a_writer(lotgate: Cli, swapped: Path) -> None:
    database = swapped / "demo" / "ora.db"
    options = ("--database", database, "--work-dir", swapped, "--lock-timeout", "0.2", "--json")
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.executemany(PARCEL, [(None, number) for number in range(TRIED_IN_PLACE + 1)])
        writer.execute("commit")
        order, day = writer.execute(
            "select order_number, ship_date from shipped_items where order_number is not null limit 1"
        ).fetchone()
        assert day != "2025-10-09"
        calm = lotgate("status", *options).json
        assert (calm["is_lossless"], calm["not_carried"]) == (True, [])
        assert calm["kept_details"] == TRIED_IN_PLACE + 1
        # two parcels of one order, SKU and no lot on another day: the legacy key has room for one of them
        writer.executemany(PARCEL, [(order, 9_000_001), (order, 9_000_002)])
        writer.execute("begin immediate")
        busy = lotgate("status", *options).json
        assert busy["changes_since"] == TRIED_IN_PLACE + 3
        assert busy["is_lossless"] is True  # both lie on one day, so that no unit is moved
        assert busy["kept_details"] > TRIED_IN_PLACE + 2
        writer.execute("rollback")
    assert not list(swapped.glob(".lotgate-status-*"))


def test_few_rows_are_tried_in_place_and_nothing_stays(lotgate: Cli, swapped: Path) -> None:
    database = swapped / "demo" / "ora.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("update shipped_items set quantity_shipped = 7 where id = 4101")
        before = list(writer.iterdump())
        found = lotgate("status", "--database", database, "--work-dir", swapped, "--json").json
        assert (found["phase"], found["is_lossless"], found["changes_since"]) == ("migrated", True, 1)
        assert list(writer.iterdump()) == before
    assert not (swapped / "rehearsal").exists()
