"""The change log: what every row of the new tables was at the swap, where it was changed since.

A rollback carries later work over by comparing that with what is there now (``carry_over``). A row that was
added since is noted without a before. The before is an SQL row (``1, 'text', NULL``) as SQLite's ``quote()``
writes it, which gives back every value exactly, blobs and all.

REPLACE takes rows away without any DELETE trigger, so the rows that it would take are noted before it runs.
The conditions stand in the triggers (``where not exists``) since an outer statement's conflict clause would
override theirs (https://www.sqlite.org/lang_createtrigger.html).
"""

from __future__ import annotations

from collections.abc import Sequence

from lotgate.legacy_schema import quoted
from lotgate.live.names import CHANGE_LOG

__all__ = ["LOGGED_KEYS", "before_expression", "log_statements", "table_statement"]

LOGGED_KEYS = {
    "skus": (("sku_code",),),
    "lots": (("sku_id", "lot_number"),),
    "shipped_orders": (("order_number",),),
    "shipped_items": (("order_number", "shipstation_sku_raw", "ifnull(shipstation_shipment_id, 0)"),),
}
"""The unique keys by which another row may be replaced, beside the primary key."""


def table_statement() -> str:
    """Makes the log; one line for a row, however often it changes."""
    return (
        f"create table {CHANGE_LOG} (change_id integer not null primary key autoincrement,"
        " table_name text not null, row_id integer not null, before_row text,"
        " unique (table_name, row_id)) strict"
    )


def before_expression(columns: Sequence[str], row: str) -> str:
    """An expression that writes the row named ``row`` (``old``, or an alias) as SQL text."""
    return " || ', ' || ".join(f"quote({row}.{quoted(column)})" for column in columns)


def log_statements(table: str, key: str, columns: Sequence[str]) -> list[str]:
    """The triggers that keep the log for one table, whose rowid is ``key``."""
    id_ = quoted(key)

    def note(row: str, *, before: str, source: str = "", where: str = "") -> str:
        return (
            f"insert into {CHANGE_LOG} (table_name, row_id, before_row)"
            f" select '{table}', {row}.{id_}, {before}{source} where {where}not exists"
            f" (select 1 from {CHANGE_LOG} as seen where seen.table_name = '{table}'"
            f" and seen.row_id = {row}.{id_});"
        )

    present = before_expression(columns, "there")
    replaced = " ".join(
        note("there", before=present, source=f" from {table} as there", where=f"{condition} and ")
        for condition in (f"there.{id_} = new.{id_}", *(_same(unique) for unique in LOGGED_KEYS[table]))
    )
    old = note("old", before=before_expression(columns, "old"))
    return [
        f"create trigger lotgate_log_{table}_replace before insert on {table} begin {replaced} end",
        f"create trigger lotgate_log_{table}_insert after insert on {table} begin"
        f" {note('new', before='null')} end",
        f"create trigger lotgate_log_{table}_update_replace before update on {table} begin"
        f" {old} {replaced} end",
        f"create trigger lotgate_log_{table}_update after update of {id_} on {table} begin"
        f" {note('new', before='null')} end",
        f"create trigger lotgate_log_{table}_delete after delete on {table} begin {old} end",
    ]


def _same(unique: Sequence[str]) -> str:
    def side(expression: str, row: str) -> str:
        if expression.startswith("ifnull("):
            return expression.replace("ifnull(", f"ifnull({row}.")
        return f"{row}.{expression}"

    return " and ".join(f"{side(part, 'there')} = {side(part, 'new')}" for part in unique)
