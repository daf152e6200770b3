"""The seal binds hashes to the bytes in which they were found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from lotgate import build
from lotgate.errors import GateClosed
from lotgate.table_hashes import TableHash, hash_tables
from lotgate.workdir import WorkDir


def test_a_candidate_that_changes_while_it_is_hashed_is_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, candidate = WorkDir(tmp_path), tmp_path / "candidate.sqlite"
    with closing(sqlite3.connect(candidate)) as connection:
        connection.executescript(
            "create table skus (sku_id integer primary key); insert into skus values (1)"
        )
    monkeypatch.setattr(build, "TARGET_TABLES", ("skus",))
    sealed = build._check_and_seal(candidate, work)

    def change_afterwards(database: Path, tables: Iterable[str]) -> tuple[TableHash, ...]:
        found = hash_tables(database, tables)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("insert into skus values (2)")
        return found

    monkeypatch.setattr(build, "hash_tables", change_afterwards)
    with pytest.raises(GateClosed, match="changed while it was checked"):
        build._check_and_seal(candidate, work)
    monkeypatch.setattr(build, "hash_tables", hash_tables)
    assert build._check_and_seal(candidate, work).seal != sealed.seal
