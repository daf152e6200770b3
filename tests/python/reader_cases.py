"""Databases for the legacy readers' tests, each in three states, and what the readers must be told.

A world is one database before the swap, after it, and after the rollback. The answers after the swap are
computed here in plain Python, from the legacy rows of before and from what the ledger decided about each of
them; the candidate's own items, orders, SKUs and lots are not looked at.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from compiled_models import CompiledModels
from later_work import swap_case, swap_settings
from lotgate.build import hashed_tables
from lotgate.console import SilentReporter
from lotgate.controls import load_controls
from lotgate.generator import Shape, generate
from lotgate.live.clock import utc_now
from lotgate.live.counter import install_counter
from lotgate.live.legacy_queries import IN_ANY_ORDER, QUERIES
from lotgate.live.rollback import rollback
from lotgate.snapshot import take_snapshot
from lotgate.table_hashes import hash_tables, schema_sha256
from lotgate.verdict import read_verdict, write_verdict
from lotgate.workdir import open_work_dir
from swap_cases import SwapCase, copy_case

Row = dict[str, Any]
Answer = list[tuple[Any, ...]]
Parameters = dict[str, object]

OF_A_DAY = ("R1", "R3", "R4", "R5", "R6")
ON_OTHERS = ("R13", "R14", "R17")
THE_DAY: Parameters = {
    "since": "2025-10-06",
    "d1": "2025-10-06",
    "d2": "2025-10-06",
    "d": "2025-10-06",
    "sku": "17612",
}
"""The demo's bad day."""
NO_TRACKING_NUMBER = [("no such column: i.tracking_number",)]
SHAPES = tuple(shape.value for shape in Shape)
WORLDS = ("demo", *SHAPES)


@dataclass(frozen=True)
class World:
    """One database in its three states, and what the ledger says."""

    before: Path
    after: Path
    back: Path
    work_dir: Path

    def rows(self, sql: str, database: Path | None = None) -> list[Row]:
        with closing(sqlite3.connect(database or self.before)) as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def book(self, table: str) -> list[Row]:
        return self.rows(f"select * from {table}", self.work_dir / "candidate.sqlite")

    def lacks(self, column: str) -> bool:
        """Whether the headers never had this column."""
        return column not in {row["name"] for row in self.rows("pragma table_info(shipped_orders)")}

    @cached_property
    def header_numbers(self) -> dict[str, str]:
        """Trimmed order number -> as its header writes it; of several headers, the one that counts."""
        numbers: dict[str, str] = {}
        for row in self.rows("select order_number from shipped_orders order by id"):
            if row["order_number"] is not None:
                trimmed = str(row["order_number"]).strip()
                if trimmed not in numbers or trimmed == row["order_number"]:
                    numbers[trimmed] = row["order_number"]
        return numbers


def copy_database(source: Path, target: Path) -> Path:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
    return target


def in_three_states(case: SwapCase) -> World:
    before = copy_database(case.database, case.folder / "before.db")
    swap_case(case)
    after = copy_database(case.database, case.folder / "after.db")
    rollback(case.database, swap_settings(case.folder), lock_timeout=5, reporter=SilentReporter())
    return World(before, after, case.database, case.work_dir)


def generated_case(
    demo: Path, models: CompiledModels, folder: Path, shape: Shape, *, rows: int, seed: int
) -> SwapCase:
    """A generated database of a shape, its candidate from the compiled models, and an open verdict for it.

    What the rules cannot decide stays out, as it would with the decision ``hold`` for each of these rows.
    """
    made = generate(folder / "made", rows=rows, seed=seed, shape=shape)
    case = SwapCase(folder / "case")
    case.database.parent.mkdir(parents=True)
    copy_database(made.database, case.database)
    with closing(sqlite3.connect(case.database)) as connection:
        connection.execute("pragma journal_mode = wal")
    shutil.copytree(made.controls, case.controls)
    counter = install_counter(case.database, now=utc_now())
    with open_work_dir(case.work_dir, case.database) as work:
        taken = take_snapshot(case.database, work)
    with models.run(case.work_dir / "legacy.sqlite", made.shipstation, case.controls) as connection:
        connection.execute("vacuum main into ?", (str(case.work_dir / "candidate.sqlite"),))
    candidate = case.work_dir / "candidate.sqlite"
    verdict = replace(
        read_verdict(demo / "verdict.json"),
        source=str(case.database),
        snapshot_sha256=taken.sha256,
        controls_sha256=load_controls(case.controls).sha256,
        schema_fingerprint=taken.schema_fingerprint,
        database_id=taken.database_id,
        change_counter=counter,
        candidate_schema_sha256=schema_sha256(candidate),
        tables=hash_tables(candidate, hashed_tables(candidate)),
    )
    write_verdict(verdict, case.verdict)
    build = json.loads((demo / "build.json").read_text())
    build |= {"schema_sha256": schema_sha256(candidate), "controls_folder": str(case.controls)}
    (case.work_dir / "build.json").write_text(json.dumps(build))
    return case


@pytest.fixture(scope="session")
def find_world(
    demo_build: Path, compiled_models: CompiledModels, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], World]:
    """The world of a name: the demo, or a generated database of a shape. Each is made once."""
    made: dict[str, World] = {}

    def find(name: str) -> World:
        if name not in made:
            folder = tmp_path_factory.mktemp(f"readers-{name}")
            if name == "demo":
                made[name] = in_three_states(copy_case(demo_build, folder / "case"))
            else:
                rows = 1_500 if name == "late" else 500
                case = generated_case(demo_build, compiled_models, folder, Shape(name), rows=rows, seed=45)
                made[name] = in_three_states(case)
        return made[name]

    return find


@pytest.fixture
def demo_world(find_world: Callable[[str], World]) -> World:
    return find_world("demo")


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, find_world: Callable[[str], World]) -> World:
    return find_world(request.param)


# What must be answered, in Python.


def corrected_items(world: World) -> list[Row]:
    """The legacy rows with what the ledger says, and the lines that only ShipStation knew."""
    legacy = {row["id"]: row for row in world.rows("select * from shipped_items")}
    items = []
    ledger = world.book("audit_row_ledger")
    assert {row["legacy_id"] for row in ledger} == legacy.keys()
    for decided in ledger:
        if decided["disposition"] not in ("keep", "redate"):
            continue
        row = dict(legacy[decided["legacy_id"]])
        row["ship_date"] = row["ship_date"].strip()
        assert float(row["quantity_shipped"]) == decided["units"]
        row["quantity_shipped"] = decided["units"]  # 3.0 and '3' are 3, where the column took them
        sku, lot = decided["sku_code"], decided["candidate_lot_number"]
        if decided["disposition"] == "redate":
            row["ship_date"] = decided["new_ship_date"]
        row["base_sku"], row["sku_lot"] = sku, f"{sku} - {lot}" if lot else ""
        row["order_number"] = number_of(world, row["order_number"])
        items.append(row)
    for line in world.book("int_recovered_lines"):
        sku, lot = line["sku_code"], line["lot_number"]
        items.append(
            dict.fromkeys(next(iter(legacy.values())))
            | {"id": line["candidate_id"], "ship_date": line["ship_date"], "base_sku": sku}
            | {"sku_lot": f"{sku} - {lot}" if lot else "", "quantity_shipped": line["quantity"]}
            | {"order_number": line["header_order_number"], "tracking_number": line["tracking_number"]}
            | {"created_at": line["created_at"]}
        )
    return items


def number_of(world: World, number: str | None) -> str | None:
    """A blank number is none; another is that of its header, which may be written with blanks."""
    if number is None or not str(number).strip():
        return None
    return world.header_numbers.get(str(number).strip(), str(number))


def corrected_orders(world: World) -> list[Row]:
    orders = {row["id"]: dict(row) for row in world.rows("select * from shipped_orders")}
    shipstation = {row["header_id"]: row for row in world.book("int_order_header_changes")}
    for change in world.book("audit_order_header_changes"):
        row_id = change["header_id"]
        if change["change"] == "taken_out":
            del orders[row_id]
        elif change["change"] == "date_corrected":
            orders[row_id]["ship_date"] = change["new_ship_date"]
        else:
            more = shipstation[row_id]
            assert row_id not in orders
            orders[row_id] = dict.fromkeys(next(iter(orders.values()))) | {
                "id": row_id,
                "ship_date": change["new_ship_date"],
                "order_number": change["order_number"],
                "total_items": 0,
                "shipstation_order_id": more["shipstation_order_id"] and str(more["shipstation_order_id"]),
                "created_at": more["created_at"],
            }
    return list(orders.values())


def in_sql_order(*names: str) -> Callable[[Row], tuple[Any, ...]]:
    """SQLite's order: NULL first, then numbers, then texts by their bytes."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(_rank(row[name]) for name in names)

    return key


def _rank(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0,)
    return (1, value) if isinstance(value, int | float) else (2, str(value).encode())


def pick(rows: list[Row], *names: str) -> Answer:
    return [tuple(row[name] for name in names) for row in rows]


def answer_in_python(name: str, items: list[Row], orders: list[Row], world: World, p: Parameters) -> Answer:
    """The query's answer by its meaning; in its own order where that is total, else sorted."""
    d1, d2, since = str(p["d1"]), str(p["d2"]), str(p["since"])
    between = [row for row in items if d1 <= row["ship_date"] <= d2]
    if name == "R1":
        return [(sum(row["ship_date"] >= since for row in orders),)]
    if name == "R2":
        rows = sorted(orders, key=in_sql_order("ship_date", "id"), reverse=True)[:1000]
        return pick(
            rows, "id", "ship_date", "order_number", "total_items", "shipstation_order_id", "created_at"
        )
    if name == "R3":
        rows = sorted(between, key=in_sql_order("ship_date", "id"), reverse=True)[:5000]
        return pick(rows, "ship_date", "sku_lot", "base_sku", "quantity_shipped", "order_number")
    if name == "R4":
        numbers: dict[str, set[str]] = defaultdict(set)
        for row in orders:
            if d1 <= row["ship_date"] <= d2:
                numbers[row["ship_date"]].add(row["order_number"])
        return sorted((day, len(found)) for day, found in numbers.items())
    if name == "R5":
        units: dict[tuple[str, str], int] = defaultdict(int)
        for row in between:
            units[row["ship_date"], row["base_sku"]] += row["quantity_shipped"]
        return sorted((*key, total) for key, total in units.items())
    if name == "R6":
        return [(sum(row["quantity_shipped"] for row in between) if between else None,)]
    if name == "R7":
        ids = {row["order_number"]: row["shipstation_order_id"] or "" for row in orders}
        return ordered(
            (
                row["order_number"],
                row["ship_date"],
                row["base_sku"],
                row["sku_lot"] or "",
                row["quantity_shipped"],
                ids.get(row["order_number"], ""),
                row.get("tracking_number") or "",
            )
            for row in items
            if row["ship_date"] == p["d"] and row["base_sku"] == p["sku"]
        )
    if name == "R12":
        return ordered(pick(items, "ship_date", "base_sku", "quantity_shipped", "sku_lot"))
    if name == "R13":
        rows = [row for row in world.rows("select * from weekly_shipped_history") if row["sku"] == p["sku"]]
        rows.sort(key=in_sql_order("start_date"), reverse=True)
        return pick(rows[:52], "start_date", "end_date", "sku", "quantity_shipped")
    if name == "R14":
        rows = sorted(world.rows("select * from inventory_current"), key=in_sql_order("sku"))
        return pick(
            rows,
            "sku",
            "product_name",
            "current_quantity",
            "weekly_avg_cents",
            "alert_level",
            "reorder_point",
            "last_updated",
        )
    if name == "R16":
        return ordered(
            (
                lot["sku"],
                lot["lot"],
                sum(
                    row["quantity_shipped"]
                    for row in items
                    if (row["base_sku"], row["sku_lot"]) == (lot["sku"], lot["lot"])
                ),
            )
            for lot in world.rows("select * from lot_inventory")
        )
    if name == "R17":
        return ordered(
            pick([row for row in world.rows("select * from sku_lot") if row["active"] == 1], "sku", "lot")
        )
    if name == "R18":
        shipped = {row["order_number"] for row in orders}
        inbox = [row for row in world.rows("select * from orders_inbox") if row["status"] == "pending"]
        return ordered(
            pick(
                [row for row in inbox if row["order_number"] not in shipped],
                "id",
                "order_number",
                "order_date",
            )
        )
    if name == "R21":
        return ordered(
            pick(
                [row for row in items if row["order_number"] is not None],
                "order_number",
                "base_sku",
                "quantity_shipped",
            )
        )
    assert name == "R22"
    plain = [int(row["order_number"]) for row in orders if re.fullmatch("[0-9]*", row["order_number"])]
    return [(max((number for number in plain if number < 200_000), default=None),)]


def ordered(rows: Any) -> Answer:
    return sorted(rows, key=repr)


def all_questions(world: World) -> Iterator[tuple[tuple[str, ...], Parameters]]:
    """What to ask with which parameters: single days, from a day to the last, every SKU on every day."""
    items, orders = corrected_items(world), corrected_orders(world)
    days = {row["ship_date"] for row in [*items, *orders, *world.rows("select ship_date from shipped_items")]}
    texts = {row["base_sku"] for row in [*items, *world.rows("select base_sku from shipped_items")]}
    skus = sorted(sku for sku in texts if isinstance(sku, str))
    real = sorted(day for day in days if re.fullmatch(r"\d{4}-\d\d-\d\d", str(day)))
    shipped = {(row["ship_date"], row["base_sku"]) for row in items}
    shipped |= {(r["ship_date"], r["base_sku"]) for r in world.rows("select * from shipped_items")}
    yield tuple(QUERIES), {"since": "0", "d1": "0", "d2": "9", "d": "", "sku": "00000"}
    for sku in skus:
        yield ("R13",), {"since": real[0], "d1": real[0], "d2": real[0], "d": real[0], "sku": sku}
    for number, day in enumerate(real):
        yield OF_A_DAY, {"since": day, "d1": day, "d2": day, "d": day, "sku": skus[0]}
        for sku in skus:
            if (day, sku) in shipped or sku == skus[number % len(skus)]:
                yield ("R7",), {"since": day, "d1": day, "d2": day, "d": day, "sku": sku}
        if number % 5 == 0:
            yield OF_A_DAY, {"since": day, "d1": day, "d2": real[-1], "d": day, "sku": skus[0]}


def ask_as_it_is(connection: sqlite3.Connection, query: str, given: Parameters) -> Answer:
    """The rows as they come; of a query on a table or column that is not there, SQLite's error."""
    try:
        return connection.execute(query, given).fetchall()
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        return [(str(error),)]


def ask(connection: sqlite3.Connection, name: str, given: Parameters) -> Answer:
    """The literal query; in the order of its answer where that is total, else sorted."""
    rows = ask_as_it_is(connection, QUERIES[name], given)
    return ordered(rows) if name in IN_ANY_ORDER else rows


def typed(rows: Answer) -> list[list[tuple[str, Any]]]:
    """The rows with the type of each value: 1 and 1.0 and '1' are three answers."""
    return [[(type(value).__name__, value) for value in row] for row in rows]


def named(connection: sqlite3.Connection, name: str, given: Parameters) -> list[str]:
    """The names of the answer's columns, in their order; none where the query cannot be asked."""
    try:
        return [column[0] for column in connection.execute(QUERIES[name], given).description]
    except sqlite3.OperationalError:
        return []


def expected_answer(name: str, items: list[Row], orders: list[Row], world: World, p: Parameters) -> Answer:
    """What a query must answer after the swap. One that could not be asked before cannot be asked now, but
    for the tracking number, which every new table has."""
    with closing(sqlite3.connect(world.before)) as connection:
        before = ask(connection, name, p)
    could_not = bool(before) and str(before[0][0]).startswith("no such")
    if could_not and (before != NO_TRACKING_NUMBER or world.lacks("shipstation_order_id")):
        return before
    return answer_in_python(name, items, orders, world, p)
