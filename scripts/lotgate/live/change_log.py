"""The change log: what every row of the new tables was at the swap, where it was changed since.

A rollback carries later work over by comparing that with what is there now (``carry_over``). A row that was
added since is noted without a before. The before is an SQL row (``1, 'text', NULL``) in ASCII, which
gives back every value exactly, blobs and all.

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
    return " || ', ' || ".join(_literal(f"{row}.{quoted(column)}") for column in columns)


def _literal(value: str) -> str:
    """``quote()`` ends a text at a NUL character, and writes an infinite number as a word that is no SQL."""
    return (
        f"case typeof({value}) when 'text' then 'cast(x''' || hex({value}) || ''' as text)'"
        f" else replace(quote({value}), 'Inf', '9e999') end"
    )


def log_statements(table: str, key: str, columns: Sequence[str], last_id: int) -> list[str]:
    """The triggers that keep the log for one table, whose rowid is ``key``, at the swap ``last_id`` at most.

    A row of a higher id was not there at the swap, whichever trigger sees it first: an owner's own trigger
    may change a new row before the log was told that it is new.
    """
    id_ = quoted(key)

    def note(row: str, before: str, source: str = "") -> str:
        return (
            f"insert into {CHANGE_LOG} (table_name, row_id, before_row)"
            f" select '{table}', {row}.{id_}, {before}{source or ' where '}not exists"
            f" (select 1 from {CHANGE_LOG} as seen where seen.table_name = '{table}'"
            f" and seen.row_id = {row}.{id_});"
        )

    def before_of(row: str) -> str:
        return f"case when {row}.{id_} <= {last_id} then {before_expression(columns, row)} end"

    def rows_there(*more: str) -> str:
        """The row itself, and those that a REPLACE would take: one statement, since it is long to compile."""
        conditions = [f"there.{id_} = new.{id_}", *more, *(_same(unique) for unique in LOGGED_KEYS[table])]
        any_of = " or ".join(f"({condition})" for condition in conditions)
        return note("there", before_of("there"), f" from {table} as there where ({any_of}) and ")

    return [
        f"create trigger lotgate_log_{table}_replace before insert on {table} begin {rows_there()} end",
        f"create trigger lotgate_log_{table}_insert after insert on {table} begin {note('new', 'null')} end",
        f"create trigger lotgate_log_{table}_update_replace before update on {table} begin"
        f" {rows_there(f'there.{id_} = old.{id_}')} end",
        # not "after update of id": a rowid has other names, too
        f"create trigger lotgate_log_{table}_update after update on {table}"
        f" when new.{id_} is not old.{id_} begin {note('new', 'null')} end",
        f"create trigger lotgate_log_{table}_delete after delete on {table} begin"
        f" {note('old', before_of('old'))} end",
    ]


def _same(unique: Sequence[str]) -> str:
    def side(expression: str, row: str) -> str:
        if expression.startswith("ifnull("):
            return expression.replace("ifnull(", f"ifnull({row}.")
        return f"{row}.{expression}"

    return " and ".join(f"{side(part, 'there')} = {side(part, 'new')}" for part in unique)
