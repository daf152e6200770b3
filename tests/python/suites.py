"""Runs one suite of expectations on a work directory, mostly on a spoiled copy of a good one.

work = copy_of(demo_build, tmp_path / "work")
spoil(work, "update shipped_items set quantity_shipped = 3 where id = 7")
assert failed(run_suite(work, "shipped_items")) == {"items_are_as_the_ledger_says": 1}
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import urllib.parse
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

EXPECTATIONS = Path(__file__).resolve().parents[2] / "expectations"
# as GX does when it opens the context; tests may import our expectations before
sys.path.insert(0, str(EXPECTATIONS / "plugins"))
DATABASES = ("candidate.sqlite", "legacy.sqlite")


@dataclass(frozen=True)
class Found:
    """What one check of a suite found.

    ``count`` is what the check observed where it looks for rows (0 when it passed), None for GX's own.
    ``columns`` and ``rows`` are what Data Docs show. ``error`` is the exception's text, None where the
    check could be carried out.
    """

    check: str
    type: str
    severity: str
    success: bool
    count: int | None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    error: str | None
    result: Mapping[str, Any]


def copy_of(work_dir: Path, to: Path) -> Path:
    """A copy of what the suites read, to be spoiled; the original stays as it is."""
    to.mkdir(parents=True, exist_ok=True)
    for name in (*DATABASES, "snapshot.json"):
        (to / name).unlink(missing_ok=True)
        shutil.copyfile(work_dir / name, to / name)
    return to


def spoil(work_dir: Path, *statements: str, database: str = "candidate.sqlite") -> None:
    """Runs statements on a copy, without foreign keys, checks or triggers in the way."""
    with closing(sqlite3.connect(work_dir / database)) as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma ignore_check_constraints = on")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def rebuild(
    work_dir: Path, table: str, *changes: tuple[str, str], database: str = "candidate.sqlite"
) -> None:
    """Makes a table again with another definition, its rows and indexes as they were.

    ``changes`` are pairs (what the definition says, what it is to say instead); each must be found. The rows
    are copied by column name where both tables have the column.
    """
    with closing(sqlite3.connect(work_dir / database)) as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma ignore_check_constraints = on")
        connection.execute("pragma legacy_alter_table = on")
        (definition,) = connection.execute(
            "select sql from sqlite_master where type = 'table' and name = ?", (table,)
        ).fetchone()
        indexes = [
            sql
            for (sql,) in connection.execute(
                "select sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null",
                (table,),
            )
        ]
        old = columns_of(connection, table)
        for before, after in changes:
            assert before in definition, f"{before!r} is not in the definition of {table}"
            definition = definition.replace(before, after)
        connection.execute(f'alter table "{table}" rename to "{table}__old"')
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'index' and tbl_name = ? and sql is not null",
            (f"{table}__old",),
        ).fetchall():
            connection.execute(f'drop index "{name}"')
        connection.execute(definition)
        shared = ", ".join(f'"{name}"' for name in columns_of(connection, table) if name in old)
        connection.execute(f'insert into "{table}" ({shared}) select {shared} from "{table}__old"')
        connection.execute(f'drop table "{table}__old"')
        for sql in indexes:
            connection.execute(sql)
        connection.commit()


def unconstrained(work_dir: Path, table: str, database: str = "candidate.sqlite") -> None:
    """Takes every constraint, type and unique index off a table, so that any value can be put into it.

    The table's definition is not what the contract says afterwards: the checks of the schema see that too.
    """
    with closing(sqlite3.connect(work_dir / database)) as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute(f'create table "{table}__new" as select * from "{table}"')
        indexes = [
            sql.replace("UNIQUE", "").replace("unique", "")
            for (sql,) in connection.execute(
                "select sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null",
                (table,),
            )
        ]
        connection.execute("pragma legacy_alter_table = on")
        connection.execute(f'drop table "{table}"')
        connection.execute(f'alter table "{table}__new" rename to "{table}"')
        for sql in indexes:
            connection.execute(sql)
        connection.commit()


def force(
    work_dir: Path,
    table: str,
    words: str,
    instead: str,
    *statements: str,
    database: str = "candidate.sqlite",
) -> None:
    """Runs statements as if the table's definition said something else; afterwards it says what it said.

    So a table holds what its own definition forbids. It lifts ``not null`` and types; a unique key has an
    index, and cannot be lifted so.
    """
    path = work_dir / database
    with closing(sqlite3.connect(path)) as connection:
        (definition,) = connection.execute(
            "select sql from sqlite_master where type = 'table' and name = ?", (table,)
        ).fetchone()
    assert words in definition, f"{words!r} is not in the definition of {table}"
    _define(path, table, definition.replace(words, instead))
    spoil(work_dir, *statements, database=database)
    _define(path, table, definition)


def _define(path: Path, table: str, definition: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_master set sql = ? where type = 'table' and name = ?", (definition, table)
        )
        connection.commit()


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns, in order."""
    return [row[1] for row in connection.execute(f'pragma table_info("{table}")')]


def parameters_of(work_dir: Path) -> dict[str, Any]:
    """What the audit passes to the suites: dbt_project.yml's variables and the snapshot's own figures."""
    project = yaml.safe_load((EXPECTATIONS.parent / "dbt_project.yml").read_text(encoding="utf-8"))
    snapshot = json.loads((work_dir / "snapshot.json").read_text(encoding="utf-8"))
    tables = {table["name"]: table["rows"] for table in snapshot["tables"] if table["rows"] is not None}
    return project["vars"] | {
        "snapshot_day": snapshot["taken_at"][:10],
        "legacy_tables": json.dumps(tables),
    }


def checks_of(suite: str) -> dict[str, dict[str, Any]]:
    """A suite's expectations as its file holds them, by the name of the check."""
    content = json.loads((EXPECTATIONS / "suites" / f"{suite}.json").read_text(encoding="utf-8"))
    return {one["meta"]["check"]: one for one in content["expectations"]}


def run_suite(
    work_dir: Path, suite: str, only: Iterable[str] | None = None, **parameters: Any
) -> dict[str, Found]:
    """Runs a suite, or the checks of it that are named, on a work directory; what each found, by its name.

    ``parameters`` replace those of ``parameters_of``. Every check that was asked for is in the answer: one
    that GX dropped without a word fails the test here.
    """
    import great_expectations

    asked = set(checks_of(suite)) if only is None else set(only)
    with suites_context(work_dir) as context:
        definition = context.validation_definitions.get(suite)
        kept = [one for one in definition.suite.expectations if one.meta["check"] in asked]
        result = definition.batch_definition.get_batch().validate(
            great_expectations.ExpectationSuite(name=suite, expectations=kept),
            expectation_parameters=parameters_of(work_dir) | parameters,
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": 0},
        )
    found = {one.check: one for one in map(_found, result.results)}
    assert len(result.results) == len(found)
    assert set(found) == asked, f"not run: {asked - set(found)}"
    return found


def failed(found: Mapping[str, Found], severity: str | None = None) -> dict[str, int | None]:
    """The checks that failed, with the counts of what they found; of one severity, where it is given."""
    return {
        name: one.count
        for name, one in sorted(found.items())
        if not one.success and severity in (None, one.severity)
    }


@contextmanager
def suites_context(work_dir: Path) -> Iterator[Any]:
    """GX's context on a work directory, which stays as it is; its connections are closed afterwards."""
    import great_expectations

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as gx_dir, ExitStack() as stack:
        settings = {
            "LOTGATE_GX_CANDIDATE": _twice_quoted(work_dir / "candidate.sqlite"),
            "LOTGATE_GX_LEGACY": _twice_quoted(work_dir / "legacy.sqlite"),
            "LOTGATE_GX_DIR": gx_dir,
        }
        stack.enter_context(mock.patch.dict(os.environ, settings))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        context = great_expectations.get_context(mode="file", context_root_dir=EXPECTATIONS)
        import lotgate_expectations  # noqa: F401

        try:
            yield context
        finally:
            for source in context.data_sources.all().values():
                source.get_execution_engine().close()


def _twice_quoted(path: Path) -> str:
    # once for SQLAlchemy's URL, once for SQLite's URI
    return urllib.parse.quote(urllib.parse.quote(str(path)))


def _found(one: Any) -> Found:
    result = one.result or {}
    details = result.get("details") or {}
    count = result.get("observed_value")
    return Found(
        check=one.expectation_config.meta["check"],
        type=one.expectation_config.type,
        severity=str(getattr(one.expectation_config.severity, "value", one.expectation_config.severity)),
        success=bool(one.success),
        count=count if details.get("columns") and isinstance(count, int) else result.get("unexpected_count"),
        columns=tuple(details.get("columns", ())),
        rows=tuple(map(tuple, details.get("rows", ()))),
        error=_error(one.exception_info),
        result=result,
    )


def _error(info: Any) -> str | None:
    """The exception's text; GX has two shapes, flat and keyed by metric."""
    if not info:
        return None
    parts = [info] if "raised_exception" in info else list(info.values())
    messages = [part.get("exception_message") for part in parts if part.get("raised_exception")]
    return re.sub(r"\s+", " ", str(messages[0])) if messages else None
