"""An expectation about a table's definition: the constraints that its contract promises are really there."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from lotgate_expectations.reading import found, stream
from lotgate_expectations.rows import FoundRowsExpectation, identifier, literal

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\[[^]]*\]|`[^`]*`|--[^\n]*|/\*.*?\*/"""


class ExpectTableToKeepItsContract(FoundRowsExpectation):
    """Expect a table to be defined as its contract says, and its constraints to refuse what they must.

    The definition is taken apart into parts: the table's own, its columns, foreign keys, unique keys, indexes
    and triggers. Every part must be as expected, and there must be no other. A CHECK cannot be read from
    SQLite, so they are counted and tried: the definition makes an empty table in memory, which must take
    ``takes``, and must refuse it with the values of each of ``refuses``. Shown are the part, what is expected
    and what is there.

    Args:
        table: The table.
        parts: The parts by name: ``table``, ``column x``, ``foreign key x``, ``unique x, y``, ``index x``.
        takes: A row that the table takes, by column.
        refuses: Changes of that row that the table refuses, each by column.

    Example:
        {"table": "lots", "parts": {"table": "strict", "column lot_id": "integer not null primary key
        autoincrement"}, "takes": {"lot_id": 1, "status": "active"}, "refuses": [{"status": "gone"}]}

    Source: docs/design.md section 2 (contracts on SQLite).
    """

    table: str
    parts: dict[str, str]
    takes: dict[str, Any]
    refuses: list[dict[str, Any]]

    success_keys: ClassVar[tuple[str, ...]] = ("table", "parts", "takes", "refuses")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        engine: SqlAlchemyExecutionEngine = execution_engine  # type: ignore[assignment]
        present = _parts_of(engine, self.table)
        rows = [
            (part, self.parts.get(part, "nothing"), present.get(part, "nothing"))
            for part in (*self.parts, *(part for part in present if part not in self.parts))
            if self.parts.get(part) != present.get(part)
        ]
        ((definition,),) = stream(
            engine, f"select sql from sqlite_master where type = 'table' and name = {literal(self.table)}"
        )
        return found(("part", "expected", "found"), [*rows, *self._tried(definition)])

    def _tried(self, definition: str) -> list[tuple[str, str, str]]:
        rows = []
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(definition)
            if (refusal := _insert(connection, self.table, self.takes)) is not None:
                rows.append(("a sound row", "taken", refusal))
            for change in self.refuses:
                values = ", ".join(f"{column} {value!r}" for column, value in change.items())
                if _insert(connection, self.table, self.takes | change) is None:
                    rows.append((f"a row with {values}", "refused", "taken"))
        return rows


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> str | None:
    """Why the table refuses a row; None where it takes it. Nothing stays in the table."""
    names = ", ".join(map(identifier, row))
    marks = ", ".join("?" * len(row))
    try:
        connection.execute(f"insert into {identifier(table)} ({names}) values ({marks})", [*row.values()])
    except sqlite3.IntegrityError as error:
        return str(error)
    finally:
        connection.rollback()
    return None


def _parts_of(engine: SqlAlchemyExecutionEngine, table: str) -> dict[str, str]:
    """The definition of a table, taken apart, in SQLite's own words in lower case."""
    name = literal(table)
    ((definition,),) = stream(
        engine, f"select lower(sql) from sqlite_master where type = 'table' and name = {name}"
    )
    triggers = stream(
        engine, f"select name from sqlite_master where type = 'trigger' and tbl_name = {name} order by name"
    )
    return (
        {"table": _kind(engine, name, definition)}
        | _columns(engine, name, definition)
        | _foreign_keys(engine, name)
        | _indexes(engine, name)
        | {f"trigger {trigger}": "there" for (trigger,) in triggers}
    )


def _kind(engine: SqlAlchemyExecutionEngine, name: str, definition: str) -> str:
    ((strict, without_rowid),) = stream(
        engine, f"select strict, wr from pragma_table_list where schema = 'main' and name = {name}"
    )
    plain = re.sub(_QUOTED, "", definition)
    checks = len(re.findall(r"\bcheck\s*\(", plain))
    words = [
        "strict" if strict else "not strict",
        *(["without rowid"] if without_rowid else []),
        *([f"{checks} check{'' if checks == 1 else 's'}"] if checks else []),
        # what changes the meaning of a key, and no pragma tells
        *(word for word in ("on conflict", "collate", "deferrable") if word in " ".join(plain.split())),
    ]
    return ", ".join(words)


def _columns(engine: SqlAlchemyExecutionEngine, name: str, definition: str) -> dict[str, str]:
    return {
        f"column {column}": kind
        + (" not null" if not_null else "")
        + (" primary key" if key else "")
        + (" autoincrement" if key and "autoincrement" in definition else "")
        + (f" default {default}" if default is not None else "")
        + (" generated" if hidden else "")
        for column, kind, not_null, default, key, hidden in stream(
            engine,
            f'select name, lower(type), "notnull", dflt_value, pk, hidden from pragma_table_xinfo({name})',
        )
    }


def _foreign_keys(engine: SqlAlchemyExecutionEngine, name: str) -> dict[str, str]:
    keys: dict[int, tuple[str, list[str], list[str], str]] = {}
    for key, parent, column, parent_column, on_update, on_delete in stream(
        engine,
        'select id, "table", "from", "to", lower(on_update), lower(on_delete)'
        f" from pragma_foreign_key_list({name}) order by id, seq",
    ):
        actions = "".join(
            f" on {event} {action}"
            for event, action in (("update", on_update), ("delete", on_delete))
            if action != "no action"
        )
        _, columns, parent_columns, _ = keys.setdefault(key, (parent, [], [], actions))
        columns.append(column)
        parent_columns.append(parent_column)
    return {
        f"foreign key {', '.join(columns)}": f"{parent} ({', '.join(parent_columns)}){actions}"
        for parent, columns, parent_columns, actions in keys.values()
    }


def _indexes(engine: SqlAlchemyExecutionEngine, name: str) -> dict[str, str]:
    """Indexes by their names and what they are on; unique and primary keys by their columns."""
    parts = {}
    for index, unique, origin in stream(
        engine, f'select name, "unique", origin from pragma_index_list({name}) order by name'
    ):
        if origin == "c":
            ((text,),) = stream(
                engine,
                f"select lower(sql) from sqlite_master where type = 'index' and name = {literal(index)}",
            )
            on = " ".join(text[text.index("(") :].split())
            parts[f"index {index}"] = f"unique {on}" if unique else on
        else:
            columns = [c for (c,) in stream(engine, f"select name from pragma_index_info({literal(index)})")]
            parts[f"{'unique' if origin == 'u' else 'primary key'} {', '.join(columns)}"] = "yes"
    return parts
