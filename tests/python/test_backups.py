"""Taking a backup: both are whole, private and of one state; nothing stays of one that fails."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backup_cases import (
    COUNT,
    NOW,
    ROWS,
    WRITTEN,
    corrupt,
    files,
    query,
    run,
    take,
    writer,
)
from conftest import fingerprint
from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.live.backups import (
    manifest_path,
    verify_backup,
)


def test_both_are_whole_and_private(known: Path, folders: tuple[Path, Path]) -> None:
    first, second = take(known, folders)
    name = "ora.db.20251101T120000Z.op1.sqlite"
    for folder, backup in zip(folders, (first, second), strict=True):
        assert backup.path == folder / name
        assert files(folder) == [name, f"{name}.json"]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert backup.sha256 == hashlib.sha256(backup.path.read_bytes()).hexdigest()
        assert backup.bytes == backup.path.stat().st_size
        assert query(backup.path, ROWS) == query(known, ROWS)
        assert query(backup.path, "pragma journal_mode") == [("delete",)]
        assert backup.database_id == query(known, "select value from lotgate_state")[0][0]
        assert verify_backup(backup.path) == backup
    assert stat.S_IMODE((folders[1].parent).stat().st_mode) == 0o700
    assert first.sha256 == second.sha256
    assert (first.source, first.reason, first.taken_at) == (str(known), "swap", NOW.isoformat())
    assert first.tables["shipped_items"] == 20
    assert first.tables["sku_lot"] == 0
    assert json.loads(manifest_path(first.path).read_text())["file"] == name


def test_the_live_database_is_only_read(known: Path, folders: tuple[Path, Path]) -> None:
    before = fingerprint(known.parent)
    take(known, folders)
    assert fingerprint(known.parent) == before


def test_a_database_without_an_id(live: Path, folders: tuple[Path, Path]) -> None:
    assert take(live, folders)[0].database_id is None


def test_rollback_journal_mode(known: Path, folders: tuple[Path, Path]) -> None:
    run(known, "pragma journal_mode = delete")
    assert query(take(known, folders)[0].path, ROWS) == query(known, ROWS)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_backup_while_a_writer_writes_is_one_state(
    known: Path, folders: tuple[Path, Path], mode: str
) -> None:
    run(known, f"pragma journal_mode = {mode}")
    with writer(known, 0.02 if mode == "delete" else 0):
        while not query(known, COUNT)[0][0]:
            pass
        counts = []
        for number in range(3):
            backup, _ = take(known, folders, operation_id=f"op{number}")
            assert query(backup.path, COUNT) == query(backup.path, WRITTEN)
            counts.append(query(backup.path, COUNT)[0][0])
    assert 0 < counts[0] <= counts[1] <= counts[2] <= query(known, COUNT)[0][0]


def test_a_locked_database(known: Path, folders: tuple[Path, Path], hold: Callable[..., Any]) -> None:
    run(known, "pragma journal_mode = delete")
    hold(known, "begin exclusive")
    with pytest.raises(EnvironmentFailed, match=r"was locked by another process for longer than 0\.1 s"):
        take(known, folders, lock_timeout=0.1)
    assert not folders[0].exists()
    assert not folders[1].parent.exists()


def test_a_corrupt_database(known: Path, folders: tuple[Path, Path]) -> None:
    run(known, "pragma wal_checkpoint(truncate)")
    corrupt(known)
    with pytest.raises(GateClosed, match=r"ora.db is corrupt; SQLite's integrity check says: "):
        take(known, folders)
    assert not folders[0].exists()
