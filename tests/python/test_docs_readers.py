"""docs/readers.md keeps its word: every statement of the page is run, before and after contract."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Outcome
from later_work import swap_case
from lotgate.live.legacy_queries import QUERIES, parameters
from pages import ROOT, read_page
from reader_cases import (
    Answer,
    Parameters,
    World,
    all_questions,
    ask_as_it_is,
    copy_database,
    corrected_items,
    ordered,
    typed,
)
from swap_cases import copy_case, write

PAGE = read_page(ROOT / "docs" / "readers.md")
NEW_FORMS = {
    block.heading.partition(":")[0]: block.text.rstrip(";\n")
    for block in PAGE.blocks
    if re.match(r"R\d+:", block.heading)
}
CHANGED = {name for name, query in QUERIES.items() if re.search(r"base_sku|sku_lot(?! where active)", query)}
TOTAL_ORDER = {"R3", "R5"}
(VIEW,) = (block.text for block in PAGE.blocks if block.text.startswith("create view shipped_lines"))
(OWNERS_VIEW,) = (block.text for block in PAGE.blocks if block.text.startswith("drop view"))
VIEW_NAMES = re.compile(r"\bshipped_items\b")


def contract(lotgate: Callable[..., Outcome], database: Path, folder: Path) -> Outcome:
    return lotgate(
        *("contract", "--database", database, "--work-dir", folder / "w"),
        *("--force", "--confirm-name", database.name, "--yes"),
    )


@pytest.fixture(params=["demo", "late", "autumn"])
def contracted(
    request: pytest.FixtureRequest,
    find_world: Callable[[str], World],
    tmp_path: Path,
    lotgate: Callable[..., Outcome],
) -> tuple[World, Path]:
    """A world, and its database with the page's views and after contract."""
    world = find_world(request.param)
    database = tmp_path / "ora.db"
    copy_database(world.after, database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute(VIEW)
        if request.param == "demo":
            connection.executescript(OWNERS_VIEW)
        elif request.param == "late":  # the view of the generated shape
            for (name,) in connection.execute(
                "select name from sqlite_schema where type = 'view'"
            ).fetchall():
                if name != "shipped_lines":
                    connection.execute(f"drop view {name}")
        connection.commit()
    outcome = contract(lotgate, database, tmp_path)
    assert outcome.code == 0, outcome
    return world, database


def questions(world: World) -> Iterator[Parameters]:
    for number, (_, given) in enumerate(all_questions(world)):
        if number % 20 == 0:
            yield given
    with closing(sqlite3.connect(world.before)) as connection:
        yield parameters(connection)


def answer(connection: sqlite3.Connection, name: str, query: str, given: Parameters) -> Answer:
    rows = ask_as_it_is(connection, query, given)
    return rows if name in TOTAL_ORDER else ordered(rows)


def test_the_page_has_a_new_form_of_every_query_that_needs_one() -> None:
    assert set(NEW_FORMS) == CHANGED - {"R17"}
    listed = [
        name
        for table in PAGE.tables
        if table.header[0] == "query"
        for row in table.rows
        for name in row[0].split(", ")
    ]
    assert sorted(listed) == sorted(QUERIES)
    (last,) = (row for table in PAGE.tables for row in table.rows if row[-1] == "the new form below")
    assert set(last[0].split(", ")) == set(NEW_FORMS)
    assert "six of the fifteen" in PAGE.text
    assert (len(NEW_FORMS), len(QUERIES)) == (6, 15)


def test_the_new_forms_answer_as_the_old_ones_did(contracted: tuple[World, Path]) -> None:
    world, database = contracted
    seen = 0
    with closing(sqlite3.connect(world.after)) as old, closing(sqlite3.connect(database)) as new:
        for given in questions(world):
            for name, query in QUERIES.items():
                before = answer(old, name, query, given)
                seen += bool(before)
                through_view = VIEW_NAMES.sub("shipped_lines", query)
                assert typed(answer(new, name, through_view, given)) == typed(before), name
                if name in NEW_FORMS and name != "R16":
                    assert typed(answer(new, name, NEW_FORMS[name], given)) == typed(before), name
                elif name not in NEW_FORMS:
                    assert typed(answer(new, name, query, given)) == typed(before), name
        for name, query in NEW_FORMS.items():
            with pytest.raises(sqlite3.OperationalError, match="no such column"):
                new.execute(QUERIES[name], given)
            if name != "R7":  # it names two of its columns by functions
                names = [
                    [c[0] for c in each.execute(q, given).description]
                    for each, q in ((old, QUERIES[name]), (new, query))
                ]
                plain = [pair for pair in zip(*names, strict=True) if "(" not in pair[0]]
                assert all(one == other for one, other in plain), name
    assert seen > 100


def test_r16_counts_what_it_was_meant_to_count(contracted: tuple[World, Path]) -> None:
    world, database = contracted
    units: dict[tuple[str, str], int] = {}
    for item in corrected_items(world):
        sku, _, lot = item["sku_lot"].partition(" - ")
        units[sku, lot] = units.get((sku, lot), 0) + item["quantity_shipped"]
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(NEW_FORMS["R16"]).fetchall()
        assert len(found) == connection.execute("select count(*) from lot_inventory").fetchone()[0] > 0
    assert {(sku, lot): total for sku, lot, total in found} == {
        (sku, lot): units.get((sku, lot), 0) for sku, lot, _ in found
    }
    assert any(total for _, _, total in found)


def test_contract_is_refused_while_a_view_needs_the_old_columns(
    demo_world: World, tmp_path: Path, lotgate: Callable[..., Outcome]
) -> None:
    database = copy_database(demo_world.after, tmp_path / "ora.db")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode = wal")
        before = ordered(connection.execute("select * from dashboard_daily_units").fetchall())
    outcome = contract(lotgate, database, tmp_path)
    assert outcome.code == 1
    assert "dashboard_daily_units" in outcome.err
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(VIEW + OWNERS_VIEW)
        assert ordered(connection.execute("select * from dashboard_daily_units").fetchall()) == before
    assert contract(lotgate, database, tmp_path).code == 0
    with closing(sqlite3.connect(database)) as connection:
        assert ordered(connection.execute("select * from dashboard_daily_units").fetchall()) == before


def test_the_column_lists_are_those_of_select_star(
    demo_world: World, tmp_path: Path, lotgate: Callable[..., Outcome]
) -> None:
    (table,) = (table for table in PAGE.tables if table.header == ("table", "columns of `select *`"))
    listed = [row[1].split(", ") for row in table.rows]
    database = copy_database(demo_world.after, tmp_path / "ora.db")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.executescript(VIEW + OWNERS_VIEW)
    assert contract(lotgate, database, tmp_path).code == 0
    own = "packed_by_station"  # the demo's, at the end as the page says
    for path, names in zip((demo_world.before, demo_world.after, database), listed, strict=True):
        with closing(sqlite3.connect(path)) as connection:
            found = [column[0] for column in connection.execute("select * from shipped_items").description]
        assert found == [*names, own], path.name


def test_what_changed_is_in_the_ledger(demo_world: World) -> None:
    (query,) = (block.text for block in PAGE.blocks if "from lotgate_row_ledger" in block.text)
    with closing(sqlite3.connect(demo_world.after)) as connection:
        found = connection.execute(query).fetchall()
    wrong = [row for row in found if row[0] == "2024-04-16"]
    assert sum(row[4] for row in wrong) == 107
    assert sum(row[4] for row in wrong if row[1] == "redate") == 33


def test_an_old_writer_is_refused_and_a_rollback_leaves_the_view(demo_world: World, tmp_path: Path) -> None:
    database = copy_database(demo_world.after, tmp_path / "ora.db")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(VIEW)
        with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
            connection.execute(
                "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped)"
                " values ('2025-10-08', '17612 - 250300', '17612', 1)"
            )


def test_after_a_rollback_the_view_does_not_work_and_rollback_says_so(
    demo_build: Path, tmp_path: Path, lotgate: Callable[..., Outcome]
) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    swap_case(case)
    write(case.database, VIEW)
    with closing(sqlite3.connect(case.database)) as connection:
        sku, number = connection.execute(
            "select max(sku_id), max(order_number) from skus, shipped_orders"
        ).fetchone()
        connection.execute(
            "insert into shipped_items"
            " (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
            " values ('2025-10-13', 'later', ?, 4, ?)",
            (sku, number),
        )
        connection.commit()
    outcome = case.run(lotgate, "rollback")
    assert outcome.code == 0, outcome
    assert "shipped_lines" in outcome.out
    with closing(sqlite3.connect(case.database)) as connection:
        given = {"d1": "2025-10-13", "d2": "2025-10-13"}
        assert connection.execute(QUERIES["R6"], given).fetchall() == [(4,)]  # later work came back
        with pytest.raises(sqlite3.OperationalError, match="skus"):
            connection.execute("select * from shipped_lines")
