"""What the legacy system's readers are told: before the swap, after it, and after the rollback.

The answers after the swap are computed here in plain Python, from the legacy rows of before and from what the
ledger decided about each of them; the candidate's own items, orders, SKUs and lots are not looked at.
"""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import LOTGATE
from lotgate.console import SilentReporter
from lotgate.generator import Shape, generate
from lotgate.live.legacy_queries import QUERIES, answers, parameters
from lotgate.live.rollback import rollback
from swap_cases import SwapCase, copy_case
from test_rollback_later_work import INSERT, Work, kept, new_items, read, start, swap_case, swap_settings

Row = dict[str, Any]
Answer = list[tuple[Any, ...]]
Parameters = dict[str, object]

OF_A_DAY = ("R1", "R3", "R4", "R5", "R6")
ON_OTHERS = ("R13", "R14", "R17")


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


@pytest.fixture(scope="session")
def demo_world(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return in_three_states(copy_case(demo_build, tmp_path_factory.mktemp("readers") / "case"))


@pytest.fixture(scope="session")
def generated_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """3,000 rows, of which what the rules cannot decide is held in quarantine, so that the gate opens."""
    folder = tmp_path_factory.mktemp("generated-readers")
    made = generate(folder / "made", rows=3_000, seed=45, shape=Shape.late)
    assert made.shipstation is not None
    work = folder / "work"
    work.mkdir(mode=0o700)
    shutil.copyfile(made.shipstation, work / "shipstation.sqlite")
    with (
        closing(sqlite3.connect(made.database)) as connection,
        (made.controls / "quarantine_decisions.csv").open("a", newline="") as file,
    ):
        connection.execute("attach database ? as expected", (str(made.expected),))
        for row in connection.execute(
            "select i.id, i.order_number, i.base_sku, i.sku_lot, i.quantity_shipped from shipped_items as i"
            " inner join expected.expected_rows as e on e.legacy_id = i.id"
            " where e.disposition = 'quarantine' and e.reason <> 'held' order by 1"
        ):
            texts = ["" if value is None else value for value in row]
            csv.writer(file).writerow([*texts, "hold", "", "for later", "warehouse lead", "2025-10-10"])
    for command, paths in (("build", ["--database", str(made.database)]), ("audit", [])):
        done = subprocess.run(
            [*LOTGATE, command, "--work-dir", str(work), "--controls", str(made.controls), *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return in_three_states(copy_case(work, folder / "case", live=made.database))


WORLDS = ("demo_world", "generated_world")


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


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
    if number is None or not number.strip():
        return None
    headers = _headers(world)
    return headers.get(number.strip(), number)


_HEADERS: dict[Path, dict[str, str]] = {}


def _headers(world: World) -> dict[str, str]:
    if world.before not in _HEADERS:
        _HEADERS[world.before] = {
            row["order_number"].strip(): row["order_number"]
            for row in world.rows("select order_number from shipped_orders where order_number is not null")
        }
    return _HEADERS[world.before]


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
                row["tracking_number"] or "",
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
    skus = sorted({row["base_sku"] for row in [*items, *world.rows("select base_sku from shipped_items")]})
    real = sorted(day for day in days if re.fullmatch(r"\d{4}-\d\d-\d\d", day or ""))
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


def ask(connection: sqlite3.Connection, name: str, given: Parameters) -> Answer:
    """The literal query; in the order of its answer where that is total, else sorted."""
    rows = connection.execute(QUERIES[name], given).fetchall()
    return (
        rows
        if name in ("R2", "R3")
        else ordered(rows)
        if name in ("R7", "R12", "R16", "R17", "R18", "R21")
        else rows
    )


def test_every_answer_after_the_swap_is_that_of_the_ledger(world: World) -> None:
    items, orders = corrected_items(world), corrected_orders(world)
    compared = 0
    with closing(sqlite3.connect(world.after)) as connection:
        for names, given in all_questions(world):
            for name in names:
                expected = answer_in_python(name, items, orders, world, given)
                assert ask(connection, name, given) == expected, (name, given)
                compared += 1
    assert compared > 200


def test_every_answer_after_the_rollback_is_that_of_before(world: World) -> None:
    with closing(sqlite3.connect(world.before)) as one, closing(sqlite3.connect(world.back)) as other:
        assert answers(one, parameters(one)) == answers(other, parameters(one))
        for names, given in all_questions(world):
            for name in names:  # in the same order, too, where the query leaves it open
                query = QUERIES[name]
                assert one.execute(query, given).fetchall() == other.execute(query, given).fetchall(), name
        for table in ("shipped_items", "shipped_orders"):
            sql = f"select *, typeof(id), rowid from {table} order by rowid"
            assert one.execute(sql).fetchall() == other.execute(sql).fetchall()


def test_what_the_migration_did_not_touch_is_answered_as_before(world: World) -> None:
    """Rows, and the days and SKUs that have only such rows."""
    legacy = {row["id"]: row for row in world.rows("select * from shipped_items")}
    now = {row["id"]: row for row in corrected_items(world)}
    touched = {key for key in legacy.keys() | now.keys() if legacy.get(key) != now.get(key)}
    assert 0 < len(touched) < len(legacy) / 2
    asked = (
        "select id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at, tracking_number"
    )
    with closing(sqlite3.connect(world.before)) as one, closing(sqlite3.connect(world.after)) as other:
        sql = f"{asked} from shipped_items order by id"
        kept_rows = [row for row in one.execute(sql) if row[0] not in touched]
        assert [row for row in other.execute(sql) if row[0] not in touched] == kept_rows
        dirty = {
            (r["ship_date"], r["base_sku"]) for key in touched for r in (legacy.get(key), now.get(key)) if r
        }
        changed_headers = {row["order_number"] for row in world.book("audit_order_header_changes")}
        clean = 0
        dirty_days = {day for day, _ in dirty}
        for names, given in all_questions(world):
            if names == ("R7",) and (given["d"], given["sku"]) not in dirty:
                rows = [ask(each, "R7", given) for each in (one, other)]
                if not {row[0] for row in rows[0]} & changed_headers:
                    assert rows[0] == rows[1], given
                    clean += bool(rows[0])
            elif names == OF_A_DAY and given["d1"] == given["d2"] and given["d"] not in dirty_days:
                for name in ("R3", "R5", "R6"):
                    assert ask(one, name, given) == ask(other, name, given), (name, given)
                    clean += 1
        assert clean > 20
        for name in ON_OTHERS:
            given = parameters(one)
            assert ask(one, name, given) == ask(other, name, given)


def test_the_expectation_is_neither_what_was_nor_what_is(demo_world: World, tmp_path: Path) -> None:
    """It differs from the legacy rows, and one changed value of the new tables is seen."""
    given: Parameters = {
        "since": "2025-10-06",
        "d1": "2025-10-06",
        "d2": "2025-10-06",
        "d": "2025-10-06",
        "sku": "17612",
    }
    items, orders = corrected_items(demo_world), corrected_orders(demo_world)
    expected = {name: answer_in_python(name, items, orders, demo_world, given) for name in QUERIES}
    assert expected["R6"] == [(331,)]
    with closing(sqlite3.connect(demo_world.before)) as connection:
        differs = {name for name in QUERIES if ask(connection, name, given) != expected[name]}
    assert {"R2", "R3", "R5", "R6", "R7", "R12", "R21"} <= differs
    assert not differs & set(ON_OTHERS)
    for statement, seen in (
        ("update shipped_items set quantity_shipped = quantity_shipped + 1 where id = {}", "R6"),
        ("update shipped_items set sku_lot = '' where id = {}", "R3"),
        ("update shipped_items set base_sku = '0' where id = {}", "R5"),
        ("update shipped_items set tracking_number = 'x' where id = {}", "R7"),
        (
            "update shipped_orders set ship_date = '2020-01-01' where order_number ="
            " (select order_number from shipped_items where id = {})",
            "R4",
        ),
    ):
        copy = copy_database(demo_world.after, tmp_path / "copy.db")
        with closing(sqlite3.connect(copy)) as connection:
            (row_id,) = connection.execute(
                "select i.id from shipped_items as i inner join shipped_orders as o using (order_number)"
                " where i.ship_date = '2025-10-06' and o.ship_date = '2025-10-06' and base_sku = '17612'"
                " and sku_lot <> ''"
            ).fetchone()
            assert ask(connection, seen, given) == expected[seen]
            # it would put the legacy columns right again at once
            connection.execute("drop trigger lotgate_legacy_columns_update")
            connection.execute(statement.format(row_id))
            assert ask(connection, seen, given) != expected[seen], statement


def test_the_rehearsal_asks_what_the_readers_ask(demo_world: World) -> None:
    with closing(sqlite3.connect(demo_world.before)) as connection:
        given = parameters(connection)
        found = answers(connection, given)
        assert found.keys() == QUERIES.keys()
        for name in QUERIES:
            assert ordered(found[name]) == ordered(ask(connection, name, given))
        assert all(found[name] for name in ("R2", "R3", "R5", "R7", "R12", "R14", "R17", "R21"))
        connection.execute("drop table sku_lot")
        assert answers(connection, given)["R17"] == [("no such table: sku_lot",)]


def test_statements_of_an_open_connection_live_through_swap_and_rollback(
    demo_build: Path, tmp_path: Path
) -> None:
    """A reader that never closes: its prepared statements are compiled anew by SQLite."""
    case = copy_case(demo_build, tmp_path / "case")
    given: Parameters = {
        "since": "2025-10-06",
        "d1": "2025-10-06",
        "d2": "2025-10-06",
        "d": "2025-10-06",
        "sku": "17612",
    }
    with closing(sqlite3.connect(case.database, isolation_level=None, cached_statements=100)) as reader:
        before = {name: ask(reader, name, given) for name in QUERIES}
        swap_case(case)
        after = {name: ask(reader, name, given) for name in QUERIES}
        with closing(sqlite3.connect(case.database)) as fresh:
            assert after == {name: ask(fresh, name, given) for name in QUERIES}
        assert (before["R6"], after["R6"]) == ([(223,)], [(331,)])
        rollback(case.database, swap_settings(case.folder), lock_timeout=5, reporter=SilentReporter())
        assert {name: ask(reader, name, given) for name in QUERIES} == before


def test_a_reader_in_a_transaction_sees_one_state_throughout(demo_build: Path, tmp_path: Path) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    with closing(sqlite3.connect(case.database, isolation_level=None)) as reader:
        reader.execute("begin")
        before = reader.execute(QUERIES["R12"]).fetchall()
        swap_case(case)
        assert reader.execute(QUERIES["R12"]).fetchall() == before
        reader.execute("commit")
        assert reader.execute(QUERIES["R12"]).fetchall() != before


# The columns base_sku and sku_lot of the new table.


@pytest.fixture(params=[(f, r) for f in (0, 1) for r in (0, 1)], ids=lambda p: f"keys{p[0]}-recursive{p[1]}")
def writer(request: pytest.FixtureRequest, demo_world: World, tmp_path: Path) -> Iterator[Work]:
    with closing(start(demo_world.after, tmp_path)) as connection:
        connection.execute(f"pragma foreign_keys = {request.param[0]}")
        connection.execute(f"pragma recursive_triggers = {request.param[1]}")
        path = Path(connection.execute("pragma database_list").fetchone()[2])
        yield Work(path, connection, {}, read(connection, "select * from legacy_shipped_items"))


def texts(work: Work, row_id: int) -> tuple[str, str]:
    found = work.connection.execute(
        "select base_sku, sku_lot from shipped_items where id = ?", (row_id,)
    ).fetchone()
    return found[0], found[1]


def test_the_legacy_columns_follow_every_write(writer: Work) -> None:
    item = kept(writer)
    sku, code, lot, number = writer.connection.execute(
        "select s.sku_id, s.sku_code, l.lot_id, l.lot_number from skus as s inner join"
        " lots as l using (sku_id)"
        " where s.sku_id <> ? order by 1, 3",
        (item["sku_id"],),
    ).fetchone()
    values = ("2025-10-08", "raw", sku, lot, 2, item["order_number"], None)
    new = writer(f"insert {INSERT}", *values)
    assert texts(writer, new) == (code, f"{code} - {number}")
    # UPSERT into the base table, as the daily processor does it; the second time it updates
    upsert = (
        f"insert {INSERT} on conflict (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0))"
        " do update set quantity_shipped = excluded.quantity_shipped, lot_id = excluded.lot_id"
    )
    writer(upsert, *values[:3], None, 9, *values[5:])
    assert texts(writer, new) == (code, "")
    assert writer.one("select quantity_shipped from shipped_items where id = ?", new) == 9
    other = writer(upsert, "2025-10-08", "raw 2", sku, lot, 2, item["order_number"], None)
    assert texts(writer, other) == (code, f"{code} - {number}")
    replaced = writer(
        f"insert or replace {INSERT}", "2025-10-08", "raw 2", sku, None, 2, item["order_number"], None
    )
    assert texts(writer, replaced) == (code, "")
    assert writer.one("select count(*) from shipped_items where id = ?", other) == 0

    writer("update shipped_items set lot_id = ? where id = ?", lot, new)
    assert texts(writer, new) == (code, f"{code} - {number}")
    writer(
        "update shipped_items set sku_id = ?, lot_id = ? where id = ?", item["sku_id"], item["lot_id"], new
    )
    assert texts(writer, new) == (item["base_sku"], item["sku_lot"])
    writer("update lots set lot_number = '999001' where lot_id = ?", item["lot_id"])
    assert texts(writer, new) == (item["base_sku"], f"{item['base_sku']} - 999001")
    assert texts(writer, item["id"]) == texts(writer, new)
    writer("update skus set sku_code = '19009' where sku_id = ?", item["sku_id"])
    assert texts(writer, new) == ("19009", "19009 - 999001")
    expected = {key: (row["base_sku"], row["sku_lot"]) for key, row in new_items(writer.connection).items()}
    assert {key: texts(writer, key) for key in expected} == expected


def test_a_row_of_no_sku_is_refused_as_such(writer: Work) -> None:
    """With keys enforced by the foreign key and by nothing else; without them it is taken, as SQLite does."""
    lot = writer.one("select min(lot_id) from lots")
    statement = (f"insert {INSERT}", "2025-10-08", "raw", 999_999, lot, 2, None, None)
    if writer.one("pragma foreign_keys"):
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            writer(*statement)
    else:
        assert texts(writer, writer(*statement)) == ("", "")
