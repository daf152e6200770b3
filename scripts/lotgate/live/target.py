"""The new tables in the live database: how they are made under other names, and filled from the candidate.

``skus``, ``lots`` and ``shipped_items`` get the candidate's own statements, so that its contract is theirs.
``shipped_orders`` gets the owner's statement, since it keeps every column that it has. Among themselves the
staged tables refer to their staged names, and SQLite puts the right ones in when they are renamed; before
that, no foreign key of theirs can stop a writer.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from lotgate.errors import GateClosed
from lotgate.legacy_schema import quoted
from lotgate.live.compatibility import COMPATIBILITY_COLUMNS, SKU_LOT
from lotgate.live.names import (
    BOOKS,
    index_name,
    renamed_index,
    renamed_table,
    stage_name,
)
from lotgate.live.schema import Column, columns_of, list_objects

__all__ = ["Copy", "StagedTable", "extra_columns", "staged_tables"]

STRICT_TYPES = {"INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"}
_CONSTANT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?|'(?:[^']|'')*'")
_REFERENCE = re.compile(r'references\s+"(skus|lots|shipped_orders)"', re.IGNORECASE)


@dataclass(frozen=True)
class Copy:
    """Rows of the candidate's ``source`` on their way into a staged table, a chunk of rowids at a time.

    ``insert`` has the parameters ``:after`` and ``:upto``. ``check`` selects the staged rows as the
    candidate has them, so that their hash can be compared with the audit's.
    """

    source: str
    insert: str
    check: str
    rows: int


@dataclass(frozen=True)
class StagedTable:
    """A new table: its name in the end, the statements that make it, and how it is filled.

    ``indexes`` maps each index's name in the live database to the one that it should have.
    """

    table: str
    create: tuple[str, ...]
    copy: Copy
    indexes: dict[str, str]


def staged_tables(connection: sqlite3.Connection) -> tuple[StagedTable, ...]:
    """Every table that is staged, parents first; the candidate is attached as ``candidate``.

    Raises GateClosed where a statement of the owner's cannot be read.
    """
    taken = {item.name.lower() for item in list_objects(connection, "table", "index", "view")}
    return (
        _promoted(connection, "skus", taken),
        _promoted(connection, "lots", taken),
        _orders(connection, taken),
        _items(connection, taken),
        *(_book(connection, table, source) for table, source in BOOKS.items()),
    )


def extra_columns(connection: sqlite3.Connection) -> tuple[Column, ...]:
    """The columns of the live ``shipped_items`` that neither the new one nor the compatibility columns
    have."""
    known = {column.name.lower() for column in columns_of(connection, "shipped_items", "candidate")}
    known |= {name for name, _ in COMPATIBILITY_COLUMNS}
    return tuple(
        column for column in columns_of(connection, "shipped_items") if column.name.lower() not in known
    )


def _promoted(connection: sqlite3.Connection, table: str, taken: set[str]) -> StagedTable:
    columns = _names(columns_of(connection, table, "candidate"))
    indexes, statements = _indexes(connection, table, "candidate", taken)
    return StagedTable(
        table,
        (_candidate_statement(connection, table), *statements),
        Copy(
            table,
            f"insert into main.{stage_name(table)} ({columns}) select {columns} from candidate.{table}"
            " where rowid > :after and rowid <= :upto order by rowid",
            f"select {columns} from main.{stage_name(table)} order by rowid",
            _rows(connection, table),
        ),
        indexes,
    )


def _items(connection: sqlite3.Connection, taken: set[str]) -> StagedTable:
    table = "shipped_items"
    own = columns_of(connection, table, "candidate")
    extra = extra_columns(connection)
    stage = stage_name(table)
    indexes, statements = _indexes(connection, table, "candidate", taken)
    create = [_candidate_statement(connection, table)]
    create += [f"alter table {stage} add column {name} {rule}" for name, rule in COMPATIBILITY_COLUMNS]
    create += [
        f"alter table {stage} add column {quoted(c.name)} {_loose_type(c)}{_constant_default(c)}"
        for c in extra
    ]
    names = [quoted(column.name) for column in own]
    targets = [*names, *(name for name, _ in COMPATIBILITY_COLUMNS), *(quoted(c.name) for c in extra)]
    values = [f"i.{name}" for name in names]
    values += ["s.sku_code", SKU_LOT.format(sku="s.sku_code", lot="l.lot_number")]
    values += [f"o.{quoted(c.name)}" for c in extra]
    return StagedTable(
        table,
        (*create, *statements),
        Copy(
            table,
            f"insert into main.{stage} ({', '.join(targets)}) select {', '.join(values)}"
            f" from candidate.{table} as i inner join candidate.skus as s on s.sku_id = i.sku_id"
            " left join candidate.lots as l on l.lot_id = i.lot_id"
            + (f" left join main.{table} as o on o.id = i.id" if extra else "")
            + " where i.rowid > :after and i.rowid <= :upto order by i.rowid",
            f"select {', '.join(names)} from main.{stage} order by rowid",
            _rows(connection, table),
        ),
        indexes,
    )


def _orders(connection: sqlite3.Connection, taken: set[str]) -> StagedTable:
    """The owner's table with the candidate's values; columns that the candidate does not know from the
    row."""
    table = "shipped_orders"
    stage = stage_name(table)
    (statement,) = [item.sql for item in list_objects(connection, "table") if item.name.lower() == table]
    create = renamed_table(statement, stage)
    if create is None:
        raise GateClosed(
            f"The statement of the table {table} cannot be read.",
            hint="Look at it with `.schema shipped_orders`; its name should come first and plainly.",
        )
    indexes, statements = _indexes(connection, table, "main", taken)
    own = [column for column in columns_of(connection, table) if not column.generated]
    known = columns_of(connection, table, "candidate")
    known_names = {column.name.lower() for column in known}
    extra = [column for column in own if column.name.lower() not in known_names]
    targets = [quoted(column.name) for column in own]
    values = [
        f"c.{quoted(column.name)}" if column.name.lower() in known_names else f"o.{quoted(column.name)}"
        for column in own
    ]
    present = {column.name.lower() for column in own}
    # what an added header says in a column that the owner's table never had cannot be staged
    check = [
        f"{'s' if column.name.lower() in present else 'c'}.{quoted(column.name)} as {quoted(column.name)}"
        for column in known
    ]
    lacking = any(column.name.lower() not in present for column in known)
    if not _has_unique_order_number(connection):
        name = index_name("uniq_shipped_orders_order_number")
        statements = (*statements, f"create unique index {name} on {stage} (order_number)")
        indexes = {**indexes, name: "uniq_shipped_orders_order_number"}
    return StagedTable(
        table,
        (create, *statements),
        Copy(
            table,
            f"insert into main.{stage} ({', '.join(targets)}) select {', '.join(values)}"
            f" from candidate.{table} as c"
            + (f" left join main.{table} as o on o.id = c.id" if extra else "")
            + " where c.rowid > :after and c.rowid <= :upto order by c.rowid",
            f"select {', '.join(check)} from main.{stage} as s"
            + (f" left join candidate.{table} as c on c.id = s.id" if lacking else "")
            + " order by s.rowid",
            _rows(connection, table),
        ),
        indexes,
    )


def _book(connection: sqlite3.Connection, table: str, source: str) -> StagedTable:
    """Values as the candidate has them: columns without a type change none."""
    columns = [column.name for column in columns_of(connection, source, "candidate")]
    names = ", ".join(map(quoted, columns))
    key = columns[0]
    body = ", ".join(f"{quoted(c)}{' integer not null primary key' if c == key else ''}" for c in columns)
    # under its own name at once: each rename less is a millisecond less of the cut-over
    stage = table
    return StagedTable(
        table,
        (f"create table {stage} ({body})",),
        Copy(
            source,
            f"insert into main.{stage} ({names}) select {names} from candidate.{source}"
            " where rowid > :after and rowid <= :upto order by rowid",
            f"select {names} from main.{stage} order by {quoted(key)}",
            _rows(connection, source),
        ),
        {},
    )


def _candidate_statement(connection: sqlite3.Connection, table: str) -> str:
    (sql,) = connection.execute(
        "select sql from candidate.sqlite_schema where type = 'table' and name = ?", (table,)
    ).fetchone()
    create = renamed_table(sql, stage_name(table))
    assert create is not None, sql  # the project's own macro writes it
    return _REFERENCE.sub(lambda match: f'references "{stage_name(match[1].lower())}"', create)


def _indexes(
    connection: sqlite3.Connection, table: str, schema: str, taken: set[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The indexes of a table for its staged one. A name that an index has already cannot be used twice."""
    names: dict[str, str] = {}
    statements = []
    for name, sql in connection.execute(
        f"select name, sql from {schema}.sqlite_schema where type = 'index' and tbl_name = ? collate nocase"
        " and sql is not null order by rowid",
        (table,),
    ):
        live = index_name(name) if name.lower() in taken else name
        statement = renamed_index(sql, live, stage_name(table))
        if statement is None:
            raise GateClosed(
                f"The statement of the index {name} cannot be read.",
                hint=f"Make it anew with a plain `create index {quoted(name)} on {table} (...)`.",
            )
        names[live] = name
        statements.append(statement)
    return names, tuple(statements)


def _has_unique_order_number(connection: sqlite3.Connection) -> bool:
    found = connection.execute(
        "select 1 from pragma_index_list('shipped_orders', 'main') as i"
        ' where i."unique" = 1 and i.partial = 0 and 1 = (select count(*) from pragma_index_info(i.name))'
        " and 'order_number' = (select lower(x.name) from pragma_index_info(i.name) as x)"
    ).fetchone()
    return found is not None


def _loose_type(column: Column) -> str:
    """A type that takes every value that the column may hold: the new table is STRICT."""
    type_ = column.type.upper()
    return type_.lower() if type_ in STRICT_TYPES else "any"


def _constant_default(column: Column) -> str:
    """The owner's default, where SQLite lets a column that is added have it: a constant."""
    default = column.default
    if default is None or not _CONSTANT.fullmatch(default):
        return ""
    return f" default {default}"


def _names(columns: tuple[Column, ...]) -> str:
    return ", ".join(quoted(column.name) for column in columns)


def _rows(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"select count(*) from candidate.{table}").fetchone()
    assert isinstance(rows, int)
    return rows
