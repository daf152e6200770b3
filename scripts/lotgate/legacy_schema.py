"""The legacy database's schema, as data: what its tables look like and what the models need of them.

Live databases differ over time. The shapes below are the ones that were met, and two that were not but must
not break anything: one without any constraint, and one with nothing but what is required.
Source: docs/design.md section 4, and the legacy system's own tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from lotgate.errors import UsageError

TableClass = Literal["derived-from", "carried over", "left alone"]


class Shape(StrEnum):
    """One variant of the legacy schema."""

    early = "early"
    """No `lot_inventory`, `workflow_controls`, `tracking_number`, carrier or address columns."""
    autumn = "autumn"
    """Every legacy table; `shipped_orders` has no carrier columns."""
    late = "late"
    """Everything, and extra columns, tables and a view that lotgate does not know."""
    keyless = "keyless"
    """Like `late`, but every column takes any value: no STRICT, types, checks, unique or foreign keys."""
    bare = "bare"
    """Only the three required tables, with only their required columns and no constraints."""


_ALWAYS: Final = frozenset({Shape.early, Shape.autumn, Shape.late, Shape.keyless})
_AUTUMN_ON: Final = frozenset({Shape.autumn, Shape.late, Shape.keyless})
_LATE_ON: Final = frozenset({Shape.late, Shape.keyless})
_UNCONSTRAINED: Final = frozenset({Shape.keyless, Shape.bare})


@dataclass(frozen=True)
class Column:
    """One column: its name, its SQLite type, what follows the type, and the shapes that have it."""

    name: str
    type: str
    rule: str = ""
    shapes: frozenset[Shape] = _ALWAYS


@dataclass(frozen=True)
class Table:
    """One table: columns, constraints, indexes (name and key), and the shapes that have it."""

    name: str
    columns: tuple[Column, ...]
    constraints: tuple[str, ...] = ()
    indexes: tuple[tuple[str, str], ...] = ()
    unique_indexes: tuple[tuple[str, str], ...] = ()
    shapes: frozenset[Shape] = _ALWAYS


_NOW: Final = "TEXT DEFAULT CURRENT_TIMESTAMP"
_SINCE: Final = {"": _ALWAYS, "autumn": _AUTUMN_ON, "late": _LATE_ON}


def _column(text: str, shapes: frozenset[Shape]) -> Column:
    name, _, declaration = text.strip().partition("=")
    type_, _, rule = declaration.strip().partition(" ")
    return Column(name.strip(), type_, rule, shapes)


def _columns(text: str) -> tuple[Column, ...]:
    """The columns that `text` writes: `name = type and rule; ...`; a line may begin `late:` or `autumn:`."""
    columns = [Column("id", "INTEGER", "PRIMARY KEY AUTOINCREMENT")]
    for line in text.strip().splitlines():
        since, mark, rest = line.strip().rpartition(": ")
        columns += [_column(part, _SINCE[since if mark else ""]) for part in rest.split(";")]
    return tuple(columns)


_ADDRESS: Final = "; ".join(
    f"{side}_{part} = TEXT"
    for side in ("ship", "bill")
    for part in ("name", "company", "street1", "street2", "city", "state", "postal_code", "country", "phone")
)
_CARRIER: Final = "; ".join(
    f"shipping_{part} = TEXT" for part in ("carrier_code", "carrier_id", "service_code", "service_name")
)

_TABLES: Final = (
    Table(
        "inventory_current",
        _columns(f"""
            sku = TEXT NOT NULL UNIQUE; product_name = TEXT NOT NULL
            current_quantity = INTEGER NOT NULL DEFAULT 0; weekly_avg_cents = INTEGER
            alert_level = TEXT DEFAULT 'normal' CHECK (alert_level IN ('normal', 'low', 'critical'))
            reorder_point = INTEGER DEFAULT 50; last_updated = {_NOW}
            late: Bin Code = TEXT
        """),
    ),
    Table(
        "lot_inventory",
        _columns(f"""
            sku = TEXT NOT NULL; lot = TEXT NOT NULL; initial_qty = INTEGER NOT NULL DEFAULT 0
            manual_adjustment = INTEGER NOT NULL DEFAULT 0; received_date = TEXT NOT NULL
            status = TEXT NOT NULL DEFAULT 'active'; notes = TEXT; created_at = {_NOW}; updated_at = {_NOW}
        """),
        ("UNIQUE (sku, lot)",),
        shapes=_AUTUMN_ON,
    ),
    Table(
        "sku_lot",
        _columns(f"""
            sku = TEXT NOT NULL; lot = TEXT NOT NULL
            active = INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1))
            created_at = {_NOW}; updated_at = {_NOW}
        """),
        ("UNIQUE (sku, lot)",),
    ),
    Table(
        "shipped_orders",
        _columns(f"""
            ship_date = TEXT NOT NULL; order_number = TEXT NOT NULL UNIQUE; customer_email = TEXT
            total_items = INTEGER DEFAULT 0; shipstation_order_id = TEXT; created_at = {_NOW}
            late: {_CARRIER}; label_printer = TEXT
        """),
        indexes=(("idx_shipped_orders_date", "ship_date"),),
    ),
    Table(
        "shipped_items",
        _columns(f"""
            ship_date = TEXT NOT NULL; sku_lot = TEXT NOT NULL DEFAULT ''; base_sku = TEXT NOT NULL
            quantity_shipped = INTEGER NOT NULL CHECK (quantity_shipped > 0)
            order_number = TEXT REFERENCES shipped_orders (order_number); created_at = {_NOW}
            autumn: tracking_number = TEXT
            late: packed_by_station = TEXT
        """),
        ("UNIQUE (order_number, base_sku, sku_lot)",),
        (
            ("idx_shipped_items_date", "ship_date"),
            ("idx_shipped_items_sku_date", "base_sku, ship_date"),
            ("idx_shipped_items_order", "order_number"),
        ),
        (("uniq_shipped_items_key", "order_number, base_sku, sku_lot"),),
    ),
    Table(
        "orders_inbox",
        _columns(f"""
            order_number = TEXT NOT NULL UNIQUE; order_date = TEXT NOT NULL; customer_email = TEXT
            status = TEXT NOT NULL DEFAULT 'pending'; shipstation_order_id = TEXT
            total_items = INTEGER DEFAULT 0; total_amount_cents = INTEGER
            source_system = TEXT DEFAULT 'X-Cart'; created_at = {_NOW}; updated_at = {_NOW}
            autumn: failure_reason = TEXT; {_ADDRESS}
            late: {_CARRIER}; tracking_number = TEXT; tracking_status = TEXT
        """),
        indexes=(("idx_orders_inbox_status", "status"),),
    ),
    Table(
        "order_items_inbox",
        _columns("""
            order_inbox_id = INTEGER NOT NULL REFERENCES orders_inbox (id) ON DELETE CASCADE
            sku = TEXT NOT NULL; sku_lot = TEXT; quantity = INTEGER NOT NULL CHECK (quantity > 0)
            unit_price_cents = INTEGER
        """),
    ),
    Table(
        "shipstation_order_line_items",
        _columns(f"""
            order_inbox_id = INTEGER NOT NULL REFERENCES orders_inbox (id); sku = TEXT NOT NULL
            shipstation_order_id = TEXT; created_at = {_NOW}
        """),
    ),
    Table(
        "configuration_params",
        _columns(f"""
            category = TEXT NOT NULL; parameter_name = TEXT NOT NULL; value = TEXT; sku = TEXT; notes = TEXT
            last_updated = {_NOW}
        """),
        ("UNIQUE (category, parameter_name, sku)",),
    ),
    Table(
        "inventory_transactions",
        _columns(f"""
            date = TEXT NOT NULL; sku = TEXT NOT NULL; quantity = INTEGER NOT NULL CHECK (quantity <> 0)
            transaction_type = TEXT NOT NULL; notes = TEXT; created_at = {_NOW}
        """),
        (
            "CHECK (transaction_type IN ('Receive', 'Ship', 'Adjust Up', 'Adjust Down', 'Repack'))",
            "UNIQUE (date, sku, transaction_type, quantity)",
        ),
    ),
    Table(
        "weekly_shipped_history",
        _columns("""
            start_date = TEXT NOT NULL; end_date = TEXT NOT NULL; sku = TEXT NOT NULL
            quantity_shipped = INTEGER NOT NULL CHECK (quantity_shipped >= 0)
        """),
        ("UNIQUE (start_date, end_date, sku)",),
    ),
    Table("bundle_skus", _columns("bundle_sku = TEXT NOT NULL UNIQUE; description = TEXT")),
    Table(
        "bundle_components",
        _columns("""
            bundle_sku_id = INTEGER NOT NULL REFERENCES bundle_skus (id) ON DELETE CASCADE
            component_sku = TEXT NOT NULL; multiplier = INTEGER NOT NULL DEFAULT 1 CHECK (multiplier > 0)
        """),
    ),
    Table(
        "workflows",
        _columns("""
            name = TEXT NOT NULL UNIQUE; last_run_at = TEXT; duration_seconds = INTEGER
            status = TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'scheduled'))
        """),
    ),
    Table(
        "workflow_controls",
        _columns(f"""
            workflow_name = TEXT PRIMARY KEY; enabled = INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
            last_updated = {_NOW}; updated_by = TEXT; last_run_at = TEXT
        """)[1:],
        shapes=_AUTUMN_ON,
    ),
    Table(
        "sync_watermark",
        _columns(f"""
            workflow_name = TEXT NOT NULL UNIQUE; last_sync_timestamp = TEXT NOT NULL; updated_at = {_NOW}
        """),
    ),
)

# What an owner added later; lotgate must leave all of it alone.
_FOREIGN_TABLES: Final = (
    Table(
        "polling_state",
        _columns("name = TEXT NOT NULL UNIQUE; last_count = INTEGER DEFAULT 0; last_polled_at = TEXT"),
        shapes=_LATE_ON,
    ),
    Table(
        "report_runs",
        _columns("report = TEXT NOT NULL; run_for_date = TEXT NOT NULL; pallets = INTEGER"),
        ("UNIQUE (report, run_for_date)",),
        shapes=_LATE_ON,
    ),
)
_VIEWS: Final = (
    "CREATE VIEW dashboard_daily_units AS\n"
    "SELECT ship_date, base_sku, SUM(quantity_shipped) AS units FROM shipped_items\n"
    "GROUP BY ship_date, base_sku",
)

KNOWN_TABLES: Final[frozenset[str]] = frozenset(table.name for table in _TABLES)
"""Every table of the legacy system, whether the models read it or not."""

# * marks what a database must have; the rest is added empty where it is missing.
_READ_BY_MODELS: Final = {
    "inventory_current": "id sku* product_name* current_quantity reorder_point last_updated",
    "lot_inventory": "id sku lot initial_qty manual_adjustment received_date status created_at",
    "sku_lot": "id sku lot active created_at",
    "shipped_orders": (
        "id* ship_date* order_number* customer_email total_items shipstation_order_id created_at"
        " shipping_carrier_code shipping_carrier_id shipping_service_code shipping_service_name"
    ),
    "shipped_items": (
        "id* ship_date* sku_lot* base_sku* quantity_shipped* order_number* created_at* tracking_number"
    ),
    "orders_inbox": "id order_number order_date status",
    "configuration_params": "id category parameter_name value sku",
    "inventory_transactions": "id date sku quantity transaction_type",
}

# What only reports are made of. The services write it all the time, and nothing that a swap promotes depends
# on it, so that it does not count as a change of the source.
_READ_BY_REPORTS: Final = {
    "inventory_current": "weekly_avg_cents",
    "weekly_shipped_history": "id start_date end_date sku quantity_shipped",
}

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        table: tuple(column[:-1] for column in columns.split() if column.endswith("*"))
        for table, columns in _READ_BY_MODELS.items()
        if "*" in columns
    }
)
"""Table -> the columns without which a database is not a legacy database."""


def _columns_read(*read: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    types = {table.name: {column.name: column.type for column in table.columns} for table in _TABLES}
    names: dict[str, list[str]] = {}
    for tables in read:
        for table, columns in tables.items():
            names.setdefault(table, []).extend(columns.replace("*", "").split())
    return MappingProxyType(
        {
            table: MappingProxyType({name: types[table][name] for name in columns})
            for table, columns in names.items()
        }
    )


MODEL_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = _columns_read(_READ_BY_MODELS)
"""Table -> column -> SQLite type, for exactly the columns that the promoted tables are derived from."""

SNAPSHOT_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = _columns_read(_READ_BY_MODELS, _READ_BY_REPORTS)
"""The same with the columns that only the reports read; the snapshot has all of them."""


def quoted(identifier: str) -> str:
    """`identifier` as an SQL identifier: `Bin Code` -> `"Bin Code"`."""
    return '"' + identifier.replace('"', '""') + '"'


def _columns_of(table: Table, shape: Shape) -> tuple[Column, ...]:
    if shape is Shape.bare:
        return tuple(column for column in table.columns if column.name in REQUIRED.get(table.name, ()))
    return tuple(column for column in table.columns if shape in column.shapes)


def _column_sql(column: Column, shape: Shape) -> str:
    if shape not in _UNCONSTRAINED:
        return f"{quoted(column.name)} {column.type} {column.rule}".rstrip()
    if column.name == "id":
        return f"{quoted(column.name)} INTEGER PRIMARY KEY"
    # A declared type would convert the text '3' to a number; without one, every value stays as written.
    return quoted(column.name) if shape is Shape.keyless else f"{quoted(column.name)} {column.type}"


def _tables_of(shape: Shape) -> tuple[Table, ...]:
    if shape is Shape.bare:
        return tuple(table for table in _TABLES if table.name in REQUIRED)
    return tuple(table for table in (*_TABLES, *_FOREIGN_TABLES) if shape in table.shapes)


def legacy_columns(shape: Shape) -> dict[str, tuple[str, ...]]:
    """Table -> its column names, in order, of a legacy database of `shape`."""
    return {
        table.name: tuple(column.name for column in _columns_of(table, shape)) for table in _tables_of(shape)
    }


def table_ddl(shape: Shape) -> list[str]:
    """The CREATE TABLE statements of `shape`, parents before children."""
    statements = []
    for table in _tables_of(shape):
        parts = [_column_sql(column, shape) for column in _columns_of(table, shape)]
        strict = ""
        if shape not in _UNCONSTRAINED:
            parts += table.constraints
            strict = " STRICT"
        body = ",\n    ".join(parts)
        statements.append(f"CREATE TABLE {quoted(table.name)} (\n    {body}\n){strict}")
    return statements


def index_ddl(shape: Shape) -> list[str]:
    """The CREATE INDEX and CREATE VIEW statements of `shape`; a bulk load runs them after its rows."""
    statements = []
    if shape not in _UNCONSTRAINED:
        for table in _tables_of(shape):
            for unique, indexes in (("UNIQUE ", table.unique_indexes), ("", table.indexes)):
                statements += [
                    f"CREATE {unique}INDEX {quoted(name)} ON {quoted(table.name)} ({key})"
                    for name, key in indexes
                ]
    return statements + (list(_VIEWS) if shape in _LATE_ON else [])


def ddl(shape: Shape) -> list[str]:
    """Every statement that makes an empty legacy database of `shape`: tables, then indexes and views."""
    return table_ddl(shape) + index_ddl(shape)


def create_legacy_database(path: Path, shape: Shape, *, indexes: bool = True) -> sqlite3.Connection:
    """A new, empty legacy database in WAL mode, and an open connection to it.

    Foreign keys are not enforced on the connection, as in the live system. With `indexes=False` the
    statements of `index_ddl` are left to the caller. Raises UsageError when `path` exists.
    """
    if path.exists():
        raise UsageError(f"{path} exists already", hint="Choose another path, or delete the file first.")
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        for statement in ddl(shape) if indexes else table_ddl(shape):
            connection.execute(statement)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


# SQLite folds the letters A to Z in names and no others, unlike str.lower().
_FOLD: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _fold(name: str) -> str:
    return name.translate(_FOLD)


def _folded(tables: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    return {_fold(name): frozenset(_fold(column) for column in columns) for name, columns in tables.items()}


def classify(table: str) -> TableClass:
    """What becomes of a live table: new tables are derived from it, it is known and stays, or it is unknown.

    A table that only the reports read stays as it is.
    """
    name = _fold(table)
    if name in MODEL_COLUMNS:
        return "derived-from"
    return "carried over" if name in KNOWN_TABLES else "left alone"


def missing_required(tables: Mapping[str, Collection[str]]) -> list[str]:
    """What a database with these tables and columns lacks to be a legacy one: `table x` or `column x.y`."""
    present = _folded(tables)
    missing = []
    for table, columns in REQUIRED.items():
        if table not in present:
            missing.append(f"table {table}")
        else:
            missing += [f"column {table}.{column}" for column in columns if column not in present[table]]
    return missing


def additions(tables: Mapping[str, Collection[str]]) -> list[str]:
    """The statements that add, empty, what optional tables and columns the models need and `tables` lack.

    Required parts are never added: `missing_required` names them.
    """
    present = _folded(tables)
    statements = []
    for table, columns in SNAPSHOT_COLUMNS.items():
        required = REQUIRED.get(table, ())
        if table in present:
            statements += [
                f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column)} {type_}"
                for column, type_ in columns.items()
                if column not in present[table] and column not in required
            ]
        elif not required:
            body = ", ".join(
                f"{quoted(column)} {type_}{' PRIMARY KEY' if column == 'id' else ''}"
                for column, type_ in columns.items()
            )
            statements.append(f"CREATE TABLE {quoted(table)} ({body}) STRICT")
    return statements


def is_migrated(tables: Mapping[str, Collection[str]]) -> bool:
    """Whether lotgate already migrated the database, wholly or (an archive is left) not yet contracted.

    lotgate's own tables say nothing about that: the history stays after a rollback.
    """
    present = _folded(tables)
    if "legacy_shipped_items" in present:
        return True
    return "skus" in present and "lots" in present and "sku_id" in present.get("shipped_items", frozenset())
