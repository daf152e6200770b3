"""Sync and everything else: other syncs, a swap, a rollback, a contract, writers, a switch, a kill."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from conftest import LOTGATE, Outcome, run_lotgate
from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.state import Operation, clear_operation, ensure_state, write_operation
from lotgate.shipstation.simulator import Faults, SetClock, Simulator, Store
from lotgate.sync.permission import NotNow, SyncBusy, lock_sync
from shipstation_fixtures import ENVIRON, NOW
from swap_cases import copy_case
from sync_cases import Ingestion, query

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"
KILLS = int(os.environ.get("LOTGATE_SYNC_KILLS", "12"))


def environment(sync: Ingestion) -> dict[str, str]:
    return ENVIRON | {"LOTGATE_SHIPSTATION_URL": sync.simulator.url}


def start(sync: Ingestion, *arguments: str) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LOTGATE_")}
    return subprocess.Popen(
        [*LOTGATE, "sync", *arguments, "--database", str(sync.database)],
        env=clean | environment(sync),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def many(sync: Ingestion, orders: int) -> int:
    """Orders with several lines and parcels each; returns the units."""
    units = 0
    for number in range(orders):
        order = sync.store.add_order(
            f"{600005 + 10 * number}", [(TEXT, 2), ("17904 - 250240", 1), ("17914", 3)], MORNING
        )
        sync.store.add_shipment(order, MORNING)
        sync.store.add_shipment(order, MORNING, items=[(TEXT, 2)])
        units += 8
    return units


def half_written(sync: Ingestion) -> list[tuple[object, ...]]:
    """Orders of ``many`` of which something is there, and something is not."""
    return query(
        sync.database,
        "select o.order_number, count(i.id) from shipped_orders as o left join shipped_items as i"
        " on i.order_number = o.order_number group by 1 having count(i.id) <> 4",
    )


def test_three_syncs_at_once_write_everything_once(sync: Ingestion) -> None:
    units = many(sync, 150)
    running = [start(sync, service) for service in ("shipments", "status", "shipments")]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert sum(sync.units().values()) == units
    assert half_written(sync) == []
    outcomes = query(sync.database, "select outcome from lotgate_sync_runs")
    assert outcomes == [("done",)] * 3


def test_a_second_sync_waits_for_its_turn_and_then_gives_up(sync: Ingestion) -> None:
    with lock_sync(sync.database, wait_s=0):
        found = run_lotgate(
            "sync", "shipments", "--database", sync.database, "--lock-timeout", "0.5", env=environment(sync)
        )
        assert found.code == 3
        assert "Another sync is at work" in found.err
    with lock_sync(sync.database, wait_s=0), pytest.raises(SyncBusy), lock_sync(sync.database, wait_s=0.3):
        pass


def test_a_database_that_is_not_migrated_is_refused_kindly(demo_build: Path, tmp_path: Path) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    before = query(case.database, "select count(*) from sqlite_schema")
    found = run_lotgate("sync", "shipments", "--database", case.database, env=ENVIRON)
    assert found.code == 1
    assert "is not migrated" in found.err
    assert "Leave the old ingestion on" in found.err
    assert query(case.database, "select count(*) from sqlite_schema") == before


def test_after_a_rollback_sync_is_refused_with_advice_and_its_work_was_carried_over(
    demo_build: Path,
    tmp_path: Path,
    lotgate: Callable[..., Outcome],
    simulate: Callable[..., Simulator],
) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    assert case.run(lotgate, "swap", "--yes").code == 0
    clock = SetClock(datetime(2025, 10, 11, 12, 0))
    sync = Ingestion(case.database, simulate(Store(), clock=clock), clock)
    sync.ship("100990", (TEXT, 4), at=datetime(2025, 10, 11, 9, 0))
    _, voided = sync.ship("100991", (TEXT, 9), at=datetime(2025, 10, 11, 9, 0))
    sync.run()
    sync.store.void_shipment(voided, sync.later(minutes=1))
    sync.later(minutes=1)
    sync.run()
    units = query(
        case.database, "select ship_date, base_sku, sum(quantity_shipped) from shipped_items group by 1, 2"
    )
    found = case.run(lotgate, "rollback", "--yes")
    assert found.code == 0, found.err
    assert query(
        case.database, "select quantity_shipped from shipped_items where order_number = '100990'"
    ) == [(4,)]
    assert query(case.database, "select count(*) from shipped_items where order_number = '100991'") == [(0,)]
    assert units
    with pytest.raises(GateClosed) as refused:
        sync.run()
    assert "was rolled back" in refused.value.message
    assert "Switch the old ingestion on again" in (refused.value.hint or "")


def test_sync_beside_a_swap_is_refused_until_it_is_done(
    demo_build: Path, tmp_path: Path, simulate: Callable[..., Simulator]
) -> None:
    """Tried all the while: refused, with nothing written, and then, on the new tables, done."""
    case = copy_case(demo_build, tmp_path / "case")
    clock = SetClock(datetime(2025, 10, 11, 12, 0))
    sync = Ingestion(case.database, simulate(Store(), clock=clock), clock)
    sync.ship("100990", (TEXT, 4), at=datetime(2025, 10, 11, 9, 0))
    swap = subprocess.Popen(
        [*LOTGATE, *map(str, case.arguments("swap", "--yes"))], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    refused = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            sync.run()
            break
        except GateClosed as error:
            refused.append(error.message)
    _, errors = swap.communicate(timeout=60)
    assert swap.returncode == 0, errors
    assert refused
    assert all("not migrated" in message or "is under way" in message for message in refused)
    rows = "select order_number, quantity_shipped from shipped_items where order_number = '100990'"
    assert query(case.database, rows) == [("100990", 4)]
    assert query(case.database, "select sum(quantity_shipped) from shipped_items") == [(1476,)]


def test_sync_goes_on_after_contract(
    demo_build: Path,
    tmp_path: Path,
    lotgate: Callable[..., Outcome],
    simulate: Callable[..., Simulator],
) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    with closing(sqlite3.connect(case.database)) as connection, connection:
        views = [name for (name,) in connection.execute("select name from sqlite_schema where type = 'view'")]
    assert case.run(lotgate, "swap", "--yes").code == 0
    clock = SetClock(datetime(2025, 10, 11, 12, 0))
    sync = Ingestion(case.database, simulate(Store(), clock=clock), clock)
    sync.ship("100990", (TEXT, 4), at=datetime(2025, 10, 11, 9, 0))
    sync.run()
    with closing(sqlite3.connect(case.database)) as connection, connection:
        for view in views:
            connection.execute(f"drop view {view}")  # it uses a legacy column, and contract says so
    found = lotgate(
        "contract",
        "--database",
        case.database,
        "--work-dir",
        case.work_dir,
        "--force",
        "--confirm-name",
        "ora.db",
    )
    assert found.code == 0, found.err
    sync.ship("100992", (TEXT, 5), at=sync.later(minutes=5))
    sync.later(minutes=5)
    sync.run()
    rows = (
        "select order_number, quantity_shipped from shipped_items where order_number in ('100990', '100992')"
    )
    assert query(case.database, rows) == [("100990", 4), ("100992", 5)]


def test_an_operation_under_way_stops_sync_between_orders(
    sync: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = many(sync, 40)
    seen = 0
    from lotgate.sync import engine

    real = engine.plan_order

    def begin_rollback(*arguments: object, **options: object) -> object:
        """Half-way, as seen from the next transaction."""
        nonlocal seen
        seen += 1
        return real(*arguments, **options)  # type: ignore[arg-type]

    asked = engine.check_allowed

    def ask(connection: sqlite3.Connection, database: Path, workflow: str) -> None:
        if seen >= 10:
            raise NotNow("A rollback is under way.", hint="Wait.")
        asked(connection, database, workflow)

    monkeypatch.setattr(engine, "plan_order", begin_rollback)
    monkeypatch.setattr(engine, "check_allowed", ask)
    with pytest.raises(NotNow):
        sync.run()
    assert half_written(sync) == []
    assert sync.watermark() is None
    monkeypatch.undo()
    sync.run()
    assert sum(sync.units().values()) == units


def test_a_noted_operation_refuses_sync(sync: Ingestion) -> None:
    with open_for_writing(sync.database) as connection, immediate(connection):
        ensure_state(connection)
        write_operation(connection, Operation("1", "rollback", "staging", "2030-03-14T12:00:00+00:00"))
    with pytest.raises(NotNow) as refused:
        sync.run()
    assert "A rollback of" in refused.value.message
    with open_for_writing(sync.database) as connection, immediate(connection):
        clear_operation(connection)
    sync.run()


def test_the_switch_in_workflow_controls_is_respected(sync: Ingestion) -> None:
    sync.ship("600105", (TEXT, 3), at=MORNING)
    switch = "insert or replace into workflow_controls (workflow_name, enabled) values (?, ?)"
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(switch, ("lotgate-sync", 0))
    with pytest.raises(NotNow) as refused:
        sync.run()
    assert "switched off in workflow_controls" in refused.value.message
    assert len(list(sync.simulator.log)) == 0
    assert sync.units() == {}
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(switch, ("lotgate-sync", 1))
        connection.execute(switch, ("unified-shipstation-sync", 0))  # the old ingestion's own
    report = sync.run()
    assert sum(sync.units().values()) == 3
    assert not report.old_ingestion_is_on
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(switch, ("unified-shipstation-sync", 1))
    assert sync.run().old_ingestion_is_on


def test_a_writer_that_holds_the_lock_is_waited_for_and_nothing_is_lost(
    sync: Ingestion, hold: Callable[..., subprocess.Popen[str]]
) -> None:
    sync.ship("600105", (TEXT, 3), at=MORNING)
    holder = hold(sync.database, "begin immediate")
    found = run_lotgate(
        "sync", "shipments", "--database", sync.database, "--lock-timeout", "0.5", env=environment(sync)
    )
    assert found.code == 3
    assert "lock" in found.err
    holder.kill()
    holder.wait()
    sync.run()
    assert sum(sync.units().values()) == 3


def test_sigterm_stops_between_orders(sync: Ingestion) -> None:
    units = many(sync, 1500)
    process = start(sync, "shipments")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if query(sync.database, "select count(*) from shipped_items")[0][0] > 0:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert half_written(sync) == []
    if process.returncode != 0:  # it may have been done already
        assert process.returncode == 3, errors
        assert "Interrupted" in errors
        assert sync.watermark() is None
        assert query(sync.database, "select outcome from lotgate_sync_runs") == [("stopped",)]
    sync.run()
    assert sum(sync.units().values()) == units


def test_watch_runs_all_services_and_stops_with_exit_0(sync: Ingestion) -> None:
    sync.ship("600105", (TEXT, 3), at=MORNING)
    process = start(sync, "--watch", "--interval", "1")
    deadline = time.monotonic() + 60
    runs = "select count(*) from lotgate_sync_runs where outcome = 'done'"
    while time.monotonic() < deadline:
        tables = query(sync.database, "select count(*) from sqlite_schema where name = 'lotgate_sync_runs'")
        if tables[0][0] and query(sync.database, runs)[0][0] >= 6:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Stopped" in errors
    assert "sync manual" in out
    assert sum(sync.units().values()) == 3


def test_kills_at_random_moments_leave_whole_orders_and_a_true_watermark(
    sync: Ingestion, tmp_path: Path
) -> None:
    """SIGKILL somewhere in a run; then the database is whole, and the next run brings the rest."""
    source = random.Random(20300314)
    units = many(sync, 120)
    pristine = tmp_path / "pristine.db"
    shutil.copy(sync.database, pristine)
    whole = time.monotonic()
    process = start(sync, "shipments")
    assert process.wait(timeout=60) == 0
    whole = time.monotonic() - whole
    killed = interrupted = 0
    for _ in range(KILLS):
        for file in sync.database.parent.glob("ora.db*"):
            file.unlink()
        shutil.copy(pristine, sync.database)
        process = start(sync, "shipments")
        time.sleep(whole * source.uniform(0.4, 1.0))
        process.kill()
        process.wait()
        killed += process.returncode == -signal.SIGKILL
        assert query(sync.database, "pragma integrity_check") == [("ok",)]
        assert half_written(sync) == []
        done = sum(sync.units().values())
        if sync.watermark() is not None:
            assert done == units, "the watermark is ahead of what is written"
        sync.run()
        assert sum(sync.units().values()) == units
        outcomes = [
            row[0] for row in query(sync.database, "select outcome from lotgate_sync_runs order by run_id")
        ]
        assert outcomes[-1] == "done"
        interrupted += "interrupted" in outcomes
    assert killed
    assert interrupted or killed < KILLS


def test_a_run_that_fails_on_the_network_can_be_repeated(sync: Ingestion) -> None:
    units = many(sync, 30)
    sync.attempts = 1
    sync.simulator.faults = Faults(chances={"server-error": 0.3}, seed=3, in_a_row=None)
    for _ in range(30):
        try:
            sync.run()
        except EnvironmentFailed:
            assert sync.units() == {}
        else:
            break
    sync.simulator.faults = Faults()
    sync.run()
    assert sum(sync.units().values()) == units
