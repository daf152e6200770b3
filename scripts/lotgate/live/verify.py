"""Is the migrated database still as it should be? The plan's six core checks, and the audited counts.

Constraints are tried: rows that must be refused are written inside a transaction that is rolled back.
Source: docs/swap.md, "Verify".
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lotgate.controls import Controls
from lotgate.errors import GateClosed
from lotgate.inspection import check_integrity
from lotgate.legacy_schema import quoted
from lotgate.live.after_checks import Finding, Promised, check_switched, hash_triggers, units_since
from lotgate.live.carry_over import read_changes
from lotgate.live.clock import utc_now
from lotgate.live.connection import open_for_writing, reading
from lotgate.live.history import last_event
from lotgate.live.names import CHANGE_LOG, PROMOTED
from lotgate.live.schema import columns_of
from lotgate.live.state import table_exists

__all__ = ["Verification", "verify"]

NOBODY = -1
"""An id that AUTOINCREMENT never gives."""


@dataclass(frozen=True)
class Verification:
    """One look at the database: when (UTC), what was checked, and what is wrong."""

    at: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Nothing is wrong."""
        return not any(finding.problem for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return {"at": self.at, "holds": self.holds, "findings": [asdict(f) for f in self.findings]}


def verify(
    database: Path, controls: Controls, *, earliest_ship_date: str, lock_timeout: float
) -> Verification:
    """Checks a migrated or contracted database; nothing in it changes.

    Raises GateClosed for a database that is not migrated, EnvironmentFailed where it cannot be read or stays
    locked.
    """
    with open_for_writing(database, lock_timeout=lock_timeout) as connection:
        if not (table_exists(connection, "skus") and table_exists(connection, "lots")):
            raise GateClosed(
                f"{database} is not migrated: there is nothing to verify.",
                hint="`lotgate status` shows its phase and what comes next.",
            )
        findings = [Finding("1 foreign keys and other constraints are enforced", _not_enforced(connection))]
        with reading(connection):
            findings += [
                Finding("2 no orphans", _orphans(connection)),
                Finding("3 the unique key holds", _doubles(connection)),
                Finding("4 the days' units are present", _missing_units(connection, controls)),
                Finding("5 no suspicious dates", _suspicious_dates(connection, controls, earliest_ship_date)),
                Finding("6 integrity", "; ".join(check_integrity(connection))),
            ]
        event = last_event(connection, "swap")
        if event is not None and table_exists(connection, CHANGE_LOG):
            promised = Promised(event.detail["rows"], event.detail["units"])
            findings += check_switched(connection, promised, deep=False)
            noted = event.detail.get("triggers") in (None, hash_triggers(connection))
            problem = "" if noted else "gone or changed: a rollback would lose what they did not note"
            findings.append(Finding("triggers of lotgate's", problem))
    return Verification(utc_now(), tuple(findings))


def _not_enforced(connection: sqlite3.Connection) -> str:
    """Which rows the database took that it must refuse."""
    taken = []
    connection.execute("pragma foreign_keys = on")
    connection.execute("begin immediate")
    try:
        for name, kind, statement in _refused_rows(connection):
            connection.execute("savepoint trial")
            try:
                rows = connection.execute(statement).rowcount
                if rows:
                    taken.append(name)
            except sqlite3.IntegrityError as error:
                found = getattr(error, "sqlite_errorname", "")
                if not found.endswith(kind):
                    taken.append(f"{name} (refused for another reason: {error})")
            connection.execute("rollback to trial")
            connection.execute("release trial")
    finally:
        connection.execute("rollback")
        connection.execute("pragma foreign_keys = off")
    return f"the database takes {', '.join(taken)}" if taken else ""


def _refused_rows(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """What must be refused: a name, the kind of constraint in SQLite's error, and the statement."""
    names = "ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped, order_number"
    some = "(select min(sku_id) from skus)"

    def item(day: str, sku: str, lot: str, quantity: int, order: str) -> str:
        return (
            f"insert into shipped_items ({names}) select '{day}', 'lotgate verify', {sku}, {lot}, {quantity},"
            f" {order} where exists (select 1 from skus)"
        )

    copied = ", ".join(
        quoted(c.name)
        for c in columns_of(connection, "shipped_items")
        if c.name.lower() != "id" and not c.generated
    )
    return [
        ("an item of no SKU", "FOREIGNKEY", item("2025-01-02", str(NOBODY), "null", 1, "null")),
        ("an item of no lot", "FOREIGNKEY", item("2025-01-02", some, str(NOBODY), 1, "null")),
        ("an item of no order", "FOREIGNKEY", item("2025-01-02", some, "null", 1, "'lotgate verify'")),
        ("a day that is none", "CHECK", item("2025-02-30", some, "null", 1, "null")),
        ("a quantity of zero", "CHECK", item("2025-01-02", some, "null", 0, "null")),
        (
            "a lot of no SKU",
            "FOREIGNKEY",
            f"insert into lots (lot_number, sku_id, status) values ('lotgate verify', {NOBODY}, 'active')",
        ),
        (
            "the same item twice",
            "UNIQUE",
            f"insert into shipped_items ({copied}) select {copied} from shipped_items"
            " where order_number is not null order by id limit 1",
        ),
        (
            "the same SKU twice",
            "UNIQUE",
            "insert into skus (sku_code, product_name) select sku_code, product_name from skus limit 1",
        ),
    ]


def _orphans(connection: sqlite3.Connection) -> str:
    found = {
        table: connection.execute("select count(*) from pragma_foreign_key_check(?)", (table,)).fetchone()[0]
        for table in PROMOTED
    }
    return "; ".join(f"{rows} rows of {table}" for table, rows in found.items() if rows)


def _doubles(connection: sqlite3.Connection) -> str:
    (count,) = connection.execute(
        "select count(*) from (select 1 from shipped_items where order_number is not null"
        " group by order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0)"
        " having count(*) > 1)"
    ).fetchone()
    return f"{count} keys have more than one row" if count else ""


def _missing_units(connection: sqlite3.Connection, controls: Controls) -> str:
    """The days of expected_units.csv, less what was written since the swap; and any units at all."""
    wrong = []
    logged = table_exists(connection, CHANGE_LOG)
    for expected in controls.expected_units:
        (units,) = connection.execute(
            "select coalesce(sum(quantity_shipped), 0) from shipped_items where ship_date = ?",
            (expected.ship_date,),
        ).fetchone()
        since = units_since(connection, expected.ship_date) if logged else 0
        if units - since != expected.expected_units:
            wrong.append(
                f"{expected.ship_date}: {units - since} where {expected.expected_units} are expected"
            )
    if not connection.execute("select 1 from shipped_items limit 1").fetchone():
        wrong.append("shipped_items is empty")
    return "; ".join(wrong)


def _suspicious_dates(connection: sqlite3.Connection, controls: Controls, earliest: str) -> str:
    """Days in the future, too early or of an incident; and of rows written since, days before the order's."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()  # every time zone's today
    questions = [
        ("in the future", "ship_date > ?", tomorrow),
        (f"before {earliest}", "ship_date < ?", earliest),
    ]
    questions += [
        (f"on {incident.wrong_ship_date}", "ship_date = ?", incident.wrong_ship_date)
        for incident in controls.incidents
    ]
    found = []
    for name, condition, value in questions:
        (count,) = connection.execute(
            f"select count(*) from shipped_items where {condition}", (value,)
        ).fetchone()
        if count:
            found.append(f"{count} rows {name}")
    early = _before_their_order(connection)
    return "; ".join([*found, f"{early} rows before their order's date"] if early else found)


def _before_their_order(connection: sqlite3.Connection) -> int:
    """Of the rows written since the swap: what was audited was judged with all the evidence there was."""
    inbox = {column.name.lower() for column in columns_of(connection, "orders_inbox")}
    if not {"order_number", "order_date"} <= inbox or not table_exists(connection, CHANGE_LOG):
        return 0
    early = 0
    for change in read_changes(connection)["shipped_items"]:
        row = change.after
        if row is None or row["order_number"] is None:
            continue
        if change.before is not None and change.before["ship_date"] == row["ship_date"]:
            continue
        found = connection.execute(
            "select 1 from orders_inbox where order_number = ? and substr(order_date, 1, 10) > ?",
            (row["order_number"], row["ship_date"]),
        ).fetchone()
        early += found is not None
    return early
