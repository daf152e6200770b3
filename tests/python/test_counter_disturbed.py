"""A counter that was disturbed, restored or removed; locks and damaged files."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from conftest import fingerprint
from counter_cases import NOW, OWN, Hold, counted, install, opened, state
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.counter import (
    CannotCount,
    drop_counter_statements,
    read_counter,
    remove_counter,
    schema_fingerprint,
)
from lotgate.live.state import database_id
from test_bad_input import corrupt_page


def test_nothing_is_written_where_all_is_right(live: Path) -> None:
    first = install(live)
    before = fingerprint(live.parent)
    assert install(live) == first
    assert fingerprint(live.parent) == before
    with opened(live) as connection:
        assert connection.execute("select * from lotgate_change_counter").fetchall() == [
            (1, first.value, first.stamp, NOW)
        ]
        identity = database_id(connection)
        assert identity is not None
        assert len(identity) == 32
        connection.execute("update shipped_items set quantity_shipped = 5 where id = 1")
        after = state(connection)
    assert install(live) == after


def test_a_wal_that_was_left_behind_stays_where_all_is_right(live: Path, hold: Hold) -> None:
    """The database is then not even opened for writing."""
    install(live)
    hold(live, "update shipped_items set quantity_shipped = 9").kill()
    before = fingerprint(live.parent)
    assert install(live).value == 20
    assert fingerprint(live.parent) == before


DISTURBANCES = {
    "a trigger dropped": "drop trigger lotgate_count_sku_lot_delete",
    "another trigger": "create trigger lotgate_count_gone_insert after insert on sku_lot begin select 1; end",
    "a column more": "alter table shipped_items add column more text",
    "a table more": "create table temporary (a); drop table sku_lot;"
    " create table sku_lot (id integer primary key, sku, lot, active, created_at)",
    "a table renamed": "alter table sku_lot rename to sku_lot_of_old",
    "the row deleted": "delete from lotgate_change_counter",
    "the table dropped": "drop table lotgate_change_counter",
    "the notes dropped": "drop table lotgate_changed_orders",
    "a weaker trigger": "drop trigger lotgate_count_sku_lot_insert; create trigger"
    " lotgate_count_sku_lot_insert after insert on sku_lot begin select 1; end",
    "a column of its table more": "alter table lotgate_change_counter add column more text",
    "a key more": "create unique index mine on orders_inbox (source_system)",
}


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_counter_that_may_have_missed_something_is_none(live: Path, name: str) -> None:
    first = install(live)
    with opened(live) as connection:
        connection.executescript(DISTURBANCES[name])
        assert read_counter(connection) is None
    again = install(live)
    assert again.stamp != first.stamp
    if "row" not in name and "table dropped" not in name:
        assert again.value == first.value + 1
    with opened(live) as connection:
        assert read_counter(connection) == again
        assert counted(connection, "update shipped_items set quantity_shipped = 7 where id = 1") == 1
    assert install(live).value == again.value + 1


def test_a_counted_column_cannot_be_dropped_unseen(live: Path) -> None:
    install(live)
    with opened(live) as connection:
        with pytest.raises(
            sqlite3.OperationalError, match="error in trigger lotgate_count_shipped_items_update"
        ):
            connection.execute("alter table shipped_items drop column tracking_number")
        connection.execute("alter table orders_inbox drop column failure_reason")  # one that does not count
        assert read_counter(connection) is not None


def test_a_column_renamed_is_still_counted(live: Path) -> None:
    install(live)
    with opened(live) as connection:
        before = schema_fingerprint(connection)
        connection.execute("alter table shipped_items rename column tracking_number to tracking")
        assert schema_fingerprint(connection) != before
        assert counted(connection, "update shipped_items set tracking = 'x' where id = 1") == 1


def test_a_restored_copy_that_went_its_own_way_has_another_stamp(live: Path, tmp_path: Path) -> None:
    install(live)
    copy = tmp_path / "copy.db"
    with opened(live) as source, opened(copy) as target:
        source.backup(target)
        audited = state(source)
        assert state(target) == audited
        change = "update shipped_items set quantity_shipped = 5 where id = 1"
        source.execute(change)
        target.execute(change)
        assert state(target).value == state(source).value
        assert state(target).stamp != state(source).stamp
        later = state(source)
        target.execute(change.replace("5", "6"))
        target.backup(source)
        assert state(source) not in (later, audited)


def test_an_operation_takes_it_out_in_its_own_transaction(live: Path) -> None:
    with opened(live) as connection:
        plain = connection.execute("select name, sql from sqlite_schema order by name").fetchall()
    install(live)
    with open_for_writing(live) as connection:
        with immediate(connection):
            for statement in drop_counter_statements(connection):
                connection.execute(statement)
            assert read_counter(connection) is None
            connection.execute("drop table lotgate_state")
        assert connection.execute("select name, sql from sqlite_schema order by name").fetchall() == plain
        assert drop_counter_statements(connection) == []
    install(live)
    remove_counter(live, lock_timeout=5)
    remove_counter(live, lock_timeout=5)
    with opened(live) as connection:
        assert [name for (name,) in connection.execute(OWN + " limit 2")] == ["lotgate_state"]
        assert counted_without(connection)


def counted_without(connection: sqlite3.Connection) -> bool:
    connection.execute("update shipped_items set quantity_shipped = 5 where id = 1")
    return read_counter(connection) is None


def test_it_is_read_from_an_attached_database(live: Path) -> None:
    found = install(live)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create temp table shipped_items (a)")
        connection.execute("attach ? as them", (str(live),))
        assert read_counter(connection, "them") == found
        assert read_counter(connection) is None
        with opened(live) as own:
            assert schema_fingerprint(connection, "them") == schema_fingerprint(own)


@pytest.mark.parametrize(
    ("statements", "error", "message"),
    [
        ("create table legacy_shipped_items (id)", GateClosed, "is migrated already"),
        ("drop table shipped_items", UsageError, "missing: table shipped_items"),
        (
            "drop table sku_lot; create view sku_lot as select 1 as id, '' as sku, '' as lot, 1 as active,"
            " '' as created_at",
            CannotCount,
            "sku_lot: no table",
        ),
    ],
)
def test_what_is_refused_is_left_as_it_is(
    live: Path, statements: str, error: type[Exception], message: str
) -> None:
    with opened(live) as connection:
        connection.executescript(statements)
    before = fingerprint(live.parent)
    with pytest.raises(error, match=message):
        install(live)
    assert fingerprint(live.parent) == before


def test_a_view_put_in_a_tables_place_ends_the_counting(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    create_legacy_database(path, Shape.early).close()
    install(path)
    with opened(path) as connection:
        connection.execute("create table mine (sku, lot)")
        assert read_counter(connection) is not None
        connection.execute("create view Lot_Inventory as select * from mine")
        assert read_counter(connection) is None


def test_nothing_is_written_into_a_damaged_file(live: Path) -> None:
    corrupt_page(live)
    before = fingerprint(live.parent)
    with pytest.raises(GateClosed, match="corrupt"):
        install(live)
    assert fingerprint(live.parent) == before


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_locked_database_is_waited_for(live: Path, hold: Hold, mode: str) -> None:
    with opened(live) as connection:
        connection.execute(f"pragma journal_mode = {mode}")
    hold(live, "begin immediate")
    start = time.monotonic()
    with pytest.raises(EnvironmentFailed, match=r"locked by another process for longer than 0\.2 s"):
        install(live, lock_timeout=0.2)
    assert 0.15 < time.monotonic() - start < 3
