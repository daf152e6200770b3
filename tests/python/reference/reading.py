"""Reads a legacy database, ShipStation evidence and controls into a `Source`.

Missing optional tables and columns count as empty. Columns that hold texts are read as SQLite turns any
storage class into text; quantities, flags and ids are read as they are stored.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeAlias

from lotgate.parser import Variant, parse_sku, trim
from reference.model import (
    Decision,
    Fetch,
    Header,
    InboxOrder,
    Incident,
    LegacyRow,
    LotEntry,
    Settings,
    Shipment,
    ShipmentItem,
    SkuResult,
    Source,
)
from reference.values import (
    digits_to_int,
    leading_day,
    real_day,
    timestamp,
    whole_number,
)

Record: TypeAlias = dict[str, object]


def read_source(legacy: Path, evidence: Path | None, controls: Path | None, settings: Settings) -> Source:
    """Everything that the rules look at."""
    variants = _variants(controls)
    fetched = evidence if evidence is not None and evidence.exists() else None
    with closing(_open(legacy)) as db:
        skus = _skus(db)
        return Source(
            rows=tuple(_legacy_rows(db, frozenset(sku.sku_code for sku in skus), variants, settings)),
            headers=_headers(db),
            inbox=_inbox(db),
            skus=skus,
            lot_inventory=tuple(_lot_inventory(db)),
            sku_lot=tuple(_sku_lot(db)),
            fetches=() if fetched is None else _fetches(fetched),
            shipments=() if fetched is None else _shipments(fetched),
            incidents=tuple(
                Incident(
                    trim(line["wrong_ship_date"]),
                    trim(line["correct_ship_date"]),
                    timestamp(line["created_from"]),
                    timestamp(line["created_to"]),
                )
                for line in _csv(controls, "incidents.csv")
            ),
            decisions=tuple(
                Decision(*(trim(line[name]) for name in Decision.__slots__))
                for line in _csv(controls, "quarantine_decisions.csv")
            ),
            variants=variants,
            settings=settings,
        )


# Files


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    # A BLOB read as text may hold any bytes; different bytes must stay different.
    db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    return db


def _table(db: sqlite3.Connection, table: str, *, texts: str, values: str = "id") -> list[Record]:
    """The rows of a table by id, with the columns named (separated by blanks): as texts, or as they are."""
    present = {str(name).lower() for (name,) in db.execute("select name from pragma_table_info(?)", (table,))}
    if not present:
        return []
    columns = [
        *(f'cast("{name}" as text)' if name in present else "null" for name in texts.split()),
        *(f'"{name}"' if name in present else "null" for name in values.split()),
    ]
    names = [*texts.split(), *(name if name == "id" else f"{name}:value" for name in values.split())]
    order = ' order by "id"' if "id" in present else ""
    found = db.execute(f'select {", ".join(columns)} from "{table}"{order}')
    return [dict(zip(names, record, strict=True)) for record in found]


def _csv(controls: Path | None, name: str) -> Iterator[Mapping[str, str]]:
    path = None if controls is None else controls / name
    if path is None or not path.exists():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line in csv.DictReader(file, restval=""):
            yield _Line({trim(key): value or "" for key, value in line.items() if isinstance(key, str)})


class _Line(dict[str, str]):
    """A line of a control file; a column that the file does not have is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _text(record: Record, name: str) -> str | None:
    value = record[name]
    return value if isinstance(value, str) else None


def _id(record: Record) -> int:
    value = record["id"]
    if not isinstance(value, int):
        raise ValueError(f"a row id is no integer: {value!r}")
    return value


# The legacy tables


def _legacy_rows(
    db: sqlite3.Connection, known_skus: frozenset[str], variants: Mapping[str, Variant], settings: Settings
) -> Iterator[LegacyRow]:
    texts = "ship_date sku_lot base_sku quantity_shipped order_number created_at tracking_number"
    for record in _table(db, "shipped_items", texts=texts, values="id quantity_shipped"):
        quantity = whole_number(record["quantity_shipped:value"])
        sku_lot, base_sku = _text(record, "sku_lot"), _text(record, "base_sku")
        yield LegacyRow(
            legacy_id=_id(record),
            sku_lot_text=sku_lot,
            base_sku_text=base_sku,
            quantity_text=_text(record, "quantity_shipped"),
            order=trim(_text(record, "order_number")) or None,
            day=real_day(_text(record, "ship_date")),
            quantity=quantity if quantity is not None and 1 <= quantity <= settings.max_quantity else None,
            created_at=timestamp(_text(record, "created_at")),
            created_day=leading_day(_text(record, "created_at")),
            has_tracking=trim(_text(record, "tracking_number")) != "",
            parsed=parse_sku(
                sku_lot,
                base_sku,
                known_skus=known_skus,
                variants=variants,
                min_lot_digits=settings.min_lot_digits,
            ),
        )


def _headers(db: sqlite3.Connection) -> dict[str, Header]:
    """By trimmed number: the header whose text is exactly that number, else the one with the lowest id."""
    headers: dict[str, Header] = {}
    for record in _table(db, "shipped_orders", texts="order_number ship_date"):
        stored = _text(record, "order_number")
        number = trim(stored)
        if stored is None or not number:
            continue
        earlier = headers.get(number)
        if earlier is None or (stored == number and earlier.order_number != number):
            headers[number] = Header(stored, _text(record, "ship_date"))
    return headers


def _inbox(db: sqlite3.Connection) -> dict[str, InboxOrder]:
    """By trimmed number: the row with the highest id."""
    orders: dict[str, InboxOrder] = {}
    for record in _table(db, "orders_inbox", texts="order_number order_date status"):
        number = trim(_text(record, "order_number"))
        if number:
            orders[number] = InboxOrder(
                leading_day(_text(record, "order_date")), trim(_text(record, "status")).lower()
            )
    return orders


def _lot_inventory(db: sqlite3.Connection) -> Iterator[LotEntry]:
    texts = "sku lot status received_date created_at"
    for record in _table(db, "lot_inventory", texts=texts, values="id initial_qty manual_adjustment"):
        stored = trim(_text(record, "status")).lower()
        status: Literal["active", "inactive"] = "active" if stored == "active" else "inactive"
        yield LotEntry(
            trim(_text(record, "sku")),
            trim(_text(record, "lot")),
            status if stored else None,
            trim(_text(record, "received_date")) or None,
            whole_number(record["initial_qty:value"]),
            whole_number(record["manual_adjustment:value"]),
            timestamp(_text(record, "created_at")) or None,
        )


def _sku_lot(db: sqlite3.Connection) -> Iterator[LotEntry]:
    for record in _table(db, "sku_lot", texts="sku lot active created_at", values="id active"):
        is_active = whole_number(record["active:value"]) == 1
        status: Literal["active", "inactive"] = "active" if is_active else "inactive"
        says = trim(_text(record, "active")) != ""
        yield LotEntry(
            trim(_text(record, "sku")),
            trim(_text(record, "lot")),
            status if says else None,
            created_at=timestamp(_text(record, "created_at")) or None,
        )


def _skus(db: sqlite3.Connection) -> tuple[SkuResult, ...]:
    """docs/rules.md section 6, skus; of several rows for one SKU the one with the lowest id."""
    key_products: dict[str, str] = {}
    product_names: dict[str, str] = {}
    pallet_counts: dict[str, int | None] = {}
    for record in _table(db, "configuration_params", texts="category parameter_name value sku"):
        category, parameter, value, sku = (
            trim(_text(record, name)) for name in ("category", "parameter_name", "value", "sku")
        )
        if category == "Key Products" and _is_name(parameter):
            key_products.setdefault(sku, parameter)
        if category == "Product Names":
            name = value if _is_name(value) else parameter
            if _is_name(name):
                product_names.setdefault(sku, name)
        if category == "PalletConfig" and parameter == "PalletCount":
            pallet_counts.setdefault(sku, digits_to_int(value))
    skus: dict[str, SkuResult] = {}
    for record in _table(db, "inventory_current", texts="sku product_name", values="id reorder_point"):
        sku, name = trim(_text(record, "sku")), trim(_text(record, "product_name"))
        if not _is_name(name):
            name = key_products.get(sku) or product_names.get(sku) or sku
        reorder_point = whole_number(record["reorder_point:value"])
        if sku and sku not in skus:
            skus[sku] = SkuResult(
                sku, name, pallet_counts.get(sku), 50 if reorder_point is None else reorder_point
            )
    return tuple(skus[sku] for sku in sorted(skus))


def _is_name(text: str) -> bool:
    return text not in ("", "None", "nan")


# Evidence and controls


def _fetches(evidence: Path) -> tuple[Fetch, ...]:
    with closing(_open(evidence)) as db:
        found = []
        texts = "ship_date_from ship_date_to fetched_at"
        for record in _table(db, "fetches", texts=texts, values="complete"):
            first, last, made_on = (leading_day(_text(record, name)) for name in texts.split())
            if whole_number(record["complete:value"]) == 1 and first and last and made_on:
                found.append(Fetch(first, last, made_on))
        return tuple(found)


def _shipments(evidence: Path) -> tuple[Shipment, ...]:
    with closing(_open(evidence)) as db:
        items: dict[object, list[ShipmentItem]] = {}
        values = "shipment_id line_index quantity adjustment"
        for record in _table(db, "shipment_items", texts="sku line_item_key", values=values):
            marked = (
                whole_number(record["adjustment:value"]) != 0
                or trim(_text(record, "line_item_key")) == "discount"
            )
            quantity, index = whole_number(record["quantity:value"]), whole_number(record["line_index:value"])
            items.setdefault(record["shipment_id:value"], []).append(
                ShipmentItem(index or 0, trim(_text(record, "sku")), quantity, marked)
            )
        found = []
        values = "shipment_id is_return_label voided"
        for record in _table(db, "shipments", texts="order_number ship_date", values=values):
            shipment_id = whole_number(record["shipment_id:value"])
            unmarked = all(
                whole_number(record[f"{name}:value"]) == 0 for name in ("is_return_label", "voided")
            )
            if shipment_id is not None and unmarked:
                found.append(
                    Shipment(
                        shipment_id,
                        trim(_text(record, "order_number")) or None,
                        real_day(_text(record, "ship_date")),
                        tuple(sorted(items.get(shipment_id, ()), key=lambda item: item.line_index)),
                    )
                )
        return tuple(found)


def _variants(controls: Path | None) -> dict[str, Variant]:
    variants: dict[str, Variant] = {}
    for line in _csv(controls, "sku_variants.csv"):
        raw = trim(line["raw_sku"])
        if raw:
            variants.setdefault(raw, Variant(trim(line["sku_code"]), trim(line["lot_number"]) or None))
    return variants
