"""The plan's way: one Python loop over the legacy rows, as a careful engineer would write it with sqlite3.

For each row two look-ups, of the SKU's id and of the lot's, and an INSERT; then one DELETE for exact doubles
(the plan's key: order and text), an UPDATE for each known incident, the indexes, and six checks. One
transaction, statements that SQLite compiles once, the pragmas of the limit, the candidate's own tables.

What it cannot know: which rows are twins in another spelling or without a lot; that a second record with
another quantity is a question for a person (its DELETE takes it); whether a row on an incident's date is a
shipment of the right day, of none, or of another (its UPDATE makes all of them shipments of the right day);
what ShipStation knows and the database does not. It keeps no ledger of what became of each row, and no proof.
It runs on a database that nobody writes to: that is the plan's window.

Usage: python tests/bench/plan_loop.py LEGACY SCHEMA.json TARGET CONTROLS; prints what it did as JSON.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from plain_script import open_target

ROWS = (
    "select id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, tracking_number, created_at"
    " from legacy.shipped_items order by id"
)
MOST_UNITS = 1_000_000
"""More is a typing error; some generated rows have so many that no integer holds their sum."""
SKU = "select sku_id from skus where sku_code = ?"
LOT = "select lot_id from lots where sku_id = ? and lot_number = ?"
ITEM = (
    "insert into shipped_items (id, ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped,"
    " order_number, tracking_number, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DOUBLES = (
    "delete from shipped_items where order_number is not null and id not in (select min(id)"
    " from shipped_items where order_number is not null group by order_number,"
    " shipstation_sku_raw) returning quantity_shipped"
)


@dataclass
class Done:
    """What became of the legacy rows and their units."""

    legacy_rows: int = 0
    legacy_units: int = 0
    refused_rows: int = 0
    refused_units: int = 0
    deleted_rows: int = 0
    deleted_units: int = 0
    redated_rows: int = 0
    rows: int = 0
    units: int = 0
    checks: dict[str, int] = field(default_factory=dict)
    """Rows that each of the six checks found; where it counts, how far it is off."""


def parse(sku_lot: str | None, base_sku: str | None) -> tuple[str, str, str | None]:
    """The text that is kept, the SKU's code and the lot, None where the text has none.

    A NUL ends a text, as for SQLite's substr: the script and the loop must take the same rows.
    """
    raw = (sku_lot or "").strip(" ") or (base_sku or "").strip(" ")
    code, hyphen, lot = raw.partition("-")
    if not (hyphen and code):
        return raw, raw, None
    code, nul, _ = code.partition("\0")
    return raw, code.strip(" "), None if nul else lot.partition("\0")[0].strip(" ") or None


def fill_masters(connection: sqlite3.Connection) -> None:
    connection.execute(
        "insert into skus (sku_id, sku_code, product_name) select row_number() over (order by sku),"
        " trim(sku), trim(product_name) from legacy.inventory_current"
    )
    found = set()
    for (text,) in connection.execute("select distinct sku_lot from legacy.shipped_items"):
        _, code, lot = parse(text, None)
        sku = connection.execute(SKU, (code,)).fetchone()
        if sku and lot:
            found.add((sku[0], lot))
    connection.executemany("insert into lots (sku_id, lot_number) values (?, ?)", sorted(found))
    connection.execute(
        "insert into shipped_orders (id, ship_date, order_number, total_items, shipstation_order_id,"
        " created_at) select id, ship_date, order_number, total_items, shipstation_order_id, created_at"
        " from legacy.shipped_orders where true on conflict do nothing"
    )


def fill_items(connection: sqlite3.Connection, done: Done) -> None:
    """Row by row. A row of no SKU, on no day, of no order or of no units is refused by the tables."""
    reading, look_up, writing = (connection.cursor() for _ in range(3))
    for number, day, sku_lot, base_sku, quantity, order, tracking, created in reading.execute(ROWS):
        done.legacy_rows += 1
        units = quantity if isinstance(quantity, int) else 0
        done.legacy_units += units
        raw, code, lot = parse(sku_lot, base_sku)
        sku = look_up.execute(SKU, (code,)).fetchone()
        known_lot = look_up.execute(LOT, (sku[0] if sku else None, lot)).fetchone()
        try:
            writing.execute(
                ITEM,
                (number, day, raw, sku[0] if sku else None, known_lot[0] if known_lot else None,
                 quantity if units <= MOST_UNITS else None, order, tracking, created),
            )  # fmt: skip
        except sqlite3.IntegrityError:
            done.refused_rows += 1
            done.refused_units += units


def correct(connection: sqlite3.Connection, controls: Path, done: Done) -> list[str]:
    """Takes doubles out and re-dates the incidents' rows; returns the wrong days that have a right one."""
    deleted = [quantity for (quantity,) in connection.execute(DOUBLES)]
    done.deleted_rows, done.deleted_units = len(deleted), sum(deleted)
    wrong_days = []
    for line in read_control(controls / "incidents.csv"):
        if line["correct_ship_date"]:
            done.redated_rows += connection.execute(
                "update shipped_items set ship_date = ? where ship_date = ?",
                (line["correct_ship_date"], line["wrong_ship_date"]),
            ).rowcount
            wrong_days.append(line["wrong_ship_date"])
    return wrong_days


def check(connection: sqlite3.Connection, done: Done, wrong_days: list[str]) -> dict[str, int]:
    """The plan's six."""

    def one(query: str, *values: str) -> int:
        return int(connection.execute(query, values).fetchone()[0])

    done.rows = one("select count(*) from shipped_items")
    done.units = one("select coalesce(sum(quantity_shipped), 0) from shipped_items")
    marks = ", ".join("?" * len(wrong_days))
    return {
        "orphans": one("select count(*) from pragma_foreign_key_check"),
        "null SKUs": one("select count(*) from shipped_items where sku_id is null"),
        "doubles": one(
            "select count(*) from (select 1 from shipped_items where order_number is not null"
            " group by order_number, shipstation_sku_raw having count(*) > 1)"
        ),
        "dates": one(
            f"select count(*) from shipped_items where ship_date in ({marks}) or ship_date < '2015-01-01'",
            *wrong_days,
        ),
        "units": done.legacy_units - done.refused_units - done.deleted_units - done.units,
        "rows": done.legacy_rows - done.refused_rows - done.deleted_rows - done.rows,
    }


def read_control(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def main(legacy: Path, schema: Path, target: Path, controls: Path) -> None:
    ddl = json.loads(schema.read_text(encoding="utf-8"))
    done = Done()
    with closing(open_target(legacy, target)) as connection:
        connection.execute("pragma foreign_keys = on")
        connection.execute("begin")
        for statement in ddl["table"]:
            connection.execute(statement)
        fill_masters(connection)
        fill_items(connection, done)
        wrong_days = correct(connection, controls, done)
        for statement in ddl["index"]:
            connection.execute(statement)
        done.checks = check(connection, done, wrong_days)
        wrong = {name: found for name, found in done.checks.items() if found and name != "dates"}
        if wrong:
            sys.exit(f"the loop's checks found {wrong}")
        connection.execute("commit")
    print(json.dumps(asdict(done)))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
