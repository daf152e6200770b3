"""The limit: plain_normalization.sql in a process of its own.

It fills the candidate's own tables, makes their indexes, and runs foreign_key_check and integrity_check. It
has no snapshot, no twins, no evidence, no ledger, no tests and no proof.

Usage: python tests/bench/plain_script.py LEGACY SCHEMA.json TARGET
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

__all__ = ["PRAGMAS", "open_target"]

SCRIPT = Path(__file__).with_name("plain_normalization.sql")
PRAGMAS = ("journal_mode = memory", "synchronous = off", "cache_size = -131072", "temp_store = memory")
"""Those of lotgate's candidate: the file can be made again at any time."""


def open_target(legacy: Path, target: Path) -> sqlite3.Connection:
    """An empty database with the legacy one beside it."""
    target.unlink(missing_ok=True)
    connection = sqlite3.connect(target, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"pragma {pragma}")
    connection.execute("attach ? as legacy", (str(legacy),))
    return connection


def main(legacy: Path, schema: Path, target: Path) -> None:
    ddl = json.loads(schema.read_text(encoding="utf-8"))
    with closing(open_target(legacy, target)) as connection:
        connection.execute("begin")
        for statement in ddl["table"]:
            connection.execute(statement)
        for statement in SCRIPT.read_text(encoding="utf-8").split(";"):
            if statement.strip():
                connection.execute(statement)
        for statement in ddl["index"]:
            # the script keeps the twins that the rules merge, so that the key is an index only
            connection.execute(statement.replace("CREATE UNIQUE INDEX", "CREATE INDEX"))
        connection.execute("commit")
        if connection.execute("pragma main.foreign_key_check").fetchone():
            sys.exit("the script broke a foreign key")
        if connection.execute("pragma main.integrity_check").fetchall() != [("ok",)]:
            sys.exit("the script's database is damaged")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
