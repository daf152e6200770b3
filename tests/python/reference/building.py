"""Writes an example's files, so that any implementation of the rules can be run on them."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reference.scenario import Example

_LEGACY = """
create table inventory_current (
    id integer primary key, sku text unique, product_name text not null, current_quantity integer,
    reorder_point integer default 50, last_updated text
);
create table configuration_params (
    id integer primary key, category text, parameter_name text, value text, sku text
);
create table inventory_transactions (
    id integer primary key, date text, sku text, quantity integer, transaction_type text
);
create table sku_lot (id integer primary key, sku text, lot text, active integer, created_at text);
create table lot_inventory (
    id integer primary key, sku text, lot text, initial_qty integer default 0,
    manual_adjustment integer default 0, received_date text, status text default 'active', created_at text
);
create table shipped_orders (
    id integer primary key, ship_date text, order_number text unique, customer_email text,
    total_items integer default 0, shipstation_order_id text, created_at text
);
create table shipped_items (
    id integer primary key, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at,
    tracking_number
);
"""
_INBOX = (
    "create table orders_inbox (id integer primary key, order_number text, order_date text, status text);"
)
_EVIDENCE = """
create table fetches (
    fetch_id integer primary key, ship_date_from text not null, ship_date_to text not null,
    fetched_at text not null, complete integer not null check (complete in (0, 1)), incomplete_because text
) strict;
create table shipments (
    shipment_id integer primary key, order_id integer, order_number text, create_date text, ship_date text,
    tracking_number text, is_return_label integer not null, voided integer not null, void_date text
) strict;
create table shipment_items (
    shipment_id integer not null, line_index integer not null, order_item_id integer, line_item_key text,
    sku text, quantity integer, adjustment integer not null, primary key (shipment_id, line_index)
) strict;
"""
_CONTROLS = {
    "incidents.csv": "wrong_ship_date correct_ship_date created_from created_to note",
    "expected_units.csv": "ship_date expected_units source",
    "expected_on_hand.csv": "sku_code as_of_date expected_quantity source",
    "quarantine_decisions.csv": "legacy_id order_number base_sku sku_lot quantity_shipped decision ship_date"
    " reason decided_by decided_on",
    "sku_variants.csv": "raw_sku sku_code lot_number note",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Where an example was written; `evidence` is None where nothing was fetched."""

    legacy: Path
    evidence: Path | None
    controls: Path


def write_example(example: Example, folder: Path) -> Files:
    """Write `legacy.sqlite`, `shipstation.sqlite` where something was fetched, and `controls/`."""
    folder.mkdir(parents=True, exist_ok=True)
    legacy = folder / "legacy.sqlite"
    _write_legacy(example, legacy)
    evidence = folder / "shipstation.sqlite" if example.fetches else None
    if evidence is not None:
        _write_evidence(example, evidence)
    controls = folder / "controls"
    _write_controls(example, controls)
    return Files(legacy, evidence, controls)


def _write_legacy(example: Example, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma synchronous = off")
        db.executescript(_LEGACY)
        # Blank names, as the legacy system leaves them.
        _insert(db, "inventory_current (sku, product_name)", [(sku, " ") for sku in example.skus])
        _insert(db, "configuration_params (category, parameter_name, value, sku)", example.parameters)
        _insert(db, "sku_lot (sku, lot, active)", example.master_lots)
        _insert(db, "lot_inventory (sku, lot, status)", example.inventory_lots)
        _insert(
            db,
            "lot_inventory (sku, lot, status, received_date, initial_qty, manual_adjustment, created_at)",
            example.inventory_lot_values,
        )
        _insert(db, "shipped_orders (order_number, ship_date)", example.headers)
        if example.inbox is not None:
            db.execute(_INBOX)
            _insert(db, "orders_inbox (order_number, order_date, status)", example.inbox)
        _insert(
            db,
            "shipped_items (id, sku_lot, base_sku, quantity_shipped, ship_date, created_at, order_number,"
            " tracking_number)",
            [
                (
                    row.id,
                    row.sku_lot,
                    row.base_sku,
                    row.quantity,
                    row.ship_date,
                    row.created_at,
                    row.order_number,
                    row.tracking_number,
                )
                for row in example.rows
            ],
        )
        db.commit()


def _write_evidence(example: Example, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma synchronous = off")
        db.executescript(_EVIDENCE)
        _insert(
            db,
            "fetches (ship_date_from, ship_date_to, fetched_at, complete)",
            [(f.ship_date_from, f.ship_date_to, f.fetched_at, int(f.complete)) for f in example.fetches],
        )
        for s in example.shipments:
            _insert(
                db,
                "shipments (shipment_id, order_number, ship_date, is_return_label, voided)",
                [(s.shipment_id, s.order_number, s.ship_date, int(s.is_return_label), int(s.voided))],
            )
            _insert(
                db,
                "shipment_items (shipment_id, line_index, sku, quantity, line_item_key, adjustment)",
                [
                    (s.shipment_id, index, item.sku, item.quantity, item.line_item_key, int(item.adjustment))
                    for index, item in enumerate(s.items)
                ],
            )
        db.commit()


def _insert(db: sqlite3.Connection, target: str, records: Sequence[tuple[object, ...]]) -> None:
    if records:
        marks = ", ".join("?" * len(records[0]))
        db.executemany(f"insert into {target} values ({marks})", records)


def _write_controls(example: Example, folder: Path) -> None:
    folder.mkdir()
    lines: dict[str, Iterable[tuple[object, ...]]] = {
        "incidents.csv": [(*incident, "") for incident in example.incidents],
        "quarantine_decisions.csv": [
            (
                d.legacy_id,
                d.order_number,
                d.base_sku,
                d.sku_lot,
                d.quantity_shipped,
                d.decision,
                d.ship_date,
                "",
                "reviewer",
                "2025-11-03",
            )
            for d in example.decisions
        ],
        "sku_variants.csv": [(*variant, "") for variant in example.variants],
    }
    for name, header in _CONTROLS.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header.split())
            writer.writerows(lines.get(name, ()))
