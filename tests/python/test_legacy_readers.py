"""What the legacy system's readers are told: before the swap, after it, and after the rollback.

The demo, and a generated database of each shape. What is expected after the swap is computed in plain Python
from the legacy rows and the ledger (``reader_cases``).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from later_work import swap_case, swap_settings
from lotgate.console import SilentReporter
from lotgate.live.legacy_queries import QUERIES, answers, parameters
from lotgate.live.rollback import rollback
from reader_cases import (
    NO_TRACKING_NUMBER,
    OF_A_DAY,
    ON_OTHERS,
    THE_DAY,
    World,
    all_questions,
    answer_in_python,
    ask,
    ask_as_it_is,
    copy_database,
    corrected_items,
    corrected_orders,
    expected_answer,
    named,
    ordered,
    typed,
)
from swap_cases import copy_case


def test_every_answer_after_the_swap_is_that_of_the_ledger(world: World) -> None:
    items, orders = corrected_items(world), corrected_orders(world)
    compared = 0
    with closing(sqlite3.connect(world.after)) as connection:
        for names, given in all_questions(world):
            for name in names:
                expected = expected_answer(name, items, orders, world, given)
                assert typed(ask(connection, name, given)) == typed(expected), (name, given)
                compared += 1
    assert compared > 200


def test_every_answer_after_the_rollback_is_that_of_before(world: World) -> None:
    with closing(sqlite3.connect(world.before)) as one, closing(sqlite3.connect(world.back)) as other:
        assert answers(one, parameters(one)) == answers(other, parameters(one))
        for names, given in all_questions(world):
            for name in names:  # in the same order, too, where the query leaves it open
                before, after = (ask_as_it_is(each, QUERIES[name], given) for each in (one, other))
                assert typed(before) == typed(after), name
        for table in ("shipped_items", "shipped_orders"):
            sql = f"select *, typeof(id), rowid from {table} order by rowid"
            assert one.execute(sql).fetchall() == other.execute(sql).fetchall()


def test_what_the_migration_did_not_touch_is_answered_as_before(world: World) -> None:
    """Rows, and the days and SKUs that have only such rows."""
    legacy = {row["id"]: row for row in world.rows("select * from shipped_items")}
    columns = list(next(iter(legacy.values())))
    now = {row["id"]: {name: row[name] for name in columns} for row in corrected_items(world)}
    touched = {key for key in legacy.keys() | now.keys() if legacy.get(key) != now.get(key)}
    assert 0 < len(touched) < len(legacy) / 2
    asked = f"select {', '.join(columns)} from shipped_items order by id"
    with closing(sqlite3.connect(world.before)) as one, closing(sqlite3.connect(world.after)) as other:
        kept_rows, found = (
            [row for row in each.execute(asked).fetchall() if row[columns.index("id")] not in touched]
            for each in (one, other)
        )
        assert typed(found) == typed(kept_rows)
        dirty = {
            (r["ship_date"], r["base_sku"]) for key in touched for r in (legacy.get(key), now.get(key)) if r
        }
        changed_headers = {row["order_number"] for row in world.book("audit_order_header_changes")}
        clean = 0
        dirty_days = {day for day, _ in dirty}
        for names, given in all_questions(world):
            if names == ("R7",) and (given["d"], given["sku"]) not in dirty:
                rows = [ask(each, "R7", given) for each in (one, other)]
                if rows[0] != NO_TRACKING_NUMBER and not {row[0] for row in rows[0]} & changed_headers:
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


def test_the_answers_have_the_same_columns(world: World) -> None:
    """By name and place, in all three states; and every query can be asked that could be asked before."""
    with (
        closing(sqlite3.connect(world.before)) as one,
        closing(sqlite3.connect(world.after)) as other,
        closing(sqlite3.connect(world.back)) as back,
    ):
        given = parameters(one)
        before, after, again = ({q: named(each, q, given) for q in QUERIES} for each in (one, other, back))
        assert before == again
        assert {name: after[name] for name in before if before[name]} == {
            k: v for k, v in before.items() if v
        }
        assert before["R3"] == ["ship_date", "sku_lot", "base_sku", "quantity_shipped", "order_number"]
        tables = {name for (name,) in one.execute("select name from sqlite_schema where type = 'table'")}
        for table in tables - {"shipped_items", "sqlite_sequence"}:
            if not table.startswith("lotgate_"):
                sql = f"select * from {table}"
                names = [[c[0] for c in each.execute(sql).description] for each in (one, other, back)]
                assert names[0] == names[1] == names[2], table
        declared = "select name, lower(type) from pragma_table_info('shipped_items')"
        old, new = (dict(each.execute(declared).fetchall()) for each in (one, other))
        assert old.keys() <= new.keys()
        if "" not in old.values():
            assert {name: new[name] for name in old} == old


def test_the_expectation_is_neither_what_was_nor_what_is(demo_world: World, tmp_path: Path) -> None:
    """It differs from the legacy rows, and one changed value of the new tables is seen."""
    given = THE_DAY
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
    given = THE_DAY
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
