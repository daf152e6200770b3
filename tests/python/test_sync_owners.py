"""Sync and what an owner's database adds: triggers, keys, odd tables, and what it refuses."""

from __future__ import annotations

import json
import sqlite3

import pytest

from lotgate.errors import EnvironmentFailed, UsageError
from shipstation_fixtures import NOW
from sync_cases import Ingestion, query, run_sql

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"
LIVE_ROWS = "select shipstation_shipment_id, quantity_shipped from shipped_items order by 1"


def test_an_order_that_the_database_refuses_waits_and_the_others_do_not(sync: Ingestion) -> None:
    run_sql(
        sync,
        "create trigger owners before insert on shipped_items when new.order_number = '600115'"
        " begin select raise(abort, 'not this one'); end",
    )
    for number in ("600105", "600115", "600125"):
        sync.ship(number, (TEXT, 3), at=MORNING)
    report = sync.run()
    assert {key[0] for key in sync.units()} == {"600105", "600125"}
    assert [reason for _, reason in sync.quarantine()] == ["refused_by_database"]
    assert (report.written.rows_added, report.written.units_added, report.written.orders) == (2, 6, 2)
    assert query(sync.database, "select count(*) from shipped_orders") == [(2,)]
    run_sql(sync, "drop trigger owners")
    sync.run(retry=True)
    assert sum(sync.units().values()) == 9
    assert sync.quarantine() == []


@pytest.mark.parametrize(
    "trigger",
    [
        "before insert on shipped_items begin select raise(ignore); end",
        "after insert on shipped_items begin"
        " update shipped_items set quantity_shipped = 1 where id = new.id; end",
    ],
)
def test_a_trigger_that_changes_what_is_written_is_noticed(sync: Ingestion, trigger: str) -> None:
    run_sql(sync, f"create trigger owners {trigger}")
    sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.run()
    assert sync.units() == {}
    assert [reason for _, reason in sync.quarantine()] == ["refused_by_database"]


def test_a_watermark_that_does_not_stay_fails_the_run(sync: Ingestion) -> None:
    run_sql(sync, "create trigger owners before insert on sync_watermark begin select raise(ignore); end")
    with pytest.raises(EnvironmentFailed, match="does not stay"):
        sync.run()
    assert query(sync.database, "select outcome from lotgate_sync_runs") == [("failed",)]


@pytest.mark.parametrize(
    "table", ["create view sync_watermark as select 1 as x", "create table sync_watermark (service text)"]
)
def test_an_odd_watermark_table_is_refused_before_anything_is_asked(sync: Ingestion, table: str) -> None:
    run_sql(sync, "drop table sync_watermark", table)
    with pytest.raises(UsageError, match="sync_watermark"):
        sync.run()
    assert len(list(sync.simulator.log)) == 0


def test_an_error_of_the_live_database_is_told_as_one(
    sync: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as one of the temporary file, which is open at the same time."""
    from lotgate.sync.writing import Writer

    def fail(*arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    sync.ship("600105", (TEXT, 3), at=MORNING)
    monkeypatch.setattr(Writer, "apply", fail)
    with pytest.raises(EnvironmentFailed) as failed:
        sync.run()
    assert "ora.db" in failed.value.message
    assert "temporary" not in failed.value.message
    assert query(sync.database, "select outcome, watermark from lotgate_sync_runs") == [("failed", None)]


def test_a_header_that_somebody_refers_to_stays(sync: Ingestion) -> None:
    run_sql(
        sync,
        "create table notes (order_number text references shipped_orders (order_number) on delete cascade)",
    )
    _, shipment = sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.run()
    run_sql(sync, "insert into notes values ('600105')")
    sync.store.void_shipment(shipment, sync.later(hours=1))
    sync.later(minutes=5)
    sync.run()
    assert sync.units() == {}
    assert query(sync.database, "select count(*) from notes") == [(1,)]
    assert query(sync.database, "select count(*) from shipped_orders") == [(1,)]


def test_what_a_header_said_is_kept(sync: Ingestion) -> None:
    _, shipment = sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.run()
    run_sql(sync, "update shipped_orders set total_items = 7")
    sync.store.void_shipment(shipment, sync.later(hours=1))
    sync.later(minutes=5)
    sync.run()
    ((action, before),) = query(
        sync.database,
        "select action, before_row from lotgate_sync_changes where table_name = 'shipped_orders'",
    )
    assert action == "removed"
    assert json.loads(before)["total_items"] == 7


def test_two_texts_that_exchange_their_meaning(sync: Ingestion) -> None:
    sync.ship("600105", (TEXT, 3), ("17612 - 250237", 2), at=MORNING)
    sync.run()
    run_sql(
        sync,
        "update shipped_items set shipstation_sku_raw = 'x' where quantity_shipped = 3",
        f"update shipped_items set shipstation_sku_raw = '{TEXT}' where quantity_shipped = 2",
        "update shipped_items set shipstation_sku_raw = '17612 - 250237' where quantity_shipped = 3",
    )
    sync.run()
    assert sync.quarantine() == []
    assert query(
        sync.database, "select shipstation_sku_raw, quantity_shipped from shipped_items order by 2"
    ) == [("17612 - 250237", 2), (TEXT, 3)]


def test_units_that_add_up_to_too_many_are_refused(sync: Ingestion) -> None:
    sync.ship("600105", (TEXT, 600_000), (TEXT, 600_000), at=MORNING)
    sync.run()
    assert sync.units() == {}
    assert [reason for _, reason in sync.quarantine()] == ["invalid_quantity"]
