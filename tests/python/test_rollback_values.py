"""Odd values, columns of the owner, and masters that changed after a swap come back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from later_work import (
    DAY,
    INSERT,
    ITEMS,
    LATER,
    Cli,
    Work,
    kept,
    new_items,
    read,
    swap_case,
    swap_settings,
)
from lotgate.console import SilentReporter
from lotgate.errors import GateClosed
from lotgate.live.rollback import rollback
from swap_cases import copy_case, picture, query, rebind, write

ODD = [
    "",
    "it's",
    'a "b" c',
    "line\nline\r\n",
    "nul\0after",
    "\0",
    "ü 漢 🦷",
    "x' || (select 1) || '",
    "--",
    "null",
]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_come_back_exactly(later: Work, text: str) -> None:
    item = kept(later)
    later(
        "update shipped_items set tracking_number = ?, packed_by_station = ? where id = ?",
        text,
        text,
        item["id"],
    )
    later(
        "insert into shipped_orders (ship_date, order_number, customer_email) values (?, ?, ?)",
        DAY,
        f"9{text}",
        text,
    )
    new = later(f"insert {INSERT}", DAY, text, item["sku_id"], None, 2, f"9{text}", None)
    back = later.back()
    assert back.found[item["id"]]["tracking_number"] == text
    assert back.found[item["id"]]["packed_by_station"] == text
    assert back.found[new]["order_number"] == f"9{text}"
    emails = dict(
        back.rows("select order_number, customer_email from shipped_orders where customer_email is not null")
    )
    assert emails[f"9{text}"] == text


def test_a_change_behind_a_nul_is_a_change(later: Work) -> None:
    item = kept(later)
    later.connection.close()
    back = later.database
    with closing(sqlite3.connect(back)) as connection:  # at the swap the text had a NUL already
        (statement,) = connection.execute(
            "select sql from sqlite_schema where name = 'lotgate_log_shipped_items_update_replace'"
        ).fetchone()
        connection.execute("drop trigger lotgate_log_shipped_items_update_replace")
        connection.execute("update shipped_items set tracking_number = ? where id = ?", ("a\0b", item["id"]))
        connection.execute(
            "update legacy_shipped_items set tracking_number = ? where id = ?", ("a\0b", item["id"])
        )
        connection.execute(statement)
        connection.commit()
        connection.execute("update shipped_items set tracking_number = ? where id = ?", ("a\0c", item["id"]))
        connection.commit()
    rollback(back, swap_settings(back.parent), lock_timeout=5, reporter=SilentReporter())
    assert query(back, f"select tracking_number from shipped_items where id = {item['id']}") == [("a\0c",)]


@pytest.mark.parametrize("value", [b"\x00\xff'", 1.5, 9e999, -9e999, 2**62, None, "t"])
def test_an_owners_column_takes_any_value(demo_build: Path, tmp_path: Path, value: object) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    write(case.database, "alter table shipped_items add column weight any")
    rebind(case)
    swap_case(case)
    with closing(sqlite3.connect(case.database)) as connection:
        found = Work(
            case.database,
            connection,
            new_items(connection),
            read(connection, ITEMS.format("legacy_shipped_items")),
        )
        item = kept(found)["id"]
        connection.execute(
            "update shipped_items set weight = ?, quantity_shipped = 5 where id = ?", (value, item)
        )
        connection.commit()
        back = found.back()
    assert repr(back.found[item]["weight"]) == repr(value)


def test_a_column_that_was_added_after_the_swap(later: Work) -> None:
    items = [kept(later, number=n)["id"] for n in (0, 4)]
    later("alter table shipped_items add column note text default 'none'")
    later("alter table shipped_orders add column carrier any")
    later("update shipped_items set note = 'fragile' where id = ?", items[0])
    later("update shipped_items set note = 'heavy', quantity_shipped = 3 where id = ?", items[1])
    order = later(
        "insert into shipped_orders (ship_date, order_number, carrier) values (?, '900055', ?)", DAY, b"\x01"
    )
    back = later.back()
    for item, note in zip(items, ("fragile", "heavy"), strict=True):
        assert "note" in back.reasons("shipped_items", item)
        assert any(n["id"] == item and note in str(n["after"]) for n in back.notes)
    assert "carrier" in back.reasons("shipped_orders", order)
    assert len([n for n in back.notes if "note" in n["reason"]]) == 2


def test_lots_change(later: Work) -> None:
    lots = later.connection.execute(
        "select l.lot_id, l.lot_number, s.sku_code from lots as l inner join skus as s using (sku_id)"
        " inner join sku_lot as k on k.sku = s.sku_code and k.lot = l.lot_number order by l.lot_id"
    ).fetchall()
    (one, number, sku), (two, other, other_sku) = (
        lots[0],
        next(row for row in lots[1:] if row[2] == lots[0][2]),
    )
    assert sku == other_sku
    for lot, text in ((one, "x"), (two, number), (one, other)):
        later("update lots set lot_number = ? where lot_id = ?", text, lot)
    later("update lots set status = 'inactive' where lot_id = ?", one)
    notes = later.connection.execute(
        "select id, lot, active, created_at from sku_lot where sku = ?", (sku,)
    ).fetchall()
    back = later.back()
    was = {lot: (row_id, created) for row_id, lot, _, created in notes}
    now = back.rows(f"select id, lot, active, created_at from sku_lot where sku = '{sku}'")
    assert {lot: (row_id, created) for row_id, lot, _, created in now} == was | {
        number: was[other],
        other: was[number],
    }
    assert [active for _, lot, active, _ in now if lot == other] == [0]
    assert not [n for n in back.notes if n["table"] == "lots"]


def test_a_lot_that_the_owner_entered_in_the_master_meanwhile(later: Work) -> None:
    sku = later.one("select min(sku_id) from skus")
    code = later.one("select sku_code from skus where sku_id = ?", sku)
    one = later("insert into lots (lot_number, sku_id) values ('270001', ?)", sku)
    later("insert into sku_lot (sku, lot) values (?, '270001')", code)  # the owner knows it already
    back = later.back()
    assert back.rows(f"select lot from sku_lot where sku = '{code}' and lot = '270001'") == [("270001",)]
    assert "sku_lot" in back.reasons("lots", one)


def test_a_lot_is_replaced_and_keeps_what_the_masters_say(later: Work) -> None:
    lot, number, _, sku = later.connection.execute(
        "select l.lot_id, l.lot_number, l.sku_id, s.sku_code from lots as l inner join"
        " skus as s using (sku_id)"
        " inner join lot_inventory as k on k.sku = s.sku_code and k.lot = l.lot_number order by 1"
    ).fetchone()
    later("pragma foreign_keys = off")
    later("update lot_inventory set notes = 'by hand' where sku = ? and lot = ?", sku, number)
    later(
        "insert or replace into lots (lot_number, sku_id, status, received_date,"
        " initial_qty) select lot_number, sku_id,"
        " 'inactive', received_date, 77 from lots where lot_id = ?",
        lot,
    )
    later("update shipped_items set lot_id = (select max(lot_id) from lots) where lot_id = ?", lot)
    back = later.back()
    assert back.rows(
        f"select initial_qty, notes from lot_inventory where sku = '{sku}' and lot = '{number}'"
    ) == [(77, "by hand")]


def test_a_sku_is_deleted_with_its_lots(later: Work) -> None:
    code = (
        later.one("select sku_code from skus where sku_id not in (select sku_id from shipped_items) limit 1")
        if later.one("select count(*) from skus where sku_id not in (select sku_id from shipped_items)")
        else None
    )
    if code is None:
        sku = later.one("select max(sku_id) from skus")
        code = later.one("select sku_code from skus where sku_id = ?", sku)
        later("delete from shipped_items where sku_id = ?", sku)
    lots = later.one(
        "select count(*) from lots where sku_id = (select sku_id from skus where sku_code = ?)", code
    )
    assert lots
    later("delete from skus where sku_code = ?", code)
    assert later.one("select count(*) from lots where sku_id not in (select sku_id from skus)") == 0
    back = later.back()
    assert [n for n in back.notes if n["table"] == "skus" and "deleted" in n["reason"]]
    gone = {n["id"] for n in back.notes if n["table"] == "lots"}
    assert gone or back.rows(f"select count(*) from sku_lot where sku = '{code}'") == [(0,)]


def test_values_without_a_legacy_column_are_kept(later: Work) -> None:
    sku = later("insert into skus (sku_code, product_name, pallet_count) values ('19005', 'Foil', 12)")
    lot = later("insert into lots (lot_number, sku_id, created_at) values ('260005', ?, 'then')", sku)
    old = later.one("select min(sku_id) from skus")
    later("update skus set pallet_count = 13, product_name = 'Thread' where sku_id = ?", old)
    back = later.back()
    assert "pallet_count" in back.reasons("skus", sku)
    assert "pallet_count" in back.reasons("skus", old)
    assert back.rows("select created_at from sku_lot where lot = '260005'") == [("then",)]
    assert back.reasons("lots", lot) == ""
    assert back.rows("select count(*) from inventory_current where product_name = 'Thread'") == [(1,)]


def test_a_sku_gets_another_code(later: Work) -> None:
    sku, code = later.connection.execute("select sku_id, sku_code from skus order by 1").fetchone()
    later("update skus set sku_code = '19099' where sku_id = ?", sku)
    later("update lots set status = 'inactive' where sku_id = ?", sku)
    back = later.back()
    assert "sku_code" in back.reasons("skus", sku)
    assert back.rows(f"select count(*) from sku_lot where sku = '{code}' and active = 1") == [(0,)]
    assert back.rows("select count(*) from sku_lot where sku = '19099'") == [(0,)]


def test_there_is_no_way_back_after_contract(lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    swap_case(case)
    write(case.database, "drop view dashboard_daily_units")  # it needs base_sku
    done = case.run(lotgate, "contract", "--force", "--confirm-name", "ora.db", "--yes")
    assert done.code == 0, done.err
    before = picture(case.database)
    with pytest.raises(GateClosed, match="contracted"):
        rollback(case.database, swap_settings(tmp_path), lock_timeout=5, reporter=SilentReporter())
    refused = case.run(lotgate, "rollback", "--yes")
    assert refused.code == 1
    assert "--restore-backup" in refused.err
    assert picture(case.database) == before


def test_swap_work_rollback_build_and_again(lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    """The second migration takes the work that came back for legacy rows, and itself goes back as exactly."""
    case = copy_case(demo_build, tmp_path / "case")
    swap_case(case)
    with closing(sqlite3.connect(case.database, isolation_level=None)) as connection:
        sku = connection.execute("select min(sku_id) from skus").fetchone()[0]
        connection.execute(
            "insert into shipped_orders (ship_date, order_number) values (?, '900065')", (LATER,)
        )
        item = connection.execute(
            f"insert {INSERT}", (LATER, "later work", sku, None, 3, "900065", None)
        ).lastrowid
    calm = swap_settings(case.folder)
    rollback(case.database, calm, lock_timeout=5, reporter=SilentReporter())
    legacy = query(case.database, "select * from shipped_items")
    own = str(case.database.resolve()).replace("'", "''")
    write(
        case.work_dir / "shipstation.sqlite",  # it was fetched for the database of which this is a copy
        f"update lotgate_evidence set value = '{own}' where key = 'database'",
    )
    for command in ("build", "audit"):
        done = lotgate(
            command,
            "--work-dir",
            case.work_dir,
            "--controls",
            case.controls,
            *(["--database", case.database] if command == "build" else []),
        )
        assert done.code == 0, done.err
    swap_case(case)
    assert query(case.database, f"select quantity_shipped from shipped_items where id = {item}") == [(3,)]
    rollback(case.database, calm, lock_timeout=5, reporter=SilentReporter())
    assert query(case.database, "select * from shipped_items") == legacy
    kinds = [kind for (kind,) in query(case.database, "select kind from lotgate_history order by id")]
    assert kinds == ["swap", "rollback", "swap", "rollback"]
    assert (
        json.loads(query(case.database, "select detail from lotgate_history order by id")[1][0])["inserted"]
        == 2
    )
