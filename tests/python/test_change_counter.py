"""What the change-counter counts: every change of what the models read, in every shape, and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from conftest import fill
from counter_cases import ITEM, counted, fill_any, install, opened, state
from lotgate.legacy_schema import MODEL_COLUMNS, Shape, create_legacy_database, quoted
from lotgate.live.counter import (
    Counter,
    changed_orders,
    expected_triggers,
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
