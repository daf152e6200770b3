"""Loading an account from a folder: the seeds, orders and marks as CSV, JSON, and files that are wrong."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.shipstation.simulator import Store
from lotgate.shipstation.simulator.data import load_folder

SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "shipstation"

SHIPMENTS = (
    "shipment_id,order_id,order_number,create_date,ship_date,tracking_number,is_return_label,voided,void_date"
)
SHIPMENT = "318204107,224184881,100534,2025-10-05T20:30:05.5830000,2025-10-06,DEMO1,0,0,"
ITEMS = "shipment_id,line_index,order_item_id,line_item_key,sku,quantity,adjustment"
ITEM = "318204107,0,441070204,,17612 - 250300,2,0"


def write(
    folder: Path, *, shipments: str = f"{SHIPMENTS}\n{SHIPMENT}\n", items: str = f"{ITEMS}\n{ITEM}\n"
) -> Path:
    (folder / "shipstation_shipments.csv").write_text(shipments)
    (folder / "shipstation_shipment_items.csv").write_text(items)
    return folder


def test_the_seeds_are_loaded_whole() -> None:
    store = load_folder(SEEDS)
    with (SEEDS / "shipstation_shipments.csv").open() as file:
        shipments = {int(row["shipment_id"]): row for row in csv.DictReader(file)}
    with (SEEDS / "shipstation_shipment_items.csv").open() as file:
        items = list(csv.DictReader(file))
    assert set(store.labels) == set(shipments)
    assert sum(len(label.items or ()) for label in store.labels.values()) == len(items)
    counted = sum(
        int(row["quantity"])
        for row in items
        if row["sku"] and row["adjustment"] == "0"
        for label in [shipments[int(row["shipment_id"])]]
        if label["voided"] == label["is_return_label"] == "0" and label["ship_date"] == "2025-10-06"
    )
    assert sum(store.counted_units("2025-10-06").values()) == counted == 331
    assert {label.order_id for label in store.labels.values() if label.order_id} == set(store.orders)
    assert Store.load_folder(SEEDS).counted_units() == store.counted_units()


def test_orders_are_made_from_what_was_shipped(tmp_path: Path) -> None:
    voided = "318204108,224184881,100534,2025-10-05T20:29:00,2025-10-06,DEMO0,0,1,2025-10-07T08:00:00"
    second = "318204109,224184881,100534,2025-10-06T09:00:00,2025-10-08,DEMO2,0,0,"
    lone = "318204110,224184882,100535,2025-10-06T09:00:00,2025-10-08,DEMO3,0,1,2025-10-06T10:00:00"
    lines = [
        ITEM,
        ITEM.replace("204107", "204108"),
        ITEM.replace("204107", "204109"),
        ITEM.replace("204107", "204110"),
    ]
    store = load_folder(
        write(
            tmp_path,
            shipments="\n".join([SHIPMENTS, SHIPMENT, voided, second, lone]),
            items="\n".join([ITEMS, *lines]),
        )
    )
    order = store.order(224184881)
    assert (order.number, order.status, order.ship_date) == ("100534", "shipped", "2025-10-08")
    assert (order.created, order.modified) == (datetime(2025, 10, 5, 20, 29), datetime(2025, 10, 7, 8))
    assert [(line.sku, line.quantity) for line in order.items] == [("17612 - 250300", 4)]
    assert store.order(224184882).status == "awaiting_shipment"
    assert [line.quantity for line in store.order(224184882).items] == [2]


def test_orders_and_marks_from_csv(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "shipstation_orders.csv").write_text(
        "order_id,order_number,order_key,order_date,create_date,modify_date,order_status,ship_date,merged_or_split,"
        "parent_id,externally_fulfilled\n"
        "224184881,100534,manual-1,2025-10-01,2025-10-05T08:00:00.004,2025-10-06 09:00:00,shipped,,true,5,0\n"
        "224184882,,,,2025-10-05,2025-10-06,on_hold,2025-10-09,,,1\n"
    )
    (tmp_path / "shipstation_order_items.csv").write_text(
        "order_id,line_index,order_item_id,line_item_key,sku,quantity,adjustment\n"
        "224184881,1,2,discount,,1,1\n224184881,0,1,,17612 - 250300,2,0\n"
    )
    (tmp_path / "shipstation_fulfillments.csv").write_text(
        "fulfillment_id,order_id,order_number,create_date,ship_date\n12,224184882,,2025-10-06,2025-10-06T10:00:00\n"
    )
    store = load_folder(tmp_path)
    first, second = store.order(224184881), store.order(224184882)
    assert (first.key, first.ordered, first.created) == (
        "manual-1", datetime(2025, 10, 1), datetime(2025, 10, 5, 8, 0, 0, 3_000),
    )  # fmt: skip
    assert [line.sku for line in first.items] == ["17612 - 250300", None]
    assert (first.parent_id, first.merged_or_split, first.ship_date) == (5, True, None)
    assert (second.number, second.key, second.externally_fulfilled) == (None, "224184882", True)
    assert store.label(318204107).order_key == "manual-1"
    assert store.mark(12).shipped == datetime(2025, 10, 6, 10)


@pytest.mark.parametrize(
    ("shipments", "items", "message"),
    [
        (
            SHIPMENT.replace("2025-10-05T20", "2025-13-05T20"),
            ITEM,
            "shipments.csv, line 2, column create_date: ",
        ),
        (SHIPMENT.replace("5830000", "5830000Z"), ITEM, "shipments.csv, line 2, column create_date: "),
        (
            SHIPMENT.replace(",2025-10-06,", ",2025-10-6,"),
            ITEM,
            "shipments.csv, line 2, column ship_date: '2025-10-6'",
        ),
        (
            SHIPMENT.replace(",2025-10-06,", ",,"),
            ITEM,
            "column ship_date: '' is empty; the column is needed.",
        ),
        (SHIPMENT.replace("318204107", "x"), ITEM, "line 2, column shipment_id: 'x' is no whole number."),
        (SHIPMENT.replace(",0,0,", ",0,yes,"), ITEM, "column voided: 'yes' is neither 0 nor 1."),
        (
            SHIPMENT + "\n" + SHIPMENT,
            ITEM,
            "line 3, column shipment_id: '318204107' stands in line 2 already.",
        ),
        (SHIPMENT + ",", ITEM, "shipments.csv, line 2: has 10 fields where the header has 9."),
        (SHIPMENT + '\n"', ITEM, "shipments.csv, line 3: not valid CSV"),
        (SHIPMENT, ITEM + "\n" + ITEM, "items.csv, line 3, column line_index: '0' stands in line 2 already"),
        (
            SHIPMENT,
            ITEM.replace("318204107", "1"),
            "line 2, column shipment_id: '1' is not in shipstation_ship",
        ),
        (
            SHIPMENT,
            ITEM.replace(",2,0", ",two,0"),
            "items.csv, line 2, column quantity: 'two' is no whole number.",
        ),
        (SHIPMENT + "\0", ITEM, "shipments.csv, line 2: holds a NUL byte."),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, shipments: str, items: str, message: str) -> None:
    write(tmp_path, shipments=f"{SHIPMENTS}\n{shipments}", items=f"{ITEMS}\n{items}")
    with pytest.raises(UsageError) as caught:
        load_folder(tmp_path)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (SHIPMENTS + ",colour", "line 1: unknown column 'colour'"),
        (SHIPMENTS.replace("ship_date,", ""), "line 1: missing column 'ship_date'"),
        (SHIPMENTS + ",voided", "line 1: column 'voided' twice"),
    ],
)
def test_wrong_headers_are_named(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_folder(write(tmp_path, shipments=header + "\n"))


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "shipstation_shipments.csv").write_bytes(f"{SHIPMENTS}\n{SHIPMENT}".encode() + b"\xff")
    with pytest.raises(UsageError, match=r"shipstation_shipments.csv, line 2: not UTF-8"):
        load_folder(tmp_path)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"has none of the simulator's files"):
        load_folder(tmp_path)
    write(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        load_folder(tmp_path / "shipstation_shipments.csv")
    (tmp_path / "shipstation_order.csv").write_text("order_id\n")
    with pytest.raises(UsageError, match=r"shipstation_order.csv is no file that the simulator knows"):
        load_folder(tmp_path)
    (tmp_path / "orders.json").write_text("[]")
    with pytest.raises(UsageError, match=r"has both shipstation_shipments.csv and orders.json"):
        load_folder(tmp_path)


def test_a_file_that_the_system_keeps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(EnvironmentFailed, match="cannot be read: Permission denied"):
        load_folder(tmp_path)


GOOD = {"shipmentId": 1, "createDate": "2030-03-11T20:30:05.583", "shipDate": "2030-03-12T00:00:00.0000000"}


def test_json_needs_little(tmp_path: Path) -> None:
    (tmp_path / "shipments.json").write_text(json.dumps([GOOD]))
    store = load_folder(tmp_path)
    assert (store.label(1).ship_date, store.label(1).items, store.orders) == ("2030-03-12", None, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n{"shipmentId": 1,\n]', "shipments.json, line 3: not valid JSON"),
        (
            '{"orders": []}',
            "shipments.json, line 1: neither a list of records nor a reply with the list 'shipments'",
        ),
        ("7", "shipments.json, line 1: neither a list"),
        (f"[\n{json.dumps(GOOD)},\n\nnull]", "shipments.json, line 4: record 2: is no object."),
        (
            f'{{"shipments": [\n{json.dumps(GOOD)},\n{json.dumps(GOOD)}]}}',
            "line 3: record 2: its id stands in the",
        ),
        (json.dumps([{**GOOD, "shipmentId": None}]), "line 1: record 1: shipmentId is missing."),
        (json.dumps([{**GOOD, "shipmentId": True}]), "record 1: shipmentId is not what the API sends there."),
        (json.dumps([{**GOOD, "createDate": "yesterday"}]), "record 1: createDate is no time."),
        (json.dumps([{**GOOD, "createDate": "2030-03-11T20:30:05Z"}]), "record 1: createDate has a zone"),
        (json.dumps([{**GOOD, "shipDate": "12/03/2030"}]), "record 1: shipDate is no day."),
        (json.dumps([{**GOOD, "shipmentItems": [7]}]), "record 1: an item is no object."),
        (
            json.dumps([{**GOOD, "shipmentItems": [{"sku": "A", "quantity": "2"}]}]),
            "quantity of an item is no number",
        ),
    ],
)
def test_wrong_json_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "shipments.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_folder(tmp_path)
    assert message in caught.value.message
