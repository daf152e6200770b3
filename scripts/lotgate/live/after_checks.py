"""What must hold right after a cut-over, and as long as the database is migrated.

Rows that were written since the swap are told apart by the change log, so that counts and units can be
compared with the audited ones however many writers are at work.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from lotgate.inspection import check_integrity
from lotgate.live.carry_over import read_changes
from lotgate.live.changes import Row
from lotgate.live.connection import reading
from lotgate.live.history import Event
from lotgate.live.names import CHANGE_LOG, KEYS, PROMOTED, is_own
from lotgate.live.schema import list_objects, shape_of

__all__ = [
    "Finding",
    "Promised",
    "check_switched",
    "hash_triggers",
    "read_promise",
    "units_since",
    "unlogged_changes",
]


@dataclass(frozen=True)
class Promised:
    """What was audited: rows by table, and the units of ``shipped_items``."""

    rows: Mapping[str, int]
    units: int


@dataclass(frozen=True)
class Finding:
    """One check of the migrated database: what it is about, and what is wrong; empty where it holds."""

    name: str
    problem: str


def read_promise(connection: sqlite3.Connection) -> Promised:
    """Rows and units of the candidate that is attached as ``candidate``."""
    rows = {
        table: int(connection.execute(f"select count(*) from candidate.{table}").fetchone()[0])
        for table in (*PROMOTED, "audit_row_ledger", "audit_order_header_changes")
    }
    (units,) = connection.execute(
        "select coalesce(sum(quantity_shipped), 0) from candidate.shipped_items"
    ).fetchone()
    return Promised(rows, int(units))


def check_switched(connection: sqlite3.Connection, promised: Promised, *, deep: bool = True) -> list[Finding]:
    """Foreign keys, rows, units and the tables' own soundness, of one state. ``deep`` reads every page.

    Nothing is written.
    """
    with reading(connection):
        findings = [
            Finding(f"foreign keys of {table}", _broken_keys(connection, table)) for table in PROMOTED
        ]
        findings += [
            Finding(f"rows of {table}", _row_difference(connection, table, promised.rows[table]))
            for table in PROMOTED
        ]
        findings.append(Finding("units of shipped_items", _unit_difference(connection, promised.units)))
        findings.append(
            Finding(
                "row ledger",
                _difference(
                    connection.execute("select count(*) from lotgate_row_ledger").fetchone()[0],
                    promised.rows["audit_row_ledger"],
                ),
            )
        )
        if deep:
            findings += [
                Finding(f"integrity of {t}", "; ".join(check_integrity(connection, t)[:1])) for t in PROMOTED
            ]
        if connection.execute("select 1 from pragma_database_list where name = 'candidate'").fetchone():
            findings += [
                Finding(f"constraints of {t}", _other_constraints(connection, t))
                for t in ("skus", "lots", "shipped_items")
            ]
    return findings


def unlogged_changes(connection: sqlite3.Connection, event: Event) -> list[str]:
    """Signs that rows changed since the swap without a note in the change log, a sentence each.

    A table that was made anew has lost its triggers, and REPLACE may take a row by a unique index that the
    log does not know. A rollback would then lose what it does not know of.
    """
    found = []
    if event.detail.get("triggers", hash_triggers(connection)) != hash_triggers(connection):
        found.append("triggers of lotgate's are gone or were changed")
    with reading(connection):
        found += [
            f"{table}: {problem}"
            for table in PROMOTED
            if (problem := _row_difference(connection, table, event.detail["rows"][table]))
        ]
        units = _unit_difference(connection, event.detail["units"])
    return [*found, f"units: {units}"] if units else found


def hash_triggers(connection: sqlite3.Connection) -> str:
    """The SHA-256 over lotgate's own triggers on the new tables, but for the quotes that a RENAME writes."""
    found = [item for item in list_objects(connection, "trigger") if is_own(item.name)]
    triggers = sorted((item.name, item.sql.replace('"', "")) for item in found)
    return hashlib.sha256(ascii(triggers).encode()).hexdigest()


def _broken_keys(connection: sqlite3.Connection, table: str) -> str:
    """Of the audited rows; a writer that enforces no keys may break some, which is no fault of the swap."""
    parent_gone = connection.execute(
        f"select 1 from {CHANGE_LOG} as g where g.before_row is not null and ("
        + " or ".join(
            f"g.table_name = '{parent}' and not exists"
            f" (select 1 from {parent} where {KEYS[parent]} = g.row_id)"
            for parent in ("skus", "lots", "shipped_orders")
        )
        + ") limit 1"
    ).fetchone()
    if parent_gone:
        return ""
    (count,) = connection.execute(
        "select count(*) from pragma_foreign_key_check(?) as broken where not exists"
        f" (select 1 from {CHANGE_LOG} as g where g.table_name = ? and g.row_id = broken.rowid)",
        (table, table),
    ).fetchone()
    return f"{count} rows break one" if count else ""


def _row_difference(connection: sqlite3.Connection, table: str, promised: int) -> str:
    """Rows that are as audited: all but those added since, and those that were deleted since."""
    (now,) = connection.execute(f"select count(*) from {table}").fetchone()
    key = KEYS[table]
    added, deleted = connection.execute(
        f"select count(*) filter (where g.before_row is null and t.{key} is not null),"
        f" count(*) filter (where g.before_row is not null and t.{key} is null)"
        f" from {CHANGE_LOG} as g left join {table} as t on t.{key} = g.row_id where g.table_name = ?",
        (table,),
    ).fetchone()
    return _difference(now - added + deleted, promised)


def _unit_difference(connection: sqlite3.Connection, promised: int) -> str:
    (now,) = connection.execute("select coalesce(sum(quantity_shipped), 0) from shipped_items").fetchone()
    return _difference(now - units_since(connection), promised)


def units_since(connection: sqlite3.Connection, ship_date: str | None = None) -> int:
    """The units that were added since the swap, less those taken away; of one day, or of all."""

    def units(row: Row | None) -> int:
        if row is None or ship_date not in (None, row["ship_date"]):
            return 0
        quantity = row["quantity_shipped"]
        assert isinstance(quantity, int)
        return quantity

    changes = read_changes(connection)["shipped_items"]
    return sum(units(change.after) - units(change.before) for change in changes)


def _other_constraints(connection: sqlite3.Connection, table: str) -> str:
    """The live table has every column, key and reference of the candidate's; ours beside them are no
    difference."""
    audited = shape_of(connection, table, "candidate")
    live = shape_of(connection, table, "main")
    assert isinstance(audited["columns"], tuple)
    assert isinstance(live["columns"], tuple)
    live["columns"] = live["columns"][: len(audited["columns"])]
    wrong = [name for name, value in audited.items() if live[name] != value]
    return f"other {', '.join(wrong)} than audited" if wrong else ""


def _difference(found: int, promised: int) -> str:
    return "" if found == promised else f"{found} where {promised} were audited"
