"""The dbt models without dbt: their compiled SQL, run on databases of a test's choice in milliseconds.

dbt builds the demo once; the SQL that it compiled and the tables that it created from the contracts are then
used again for each database. What differs from a real build is only who sends the statements.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lotgate.evidence import create_evidence
from lotgate.legacy_schema import additions, quoted
from lotgate.sqlite_files import sqlite_uri

SEEDS = ("incidents", "expected_units", "expected_on_hand", "quarantine_decisions", "sku_variants")


@dataclass(frozen=True)
class Model:
    """A table model: its name, its compiled query, and the statements that create it and its indexes."""

    name: str
    query: str
    ddl: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class CompiledModels:
    """All table models in the order in which dbt built them."""

    seeds: tuple[str, ...]
    models: tuple[Model, ...]

    @classmethod
    def of_build(cls, candidate: Path, dbt: Path) -> CompiledModels:
        """Reads what dbt left of a successful build."""
        results = json.loads((dbt / "run_results.json").read_text(encoding="utf-8"))["results"]
        connection = sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)
        try:

            def ddl(table: str) -> tuple[str, ...]:
                found = connection.execute(
                    "select sql from sqlite_schema where tbl_name = ? and sql is not null"
                    " order by type desc, rowid",
                    (table,),
                )
                return tuple(sql for (sql,) in found)

            models = tuple(
                Model(name, result["compiled_code"], ddl(name))
                for result in results
                if result["unique_id"].startswith("model.")
                for name in [result["unique_id"].split(".")[-1]]
            )
            return cls(tuple(sql for seed in SEEDS for sql in ddl(seed)), models)
        finally:
            connection.close()

    @contextmanager
    def run(self, legacy: Path, evidence: Path | None, controls: Path | None) -> Iterator[sqlite3.Connection]:
        """A candidate in memory for a legacy database, completed as the snapshot would complete it."""
        with tempfile.TemporaryDirectory() as folder:
            snapshot, shipstation = Path(folder, "legacy.sqlite"), Path(folder, "shipstation.sqlite")
            _complete_copy(legacy, snapshot)
            if evidence is None:
                create_evidence(shipstation, legacy)
            else:
                shutil.copyfile(evidence, shipstation)
            connection = sqlite3.connect(":memory:", isolation_level=None)
            try:
                connection.execute("attach ? as legacy", (str(snapshot),))
                connection.execute("attach ? as shipstation", (str(shipstation),))
                self._build(connection, controls)
                yield connection
            finally:
                connection.close()

    def _build(self, connection: sqlite3.Connection, controls: Path | None) -> None:
        self._seed(connection, controls)
        for model in self.models:
            table, *indexes = model.ddl
            if not table.rstrip().endswith("strict"):
                # without a contract a table takes its columns' affinities from its query
                connection.execute(f"create table main.{quoted(model.name)} as {model.query}")
                for index in indexes:
                    connection.execute(index)
                continue
            for statement in model.ddl:
                connection.execute(statement)
            columns = [row[1] for row in connection.execute(f"pragma table_info({quoted(model.name)})")]
            names = ", ".join(quoted(column) for column in columns)
            connection.execute(
                f"insert into main.{quoted(model.name)} ({names}) select {names} from ({model.query})"
            )
        broken = connection.execute("pragma main.foreign_key_check").fetchall()
        assert broken == []

    def _seed(self, connection: sqlite3.Connection, controls: Path | None) -> None:
        for statement in self.seeds:
            connection.execute(statement)
        for name in SEEDS if controls else ():
            # Unchecked, since the models must also say what is wrong with a decision.
            path = Path(controls, f"{name}.csv")
            if not path.exists():
                continue
            header, *records = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
            connection.executemany(
                f"insert into {name} ({', '.join(header)}) values ({', '.join('?' * len(header))})",
                [[value or None for value in record] for record in records],
            )


def _complete_copy(legacy: Path, snapshot: Path) -> None:
    """What the snapshot does: a copy with the optional tables and columns that are missing."""
    source = sqlite3.connect(sqlite_uri(legacy, mode="ro"), uri=True)
    copy = sqlite3.connect(snapshot)
    try:
        source.backup(copy)
        copy.execute("pragma journal_mode = delete")
        names = [name for (name,) in copy.execute("select name from sqlite_schema where type = 'table'")]
        tables = {
            name: [row[1] for row in copy.execute(f"pragma table_info({quoted(name)})")] for name in names
        }
        for statement in additions(tables):
            copy.execute(statement)
        copy.commit()
    finally:
        copy.close()
        source.close()
