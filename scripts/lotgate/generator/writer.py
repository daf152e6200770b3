"""Writes what a book holds: the legacy database, the evidence, the expectations and the controls.

Rows go out in batches inside one transaction per file, so that memory stays flat; indexes come last.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from lotgate.evidence import create_evidence
from lotgate.generator import world
from lotgate.generator.book import Batch, Header, Value
from lotgate.generator.masters import Rows
from lotgate.legacy_schema import Shape, create_legacy_database, index_ddl, legacy_columns, quoted

_EXPECTED_DDL: Final = (
    "CREATE TABLE expected_rows (legacy_id INTEGER PRIMARY KEY, disposition TEXT NOT NULL,"
    " reason TEXT NOT NULL, merged_into_id INTEGER, new_ship_date TEXT)",
    "CREATE TABLE expected_recovered (order_number TEXT, ship_date TEXT NOT NULL, sku_code TEXT NOT NULL,"
    " lot_number TEXT, quantity INTEGER NOT NULL, shipment_id INTEGER NOT NULL)",
)
_DECISION_COLUMNS: Final = (
    "legacy_id",
    "order_number",
    "base_sku",
    "sku_lot",
    "quantity_shipped",
    "decision",
    "ship_date",
    "reason",
    "decided_by",
    "decided_on",
)

_STAMPS: Final = ("created_at", "updated_at", "last_updated")
_STAMP: Final = "2025-10-01 00:00:00"
_HEADER_COLUMNS: Final = (
    "id",
    "ship_date",
    "order_number",
    "created_at",
    "shipstation_order_id",
    "total_items",
    "shipping_carrier_code",
    "shipping_service_code",
    "shipping_service_name",
    "label_printer",
)


def _header_values(header: Header) -> tuple[Value, ...]:
    return (
        header.id,
        header.ship_date,
        header.order_number,
        header.created_at,
        str(800_000_000 + header.id),
        0,
        "fedex",
        "fedex_ground",
        "FedEx Ground",
        f"bench {header.id % 3}",
    )


def _scratch(path: Path, ddl: Sequence[str] = ()) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    # a half-written file of a generator that died is worth nothing, so nothing is journalled
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for statement in ddl:
        connection.execute(statement)
    return connection


class Writer:
    """Context manager around the files of one generated database; leaving it normally completes them."""

    def __init__(self, directory: Path, shape: Shape, *, evidence: bool) -> None:
        self._shape = shape
        self._controls = directory / "controls"
        self._controls.mkdir(parents=True, exist_ok=True)
        self._columns = legacy_columns(shape)
        self._legacy = create_legacy_database(directory / "ora.db", shape, indexes=False)
        self._legacy.isolation_level = None
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._legacy.execute(f"PRAGMA {pragma}")
        self._legacy.execute("BEGIN")
        self._expected = _scratch(directory / "expected.sqlite", _EXPECTED_DDL)
        self._evidence: sqlite3.Connection | None = None
        if evidence:
            # marked as this database's, so that `lotgate build` takes a copy of it for what it is
            create_evidence(directory / "shipstation.sqlite", directory / "ora.db")
            self._evidence = _scratch(directory / "shipstation.sqlite")
            self._evidence.executemany(
                "INSERT INTO fetches (fetch_id, ship_date_from, ship_date_to, fetched_at, complete)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (number, fetch.first_day, fetch.last_day, fetch.fetched_at, int(fetch.complete))
                    for number, fetch in enumerate(world.FETCHES, start=1)
                ],
            )
        self._decisions = (self._controls / "quarantine_decisions.csv").open(
            "w", newline="", encoding="utf-8"
        )
        csv.writer(self._decisions).writerow(_DECISION_COLUMNS)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decisions.close()
        for connection in (self._legacy, self._expected, self._evidence):
            if connection:
                connection.close()

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Inserts `rows`, whose values stand in the order of `columns`, but for what the shape lacks."""
        if table not in self._columns:
            return
        present = [index for index, column in enumerate(columns) if column in self._columns[table]]
        names = ", ".join(quoted(columns[index]) for index in present)
        # ?5 takes the fifth value whether or not the fourth is named, so rows need not be cut to size
        marks = ", ".join(f"?{index + 1}" for index in present)
        # left to their defaults, these would say when the generator ran
        stamps = [name for name in _STAMPS if name in self._columns[table] and name not in columns]
        names += "".join(f", {quoted(name)}" for name in stamps)
        marks += f", '{_STAMP}'" * len(stamps)
        last = present[-1] + 1
        if last < len(columns):
            rows = (row[:last] for row in rows)
        self._legacy.executemany(f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", rows)

    def write(self, batch: Batch) -> None:
        """Writes everything in `batch`."""
        self._insert("shipped_orders", _HEADER_COLUMNS, map(_header_values, batch.headers))
        self._insert(
            "shipped_items",
            (
                "id",
                "ship_date",
                "sku_lot",
                "base_sku",
                "quantity_shipped",
                "order_number",
                "created_at",
                "tracking_number",
            ),
            (
                (
                    row.id,
                    row.ship_date,
                    row.sku_lot,
                    row.base_sku,
                    row.quantity,
                    row.order_number,
                    row.created_at,
                    row.tracking,
                )
                for row in batch.rows
            ),
        )
        self._expected.executemany(
            "INSERT INTO expected_rows VALUES (?, ?, ?, ?, ?)",
            ((row.id, row.disposition, row.reason, row.merged_into, row.new_ship_date) for row in batch.rows),
        )
        self._write_inbox(batch)
        self._expected.executemany(
            "INSERT INTO expected_recovered VALUES (?, ?, ?, ?, ?, ?)", batch.recovered
        )
        if self._evidence:
            self._evidence.executemany(
                "INSERT INTO shipments (shipment_id, order_id, order_number, create_date, ship_date,"
                " tracking_number, is_return_label, voided, void_date)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                batch.shipments,
            )
            self._evidence.executemany("INSERT INTO shipment_items VALUES (?, ?, ?, ?, ?, ?, ?)", batch.items)
        csv.writer(self._decisions).writerows(batch.decisions)

    def _write_inbox(self, batch: Batch) -> None:
        self._insert(
            "orders_inbox",
            ("id", "order_number", "order_date", "status", "source_system", "created_at"),
            (
                (
                    order.id,
                    order.order_number,
                    order.order_date,
                    order.status,
                    "ShipStation Manual" if order.status == "synced_manual" else "X-Cart",
                    _STAMP,
                )
                for order in batch.inbox
            ),
        )
        self._insert(
            "order_items_inbox",
            ("order_inbox_id", "sku", "quantity"),
            ((order.id, sku, quantity) for order in batch.inbox for sku, quantity in order.items),
        )
        # an older writer joined the SKUs of one shipment with pipes
        self._insert(
            "shipstation_order_line_items",
            ("order_inbox_id", "sku", "shipstation_order_id"),
            (
                (order.id, "|".join(sku for sku, _ in order.items), str(800_000_000 + order.id))
                for order in batch.inbox
                if order.id % 3
            ),
        )

    def finish(self, masters: dict[str, Rows]) -> None:
        """Writes the small tables, the indexes and the fixed controls, and commits everything."""
        for table, rows in masters.items():
            for row in rows:
                self._insert(table, tuple(row), [tuple(row.values())])
        for statement in index_ddl(self._shape):
            self._legacy.execute(statement)
        for connection in (self._legacy, self._expected, self._evidence):
            if connection:
                connection.execute("COMMIT")
        self._legacy.execute("PRAGMA journal_mode = WAL")
        self._write_controls()

    def _write_controls(self) -> None:
        self._csv(
            "incidents.csv",
            ("wrong_ship_date", "correct_ship_date", "created_from", "created_to", "note"),
            [
                (case.wrong, case.correct, case.created_from, case.created_to, case.note)
                for case in world.INCIDENTS
            ],
        )
        self._csv(
            "sku_variants.csv",
            ("raw_sku", "sku_code", "lot_number", "note"),
            [(variant.raw, variant.sku, variant.lot, "seen in the warehouse") for variant in world.VARIANTS],
        )
        self._csv("expected_units.csv", ("ship_date", "expected_units", "source"), [])
        self._csv("expected_on_hand.csv", ("sku_code", "as_of_date", "expected_quantity", "source"), [])

    def _csv(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        with (self._controls / name).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows(rows)
