"""What was written after a swap comes back in the legacy tables, one kind of change at a time."""

from __future__ import annotations

import pytest

from later_work import (
    DAY,
    INSERT,
    OTHER_DAY,
    Row,
    Work,
    kept,
    key_of,
    of_disposition,
)


def test_nothing_written_means_nothing_carried(later: Work) -> None:
    back = later.back()
    assert back.found == later.legacy
    assert (back.result.inserted, back.result.updated, back.result.deleted) == (0, 0, 0)
    assert back.notes == []
    assert back.status.is_lossless is True


def test_new_orders_with_new_skus_and_lots(later: Work) -> None:
    sku = later("insert into skus (sku_code, product_name, reorder_point) values ('19001', 'Foil', 7)")
    lot = later("insert into lots (lot_number, sku_id, status) values ('260001', ?, 'active')", sku)
    received = later(
        "insert into lots (lot_number, sku_id, status, received_date, initial_qty) values"
        " ('260002', ?, 'inactive', '2025-10-01', 90)",
        sku,
    )
    later(
        "insert into shipped_orders (ship_date, order_number, shipstation_order_id)"
        " values (?, '900005', '77')",
        DAY,
    )
    one = later(f"insert {INSERT}", DAY, "19001 - 260001", sku, lot, 3, "900005", None)
    two = later(f"insert {INSERT}", DAY, "19001", sku, None, 4, "900005", None)
    three = later(f"insert {INSERT}", OTHER_DAY, "19001 - 260002", sku, received, 5, None, None)
    back = later.back()
    assert back.result.not_carried == ()
    assert [(back.found[i]["base_sku"], back.found[i]["sku_lot"]) for i in (one, two, three)] == [
        ("19001", "19001 - 260001"),
        ("19001", ""),
        ("19001", "19001 - 260002"),
    ]
    assert back.rows(
        "select sku, product_name, reorder_point from inventory_current where sku = '19001'"
    ) == [("19001", "Foil", 7)]
    assert back.rows("select lot, active from sku_lot where sku = '19001' order by 1") == [
        ("260001", 1),
        ("260002", 0),
    ]
    assert back.rows("select lot, received_date, initial_qty from lot_inventory where sku = '19001'") == [
        ("260002", "2025-10-01", 90)
    ]
    assert back.rows(
        "select ship_date, shipstation_order_id from shipped_orders where order_number = '900005'"
    ) == [(DAY, "77")]


@pytest.mark.parametrize("other_day", [False, True])
def test_parcels_add_up(later: Work, other_day: bool) -> None:
    item = kept(later)
    day = OTHER_DAY if other_day else item["ship_date"]
    raw = (item["shipstation_sku_raw"], item["sku_id"], item["lot_id"])
    first = later(f"insert {INSERT}", day, *raw, 6, item["order_number"], 71)
    second = later(f"insert {INSERT}", day, *raw, 7, item["order_number"], 72)
    back = later.back()
    assert back.found[item["id"]]["quantity_shipped"] == later.legacy[item["id"]]["quantity_shipped"] + 13
    for parcel in (first, second):
        assert f"its units were added to row {item['id']} of {item['ship_date']}" in back.reasons(
            "shipped_items", parcel
        )
    assert len(back.result.not_carried) == (2 if other_day else 0)
    assert back.status.is_lossless is not other_day


def test_a_parcel_and_then_another_quantity_of_the_first(later: Work) -> None:
    """The parcel is noted first; the change of the first row must not take its units away again."""
    item = kept(later)
    later(
        f"insert {INSERT}",
        item["ship_date"],
        item["shipstation_sku_raw"],
        item["sku_id"],
        item["lot_id"],
        6,
        item["order_number"],
        71,
    )
    later("update shipped_items set quantity_shipped = 40 where id = ?", item["id"])
    assert later.back().found[item["id"]]["quantity_shipped"] == 46


def test_a_parcel_whose_first_row_is_deleted(later: Work) -> None:
    item = kept(later)
    parcel = later(
        f"insert {INSERT}",
        OTHER_DAY,
        item["shipstation_sku_raw"],
        item["sku_id"],
        item["lot_id"],
        6,
        item["order_number"],
        71,
    )
    later("delete from shipped_items where id = ?", item["id"])
    back = later.back()
    assert item["id"] not in back.found
    assert (back.found[parcel]["quantity_shipped"], back.found[parcel]["ship_date"]) == (6, OTHER_DAY)
    assert back.result.not_carried == ()


def test_every_column_of_a_row_changes(later: Work) -> None:
    item = kept(later)
    sku = later.one("select min(sku_id) from skus where sku_id <> ?", item["sku_id"])
    lot = later("insert into lots (lot_number, sku_id) values ('260009', ?)", sku)
    later("insert into shipped_orders (ship_date, order_number) values (?, '900015')", DAY)
    later(
        "update shipped_items set ship_date = ?, shipstation_sku_raw = 'x', sku_id = ?,"
        " lot_id = ?, quantity_shipped = 9,"
        " order_number = '900015', tracking_number = 't', shipstation_shipment_id = 5, created_at = 'c',"
        " packed_by_station = 'p' where id = ?",
        DAY,
        sku,
        lot,
        item["id"],
    )
    code = later.one("select sku_code from skus where sku_id = ?", sku)
    back = later.back()
    assert back.found[item["id"]] == {
        "id": item["id"],
        "ship_date": DAY,
        "sku_lot": f"{code} - 260009",
        "base_sku": code,
        "quantity_shipped": 9,
        "order_number": "900015",
        "created_at": "c",
        "tracking_number": "t",
        "packed_by_station": "p",
    }
    assert "shipstation_sku_raw" in back.reasons("shipped_items", item["id"])
    assert "shipstation_shipment_id" in back.reasons("shipped_items", item["id"])
    assert back.result.not_carried == ()


def test_two_rows_of_an_order_exchange_their_lots(later: Work) -> None:
    item = kept(later)
    lot = later.one(
        "select min(lot_id) from lots where sku_id = ? and lot_id <> ?", item["sku_id"], item["lot_id"]
    )
    # the second row is there at the swap, too: another order's row, moved over before
    other = kept(
        later,
        f"i.order_number <> '{item['order_number']}' and i.sku_id = {item['sku_id']} and"
        f" i.lot_id = {item['lot_id']}",
    )
    later(
        "update shipped_items set lot_id = ?, order_number = ?, shipstation_sku_raw = 'y' where id = ?",
        lot,
        item["order_number"],
        other["id"],
    )
    later("update shipped_items set lot_id = null where id = ?", item["id"])
    later("update shipped_items set lot_id = ? where id = ?", item["lot_id"], other["id"])
    later("update shipped_items set lot_id = ? where id = ?", lot, item["id"])
    back = later.back()
    assert back.result.not_carried == ()
    assert back.found[other["id"]]["sku_lot"] == later.legacy[item["id"]]["sku_lot"]


def test_a_row_becomes_a_second_parcel_of_another(later: Work) -> None:
    item = kept(later)
    other = kept(later, f"i.id <> {item['id']}", 1)
    later(
        "update shipped_items set sku_id = ?, lot_id = ?, order_number = ?,"
        " shipstation_sku_raw = 'y', quantity_shipped = 8"
        " where id = ?",
        item["sku_id"],
        item["lot_id"],
        item["order_number"],
        other["id"],
    )
    back = later.back()
    assert other["id"] not in back.found
    assert back.found[item["id"]]["quantity_shipped"] == item["quantity_shipped"] + 8


@pytest.mark.parametrize("alias", ["id", "rowid", "_rowid_", "oid"])
def test_an_id_changes(later: Work, alias: str) -> None:
    item = kept(later)
    later(f"update shipped_items set {alias} = 999999, quantity_shipped = 11 where id = ?", item["id"])
    back = later.back()
    assert item["id"] not in back.found
    assert back.found[999999]["quantity_shipped"] == 11


def test_an_id_of_a_row_that_the_migration_merged_away(later: Work) -> None:
    merged = of_disposition(later, "merge")[0]
    item = kept(later)
    later("update shipped_items set id = ? where id = ?", merged, item["id"])
    back = later.back()
    assert back.found[merged] == later.legacy[merged]
    assert back.reasons("shipped_items", merged)


@pytest.mark.parametrize("recursive", [0, 1])
def test_deletes_and_replacements(later: Work, recursive: int) -> None:
    later(f"pragma recursive_triggers = {recursive}")
    gone, again, replaced, upserted = (kept(later, number=n) for n in (0, 3, 6, 9))
    later("delete from shipped_items where id = ?", gone["id"])
    later("delete from shipped_items where id = ?", again["id"])

    def values(item: Row, quantity: int) -> tuple[object, ...]:
        return (
            DAY,
            item["shipstation_sku_raw"],
            item["sku_id"],
            item["lot_id"],
            quantity,
            item["order_number"],
            None,
        )

    new = later(f"insert {INSERT}", *values(again, 31))
    other = later(f"insert or replace {INSERT}", *values(replaced, 32))
    later(
        f"insert {INSERT} on conflict (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0))"
        " do update set quantity_shipped = excluded.quantity_shipped",
        *values(upserted, 33),
    )
    back = later.back()
    assert not {gone["id"], again["id"], replaced["id"]} & back.found.keys()
    assert [back.found[i]["quantity_shipped"] for i in (new, other, upserted["id"])] == [31, 32, 33]
    assert back.result.not_carried == ()


@pytest.mark.parametrize("recursive", [0, 1])
def test_update_or_replace_takes_another_row(later: Work, recursive: int) -> None:
    later(f"pragma recursive_triggers = {recursive}")
    item, victim = kept(later), kept(later, number=5)
    later(
        "update or replace shipped_items set order_number = ?, shipstation_sku_raw = ?,"
        " sku_id = ?, lot_id = ? where id = ?",
        victim["order_number"],
        victim["shipstation_sku_raw"],
        victim["sku_id"],
        victim["lot_id"],
        item["id"],
    )
    by_id, other = kept(later, number=8), kept(later, number=10)
    later("update or replace shipped_items set id = ? where id = ?", other["id"], by_id["id"])
    back = later.back()
    assert victim["id"] not in back.found
    assert by_id["id"] not in back.found
    assert key_of(back.found[item["id"]]) == key_of(later.legacy[victim["id"]])
    assert key_of(back.found[other["id"]]) == key_of(later.legacy[by_id["id"]])
