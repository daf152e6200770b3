"""The columns base_sku and sku_lot of the new shipped_items: true after every write, until contract."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from later_work import INSERT, Work, kept, new_items, read, start
from reader_cases import World


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
