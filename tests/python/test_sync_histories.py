"""Random histories: whatever happens, and however often sync runs, it arrives at ShipStation's truth."""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.shipstation.simulator import FAULTS, Faults, SetClock, Simulator, Store
from lotgate.sync.services import SERVICES
from sync_cases import Ingestion, empty_database, query
from sync_histories import EVENTS, READABLE, History, expected_units

HISTORIES = int(os.environ.get("LOTGATE_HISTORIES", "40"))
"""How many random histories a test plays; set it higher for a long search."""

START = datetime(2030, 3, 8, 9, 0, 0)
"""Two days before the clocks go forward."""

WEIGHTS = {"order": 6, "label": 8, "void": 2, "reprint": 2, "mark": 2, "night": 2}
PASSING = {
    name: 0.08 for name in FAULTS if name not in ("foreign-order", "foreign-id", "foreign-shipment", "slow")
}
AFTERWARDS = ("order", "label", "label", "void", "reprint", "move_day", "note", "cancel", "night")
DRIFT = {"insert-between-pages", "void-between-pages", "edit-between-pages"}


def play(
    seed: int, folder: Path, migrated: Path, start: Callable[..., Simulator], *, faults: bool
) -> tuple[Ingestion, History]:
    """A history with syncs in between, some of which meet faults; then one of each service without any."""
    source = random.Random(seed)
    clock = SetClock(START)
    simulator = start(Store(), clock=clock)
    sync = Ingestion(empty_database(migrated, folder), simulator, clock, attempts=3)
    history = History(simulator.store, clock, source)
    names = list(EVENTS)
    for _ in range(source.randint(10, 45)):
        history.happen(source.choices(names, [WEIGHTS.get(name, 1) for name in names])[0])
        if source.random() < 0.15:
            clock.advance(timedelta(minutes=1))
            run_with_faults(sync, source, faults=faults)
    clock.advance(timedelta(minutes=1))
    simulator.faults = Faults()
    return sync, history


def run_with_faults(sync: Ingestion, source: random.Random, *, faults: bool) -> None:
    if faults and source.random() < 0.7:
        chosen = source.sample(sorted(set(PASSING) - DRIFT), source.randint(1, 5))
        sync.simulator.faults = Faults(chances=dict.fromkeys(chosen, 0.1), seed=source.random().__hash__())
    mark = {name: sync.watermark(name) for name in SERVICES}
    service = source.choice(SERVICES)
    try:
        sync.run(service)
    except (EnvironmentFailed, GateClosed):
        assert {name: sync.watermark(name) for name in SERVICES} == mark
    sync.simulator.faults = Faults()


def check_books(sync: Ingestion) -> None:
    """What must hold whatever was written."""
    for table in ("lots", "shipped_orders", "shipped_items"):
        assert query(sync.database, f"pragma foreign_key_check({table})") == []
    assert query(sync.database, "pragma integrity_check") == [("ok",)]
    headers = "select count(*) from shipped_orders as o where not exists"
    items = "(select 1 from shipped_items as i where i.order_number = o.order_number"
    assert query(sync.database, f"{headers} {items})") == [(0,)], "a header without items"
    assert query(sync.database, f"{headers} {items} and i.ship_date = o.ship_date)") == [(0,)]
    assert query(
        sync.database,
        "select count(*) from shipped_items as i inner join skus as s using (sku_id) left join lots as l"
        " using (lot_id) where i.base_sku is not s.sku_code or i.sku_lot is not"
        " case when i.lot_id is null then '' else s.sku_code || ' - ' || l.lot_number end",
    ) == [(0,)]


@pytest.mark.parametrize("faults", [False, True])
def test_sync_arrives_at_shipstations_truth(
    migrated_demo: Path,
    tmp_path: Path,
    simulate: Callable[..., Simulator],
    faults: bool,
) -> None:
    """Nothing lost, nothing double, and a second time nothing changes."""
    for seed in range(HISTORIES):
        sync, history = play(seed, tmp_path / str(seed), migrated_demo, simulate, faults=faults)
        sync.run_all()
        assert sync.units() == expected_units(history.store, history.now.date()), f"seed {seed}"
        check_books(sync)
        before = sync.content()
        history.clock.advance(timedelta(minutes=3))
        sync.run_all()
        assert sync.content() == before, f"seed {seed}: not the same the second time"
        refused = {subject for subject, _ in sync.quarantine()}
        assert len(refused) == len(sync.quarantine())


def test_migrated_rows_are_neither_doubled_nor_lost(
    migrated_demo: Path,
    tmp_path: Path,
    simulate: Callable[..., Simulator],
) -> None:
    """What was there before the migration has no shipment ids, and may say other days, lots and sums.

    Where nothing of an order waits for a person, its units are ShipStation's. (A split, or a hand mark taken
    back, leaves rows that no label explains: those are flagged by the audit, and nobody takes them out.)
    """
    for seed in range(2000, 2000 + HISTORIES):
        sync, history = play(seed, tmp_path / str(seed), migrated_demo, simulate, faults=False)
        sync.run_all()
        forget(sync, history.source)
        for _ in range(history.source.randint(0, 12)):
            history.happen(history.source.choice(AFTERWARDS))
        history.clock.advance(timedelta(minutes=1))
        sync.run_all()
        check_books(sync)
        waiting = query(
            sync.database, "select order_number from lotgate_ingest_quarantine where settled_at is null"
        )
        unclear = {number for (number,) in waiting}
        expected = expected_units(history.store, history.now.date())
        for key in expected.keys() | sync.units().keys():
            if key[0] not in unclear and key[0] is not None:
                assert sync.units().get(key) == expected.get(key), f"seed {seed}: {key}"
        before = sync.content()
        sync.run_all()
        assert sync.content() == before, f"seed {seed}: not the same the second time"


def forget(sync: Ingestion, source: random.Random) -> None:
    """Makes rows of orders what the legacy tables would have left: no shipment ids, parcels added up."""
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        rows = connection.execute(
            "select order_number, sku_id, lot_id, min(id), sum(quantity_shipped) from shipped_items"
            " where order_number is not null group by 1, 2, 3"
        ).fetchall()
        numbers = {row[0] for row in rows if source.random() < 0.6}
        for number, sku_id, lot_id, first, units in rows:
            if number in numbers:
                connection.execute(
                    "delete from shipped_items where order_number = ? and sku_id = ? and lot_id is ?"
                    " and id > ?",
                    (number, sku_id, lot_id, first),
                )
                connection.execute(
                    "update shipped_items set shipstation_shipment_id = null, quantity_shipped = ?,"
                    " shipstation_sku_raw = case sku_lot when '' then base_sku else sku_lot end where id = ?",
                    (units, first),
                )


def test_what_is_refused_is_in_quarantine_and_only_that(
    migrated_demo: Path,
    tmp_path: Path,
    simulate: Callable[..., Simulator],
) -> None:
    """Counted lines of labels: each is a row, or an entry says why not."""
    for seed in range(1000, 1000 + HISTORIES // 2):
        sync, history = play(seed, tmp_path / str(seed), migrated_demo, simulate, faults=False)
        sync.run_all()
        in_rows: Counter[int] = Counter()
        for shipment, units in query(
            sync.database, "select shipstation_shipment_id, quantity_shipped from shipped_items"
        ):
            in_rows[shipment] += units
        subjects = dict(sync.quarantine())
        for label in history.store.labels.values():
            number = label.shipment_id
            counted = {i: line for i, line in enumerate(label.items or ()) if line.units}
            if not label.counts:
                assert in_rows[number] == 0
                assert not any(text.startswith(f"shipment {number}") for text in subjects)
                continue
            whole = f"shipment {number}" in subjects
            lines = {i for i in counted if f"shipment {number} line {i}" in subjects}
            assert {i for i, line in counted.items() if line.sku not in READABLE} == lines, f"seed {seed}"
            written = 0 if whole else sum(counted[i].units for i in counted.keys() - lines)
            assert in_rows[number] == written, f"seed {seed}, shipment {number}"
