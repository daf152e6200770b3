"""`sync shipments`, a real database and real HTTP: what is written, what is refused, what is remembered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.shipstation.simulator import Faults, Line, SetClock, Simulator, Store
from shipstation_fixtures import NOW
from sync_cases import Ingestion, query

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"


def test_labels_become_rows_with_headers_and_a_watermark(sync: Ingestion) -> None:
    store = sync.simulator.store
    order = store.add_order("100901", [(TEXT, 3), ("17904 - 250240", 1)], MORNING)
    shipment = store.add_shipment(order, MORNING, tracking="T9")
    report = sync.run()
    assert sync.units() == {
        ("100901", "17612", "250300", TODAY): 3,
        ("100901", "17904", "250240", TODAY): 1,
    }
    assert query(
        sync.database, "select ship_date, order_number, shipstation_order_id from shipped_orders"
    ) == [(TODAY, "100901", str(order))]
    assert query(
        sync.database,
        "select distinct shipstation_shipment_id, tracking_number, created_at, base_sku || sku_lot"
        " from shipped_items where sku_lot = '17612 - 250300'",
    ) == [(shipment, "T9", "2030-03-14 08:00:00", f"17612{TEXT}")]
    assert (report.written.rows_added, report.written.units_added, report.written.orders) == (2, 4, 1)
    assert sync.watermark() == "2030-03-14T08:00:00"
    (run,) = query(
        sync.database, "select service, outcome, rows_added, units_added, refused from lotgate_sync_runs"
    )
    assert run == ("shipments", "done", 2, 4, 0)


def test_the_same_again_writes_nothing(sync: Ingestion) -> None:
    store = sync.simulator.store
    store.add_shipment(store.add_order("100901", [(TEXT, 3)], MORNING), MORNING)
    sync.run()
    before = sync.content()
    again = sync.run()
    assert sync.content() == before
    assert again.written.orders == 0
    assert again.written.units_added == again.written.units_removed == 0


def test_a_lot_that_only_shipments_know_is_made(sync: Ingestion) -> None:
    store = sync.simulator.store
    store.add_shipment(store.add_order("100901", [("17612 - 999001", 3)], MORNING), MORNING)
    report = sync.run()
    assert report.written.lots_created == {"17612 - 999001"}
    assert query(
        sync.database, "select status, received_date, manual_adjustment from lots where lot_number = '999001'"
    ) == [("active", None, 0)]


def test_a_void_of_an_old_label_is_found_by_its_void_date(sync: Ingestion) -> None:
    store = sync.simulator.store
    then = MORNING - timedelta(days=20)
    order = store.add_order("100901", [(TEXT, 3)], then)
    shipment = store.add_shipment(order, then)
    sync.run()
    assert sum(sync.units().values()) == 3
    store.void_shipment(shipment, sync.later(hours=5))
    sync.later(minutes=5)
    report = sync.run()
    assert sync.units() == {}
    assert (report.written.rows_removed, report.written.units_removed) == (1, 3)
    assert query(sync.database, "select count(*) from shipped_orders") == [(0,)]
    ((before,),) = query(
        sync.database,
        "select before_row from lotgate_sync_changes where action = 'removed'"
        " and table_name = 'shipped_items'",
    )
    assert json.loads(before)["quantity_shipped"] == 3


def test_a_header_keeps_a_day_on_which_an_item_shipped(sync: Ingestion) -> None:
    store = sync.simulator.store
    order = store.add_order("100901", [(TEXT, 3)], MORNING - timedelta(days=3))
    first = store.add_shipment(order, MORNING - timedelta(days=2))
    store.add_shipment(order, MORNING)
    sync.run()
    day = f"{MORNING - timedelta(days=2):%Y-%m-%d}"
    assert query(sync.database, "select ship_date from shipped_orders") == [(day,)]
    store.void_shipment(first, sync.later(hours=1))
    sync.later(minutes=5)
    sync.run()
    assert query(sync.database, "select ship_date from shipped_orders") == [(TODAY,)]
    assert sync.units() == {("100901", "17612", "250300", TODAY): 3}


def test_a_label_for_tomorrow_waits_for_its_day(sync: Ingestion) -> None:
    store = sync.simulator.store
    order = store.add_order("100901", [(TEXT, 3)], MORNING)
    tomorrow = f"{NOW + timedelta(days=1):%Y-%m-%d}"
    shipment = store.add_shipment(order, MORNING, ship_date=tomorrow)
    report = sync.run()
    assert sync.units() == {}
    assert sync.quarantine() == [(f"shipment {shipment}", "future_ship_date")]
    assert (report.refused, report.refused_new) == (1, 1)
    sync.later(days=1)
    report = sync.run()
    assert sync.units() == {("100901", "17612", "250300", tomorrow): 3}
    assert sync.quarantine() == []
    assert report.settled == 1


def test_a_back_dated_label_is_found_and_an_old_one_waits_for_backfill(sync: Ingestion) -> None:
    store = sync.simulator.store
    ordered = MORNING - timedelta(days=90)
    late = store.add_order("100901", [(TEXT, 3)], ordered)
    old = store.add_order("100902", [(TEXT, 2)], ordered)
    store.add_shipment(late, MORNING, ship_date=f"{NOW - timedelta(days=30):%Y-%m-%d}")
    shipment = store.add_shipment(old, MORNING, ship_date=f"{NOW - timedelta(days=60):%Y-%m-%d}")
    sync.run()
    assert sum(sync.units().values()) == 3
    assert sync.quarantine() == [(f"shipment {shipment}", "too_old")]
    sync.later(days=3)
    assert sync.run(retry=True).settled == 0
    assert sync.run(retry=True, backfill=True).settled == 1
    assert sum(sync.units().values()) == 5


def test_the_orders_date_guards_a_label(sync: Ingestion) -> None:
    """Manual numbers are in no inbox: ShipStation's own order date counts."""
    store = sync.simulator.store
    order = store.add_order("100901", [(TEXT, 3)], MORNING)
    shipment = store.add_shipment(order, MORNING, ship_date=f"{NOW - timedelta(days=1):%Y-%m-%d}")
    sync.run()
    assert sync.units() == {}
    assert sync.quarantine() == [(f"shipment {shipment}", "before_order_date")]


def test_the_inboxs_date_guards_an_order_that_shipstation_does_not_list(sync: Ingestion) -> None:
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(
            "insert into orders_inbox (order_number, order_date, status) values ('600105', ?, 'uploaded')",
            (f"{NOW - timedelta(days=1):%Y-%m-%d} 10:00:00",),
        )
    day = f"{NOW - timedelta(days=2):%Y-%m-%d}"
    shipment = sync.simulator.store.add_shipment(
        712345678, MORNING, ship_date=day, items=[(TEXT, 1)], number="600105"
    )
    sync.run()
    assert sync.quarantine() == [(f"shipment {shipment}", "before_order_date")]


def test_parcels_add_up_and_order_less_labels_are_told_apart(sync: Ingestion) -> None:
    store = sync.simulator.store
    order = store.add_order("100901", [(TEXT, 6)], MORNING)
    store.add_shipment(order, MORNING, items=[(TEXT, 3)])
    store.add_shipment(order, MORNING, items=[(TEXT, 3)])
    store.add_shipment(None, MORNING, items=[(TEXT, 2)])
    store.add_shipment(None, MORNING, items=[(TEXT, 2)])
    expected = {("100901", "17612", "250300", TODAY): 6, (None, "17612", "250300", TODAY): 4}
    sync.run()
    assert sync.units() == expected
    sync.run()
    assert sync.units() == expected


def test_returns_discounts_and_empty_lines_ship_nothing(sync: Ingestion) -> None:
    store = sync.simulator.store
    lines = [
        Line(1, None, 2),
        Line(2, "", 1),
        Line(3, TEXT, 0),
        Line(4, "SPRING10", 1, line_item_key="discount"),
    ]
    order = store.add_order("100901", lines, MORNING)
    store.add_shipment(order, MORNING, items=lines)
    store.add_shipment(order, MORNING, items=[(TEXT, 4)], is_return=True)
    report = sync.run()
    assert sync.units() == {}
    assert sync.quarantine() == []
    assert report.written.ignored_lines == 4
    assert query(sync.database, "select count(*) from shipped_orders") == [(0,)]


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(sync: Ingestion) -> None:
    store = sync.simulator.store
    store.add_shipment(store.add_order("100901", [(TEXT, 3), ("17612 - 999001", 1)], MORNING), MORNING)
    store.add_shipment(store.add_order("100902", [("ducks", 3)], MORNING), MORNING)
    before = query(sync.database, "select name, sql from sqlite_schema order by 1"), sync.content()
    report = sync.run(dry_run=True)
    assert (report.written.rows_added, report.written.units_added, report.refused) == (2, 4, 1)
    assert report.written.lots_created == {"17612 - 999001"}
    assert report.run_id is None
    assert (query(sync.database, "select name, sql from sqlite_schema order by 1"), sync.content()) == before
    assert sync.watermark() is None


def test_the_watermark_moves_only_after_everything_was_fetched(sync: Ingestion) -> None:
    store = sync.simulator.store
    for number in range(100901, 100911):
        store.add_shipment(store.add_order(str(number), [(TEXT, 1)], MORNING), MORNING)
    sync.run()
    mark = sync.watermark()
    store.add_shipment(store.add_order("100911", [(TEXT, 1)], MORNING), sync.later(hours=1))
    sync.later(minutes=10)
    sync.attempts = 2
    sync.simulator.faults = Faults(chances={"server-error": 1.0}, in_a_row=None)
    with pytest.raises(EnvironmentFailed):
        sync.run()
    assert sync.watermark() == mark
    assert sum(sync.units().values()) == 10
    ((outcome, problem),) = query(
        sync.database, "select outcome, problem from lotgate_sync_runs order by run_id desc limit 1"
    )
    assert outcome == "failed"
    assert problem
    sync.simulator.faults = Faults()
    sync.run()
    assert sum(sync.units().values()) == 11
    assert sync.watermark() > mark  # type: ignore[operator]


def test_an_empty_account_moves_the_watermark_to_the_windows_end(sync: Ingestion) -> None:
    report = sync.run()
    assert sync.watermark() == report.window[1] == "2030-03-14T11:59:55"


@pytest.mark.parametrize("stamp", ["2030-03-15T00:00:00", "2030-03-14T10:00:00Z", "yesterday"])
def test_a_watermark_that_cannot_be_is_refused_with_advice(sync: Ingestion, stamp: str) -> None:
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(
            "insert into sync_watermark (workflow_name, last_sync_timestamp) values"
            " ('lotgate-sync-shipments', ?)",
            (stamp,),
        )
    with pytest.raises(GateClosed) as refused:
        sync.run()
    assert "--since" in (refused.value.hint or "")
    assert sync.watermark() == stamp
    sync.run(since="2030-03-01")


def test_an_early_database_without_a_watermark_table_gets_one(sync: Ingestion) -> None:
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute("drop table sync_watermark")
    sync.run()
    assert sync.watermark() is not None


def test_migrated_rows_are_bound_to_their_shipments_and_not_doubled(sync: Ingestion) -> None:
    store = sync.simulator.store
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(
            "insert into shipped_orders (ship_date, order_number) values (?, '100901')", (TODAY,)
        )
        connection.execute(
            "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped,"
            " order_number) select ?, ?, s.sku_id, l.lot_id, 3, '100901' from skus as s inner join lots as l"
            " using (sku_id) where s.sku_code = '17612' and l.lot_number = '250300'",
            (TODAY, TEXT),
        )
    order = store.add_order("100901", [(TEXT, 3)], MORNING)
    shipment = store.add_shipment(order, MORNING)
    report = sync.run()
    assert report.written.rows_adopted == 1
    assert query(sync.database, "select shipstation_shipment_id, quantity_shipped from shipped_items") == [
        (shipment, 3)
    ]
    assert query(sync.database, "select shipstation_order_id from shipped_orders") == [(str(order),)]


def test_a_void_that_concerns_a_migrated_row_asks_for_all_labels(sync: Ingestion) -> None:
    """Two parcels alike, one row (the legacy key overwrote one): the void of one must not take both away."""
    store = sync.simulator.store
    then = MORNING - timedelta(days=60)
    day = f"{then:%Y-%m-%d}"
    with closing(sqlite3.connect(sync.database)) as connection, connection:
        connection.execute(
            "insert into shipped_orders (ship_date, order_number) values (?, '100901')", (day,)
        )
        connection.execute(
            "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped,"
            " order_number) select ?, ?, s.sku_id, l.lot_id, 3, '100901' from skus as s inner join lots as l"
            " using (sku_id) where s.sku_code = '17612' and l.lot_number = '250300'",
            (day, TEXT),
        )
    order = store.add_order("100901", [(TEXT, 6)], then)
    first = store.add_shipment(order, then, items=[(TEXT, 3)])
    second = store.add_shipment(order, then, items=[(TEXT, 3)])
    store.void_shipment(first, MORNING)
    sync.run()
    assert query(sync.database, "select shipstation_shipment_id, quantity_shipped from shipped_items") == [
        (second, 3)
    ]


def test_the_demos_database_and_its_shipstation_agree(
    migrated_demo: Path,
    tmp_path: Path,
    simulate: Callable[..., Simulator],
) -> None:
    """Recovered and kept rows are known; nothing is doubled: 331 units stay 331."""
    database = tmp_path / "ora.db"
    database.write_bytes(migrated_demo.read_bytes())
    seeds = Path(__file__).parents[2] / "seeds" / "shipstation"
    clock = SetClock(datetime(2025, 10, 10, 18, 5))
    sync = Ingestion(database, simulate(Store.load_folder(seeds), clock=clock), clock)
    units = "select sum(quantity_shipped) from shipped_items where ship_date = '2025-10-06'"
    assert query(database, units) == [(331,)]
    report = sync.run()
    assert query(database, units) == [(331,)]
    assert report.written.rows_adopted > 0
    assert report.written.rows_added == 0
    before = sync.content()
    sync.run()
    assert sync.content() == before
