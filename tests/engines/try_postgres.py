"""The same models on a private PostgreSQL, compared with SQLite's candidate table by table.

Usage: python tests/engines/try_postgres.py [--rows 2000] [--seed 1]

Needs a PostgreSQL on this machine and the extra `postgres` (docs/engines.md). Exits with 1 where rows differ.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

try:
    import psycopg2
    from dbt.adapters.postgres import PostgresAdapter  # noqa: F401 - only whether it is there
except ImportError:
    sys.exit("dbt-postgres is missing. In a virtual environment of its own: pip install -e '.[postgres]'")

from comparison import Row, compare
from dbt_build import dbt_build
from legacy_copy import Table, read_tables
from private_postgres import DATABASE, USER, private_postgres
from report import print_report
from sqlite_build import build_with_sqlite


def load(connection: Any, schema: str, tables: Iterable[Table]) -> Iterator[tuple[str, int]]:
    """Copies tables into a schema; says of each how many values had to be changed."""
    with connection.cursor() as cursor:
        cursor.execute(f"create schema {schema}")
        for table in tables:
            columns = ", ".join(
                f'"{name}" {"bigint" if is_number else "text"}' for name, is_number in table.columns
            )
            cursor.execute(f'create table {schema}."{table.name}" ({columns})')
            lines = io.StringIO()
            for row in table.rows:
                lines.write("\t".join(map(_copied, row)) + "\n")
            lines.seek(0)
            cursor.copy_expert(f'copy {schema}."{table.name}" from stdin', lines)
            yield f"{schema}.{table.name}", table.changed
    connection.commit()


def _copied(value: int | str | None) -> str:
    if value is None:
        return "\\N"
    text = str(value).replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


@click.command()
@click.option("--rows", type=int, default=2_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--suites/--no-suites", default=True, show_default=True, help="Also try the GX suites.")
def main(rows: int, seed: int, suites: bool) -> None:
    """Build a generated database on SQLite and on PostgreSQL, and compare the two."""
    with tempfile.TemporaryDirectory() as name, private_postgres() as socket:
        folder = Path(name)
        here = build_with_sqlite(folder, rows, seed)
        connection = psycopg2.connect(host=str(socket), user=USER, dbname=DATABASE)
        for schema in ("legacy", "shipstation"):
            for table, changed in load(connection, schema, read_tables(here.work_dir / f"{schema}.sqlite")):
                if changed:
                    print(f"{table}: {changed} values that PostgreSQL cannot hold as they are")
        environment = {"PGHOST": str(socket), "PGUSER": USER, "PGDATABASE": DATABASE}
        build = dbt_build("postgres", folder, here.controls, environment)

        def read(table: str, columns: Sequence[str]) -> list[Row]:
            connection.rollback()
            with connection.cursor() as cursor:
                cursor.execute(f"select {', '.join(columns)} from main.{table}")
                return cursor.fetchall()

        is_good = print_report(
            "PostgreSQL", here.seconds, build, compare(here.work_dir / "candidate.sqlite", read)
        )
        if suites:
            from suites import print_suites

            print_suites(here.work_dir, f"postgresql+psycopg2://{USER}@/{DATABASE}?host={socket}")
        connection.close()
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
