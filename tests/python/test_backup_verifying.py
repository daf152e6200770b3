"""A backup that is damaged, incomplete or of another database is not believed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from backup_cases import (
    corrupt,
    flip,
    run,
    spoil,
    take,
)
from conftest import fingerprint
from lotgate.errors import GateClosed, UsageError
from lotgate.live.backups import (
    list_backups,
    manifest_path,
    verify_backup,
)


def rewrite(path: Path, **values: Any) -> None:
    """Changes a manifest; a value of None takes the key out."""
    file = manifest_path(path)
    content = json.loads(file.read_text()) | values
    file.write_text(json.dumps({key: value for key, value in content.items() if value != "absent"}))


def test_one_changed_byte(known: Path, folders: tuple[Path, Path]) -> None:
    first, second = take(known, folders)
    spoil(first.path, flip)
    with pytest.raises(GateClosed, match=r"was changed: its hash is not the one in its manifest"):
        verify_backup(first.path)
    assert verify_backup(second.path) == second


def test_a_truncated_backup(known: Path, folders: tuple[Path, Path]) -> None:
    first, _ = take(known, folders)
    os.truncate(first.path, first.bytes - 1)
    with pytest.raises(GateClosed, match=f"has {first.bytes - 1} bytes, and its manifest says {first.bytes}"):
        verify_backup(first.path)


def test_corrupt_although_the_manifest_agrees(known: Path, folders: tuple[Path, Path]) -> None:
    first, _ = take(known, folders)
    corrupt(first.path)
    rewrite(first.path, sha256=hashlib.sha256(first.path.read_bytes()).hexdigest())
    with pytest.raises(GateClosed, match="is corrupt; SQLite's integrity check says"):
        verify_backup(first.path)
    first.path.write_bytes(b"x" * first.bytes)
    rewrite(first.path, sha256=hashlib.sha256(first.path.read_bytes()).hexdigest())
    with pytest.raises(GateClosed, match="is not a SQLite database"):
        verify_backup(first.path)


def test_no_manifest(known: Path, folders: tuple[Path, Path]) -> None:
    first, _ = take(known, folders)
    manifest_path(first.path).unlink()
    with pytest.raises(GateClosed, match=r"has no manifest ora\.db"):
        verify_backup(first.path)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 63},
        {"bytes": -1},
        {"bytes": "1"},
        {"format": 2},
        {"extra": 1},
        {"tables": "absent"},
        {"tables": {"x": 1.5}},
        {"taken_at": "2025-11-01T12:00:00"},
        {"taken_at": "yesterday"},
        {"database_id": 1},
    ],
)
def test_a_damaged_manifest(known: Path, folders: tuple[Path, Path], change: dict[str, Any]) -> None:
    first, _ = take(known, folders)
    rewrite(first.path, **change)
    with pytest.raises(GateClosed, match=r"json, the manifest of ora\.db.*, is damaged"):
        verify_backup(first.path)
    (listed,) = [one for one in list_backups(folders, None) if one.path == first.path]
    assert "is damaged" in (listed.problem or "")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
def test_a_manifest_that_is_no_manifest(known: Path, folders: tuple[Path, Path], content: bytes) -> None:
    first, _ = take(known, folders)
    manifest_path(first.path).write_bytes(content)
    with pytest.raises(GateClosed, match="is damaged"):
        verify_backup(first.path)


def test_the_manifest_or_the_file_of_another_backup(known: Path, folders: tuple[Path, Path]) -> None:
    old, _ = take(known, folders)
    run(known, "delete from shipped_items where id = 1")
    new, _ = take(known, folders, operation_id="op2")
    saved = old.path.read_bytes()
    old.path.write_bytes(new.path.read_bytes())
    with pytest.raises(GateClosed, match="was changed: its hash"):
        verify_backup(old.path)
    shutil.copy(manifest_path(new.path), manifest_path(old.path))
    with pytest.raises(
        GateClosed, match=r"is the manifest of another backup: ora\.db\.20251101T120000Z\.op2\.sqlite"
    ):
        verify_backup(old.path)
    old.path.write_bytes(saved)
    rewrite(old.path, file=old.path.name)  # it still says when and by what it was taken
    with pytest.raises(GateClosed, match="is the manifest of another backup"):
        verify_backup(old.path)


def test_a_manifest_that_contradicts_the_file(known: Path, folders: tuple[Path, Path]) -> None:
    first, _ = take(known, folders)
    rewrite(first.path, database_id="1" * 32)
    with pytest.raises(
        GateClosed, match=f"holds database {first.database_id}, and its manifest says {'1' * 32}"
    ):
        verify_backup(first.path)
    rewrite(first.path, database_id=first.database_id, tables={"shipped_items": 20})
    with pytest.raises(GateClosed, match="does not have the tables and rows"):
        verify_backup(first.path)


def test_what_lies_beside_a_backup_is_not_believed(known: Path, folders: tuple[Path, Path]) -> None:
    """A journal beside a file is played into it by whoever opens it the ordinary way."""
    first, _ = take(known, folders)
    for suffix in ("-journal", "-wal"):
        first.path.with_name(first.path.name + suffix).write_bytes(os.urandom(5000))
    before = fingerprint(first.path.parent)
    assert verify_backup(first.path) == first
    assert fingerprint(first.path.parent) == before


def test_no_such_backup(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no backup"):
        verify_backup(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is not an ordinary file"):
        verify_backup(tmp_path)
