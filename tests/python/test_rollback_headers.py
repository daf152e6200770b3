"""Order headers, recovered and merged rows that changed after a swap come back."""

from __future__ import annotations

import pytest

from later_work import (
    DAY,
    OTHER_DAY,
    Work,
    kept,
    of_disposition,
    recovered,
)


def test_headers(later: Work) -> None:
    corrected, old, new = later.connection.execute(
        "select order_number, old_ship_date, new_ship_date from lotgate_order_header_changes"
        " where change = 'date_corrected' order by header_id"
    ).fetchone()
    added = later.one("select order_number from lotgate_order_header_changes where change = 'added'")
    gone = later.one("select order_number from lotgate_order_header_changes where change = 'taken_out'")
    archived = later.one("select id from legacy_shipped_orders where order_number = ?", gone)
    later("update shipped_orders set total_items = 4 where order_number = ?", corrected)
    other = later.one(
        "select order_number from lotgate_order_header_changes where change ="
        " 'date_corrected' and order_number <> ?",
        corrected,
    )
    later("update shipped_orders set ship_date = ? where order_number = ?", OTHER_DAY, other)
    later("update shipped_orders set total_items = 5 where order_number = ?", added)
    back_again = later(
        "insert into shipped_orders (ship_date, order_number, total_items) values (?, ?, 6)", DAY, gone
    )
    empty = later("insert into shipped_orders (ship_date, order_number) values (?, '900025')", DAY)
    back = later.back()
    assert old != new
    assert back.rows(
        f"select ship_date, total_items from shipped_orders where order_number = '{corrected}'"
    ) == [(old, 4)]
    assert back.rows(f"select ship_date from shipped_orders where order_number = '{other}'") == [(OTHER_DAY,)]
    assert back.rows(f"select total_items from shipped_orders where order_number = '{added}'") == [(5,)]
    assert back.rows(
        f"select id, ship_date, total_items from shipped_orders where order_number = '{gone}'"
    ) == [(archived, DAY, 6)]
    assert f"the legacy header {archived}" in back.reasons("shipped_orders", back_again)
    assert back.rows(f"select order_number from shipped_orders where id = {empty}") == [("900025",)]


@pytest.mark.parametrize("verb", ["delete", "replace", "update"])
def test_a_header_gets_another_id(later: Work, verb: str) -> None:
    item = kept(later)
    number = item["order_number"]
    row_id = later.one("select id from shipped_orders where order_number = ?", number)
    later("pragma foreign_keys = off")
    if verb == "delete":
        later("delete from shipped_items where order_number = ?", number)
        later("delete from shipped_orders where order_number = ?", number)
        later("insert into shipped_orders (id, ship_date, order_number) values (999999, ?, ?)", DAY, number)
    elif verb == "replace":
        later(
            "insert or replace into shipped_orders (id, ship_date, order_number) values (999999, ?, ?)",
            DAY,
            number,
        )
    else:
        later("update shipped_orders set id = 999999, ship_date = ? where order_number = ?", DAY, number)
    back = later.back()
    assert back.rows(f"select id, ship_date from shipped_orders where order_number = '{number}'") == [
        (999999, DAY)
    ]
    assert back.rows(f"select count(*) from shipped_orders where id = {row_id}") == [(0,)]


def test_deleted_headers(later: Work) -> None:
    item = kept(later)
    number = item["order_number"]
    later("delete from shipped_items where order_number = ?", number)
    later("delete from shipped_orders where order_number = ?", number)
    # this one has a legacy row that the migration merged away, and which comes back
    merged = later.legacy[of_disposition(later, "merge")[0]]["order_number"]
    header = later.one("select id from shipped_orders where order_number = ?", merged)
    later("delete from shipped_items where order_number = ?", merged)
    later("delete from shipped_orders where order_number = ?", merged)
    back = later.back()
    assert back.rows(f"select count(*) from shipped_orders where order_number = '{number}'") == [(0,)]
    assert back.rows(f"select id from shipped_orders where order_number = '{merged}'") == [(header,)]
    assert "so it stays" in back.reasons("shipped_orders", header)


def test_a_header_gets_another_number(later: Work) -> None:
    """With its items; a row that the migration merged away still has the old number, and a header for it."""
    merged = later.legacy[of_disposition(later, "merge")[0]]["order_number"]
    later("pragma foreign_keys = off")
    later("update shipped_orders set order_number = '900045' where order_number = ?", merged)
    later("update shipped_items set order_number = '900045' where order_number = ?", merged)
    back = later.back()
    assert back.rows("select count(*) from shipped_orders where order_number = '900045'") == [(1,)]
    assert back.rows(f"select count(*) from shipped_orders where order_number = '{merged}'") == [(1,)]
    assert back.result.not_carried


def test_two_headers_exchange_their_numbers(later: Work) -> None:
    one, two = kept(later)["order_number"], kept(later, number=7)["order_number"]
    ids = [later.one("select id from shipped_orders where order_number = ?", n) for n in (one, two)]
    later("pragma foreign_keys = off")
    for number, row_id in (("x", ids[0]), (one, ids[1]), (two, ids[0])):
        later("update shipped_orders set order_number = ? where id = ?", number, row_id)
    back = later.back()
    assert back.result.not_carried == ()
    assert [back.rows(f"select order_number from shipped_orders where id = {i}")[0][0] for i in ids] == [
        two,
        one,
    ]


def test_recovered_rows(later: Work) -> None:
    """What only the migration knew stays away, unless somebody worked on it since."""
    changed = recovered(later)
    deleted = max(key for key in later.before if key not in later.legacy)
    assert changed["id"] != deleted
    later("update shipped_items set quantity_shipped = 12 where id = ?", changed["id"])
    later("delete from shipped_items where id = ?", deleted)
    back = later.back()
    assert back.found[changed["id"]]["quantity_shipped"] == 12
    assert back.found.keys() == later.legacy.keys() | {changed["id"]}
    assert back.reasons("shipped_items", changed["id"])


def test_merge_targets(later: Work) -> None:
    pairs = later.connection.execute(
        "select merged_into_id, count(*) from lotgate_row_ledger where merged_into_id in"
        " (select id from shipped_items)"
        " group by 1 order by 1"
    ).fetchall()
    (changed, _), (deleted, duplicates) = pairs[:2]
    later("update shipped_items set quantity_shipped = 50 where id = ?", changed)
    later("delete from shipped_items where id = ?", deleted)
    back = later.back()
    assert back.found[changed]["quantity_shipped"] == 50
    assert deleted not in back.found
    assert f"deleted; {duplicates} duplicates" in back.reasons("shipped_items", deleted)
    assert back.status.is_lossless is False
