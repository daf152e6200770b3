"""The live database's schema, as the swap has to know it: columns, keys, views and triggers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lotgate.legacy_schema import quoted
from lotgate.live.names import is_own

__all__ = [
    "Column",
    "ForeignKey",
    "SchemaObject",
    "changes_of",
    "columns_of",
    "drop_statements",
    "foreign_keys_to",
    "list_objects",
    "shape_of",
    "working_objects",
]


@dataclass(frozen=True)
class SchemaObject:
    """One line of ``sqlite_schema``: a table, index, view or trigger with its statement."""

    type: str
    name: str
    table: str
    sql: str


@dataclass(frozen=True)
class Column:
    """One column of a table. ``key`` is its place in the primary key, 0 where it is not in it."""

    name: str
    type: str
    not_null: bool
    default: str | None
    key: int
    generated: bool


@dataclass(frozen=True)
class ForeignKey:
    """One foreign key: the child's table and columns, the parent's table."""

    child: str
    columns: tuple[str, ...]
    parent: str


def list_objects(connection: sqlite3.Connection, *types: str) -> tuple[SchemaObject, ...]:
    """The objects of these types that have a statement, in the order in which they were created."""
    marks = ", ".join("?" * len(types))
    return tuple(
        SchemaObject(*row)
        for row in connection.execute(
            "select type, name, tbl_name, sql from main.sqlite_schema"
            f" where type in ({marks}) and sql is not null and name not like 'sqlite\\_%' escape '\\'"
            " order by rowid",
            types,
        )
    )


def columns_of(connection: sqlite3.Connection, table: str, schema: str = "main") -> tuple[Column, ...]:
    """The columns of a table, generated ones too, hidden ones of virtual tables not; empty without a
    table."""
    return tuple(
        Column(name, type_, bool(not_null), default, key, hidden in (2, 3))
        for name, type_, not_null, default, key, hidden in connection.execute(
            'select name, type, "notnull", dflt_value, pk, hidden from pragma_table_xinfo(?, ?)'
            " where hidden <> 1 order by cid",
            (table, schema),
        )
    )


def foreign_keys_to(connection: sqlite3.Connection) -> tuple[ForeignKey, ...]:
    """Every foreign key of every table of the main database."""
    found: dict[tuple[str, int], tuple[str, list[str]]] = {}
    for child, number, parent, column in connection.execute(
        'select t.name, f.id, f."table", f."from" from main.sqlite_schema as t'
        " inner join pragma_foreign_key_list(t.name, 'main') as f"
        " where t.type = 'table' order by t.name, f.id, f.seq"
    ):
        found.setdefault((child, number), (parent, []))[1].append(column)
    return tuple(ForeignKey(child, tuple(columns), parent) for (child, _), (parent, columns) in found.items())


def shape_of(connection: sqlite3.Connection, table: str, schema: str = "main") -> dict[str, object]:
    """What a table enforces, for comparing two of them: columns, foreign keys, unique keys, strictness."""
    unique = []
    for index, expression_columns in connection.execute(
        "select i.name, (select group_concat(coalesce(x.name, '<expression>'), ', ')"
        f" from pragma_index_info(i.name, '{schema}') as x)"
        f" from pragma_index_list(?, '{schema}') as i where i.\"unique\" = 1",
        (table,),
    ):
        del index
        unique.append(expression_columns)
    strict = connection.execute(
        "select strict from pragma_table_list(?) where schema = ?", (table, schema)
    ).fetchone()
    return {
        "columns": columns_of(connection, table, schema),
        "foreign_keys": sorted(
            connection.execute(
                'select "table", "from", "to", on_update, on_delete'
                f" from pragma_foreign_key_list(?, '{schema}')",
                (table,),
            ).fetchall()
        ),
        "unique": sorted(unique),
        "strict": bool(strict and strict[0]),
    }


def drop_statements(objects: tuple[SchemaObject, ...]) -> list[str]:
    """Takes triggers and then views away. A view takes its own triggers with it."""
    views = [item for item in objects if item.type == "view"]
    names = {view.name.lower() for view in views}
    return [
        *(
            f"drop trigger {quoted(item.name)}"
            for item in objects
            if item.type == "trigger" and item.table.lower() not in names
        ),
        *(f"drop view {quoted(view.name)}" for view in views),
    ]


def working_objects(connection: sqlite3.Connection) -> frozenset[str]:
    """The owner's views that can be read, and the tables and views whose triggers of the owner's can run.

    They are told as ``view x`` and ``triggers of x``. Each is compiled and nothing is run; a view of a
    table that is gone does not compile. A swap must not
    take away any that worked before.
    """
    working = set()
    for view in list_objects(connection, "view"):
        if _compiles(connection, f"select * from {quoted(view.name)}"):
            working.add(f"view {view.name}")
    triggers = [item for item in list_objects(connection, "trigger") if not is_own(item.name)]
    for table in sorted({item.table for item in triggers}):
        changes = changes_of(connection, table)
        if changes and all(_compiles(connection, change) for change in changes):
            working.add(f"triggers of {table}")
    return frozenset(working)


def changes_of(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Statements that would fire every trigger of a table or view; empty where it is gone."""
    columns = [column.name for column in columns_of(connection, table) if not column.generated]
    if not columns:
        return ()
    return (
        f"insert into {quoted(table)} default values",
        f"delete from {quoted(table)}",
        f"update {quoted(table)} set " + ", ".join(f"{quoted(c)} = {quoted(c)}" for c in columns),
    )


def _compiles(connection: sqlite3.Connection, statement: str) -> bool:
    try:
        connection.execute(f"explain {statement}").fetchone()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_ERROR":
            raise
        return False
    return True
