"""The counter moves exactly where the content does, whatever is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_cases import install, opened, state
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.live.counter import (
    Counter,
    changed_orders,
)

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
