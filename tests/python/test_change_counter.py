"""The change-counter: it counts every change that matters and no other, and nothing gets past it unseen."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Outcome, drop_privileges, fill, fingerprint
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.legacy_schema import MODEL_COLUMNS, Shape, create_legacy_database, quoted
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.counter import (
    CannotCount,
    Counter,
    changed_orders,
    drop_counter_statements,
    expected_triggers,
    install_counter,
    read_counter,
    remove_counter,
    schema_fingerprint,
)
from lotgate.live.state import database_id
from lotgate.snapshot import Snapshot, take_snapshot
from lotgate.workdir import WorkDir
from test_bad_input import corrupt_page
from test_build import QUICK, leave_out_unit_tests, work_dir_of_the_session

Cli = Callable[..., Outcome]
Hold = Callable[..., subprocess.Popen[str]]
NOW = "2026-01-02T03:04:05+00:00"
OWN = "select name from sqlite_schema where name like 'lotgate%' order by name"


def install(path: Path, lock_timeout: float = 5) -> Counter:
    return install_counter(path, lock_timeout=lock_timeout, now=NOW)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A writer as the owner's programs are: SQLite's defaults, every statement committed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def state(connection: sqlite3.Connection) -> Counter:
    found = read_counter(connection)
    assert found is not None
    return found


def counted(connection: sqlite3.Connection, *statements: str) -> int:
    """How many changes the statements were counted as; the stamp is a new one exactly where it is not 0."""
    before = state(connection)
    for statement in statements:
        connection.execute(statement)
    after = state(connection)
    assert (after.stamp == before.stamp) == (after.value == before.value)
    return after.value - before.value


def fill_any(connection: sqlite3.Connection) -> None:
    """Two orders with an item each, an SKU, and an order in the inbox where there is one; any shape."""
    connection.execute("insert into inventory_current (sku, product_name) values ('17612', 'Brush')")
    for id_, order in enumerate(("600005", "600015"), 1):
        connection.execute(
            "insert into shipped_orders (id, ship_date, order_number) values (?, '2025-09-15', ?)",
            (id_, order),
        )
        connection.execute(
            "insert into shipped_items"
            " (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
            " values (?, '2025-09-15', '17612 - 250237', '17612', 2, ?, '2025-09-15 10:00:00')",
            (id_, order),
        )


ITEM = (
    "shipped_items (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at) values"
    " ({0}, '2025-09-16', '17612 - 25007{0}', '17612', {1}, '{2}', '2025-09-16 10:00:00')"
)


@pytest.fixture(params=list(Shape))
def shaped(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A small database of every shape, with a counter."""
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, request.param)) as connection:
        fill_any(connection)
        connection.commit()
    install(path)
    return path


@pytest.mark.parametrize("recursive", [0, 1])
def test_every_kind_of_change_is_counted_in_every_shape(shaped: Path, recursive: int) -> None:
    with opened(shaped) as connection:
        connection.execute(f"pragma recursive_triggers = {recursive}")
        replaced = 1 + recursive  # REPLACE fires a delete trigger for the row that goes only with the pragma
        assert counted(connection, "insert into " + ITEM.format(3, 1, "600005")) == 1
        assert counted(connection, "update shipped_items set quantity_shipped = 9 where id = 3") == 1
        assert counted(connection, "update shipped_items set quantity_shipped = quantity_shipped + 1") == 3
        upsert = " on conflict (id) do update set quantity_shipped = excluded.quantity_shipped"
        assert counted(connection, "insert into " + ITEM.format(3, 5, "600005") + upsert) == 1
        assert counted(connection, "insert into " + ITEM.format(3, 5, "600005") + upsert) == 0
        assert counted(connection, "insert or ignore into " + ITEM.format(3, 6, "600005")) == 0
        assert counted(connection, "insert or replace into " + ITEM.format(3, 7, "600005")) >= replaced
        assert counted(connection, "update or replace shipped_items set id = 3 where id = 2") == replaced
        assert counted(connection, "delete from shipped_items where id = 3") == 1
        assert counted(connection, "delete from shipped_items where id = 1",
                       "insert into " + ITEM.format(1, 7, "600005")) == 2  # fmt: skip
        assert counted(connection, "delete from shipped_items") == 1  # without the truncate optimisation
        assert counted(connection, "delete from shipped_items") == 0
        connection.execute("begin")
        connection.execute("insert into " + ITEM.format(8, 1, "600005"))
        connection.execute("rollback")
        assert counted(connection) == 0


def test_all_tables_of_the_models_are_counted_in_every_shape(shaped: Path) -> None:
    with opened(shaped) as connection:
        tables = {
            name for (name,) in connection.execute("select name from sqlite_schema where type = 'table'")
        }
        there = sorted(set(MODEL_COLUMNS) & tables)
        assert set(expected_triggers(connection)) == {
            f"lotgate_count_{table}_{event}" for table in there for event in ("insert", "update", "delete")
        }
        filling = {
            "lot_inventory": "(sku, lot, received_date) values ('17612', '250237', '2025-09-01')",
            "sku_lot": "(sku, lot) values ('17612', '250237')",
            "orders_inbox": "(order_number, order_date) values ('600005', '2025-09-01')",
            "configuration_params": "(category, parameter_name) values ('a', 'b')",
            "inventory_transactions": "(date, sku, quantity, transaction_type)"
            " values ('2025-09-01', '17612', 1, 'Receive')",
        }
        for table in there:
            if table in filling:
                assert counted(connection, f"insert into {table} {filling[table]}") == 1, table
        for table in there:
            columns = [row[1] for row in connection.execute(f"pragma table_info({table})") if row[1] != "id"]
            whole = table in ("shipped_items", "shipped_orders")
            wanted = set(columns) if whole else set(columns) & set(MODEL_COLUMNS[table])
            if table == "lot_inventory":
                assert "notes" not in wanted
            seen = set()
            for column in columns:
                connection.execute("begin")  # taken back, since not every value is allowed to stay
                before = state(connection)
                name = quoted(column)
                change = f"update {table} set {name} = case typeof({name}) when 'integer' then {name} + 1"
                fallback = f"update {table} set {name} = case typeof({name}) when 'integer' then 1 - {name}"
                for text in (change, fallback, change.replace("then", "then 7 -")):
                    try:
                        connection.execute(f"{text} else coalesce({name}, '') || '7' end")
                        break
                    except sqlite3.IntegrityError:
                        continue
                    except sqlite3.OperationalError as error:
                        pytest.fail(f"{table}.{column}: {error}")
                else:
                    text = "late" if column in ("transaction_type", "alert_level") else ""
                    other = {"transaction_type": "'Repack'", "alert_level": "'low'"}.get(column, "8")
                    connection.execute(f"update {table} set {name} = {other}")
                if state(connection) != before:
                    seen.add(column)
                connection.execute("rollback")
            assert seen == wanted, table


def test_what_does_not_matter_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, Shape.late)) as connection:
        fill(connection, orders=2)
    install(path)
    with opened(path) as connection:
        inbox = "insert into orders_inbox (order_number, order_date) values ('600005', '2025-09-01')"
        assert counted(connection, inbox) == 1
        unread = (
            "update orders_inbox set tracking_number = 'x', updated_at = 'now', ship_city = 'y'",
            "update inventory_current set weekly_avg_cents = 3, alert_level = 'low', \"Bin Code\" = 'b'",
            "insert into workflows (name, status) values ('a', 'running')",
            "insert into weekly_shipped_history values (1, 'a', 'b', 'c', 1)",
            "update workflows set status = 'failed'",
            "update shipped_items set quantity_shipped = quantity_shipped, order_number = order_number || ''",
            "update orders_inbox set status = status",
            "update orders_inbox set order_date = '2025-09-01', status = 'pending'",
            "update shipped_items set quantity_shipped = 3 where id = 99",
            "delete from orders_inbox where id = 99",
            "analyze",
            "vacuum",
        )
        for statement in unread:
            assert counted(connection, statement) == 0, statement
        for statement in (
            "update orders_inbox set status = 'shipped'",
            "update shipped_items set packed_by_station = 's' where id = 1",  # unknown, and to be replaced
            "update shipped_orders set label_printer = 'p' where id = 1",
        ):
            assert counted(connection, statement) == 1, statement


def test_equal_means_the_same_bytes_and_the_same_type(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, Shape.keyless)) as connection:
        connection.execute("drop table sku_lot")
        connection.execute(
            "create table SKU_Lot (id integer primary key, sku, Lot text collate nocase, active, created_at)"
        )
        connection.execute("insert into sku_lot values (1, '17612', 'a', 1, null)")
        connection.execute("insert into shipped_items (id, base_sku) values (1, '1')")
        connection.commit()
    install(path)
    with opened(path) as connection:
        assert counted(connection, "update sku_lot set lot = 'A'") == 1  # equal to 'a' in NOCASE
        assert counted(connection, "update sku_lot set active = 1.0") == 1  # equal to 1
        assert counted(connection, "update sku_lot set active = '1.0'") == 1
        assert counted(connection, "update sku_lot set active = x'312e30'") == 1
        assert counted(connection, "update sku_lot set active = null") == 1
        assert counted(connection, "update sku_lot set active = null") == 0
        assert counted(connection, "update shipped_items set base_sku = '1' || char(0)") == 1
        assert counted(connection, "update shipped_items set base_sku = '1'") == 1


@pytest.mark.parametrize("recursive", [0, 1])
@pytest.mark.parametrize(
    "key",
    [
        "create unique index k on orders_inbox (tracking_number)",
        "create unique index k on orders_inbox (tracking_number) where updated_at is null",
        "create unique index k on orders_inbox (upper(tracking_number))",
    ],
)
def test_a_row_that_an_update_replaces_is_counted(tmp_path: Path, key: str, recursive: int) -> None:
    """The column is none that counts, and no delete trigger fires; yet a row goes."""
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, Shape.late)) as connection:
        connection.execute(key)
        connection.executemany(
            "insert into orders_inbox (order_number, order_date, tracking_number, updated_at)"
            " values (?, 'd', ?, null)",
            [("600005", "a"), ("600015", "b")],
        )
        connection.commit()
    install(path)
    with opened(path) as connection:
        connection.execute(f"pragma recursive_triggers = {recursive}")
        change = "update or replace orders_inbox set tracking_number = 'a' where tracking_number = 'b'"
        assert counted(connection, change) >= 1
        assert connection.execute("select count(*) from orders_inbox").fetchone() == (1,)


def test_a_table_without_a_key_of_its_own(tmp_path: Path) -> None:
    """The rowid is no column there, and to set it can replace another row."""
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, Shape.bare)) as connection:
        connection.execute("drop table inventory_current")
        connection.execute("create table inventory_current (sku, product_name, rowid)")
        connection.execute("create table sku_lot (sku, lot, id text primary key) without rowid")
        connection.execute("insert into inventory_current values ('1', 'a', 'x'), ('2', 'b', 'y')")
        connection.execute("insert into sku_lot values ('1', '2', 'k')")
        connection.commit()
    install(path)
    with opened(path) as connection:
        change = "update or replace inventory_current set _rowid_ = 1 where sku = '2'"
        assert counted(connection, change) == 1
        assert connection.execute("select sku from inventory_current").fetchall() == [("2",)]
        assert counted(connection, "update inventory_current set rowid = 'z'") == 0
        assert counted(connection, "update sku_lot set id = 'm'") == 1


def test_odd_names_and_generated_columns(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, Shape.late)) as connection:
        connection.execute("drop table shipped_items")
        connection.execute("""
            create table Shipped_ITEMS (
                ID integer primary key, SHIP_DATE, sku_lot, base_sku, quantity_shipped, "Order_Number",
                created_at, "a ""b"" c", "ä;--", [x y],
                raw text, parsed generated always as (json_extract(raw, '$.a')),
                kept generated always as (quantity_shipped * 2) stored
            )""")
        connection.execute("drop table orders_inbox")
        connection.execute("""
            create table orders_inbox (id integer primary key, order_number, order_date, state text,
                status generated always as (lower(state)), other)""")
        connection.commit()
    install(path)
    with opened(path) as connection:
        insert = "insert into shipped_items (id, order_number, quantity_shipped) values (1, 600005, 2)"
        assert counted(connection, insert) == 1
        for name in ('a "b" c', "ä;--", "x y", "SHIP_DATE"):
            assert counted(connection, f"update shipped_items set {quoted(name)} = 'x'") == 1, name
        assert counted(connection, "update shipped_items set raw = '{\"a\": 1}'") == 1
        assert counted(connection, "update shipped_items set quantity_shipped = 3") == 1
        assert counted(connection, "insert into orders_inbox values (1, 7, 'd', 'Shipped', 1)") == 1
        assert counted(connection, "update orders_inbox set state = 'CANCELLED'") == 1
        assert changed_orders(connection, Counter(-1, 0)) == ["600005", "7"]


def test_which_orders_changed(live: Path) -> None:
    start = install(live)
    with opened(live) as connection:
        assert changed_orders(connection, start) == []
        connection.execute("update shipped_items set order_number = '600995' where order_number = '600005'")
        first = state(connection)
        assert changed_orders(connection, start) == ["600005", "600995"]
        assert changed_orders(connection, first) == []
        connection.execute("delete from shipped_orders where order_number = '600015'")
        connection.execute("insert into orders_inbox (order_number, order_date) values ('700005', 'd')")
        connection.execute("update orders_inbox set ship_city = 'x'")
        connection.execute("insert into shipped_items (ship_date, base_sku, quantity_shipped, order_number)"
                           " values ('2025-10-06', '17612', 1, null)")  # fmt: skip
        connection.execute("update inventory_current set product_name = 'x'")
        assert changed_orders(connection, first) == ["600015", "700005"]
        second = state(connection)
        connection.execute("update shipped_items set quantity_shipped = 8 where order_number = '600995'")
        assert changed_orders(connection, second) == ["600995"], "an order that had changed before"
        assert changed_orders(connection, start) == ["600005", "600015", "600995", "700005"]
        assert connection.execute(
            "select first_change from lotgate_changed_orders where order_number = '600995'"
        ).fetchone() == (start.value + 1,)


@pytest.mark.parametrize("policy", ["abort", "fail", "ignore", "replace", "rollback"])
def test_the_policy_of_the_outer_statement_does_no_harm(live: Path, policy: str) -> None:
    """It is in force inside the triggers, where the same order is noted again and again."""
    start = install(live)
    with opened(live) as connection:
        for quantity in (1, 2):
            assert (
                counted(
                    connection,
                    f"update or {policy} shipped_items set quantity_shipped = {quantity + 7}",
                    f"insert or {policy} into " + ITEM.format(100 + quantity, 1, "600005"),
                )
                == 20 + quantity
            )
        assert len(changed_orders(connection, start)) == 20
        assert connection.execute(
            "select count(*), min(first_change) from lotgate_changed_orders"
        ).fetchone() == (
            20,
            1,
        )


def test_order_numbers_of_any_type(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    create_legacy_database(path, Shape.keyless).close()
    start = install(path)
    with opened(path) as connection:
        for order in (600005, 1.5, b"\xff", "", "ü\x00x", None):
            connection.execute("insert into shipped_items (order_number) values (?)", (order,))
        assert changed_orders(connection, start) == ["", "1.5", "600005", "ü\x00x", "\\xff"]


def test_writers_see_no_difference(live: Path) -> None:
    """What a program asks SQLite after its own statement is not about the counter's."""
    install(live)
    with opened(live) as connection:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma foreign_keys = on")
        cursor = connection.execute("insert into " + ITEM.format(777, 1, "600005"))
        assert (cursor.lastrowid, cursor.rowcount) == (777, 1)
        assert connection.execute("select last_insert_rowid(), changes()").fetchone() == (777, 1)
        cursor = connection.execute("update shipped_items set quantity_shipped = 4")
        assert cursor.rowcount == 21
        found = connection.execute("delete from shipped_items where id = 777 returning id, order_number")
        assert found.fetchall() == [(777, "600005")]


def test_cascades_and_triggers_of_the_owners_are_counted(live: Path) -> None:
    with opened(live) as connection:
        connection.execute("create table batch (id integer primary key, note)")
        connection.execute("insert into batch values (1, 'a')")
        connection.execute(
            "alter table sku_lot add column batch_id integer references batch (id) on delete cascade"
        )
        connection.execute("insert into sku_lot (sku, lot, batch_id) values ('17612', '250237', 1)")
        connection.execute(
            "create trigger mine after update on batch begin"
            " update shipped_items set quantity_shipped = quantity_shipped + 1 where id < 4; end"
        )
    install(live)
    with opened(live) as connection:
        connection.execute("pragma foreign_keys = on")
        assert counted(connection, "update batch set note = 'b'") == 3
        assert counted(connection, "delete from batch") == 1


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


def test_the_write_lock_is_held_for_a_moment_only(live: Path) -> None:
    """The file is checked before, not under the lock."""
    with opened(live) as connection:
        connection.execute(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)"
            " insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
            " select '2025-09-15', '17612 - ' || i, '17612', 1, null from n"
        )
    statements: list[tuple[float, str]] = []

    def watch(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(lambda sql: statements.append((time.monotonic(), sql.lower())))

    from lotgate.live import counter as module

    real = module.open_for_writing

    @contextmanager
    def watched(path: Path, *, lock_timeout: float) -> Iterator[sqlite3.Connection]:
        with real(path, lock_timeout=lock_timeout) as connection:
            watch(connection)
            yield connection
            statements.append((time.monotonic(), "done"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_for_writing", watched)
        install(live)
    begun = next(at for at, sql in statements if sql == "begin immediate")
    assert statements[-1][0] - begun < 0.5
    assert not any("check" in sql and "pragma" in sql for _, sql in statements)
    assert not any("count(" in sql for _, sql in statements)


def test_a_schema_is_the_same_whatever_quotes_a_rename_adds(live: Path) -> None:
    with opened(live) as connection:
        connection.execute('create view v as select \'shipped_items\', "ship_date" from shipped_items -- "a"')
        connection.execute(
            "create trigger t after insert on workflows begin insert into shipped_orders (id) values (1); end"
        )
        before = schema_fingerprint(connection)
        text = connection.execute("select group_concat(sql) from sqlite_schema").fetchone()
        for table in ("shipped_items", "shipped_orders", "orders_inbox"):
            connection.execute(f"alter table {table} rename to aside")
            assert schema_fingerprint(connection) != before
            connection.execute(f"alter table aside rename to {table}")
        assert connection.execute("select group_concat(sql) from sqlite_schema").fetchone() != text
        assert schema_fingerprint(connection) == before
    install(live)
    with opened(live) as connection:
        connection.execute("create index lotgate_i on workflows (status)")
        connection.execute("analyze")
        assert schema_fingerprint(connection) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("create table t (a default 'x')", "create table t (a default '\"x\"')"),
        ("create table t (a default '\"x\"')", "create table t (a default 'x')"),
        ('create table t (a default "null")', "create table t (a default null)"),
        ('create table t (a default "true")', "create table t (a default true)"),
        ("create table t (a)", "create table t (b)"),
        ("create table t (a int)", "create table t (a int) strict"),
        ("create table t (a)", "create view t as select 1 as a"),
        ('create table t ("a b")', 'create table t ("a  b")'),
        ('create table t (a /* "b" */)', "create table t (a /* b */)"),
        ("create table t (a check (a <> ''))", "create table t (a check (a <> ' '))"),
        ("create table t (a)", "create table t (a); create index i on t (a)"),
    ],
)
def test_schemas_that_differ_have_other_fingerprints(one: str, other: str) -> None:
    found = []
    for statements in (one, other):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(statements)
            found.append(schema_fingerprint(connection))
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("create table t (a)", 'create table "t" ("a")'),
        ("create table t (a)", "create table [t] (`a`)"),
        ("create table u (a references t (b))", 'create table u (a references "t" ("b"))'),
    ],
)
def test_schemas_that_differ_in_quotes_only_have_one_fingerprint(one: str, other: str) -> None:
    found = []
    for statements in (one, other):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(statements)
            found.append(schema_fingerprint(connection))
    assert found[0] == found[1]


# In the build


def snapshot(database: Path, folder: Path) -> Snapshot:
    folder.mkdir()
    return take_snapshot(database, WorkDir(folder))


def test_the_snapshot_knows_the_counter_and_its_copy_has_nothing_of_it(live: Path, tmp_path: Path) -> None:
    plain = snapshot(live, tmp_path / "plain")
    assert (plain.change_counter, plain.database_id) == (None, None)
    found = install(live)
    with opened(live) as connection:
        connection.execute("create table lotgate_history (id integer primary key, secret text)")
        connection.execute("create index their_index on lotgate_history (secret)")
        connection.execute("create view lotgate_view as select * from lotgate_history")
        connection.execute("insert into lotgate_history (secret) values ('only in the live database')")
        connection.execute("update shipped_items set quantity_shipped = 2")
        identity = database_id(connection)
    before = fingerprint(live.parent)
    taken = snapshot(live, tmp_path / "counted")
    assert fingerprint(live.parent) == before
    assert (taken.change_counter, taken.database_id) == (found, identity)
    assert taken.schema_fingerprint == plain.schema_fingerprint
    assert (taken.tables, taken.added) == (plain.tables, plain.added)
    described = json.loads((tmp_path / "counted" / "snapshot.json").read_text())
    assert described["change_counter"] == {"value": found.value, "stamp": found.stamp}
    with opened(taken.path) as connection:
        assert connection.execute(OWN).fetchall() == [("lotgate_snapshot",)]
        copied = list(connection.iterdump())
    with opened(plain.path) as connection:
        assert copied == list(connection.iterdump())
    assert b"only in the live database" not in taken.path.read_bytes()


def test_the_same_source_gives_the_same_bytes_whatever_the_stamp(live: Path, tmp_path: Path) -> None:
    """A build can be repeated to the byte, in another copy of the same database too."""
    found = []
    copy = tmp_path / "ora.db"
    for folder in ("one", "two"):
        copy.unlink(missing_ok=True)
        with opened(live) as source, opened(copy) as target:
            source.backup(target)
        install(copy)
        with opened(copy) as connection:
            connection.execute("update shipped_items set quantity_shipped = 3")
        found.append(snapshot(copy, tmp_path / folder))
    assert found[0].change_counter != found[1].change_counter
    assert found[0].sha256 == found[1].sha256


def build_words(live: Path, factory: pytest.TempPathFactory, controls: Path) -> list[str]:
    controls.mkdir()
    work = work_dir_of_the_session(factory)
    return ["build", "--database", str(live), "--work-dir", str(work), "--controls", str(controls)]


def described(words: list[str]) -> tuple[object, object]:
    """What the work directory says about the counter: that of the snapshot, and why there is none."""
    work = Path(words[words.index("--work-dir") + 1])
    found = [json.loads((work / name).read_text()) for name in ("snapshot.json", "build.json")]
    return found[0]["change_counter"], found[1]["no_counter_because"]


def test_a_build_without_a_counter(
    lotgate: Cli,
    live: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_out_unit_tests(monkeypatch)
    before = fingerprint(live.parent)
    words = build_words(live, tmp_path_factory, tmp_path / "controls")
    outcome = lotgate(*words, "--no-counter", "--json")
    assert outcome.code == 0, outcome.err
    assert fingerprint(live.parent) == before
    because = "--no-counter was given."
    assert outcome.err == f"No change-counter, so the candidate cannot be swapped: {because}\n"
    assert outcome.json["snapshot"]["change_counter"] is None
    assert outcome.json["build"]["no_counter_because"] == because
    assert described(words) == (None, because)

    found = install(live)  # one that is there is as good as a new one
    before = fingerprint(live.parent)
    outcome = lotgate(*words, "--no-counter")
    assert outcome.code == 0, outcome.err
    assert "No change-counter" not in outcome.err
    assert fingerprint(live.parent) == before
    assert described(words) == ({"value": found.value, "stamp": found.stamp}, None)


def test_a_build_beside_a_writer_that_does_not_let_go(
    lotgate: Cli,
    live: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    hold: Hold,
) -> None:
    leave_out_unit_tests(monkeypatch)
    hold(live, "begin immediate", "update shipped_items set quantity_shipped = 9")
    before = fingerprint(live.parent)
    words = build_words(live, tmp_path_factory, tmp_path / "controls")
    outcome = lotgate(*words, "--lock-timeout", "0.2")
    assert outcome.code == 0, outcome.err
    because = f"{live} was locked by another process for longer than 0.2 s."
    lines = [line for line in outcome.err.splitlines() if "No change-counter" in line]
    assert lines == [f"No change-counter, so the candidate cannot be swapped: {because}"]
    assert described(words) == (None, because)
    assert fingerprint(live.parent) == before


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_build_of_a_database_that_cannot_be_written_to(
    live: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, what: str
) -> None:
    before = fingerprint(live.parent)
    (live if what == "file" else live.parent).chmod(0o555)
    words = build_words(live, tmp_path_factory, tmp_path / "controls")
    done = subprocess.run(
        [*QUICK, *words], capture_output=True, text=True, preexec_fn=drop_privileges, check=False
    )
    live.parent.chmod(0o755)
    live.chmod(0o644)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "No change-counter" in line)
    because = f"{live if what == 'file' else live.parent} cannot be written to."
    assert line == f"No change-counter, so the candidate cannot be swapped: {because}"
    assert described(words) == (None, because)
    assert fingerprint(live.parent) == before


# Whatever is written

TEXTS = st.sampled_from(["'600005'", "'600015'", "600005", "''", "null", "'a'", "'A'", "x'61'"])
VALUES = st.sampled_from(["1", "2", "1.0", "'1'", "null", "'x'", "x'31'"])
IDS = st.integers(1, 4)
ITEM_COLUMNS = ("ship_date", "sku_lot", "base_sku", "quantity_shipped", "order_number", "packed_by_station")
INBOX_COLUMNS = ("order_number", "order_date", "status")
UNREAD_COLUMNS = ("tracking_number", "updated_at", "ship_city")
POLICIES = st.sampled_from(["", " or ignore", " or replace", " or abort", " or fail", " or rollback"])


def updates(table: str, columns: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda policy, column, value, where: f"update{policy} {table} set {column} = {value}{where}",
        POLICIES,
        st.sampled_from(columns),
        VALUES | TEXTS | st.sampled_from(columns),
        st.sampled_from(["", " where id = 1", " where id > 2", " where order_number is null"]),
    ) | st.builds(
        lambda policy, to, where: f"update{policy} {table} set id = {to} where id = {where}",
        POLICIES,
        IDS,
        IDS,
    )


def inserts(table: str, columns: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda policy, id_, one, two, upsert: (
            f"insert{policy} into {table} (id, {columns[0]}, {columns[1]}) values ({id_}, {one}, {two})"
            + (f" on conflict (id) do update set {columns[1]} = excluded.{columns[1]}" if upsert else "")
        ),
        POLICIES,
        st.one_of(IDS.map(str), st.just("null")),
        TEXTS,
        VALUES,
        st.booleans(),
    )


STATEMENTS = st.one_of(
    updates("shipped_items", ITEM_COLUMNS),
    inserts("shipped_items", ("order_number", "quantity_shipped")),
    st.builds("delete from shipped_items where id = {}".format, IDS),
    st.just("delete from shipped_items"),
    updates("orders_inbox", INBOX_COLUMNS),
    updates("orders_inbox", UNREAD_COLUMNS),
    inserts("orders_inbox", ("order_number", "status")),
    st.builds("delete from orders_inbox where id = {}".format, IDS),
)


def content(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    """What counts of the two tables, value and type."""
    found = []
    for table in ("shipped_items", "orders_inbox"):
        columns = ["id", *(ITEM_COLUMNS if table == "shipped_items" else INBOX_COLUMNS)]
        chosen = ", ".join(f"typeof({column}), {column}" for column in columns)
        found.append(connection.execute(f"select {chosen} from {table} order by id").fetchall())
    return found


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, tuple[bytes, Counter]]:
    """Two small databases with a counter; one has keys, so that there is more to be in conflict with."""
    found = {}
    for keyed in (False, True):
        path = tmp_path_factory.mktemp("template") / "ora.db"
        with closing(create_legacy_database(path, Shape.keyless)) as connection:
            if keyed:
                connection.executescript("""
                    create unique index one on shipped_items (order_number, base_sku, sku_lot);
                    create unique index two on orders_inbox (order_number);
                    create unique index three on orders_inbox (ship_city);
                """)
            for table in ("shipped_items", "orders_inbox"):
                connection.execute(f"insert into {table} (id, order_number) values (1, '600005'), (2, 'a')")
            connection.commit()
        start = install(path)
        with opened(path) as connection:
            connection.execute("pragma journal_mode = delete")  # one that can be deserialized
        found[keyed] = (path.read_bytes(), start)
    return found


@given(st.booleans(), st.booleans(), st.lists(STATEMENTS, min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_the_stamp_is_new_exactly_where_the_content_is(
    templates: dict[bool, tuple[bytes, Counter]], keyed: bool, recursive: bool, statements: list[str]
) -> None:
    image, start = templates[keyed]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(image)
        connection.execute(f"pragma recursive_triggers = {int(recursive)}")
        for statement in statements:
            before, was = content(connection), state(connection)
            with suppress(sqlite3.IntegrityError):
                connection.execute(statement)
            after, now = content(connection), state(connection)
            assert (now.value == was.value) == (now.stamp == was.stamp)
            if before != after:
                assert now.stamp != was.stamp, statement
            elif "replace" not in statement and "ship_city" not in statement:
                assert now == was, statement  # REPLACE may put back what was there; a key may be wider
        noted = changed_orders(connection, start)
        assert len(noted) <= 2 * (state(connection).value - start.value)
