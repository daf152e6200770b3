"""The legacy schema as data: its shapes, and what a database is told about itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lotgate.errors import UsageError
from lotgate.legacy_schema import (
    KNOWN_TABLES,
    MODEL_COLUMNS,
    REQUIRED,
    Shape,
    additions,
    classify,
    create_legacy_database,
    ddl,
    index_ddl,
    is_migrated,
    legacy_columns,
    missing_required,
    quoted,
    table_ddl,
)

CONSTRAINED = (Shape.early, Shape.autumn, Shape.late)
ITEM = "INSERT INTO shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number) VALUES "


@contextmanager
def empty(directory: Path, shape: Shape) -> Iterator[sqlite3.Connection]:
    connection = create_legacy_database(directory / f"{shape}.db", shape)
    try:
        yield connection
    finally:
        connection.close()


def tables_of(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    return {
        name: [column[1] for column in connection.execute(f"PRAGMA table_info({quoted(name)})")]
        for (name,) in names
    }


@pytest.mark.parametrize("shape", Shape)
def test_every_shape_is_a_legacy_database_in_wal_mode(tmp_path: Path, shape: Shape) -> None:
    with empty(tmp_path, shape) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = tables_of(connection)
        assert {name: tuple(columns) for name, columns in tables.items()} == legacy_columns(shape)
        assert missing_required(tables) == []
        assert not is_migrated(tables)
        assert not connection.in_transaction


@pytest.mark.parametrize("shape", Shape)
def test_additions_give_the_models_every_column(tmp_path: Path, shape: Shape) -> None:
    with empty(tmp_path, shape) as connection:
        for statement in additions(tables_of(connection)):
            connection.execute(statement)
        tables = tables_of(connection)
        assert additions(tables) == []
        for table, columns in MODEL_COLUMNS.items():
            connection.execute(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}")
        assert set(MODEL_COLUMNS) <= set(tables)


def test_the_shapes_differ_as_real_databases_do() -> None:
    early, autumn, late = (legacy_columns(shape) for shape in CONSTRAINED)
    assert KNOWN_TABLES - set(early) == {"lot_inventory", "workflow_controls"}
    assert "tracking_number" not in early["shipped_items"]
    assert "ship_city" not in early["orders_inbox"]
    assert set(autumn) == KNOWN_TABLES
    assert "shipping_carrier_code" not in autumn["shipped_orders"]
    assert "ship_city" in autumn["orders_inbox"]
    assert set(late) - KNOWN_TABLES == {"polling_state", "report_runs"}
    assert {"shipping_carrier_code", "label_printer"} <= set(late["shipped_orders"])
    assert {"tracking_number", "packed_by_station"} <= set(late["shipped_items"])
    assert legacy_columns(Shape.keyless) == late
    assert {table: set(columns) for table, columns in legacy_columns(Shape.bare).items()} == {
        table: set(columns) for table, columns in REQUIRED.items()
    }


@pytest.mark.parametrize("shape", CONSTRAINED)
def test_constrained_shapes_have_the_real_keys_and_indexes(tmp_path: Path, shape: Shape) -> None:
    with empty(tmp_path, shape) as connection:
        strict = dict(connection.execute("SELECT name, strict FROM pragma_table_list WHERE type = 'table'"))
        assert all(strict[table] for table in legacy_columns(shape))
        indexes = {row[1]: bool(row[2]) for row in connection.execute("PRAGMA index_list(shipped_items)")}
        assert indexes.pop("sqlite_autoindex_shipped_items_1") is True
        assert indexes == {
            "uniq_shipped_items_key": True,
            "idx_shipped_items_date": False,
            "idx_shipped_items_sku_date": False,
            "idx_shipped_items_order": False,
        }
        connection.execute(ITEM + "('2025-10-06', '', '17612', 1, '600015')")
        connection.execute(
            ITEM + "('2025-10-06', '', '17612', 1, NULL), ('2025-10-06', '', '17612', 1, NULL)"
        )
        for values in (
            "('2025-10-07', '', '17612', 2, '600015')",
            "('2025-10-07', '', '17904', 0, '600015')",
            "('2025-10-07', '', '17904', 'x', '600015')",
            "('2025-10-07', NULL, '17904', 1, '600015')",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(ITEM + values)
        violations = connection.execute("PRAGMA foreign_key_check(shipped_items)").fetchall()
        assert [row[2] for row in violations] == ["shipped_orders"]


def test_keyless_keeps_any_value_as_it_is(tmp_path: Path) -> None:
    odd = [(None, None, None, None, None), (1.5, 17612, "3", "x", b"\x00"), ("", "", "", 0, 600015)]
    with empty(tmp_path, Shape.keyless) as connection:
        connection.executemany(ITEM + "(?, ?, ?, ?, ?)", odd * 2)
        stored = connection.execute(
            "SELECT ship_date, sku_lot, base_sku, quantity_shipped, order_number"
            " FROM shipped_items ORDER BY id"
        ).fetchall()
        assert [tuple(map(repr, row)) for row in stored] == [tuple(map(repr, row)) for row in odd * 2]
        ids = [row[0] for row in connection.execute("SELECT id FROM shipped_items ORDER BY id")]
        assert ids == [1, 2, 3, 4, 5, 6]


def test_tables_then_indexes_are_the_whole_schema(tmp_path: Path) -> None:
    for shape in Shape:
        assert table_ddl(shape) + index_ddl(shape) == ddl(shape)
    connection = create_legacy_database(tmp_path / "late.db", Shape.late, indexes=False)
    for statement in index_ddl(Shape.late):
        connection.execute(statement)
    assert connection.execute("SELECT COUNT(*) FROM dashboard_daily_units").fetchone() == (0,)
    connection.close()


def test_an_existing_file_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    path.write_text("precious")
    with pytest.raises(UsageError, match=r"ora\.db exists already"):
        create_legacy_database(path, Shape.late)
    assert path.read_text() == "precious"


def test_missing_required_parts_are_named_and_never_added() -> None:
    tables = {
        "SHIPPED_ORDERS": ["ID", "Ship_Date", "Order_Number"],
        "shipped_items": ["id", "ship_date", "sku_lot", "quantity_shipped", "order_number"],
    }
    assert missing_required(tables) == [
        "table inventory_current",
        "column shipped_items.base_sku",
        "column shipped_items.created_at",
    ]
    added = "\n".join(additions(tables))
    assert '"inventory_current"' not in added
    assert '"base_sku"' not in added
    assert 'ALTER TABLE "shipped_items" ADD COLUMN "tracking_number" TEXT' in added
    assert 'ADD COLUMN "ship_date"' not in added


def test_names_compare_as_in_sqlite() -> None:
    assert classify("Shipped_Items") == "derived-from"
    # SQLite folds A to Z and nothing else: this is another name, with a Kelvin sign in it
    assert classify("s\u212au_lot") == "left alone"
    assert classify("S\u212aU_LOT".replace("\u212a", "K")) == "derived-from"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("orders_inbox", "derived-from"),
        ("weekly_shipped_history", "carried over"),
        ("WORKFLOW_CONTROLS", "carried over"),
        ("polling_state", "left alone"),
        ("", "left alone"),
    ],
)
def test_classify(table: str, expected: str) -> None:
    assert classify(table) == expected


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"skus": ["sku_id"], "lots": ["lot_id"], "shipped_items": ["id", "SKU_ID"]}, True),
        ({"skus": ["sku_id"], "lots": ["lot_id"], "shipped_items": ["id", "base_sku"]}, False),
        ({"skus": ["sku_id"], "shipped_items": ["id", "sku_id"]}, False),
        ({"Lotgate_History": ["id"], "shipped_items": ["id"]}, False),  # it stays after a rollback
        ({"lotgate_history": ["id"], "Legacy_Shipped_Items": ["id"]}, True),
        ({"legacy_shipped_items": ["id"]}, True),
        ({"lotgate_counter": ["n"], "shipped_items": ["id"]}, False),
        ({}, False),
    ],
)
def test_is_migrated(tables: dict[str, list[str]], expected: bool) -> None:
    assert is_migrated(tables) is expected


def test_quoted_identifiers_survive_quotes() -> None:
    connection = sqlite3.connect(":memory:")
    name = 'a "b" c'
    connection.execute(f"CREATE TABLE {quoted(name)} (id)")
    assert connection.execute("SELECT name FROM sqlite_master").fetchone() == (name,)
    connection.close()
