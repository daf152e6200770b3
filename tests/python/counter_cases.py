"""What the tests of the change-counter share."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from conftest import Outcome
from lotgate.live.counter import (
    Counter,
    install_counter,
    read_counter,
)

Cli = Callable[..., Outcome]


Hold = Callable[..., subprocess.Popen[str]]


NOW = "2026-01-02T03:04:05+00:00"


OWN = "select name from sqlite_schema where name like 'lotgate%' order by name"


def install(path: Path, lock_timeout: float = 5) -> Counter:
    return install_counter(path, lock_timeout=lock_timeout, now=NOW)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A writer as the owner's programs are: SQLite's defaults, every statement committed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def state(connection: sqlite3.Connection) -> Counter:
    found = read_counter(connection)
    assert found is not None
    return found


def counted(connection: sqlite3.Connection, *statements: str) -> int:
    """How many changes the statements were counted as; the stamp is a new one exactly where it is not 0."""
    before = state(connection)
    for statement in statements:
        connection.execute(statement)
    after = state(connection)
    assert (after.stamp == before.stamp) == (after.value == before.value)
    return after.value - before.value


def fill_any(connection: sqlite3.Connection) -> None:
    """Two orders with an item each, an SKU, and an order in the inbox where there is one; any shape."""
    connection.execute("insert into inventory_current (sku, product_name) values ('17612', 'Brush')")
    for id_, order in enumerate(("600005", "600015"), 1):
        connection.execute(
            "insert into shipped_orders (id, ship_date, order_number) values (?, '2025-09-15', ?)",
            (id_, order),
        )
        connection.execute(
            "insert into shipped_items"
            " (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
            " values (?, '2025-09-15', '17612 - 250237', '17612', 2, ?, '2025-09-15 10:00:00')",
            (id_, order),
        )


ITEM = (
    "shipped_items (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at) values"
    " ({0}, '2025-09-16', '17612 - 25007{0}', '17612', {1}, '{2}', '2025-09-16 10:00:00')"
)
