"""The contracts bite: the candidate's tables have them, and a row that breaks one stops dbt.

What the tables must be is docs/design.md, "Target tables"; the contracts stand in the models' YAML.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from dbt.adapters.base.impl import BaseAdapter, ConstraintSupport
from dbt_common.contracts.constraints import ConstraintType
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lotgate.parser import is_real_day
from lotgate.sqlite_files import sqlite_uri
from plain_dbt import Said, copy_project, dbt

TARGET_TABLES = ("skus", "lots", "shipped_orders", "shipped_items")

# ---- what the tables are ----------------

# Column: type, NOT NULL, default. A primary key of SQLite is never NULL, whatever the pragma says.
COLUMNS: Mapping[str, Mapping[str, tuple[str, bool, str | None]]] = {
    "skus": {
        "sku_id": ("INTEGER", True, None),
        "sku_code": ("TEXT", True, None),
        "product_name": ("TEXT", True, None),
        "reorder_point": ("INTEGER", False, "50"),
        "pallet_count": ("INTEGER", False, None),
        "created_at": ("TEXT", False, None),
    },
    "lots": {
        "lot_id": ("INTEGER", True, None),
        "lot_number": ("TEXT", True, None),
        "sku_id": ("INTEGER", True, None),
        "received_date": ("TEXT", False, None),
        "initial_qty": ("INTEGER", False, None),
        "manual_adjustment": ("INTEGER", False, "0"),
        "status": ("TEXT", True, "'active'"),
        "created_at": ("TEXT", False, None),
    },
    "shipped_orders": {
        "id": ("INTEGER", True, None),
        "ship_date": ("TEXT", False, None),
        "order_number": ("TEXT", False, None),
        "customer_email": ("TEXT", False, None),
        "total_items": ("INTEGER", False, None),
        "shipstation_order_id": ("TEXT", False, None),
        "created_at": ("TEXT", False, None),
        "shipping_carrier_code": ("TEXT", False, None),
        "shipping_carrier_id": ("TEXT", False, None),
        "shipping_service_code": ("TEXT", False, None),
        "shipping_service_name": ("TEXT", False, None),
    },
    "shipped_items": {
        "id": ("INTEGER", True, None),
        "ship_date": ("TEXT", True, None),
        "shipstation_sku_raw": ("TEXT", True, None),
        "sku_id": ("INTEGER", True, None),
        "lot_id": ("INTEGER", False, None),
        "quantity_shipped": ("INTEGER", True, None),
        "order_number": ("TEXT", False, None),
        "tracking_number": ("TEXT", False, None),
        "shipstation_shipment_id": ("INTEGER", False, None),
        "created_at": ("TEXT", False, None),
    },
}
KEYS = {"skus": "sku_id", "lots": "lot_id", "shipped_orders": "id", "shipped_items": "id"}
FOREIGN_KEYS = {
    "skus": set(),
    "lots": {("sku_id", "skus", "sku_id", "CASCADE")},
    "shipped_orders": set(),
    "shipped_items": {
        ("sku_id", "skus", "sku_id", "NO ACTION"),
        ("lot_id", "lots", "lot_id", "NO ACTION"),
        ("order_number", "shipped_orders", "order_number", "NO ACTION"),
    },
}
UNIQUES = {
    "skus": {("sku_code",)},
    "lots": {("sku_id", "lot_number")},
    "shipped_orders": {("order_number",)},
    "shipped_items": set(),
}
INDEXES = {
    "skus": set(),
    "lots": {"(sku_id)", "(status)", "(received_date)"},
    "shipped_orders": set(),
    "shipped_items": {
        "(ship_date)",
        "(sku_id, ship_date)",
        "(lot_id)",
        "(order_number)",
        "uniq_shipped_items_key (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0))",
    },
}


@pytest.fixture(scope="module")
def candidate(demo_build: Path) -> Iterator[sqlite3.Connection]:
    uri = sqlite_uri(demo_build / "candidate.sqlite", mode="ro")
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        yield connection


@pytest.mark.parametrize("table", TARGET_TABLES)
def test_tables_are_strict_and_have_these_columns(candidate: sqlite3.Connection, table: str) -> None:
    strict = candidate.execute("select strict from pragma_table_list where name = ?", (table,)).fetchone()
    assert strict == (1,)
    found = candidate.execute(f"select name, type, [notnull], dflt_value from pragma_table_xinfo('{table}')")
    columns = {name: (type_.upper(), bool(not_null), default) for name, type_, not_null, default in found}
    assert list(columns.items()) == list(COLUMNS[table].items())


@pytest.mark.parametrize("table", TARGET_TABLES)
def test_tables_have_their_keys(candidate: sqlite3.Connection, table: str) -> None:
    key = candidate.execute(f"select name from pragma_table_info('{table}') where pk > 0").fetchall()
    assert key == [(KEYS[table],)]
    # Only a table with AUTOINCREMENT has a row here: an id that was deleted is never given again.
    highest = candidate.execute(f"select max({KEYS[table]}) from {table}").fetchone()
    counted = candidate.execute("select seq from sqlite_sequence where name = ?", (table,)).fetchall()
    assert counted == [highest]
    foreign = candidate.execute(
        f"select [from], [table], [to], on_delete from pragma_foreign_key_list('{table}')"
    )
    assert set(foreign) == FOREIGN_KEYS[table]


@pytest.mark.parametrize("table", TARGET_TABLES)
def test_tables_have_exactly_their_indexes(candidate: sqlite3.Connection, table: str) -> None:
    listed = candidate.execute(
        f"select name, [unique], partial, origin from pragma_index_list('{table}')"
    ).fetchall()
    uniques, indexes = set(), set()
    for name, unique, partial, origin in listed:
        assert not partial
        if origin == "u":
            keys = candidate.execute(f"select name from pragma_index_info('{name}') order by seqno")
            uniques.add(tuple(key for (key,) in keys))
        elif origin == "c":
            (sql,) = candidate.execute("select sql from sqlite_schema where name = ?", (name,)).fetchone()
            key = sql[sql.index("(") :].strip()
            indexes.add(f"{name} {key}" if unique else key)
    assert uniques == UNIQUES[table]
    assert indexes == INDEXES[table]


def test_the_candidate_is_sound(candidate: sqlite3.Connection) -> None:
    assert candidate.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert candidate.execute("pragma foreign_key_check").fetchall() == []


# ---- what the tables refuse ----------------


@pytest.fixture(scope="module")
def copy_in_memory(candidate: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        candidate.backup(connection)
        connection.execute("pragma foreign_keys = on")
        assert connection.execute("pragma foreign_keys").fetchone() == (1,)
        connection.execute("insert into skus (sku_id, sku_code, product_name) values (9001, '90001', 'Tray')")
        connection.execute("insert into lots (lot_id, lot_number, sku_id) values (9001, '990001', 9001)")
        connection.execute("insert into shipped_orders (id, order_number) values (9000001, 'none-1')")
        yield connection


@pytest.fixture
def tables(copy_in_memory: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A candidate to write to, with one SKU, lot and order more; every test leaves it as it was."""
    copy_in_memory.execute("begin")
    yield copy_in_memory
    copy_in_memory.execute("rollback")


ROWS: Mapping[str, Mapping[str, object]] = {
    "skus": {"sku_code": "90002", "product_name": "Cup"},
    "lots": {"lot_number": "990002", "sku_id": 9001},
    "shipped_orders": {"order_number": "none-2", "ship_date": "2025-10-06"},
    "shipped_items": {
        "ship_date": "2025-10-06",
        "shipstation_sku_raw": "90001 - 990001",
        "sku_id": 9001,
        "lot_id": 9001,
        "quantity_shipped": 2,
        "order_number": "none-1",
    },
}
NO_DAYS = (
    "2025-02-29", "2024-02-30", "1900-02-29", "2025-13-01", "2025-1-01", " 2025-01-01", "10/06/2025", "",
    "0000-01-01", "2025-00-01", "2025-01-00", "2025-04-31", "2025-01-01 ", "2025-01-01\0", "202x-01-01",
    "+202-01-01", " 202-01-01", "2.25-01-01", "-025-01-01", "2025-01-1x", "2025-10-06 00:00:00", "20251006",
    "٢٠٢٥-10-06", "2025-10-0６", "0300-02-29",
)  # fmt: skip
REAL_DAYS = (
    "2024-02-29",
    "2000-02-29",
    "2025-12-31",
    "0001-01-01",
    "9999-12-31",
    "0300-03-01",
    "1900-02-28",
)

Break: TypeAlias = tuple[str, Mapping[str, object], str]
BREAKS: tuple[Break, ...] = (
    ("skus", {"sku_code": None}, "NOT NULL constraint failed: skus.sku_code"),
    ("skus", {"product_name": None}, "NOT NULL constraint failed: skus.product_name"),
    ("skus", {"sku_code": "90001"}, "UNIQUE constraint failed: skus.sku_code"),
    ("skus", {"sku_id": 9001}, "UNIQUE constraint failed: skus.sku_id"),
    ("skus", {"sku_id": "x"}, "datatype mismatch"),
    ("skus", {"sku_code": b"90002"}, "cannot store BLOB value in TEXT column skus.sku_code"),
    ("skus", {"reorder_point": "many"}, "cannot store TEXT value in INTEGER column skus.reorder_point"),
    ("skus", {"pallet_count": 1.5}, "cannot store REAL value in INTEGER column skus.pallet_count"),
    ("lots", {"lot_number": None}, "NOT NULL constraint failed: lots.lot_number"),
    ("lots", {"sku_id": None}, "NOT NULL constraint failed: lots.sku_id"),
    ("lots", {"status": None}, "NOT NULL constraint failed: lots.status"),
    ("lots", {"sku_id": 424242}, "FOREIGN KEY constraint failed"),
    ("lots", {"lot_number": "990001"}, "UNIQUE constraint failed: lots.sku_id, lots.lot_number"),
    ("lots", {"lot_id": 9001}, "UNIQUE constraint failed: lots.lot_id"),
    ("lots", {"status": "Active"}, "CHECK constraint failed"),
    ("lots", {"status": ""}, "CHECK constraint failed"),
    ("lots", {"initial_qty": "x"}, "cannot store TEXT value in INTEGER column lots.initial_qty"),
    ("lots", {"manual_adjustment": 0.5}, "cannot store REAL value in INTEGER column lots.manual_adjustment"),
    ("shipped_orders", {"order_number": "none-1"}, "UNIQUE constraint failed: shipped_orders.order_number"),
    ("shipped_orders", {"id": 9000001}, "UNIQUE constraint failed: shipped_orders.id"),
    ("shipped_orders", {"total_items": "x"}, "cannot store TEXT value in INTEGER column"),
    ("shipped_items", {"ship_date": None}, "failed: shipped_items.ship_date"),
    ("shipped_items", {"shipstation_sku_raw": None}, "failed: shipped_items.shipstation_sku_raw"),
    ("shipped_items", {"sku_id": None}, "failed: shipped_items.sku_id"),
    ("shipped_items", {"quantity_shipped": None}, "failed: shipped_items.quantity_shipped"),
    ("shipped_items", {"quantity_shipped": 0}, "CHECK constraint failed: quantity_shipped > 0"),
    ("shipped_items", {"quantity_shipped": -1}, "CHECK constraint failed: quantity_shipped > 0"),
    ("shipped_items", {"quantity_shipped": 1.5}, "cannot store REAL value in INTEGER column"),
    ("shipped_items", {"quantity_shipped": "x"}, "cannot store TEXT value in INTEGER column"),
    ("shipped_items", {"sku_id": 424242}, "FOREIGN KEY constraint failed"),
    ("shipped_items", {"lot_id": 424242}, "FOREIGN KEY constraint failed"),
    ("shipped_items", {"order_number": "424242"}, "FOREIGN KEY constraint failed"),
    *(("shipped_items", {"ship_date": day}, "CHECK constraint failed") for day in NO_DAYS),
)


def insert(tables: sqlite3.Connection, table: str, changes: Mapping[str, object]) -> int:
    row = {**ROWS[table], **changes}
    sql = f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})"
    return int(tables.execute(sql, list(row.values())).lastrowid or 0)


@pytest.mark.parametrize(("table", "changes", "message"), BREAKS, ids=[f"{t} {c}" for t, c, _ in BREAKS])
def test_a_row_that_breaks_a_constraint_is_refused(
    tables: sqlite3.Connection, table: str, changes: Mapping[str, object], message: str
) -> None:
    insert(tables, table, {})
    tables.execute(f"delete from {table} where {KEYS[table]} = last_insert_rowid()")
    with pytest.raises(sqlite3.IntegrityError, match=re.escape(message)):
        insert(tables, table, changes)


@pytest.mark.parametrize("day", REAL_DAYS)
def test_a_real_day_is_taken(tables: sqlite3.Connection, day: str) -> None:
    assert insert(tables, "shipped_items", {"ship_date": day})


def test_of_every_year_the_real_days_are_taken(tables: sqlite3.Connection) -> None:
    """The days at which calendars go wrong, of each year from 0000 to 9999."""
    ends = ("01-00", "01-01", "02-28", "02-29", "02-30", "04-31", "06-31", "09-31", "11-31", "12-31", "13-01")
    days = [f"{year:04}-{end}" for year in range(10_000) for end in ends]
    (ddl,) = tables.execute("select sql from sqlite_schema where name = 'shipped_items'").fetchone()
    (check,) = re.findall(r"ship_date text not null check (\(.*\)),$", ddl, re.MULTILINE)
    tables.execute("create temporary table days (ship_date text)")
    tables.executemany("insert into days values (?)", [(day,) for day in days])
    taken = [day for (day,) in tables.execute(f"select ship_date from days where {check} order by rowid")]
    assert taken == [day for day in days if is_real_day(day)]


def test_a_line_of_an_order_stands_once_but_for_another_parcel(tables: sqlite3.Connection) -> None:
    insert(tables, "shipped_items", {})
    with pytest.raises(sqlite3.IntegrityError, match="uniq_shipped_items_key"):
        insert(tables, "shipped_items", {"ship_date": "2025-10-07", "quantity_shipped": 9})
    with pytest.raises(sqlite3.IntegrityError, match="uniq_shipped_items_key"):
        insert(tables, "shipped_items", {"shipstation_shipment_id": 0})
    insert(tables, "shipped_items", {"shipstation_shipment_id": 77})
    with pytest.raises(sqlite3.IntegrityError, match="uniq_shipped_items_key"):
        insert(tables, "shipped_items", {"shipstation_shipment_id": 77})
    insert(tables, "shipped_items", {"shipstation_sku_raw": "90001-990001"})
    for _ in range(2):  # rows without an order have no key
        insert(tables, "shipped_items", {"order_number": None})


def test_defaults_are_those_of_the_contract(tables: sqlite3.Connection) -> None:
    sku, lot = insert(tables, "skus", {}), insert(tables, "lots", {})
    assert tables.execute("select reorder_point from skus where sku_id = ?", (sku,)).fetchone() == (50,)
    found = tables.execute("select manual_adjustment, status from lots where lot_id = ?", (lot,)).fetchone()
    assert found == (0, "active")


def test_lots_go_with_their_sku_and_shipped_lines_hold_it(tables: sqlite3.Connection) -> None:
    insert(tables, "lots", {})
    tables.execute("savepoint unshipped")
    tables.execute("delete from skus where sku_id = 9001")
    assert tables.execute("select count(*) from lots where sku_id = 9001").fetchone() == (0,)
    tables.execute("rollback to unshipped")
    insert(tables, "shipped_items", {})
    for table, key in (
        ("skus", "sku_id = 9001"),
        ("lots", "lot_id = 9001"),
        ("shipped_orders", "id = 9000001"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY constraint failed"):
            tables.execute(f"delete from {table} where {key}")


def test_an_id_is_never_given_twice(tables: sqlite3.Connection) -> None:
    for table, key in KEYS.items():
        highest = tables.execute(f"select max({key}) from {table}").fetchone()[0]
        given_id = insert(tables, table, {})
        tables.execute(f"delete from {table} where {key} = ?", (given_id,))
        assert insert(tables, table, {}) > given_id > highest


day_like = (
    st.dates().map(str)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
    | st.from_regex(r"(19|20)[0-9]{2}-(0[0-9]|1[0-3])-[0-3][0-9]", fullmatch=True)
    | st.builds(
        lambda day, place, speck: day[:place] + speck + day[place + 1 :],
        st.dates().map(str),
        st.integers(0, 10),
        st.sampled_from(["\0", " ", "٢", "２", "x", "-", "+", ".", "e", "😀", "\u0301", "", "\u00a0"]),
    )
    | st.text(alphabet="0123456789-+. \0", min_size=9, max_size=11)
)


@given(text=day_like)
@example(text="2025-10-06\0")
@example(text="202x-10-06")
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_check_of_the_ship_date_is_the_parsers(tables: sqlite3.Connection, text: str) -> None:
    try:
        insert(tables, "shipped_items", {"ship_date": text, "order_number": None})
    except sqlite3.IntegrityError:
        taken = False
    else:
        taken = True
    assert taken == is_real_day(text)


# ---- a broken contract stops dbt ----------------

YAML = """
version: 2
models:
  - name: {name}
    config: {{materialized: table, contract: {{enforced: true}}{config}}}
    columns:
      - {{name: id, data_type: integer, constraints: [{{type: not_null}}, {{type: primary_key}}]}}
      - {{name: sku, data_type: string, constraints: [{{type: not_null}}, {{type: unique}}]}}
      - {{name: units, data_type: integer, constraints: [{{type: check, expression: units > 0}}]}}
      {column}
"""
ROW = "select 1 as id, 'a' as sku, 5 as units"
# Name: query, further columns, index, and what the error must name.
BROKEN: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "wrong_type": (
        "select 1 as id, 'a' as sku, 'many' as units", "", "", ("INTEGER column wrong_type.units",),
    ),
    "null_value": (f"{ROW} union all select 2, null, 6", "", "", ("NOT NULL", "null_value.sku")),
    "twice_primary": (f"{ROW} union all select 1, 'b', 6", "", "", ("UNIQUE", "twice_primary.id")),
    "twice_unique": (f"{ROW} union all select 2, 'a', 6", "", "", ("UNIQUE", "twice_unique.sku")),
    "failed_check": (f"{ROW} union all select 2, 'b', 0", "", "", ("CHECK", "units > 0")),
    "orphan": (
        f"{ROW}, 77 as parent_id",
        "- {name: parent_id, data_type: integer, constraints:"
        " [{type: foreign_key, to: ref('sound'), to_columns: [id]}]}",
        "",
        ("lotgate: orphan breaks a foreign key", "1 row(s) without a parent in sound", "rowid 1"),
    ),
    "twice_in_index": (
        f"{ROW} union all select 2, 'b', 5", "", ", indexes: [{columns: [units], unique: true}]",
        ("UNIQUE", "twice_in_index.units"),
    ),
    "not_in_query": (
        ROW, "- {name: shelf, data_type: string}", "",
        ("lotgate: not_in_query does not match its contract", "Only in the contract: shelf."),
    ),
    "not_in_contract": (
        f"{ROW}, 'A7' as shelf", "", "",
        ("lotgate: not_in_contract does not match its contract", "Only in the query: shelf."),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def broken_run(
    demo_build: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Said, Mapping[str, tuple[str, str]], set[str]]:
    """One dbt run of a sound model and all broken ones: what it said, each status, the tables left."""
    project = copy_project(tmp_path_factory.mktemp("broken") / "project")
    target, folder = project / "target", project / "models" / "broken"
    target.mkdir()
    folder.mkdir()
    for name in ("legacy.sqlite", "shipstation.sqlite"):
        shutil.copyfile(demo_build / name, target / name)
    for name, (query, column, config, _) in {"sound": (ROW, "", "", ()), **BROKEN}.items():
        (folder / f"{name}.sql").write_text(query, encoding="utf-8")
        yaml = YAML.format(name=name, column=column, config=config)
        (folder / f"{name}.yml").write_text(yaml, encoding="utf-8")
    said = dbt(project, "run", "--select", "path:models/broken")
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    found = {
        result["unique_id"].rpartition(".")[2]: (result["status"], result["message"]) for result in results
    }
    with closing(sqlite3.connect(sqlite_uri(target / "candidate.sqlite", mode="ro"), uri=True)) as connection:
        left = {name for (name,) in connection.execute("select tbl_name from sqlite_schema")}
    return said, found, left


def test_a_sound_contract_is_built(
    broken_run: tuple[Said, Mapping[str, tuple[str, str]], set[str]],
) -> None:
    said, found, left = broken_run
    assert found["sound"][0] == "success", said.out
    assert left == {"sound"}
    assert said.code == 1
    assert found.keys() == {"sound", *BROKEN}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_contract_is_an_error_that_names_the_place(
    broken_run: tuple[Said, Mapping[str, tuple[str, str]], set[str]], name: str
) -> None:
    said, found, _ = broken_run
    status, message = found[name]
    assert status == "error", said.out
    for words in BROKEN[name][3]:
        assert words in message


# ---- the same YAML on other engines ----------------

ONLY_SQLITE = re.compile(
    r"\b(ifnull|glob|autoincrement|strict|typeof|strftime|julianday|pragma|instr|char|unicode|printf|rowid"
    r"|collate|iif|datetime|blob|real|without)\b",
    re.IGNORECASE,
)
DATA_TYPES = {"string", "integer", "boolean"}


class EnforcingAdapter(BaseAdapter):
    """dbt's own rendering of contracts, of an engine that enforces everything."""

    CONSTRAINT_SUPPORT = dict.fromkeys(ConstraintType, ConstraintSupport.ENFORCED)

    @classmethod
    def quote(cls, identifier: str) -> str:
        return f'"{identifier}"'


# Rendering needs no connection, so the class methods of an abstract adapter are enough.
def rendered(model: Mapping[str, Any]) -> list[str]:
    """Every line of a CREATE TABLE as dbt writes it for any engine."""
    columns: list[str] = EnforcingAdapter.render_raw_columns_constraints(model["columns"])
    constraints: list[str] = EnforcingAdapter.render_raw_model_constraints(model["constraints"])
    return columns + constraints


@pytest.fixture(scope="module")
def contracts(demo_build: Path) -> dict[str, dict[str, Any]]:
    manifest = json.loads((demo_build / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    found = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["contract"]["enforced"]
    }
    assert found.keys() >= set(TARGET_TABLES)
    return found


def test_contracts_have_types_that_every_engine_knows(contracts: Mapping[str, Mapping[str, Any]]) -> None:
    types = {
        (name, column["data_type"])
        for name, model in contracts.items()
        for column in model["columns"].values()
    }
    assert len(types) > len(TARGET_TABLES)
    assert [found for found in types if found[1] not in DATA_TYPES] == []


def test_contracts_have_no_words_that_only_sqlite_knows(contracts: Mapping[str, Mapping[str, Any]]) -> None:
    lines = [(name, line) for name, model in contracts.items() for line in rendered(model)]
    assert [found for found in lines if ONLY_SQLITE.search(found[1])] == []


def test_contracts_are_rendered_with_every_constraint(contracts: Mapping[str, Mapping[str, Any]]) -> None:
    assert rendered(contracts["lots"]) == [
        "lot_id integer not null primary key",
        "lot_number string not null",
        'sku_id integer not null references main."skus" (sku_id) on delete cascade',
        "received_date string",
        "initial_qty integer",
        "manual_adjustment integer default 0",
        "status string not null default 'active' check (status in ('active', 'inactive'))",
        "created_at string",
        "unique (sku_id, lot_number)",
    ]
    items = rendered(contracts["shipped_items"])
    assert [line.partition(" (length")[0] for line in items] == [
        "id integer not null primary key",
        "ship_date string not null check",
        "shipstation_sku_raw string not null",
        'sku_id integer not null references main."skus" (sku_id)',
        'lot_id integer references main."lots" (lot_id)',
        "quantity_shipped integer not null check (quantity_shipped > 0)",
        'order_number string references main."shipped_orders" (order_number)',
        "tracking_number string",
        "shipstation_shipment_id integer",
        "created_at string",
    ]
