"""What was written after the swap, put back into the legacy tables before they get their names again.

It works row by row on what the change log names, inside the transaction that renames. A legacy column that
changed since the swap gets its new value; rows that were added come back under their own ids; rows that were
deleted go. What the legacy schema cannot express is kept in ``lotgate_not_carried_over`` with a reason.
Rows that nobody touched since are not looked at: the legacy ones are as they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from lotgate.legacy_schema import quoted
from lotgate.live.carry_over_masters import carry_over_lots, carry_over_skus
from lotgate.live.carry_over_rows import CarriedOver, carry_over_rows
from lotgate.live.change_log import before_expression
from lotgate.live.changes import Change, NotCarried, Row, any_text, is_same
from lotgate.live.names import CHANGE_LOG, KEYS, NOT_CARRIED_OVER
from lotgate.live.schema import columns_of
from lotgate.live.state import table_exists

__all__ = ["CarriedOver", "carry_over", "keep_not_carried", "read_changes"]


def read_changes(connection: sqlite3.Connection) -> dict[str, list[Change]]:
    """Table -> its rows that differ from what they were at the swap, in the order of their first change.

    Texts that are not UTF-8 have surrogates for the bytes that are none (``any_text``).
    """
    found: dict[str, list[Change]] = {table: [] for table in KEYS}
    if not table_exists(connection, CHANGE_LOG):
        return found
    with any_text(connection):
        for table, key in KEYS.items():
            names = _logged_columns(connection, table)
            row_now = before_expression(names, "t")
            for row_id, before, now in connection.execute(
                "select g.row_id, g.before_row,"
                f" (select {row_now} from {table} as t where t.{key} = g.row_id)"
                f" from {CHANGE_LOG} as g where g.table_name = ? order by g.change_id",
                (table,),
            ).fetchall():
                if before != now:
                    found[table].append(
                        Change(row_id, _row(connection, names, before), _row(connection, names, now))
                    )
    return found


def carry_over(connection: sqlite3.Connection) -> CarriedOver:
    """Applies all of it to the archived tables. In the transaction of the rollback, before anything is
    renamed."""
    done = CarriedOver()
    with any_text(connection):
        changes = read_changes(connection)
        carry_over_rows(connection, changes["shipped_orders"], changes["shipped_items"], done)
        carry_over_skus(connection, changes["skus"], done.not_carried)
        carry_over_lots(connection, changes["lots"], changes["skus"], done.not_carried)
        for table, key in KEYS.items():
            done.not_carried += _in_late_columns(connection, table, key)
    return done


def keep_not_carried(connection: sqlite3.Connection, operation_id: str, found: Sequence[NotCarried]) -> None:
    """Keeps what could not be carried over, with its reason. In the same transaction."""
    connection.execute(
        f"create table if not exists {NOT_CARRIED_OVER} (id integer not null primary key autoincrement,"
        " operation_id text not null, table_name text not null, row_id integer not null,"
        " reason text not null, before_row text, after_row text) strict"
    )
    connection.executemany(
        f"insert into {NOT_CARRIED_OVER} (operation_id, table_name, row_id, reason, before_row, after_row)"
        " values (?, ?, ?, ?, ?, ?)",
        [(operation_id, n.table, n.row_id, n.reason, _text(n.before), _text(n.after)) for n in found],
    )


def _in_late_columns(connection: sqlite3.Connection, table: str, key: str) -> list[NotCarried]:
    """Values in columns that were added after the swap: the log does not know them, and no legacy table has
    them. A value that is the column's default is none of anybody's work."""
    logged = {name.lower() for name in _logged_columns(connection, table)}
    late = [c for c in columns_of(connection, table) if not c.generated and c.name.lower() not in logged]
    if not late:
        return []
    defaults = ", ".join(c.default or "null" for c in late)
    untouched = connection.execute(f"select {defaults}").fetchone()
    names = [quoted(c.name) for c in late]
    differs = " or ".join(
        f"{name} is not ({c.default or 'null'})" for name, c in zip(names, late, strict=True)
    )
    found = []
    for row_id, *values in connection.execute(
        f"select {quoted(key)}, {', '.join(names)} from {table} where {differs} order by 1"
    ).fetchall():
        row = {
            c.name: value
            for c, value, default in zip(late, values, untouched, strict=True)
            if not is_same(value, default)
        }
        reason = f"the legacy table has no column for {', '.join(row)}"
        found.append(NotCarried(table, row_id, reason, None, {key: row_id, **row}, detail=True))
    return found


def _logged_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns that the log writes down, in its order: those of the table at the swap."""
    trigger = connection.execute(
        "select sql from sqlite_schema where type = 'trigger' and name = ?", (f"lotgate_log_{table}_delete",)
    ).fetchone()
    names = [c.name for c in columns_of(connection, table) if not c.generated]
    if trigger is None:
        return names
    return [name for name in names if f"quote(old.{quoted(name)})" in trigger[0]]


def _row(connection: sqlite3.Connection, names: Sequence[str], text: str | None) -> Row | None:
    """The values of a row that the log wrote: SQLite itself reads its own literals."""
    if text is None:
        return None
    return dict(zip(names, connection.execute(f"select {text}").fetchone(), strict=True))


def _text(row: Row | None) -> str | None:
    return None if row is None else ", ".join(f"{name}={value!r}" for name, value in row.items())
