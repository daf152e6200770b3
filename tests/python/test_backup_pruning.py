"""Listing and pruning backups, and the command for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backup_cases import (
    NOW,
    Cli,
    arguments,
    files,
    flip,
    pair,
    run,
    spoil,
    take,
)
from conftest import LOTGATE, Outcome
from lotgate.errors import UsageError
from lotgate.live.backups import (
    Backup,
    list_backups,
    manifest_path,
    prune,
    verify_backup,
)


def prune_them(folders: tuple[Path, Path], database_id: str | None, **more: Any) -> list[Path]:
    return prune(
        folders,
        now=more.pop("now", NOW),
        retention_days=more.pop("retention_days", 7),
        database_id=database_id,
        dry_run=more.pop("dry_run", False),
    )


def days_ago(known: Path, folders: tuple[Path, Path], *ages: float) -> list[tuple[Backup, Backup]]:
    return [
        take(known, folders, at=NOW - timedelta(days=age), operation_id=f"op{number}")
        for number, age in enumerate(ages)
    ]


def test_the_list_is_newest_first_and_names_what_is_damaged(
    known: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    assert list_backups(folders, None) == []
    old, new = days_ago(known, folders, 3, 1)
    listed = list_backups(folders, old[0].database_id)
    assert [one.backup for one in listed][:2] in ([new[0], new[1]], [new[1], new[0]])
    assert {one.path for one in listed[2:]} == {old[0].path, old[1].path}
    assert all(one.problem is None for one in listed)
    assert list_backups((folders[0], folders[0]), None) == list_backups((folders[0], tmp_path / "no"), None)
    assert list_backups(folders, "another") == []
    os.truncate(new[0].path, 5)
    old[0].path.unlink()
    manifest_path(new[1].path).unlink()
    (folders[0] / "notes.txt").write_text("x")
    (folders[0] / "my.sqlite").write_text("x")
    found = {one.path: one.problem for one in list_backups(folders, new[0].database_id)}
    assert found.pop(old[1].path) is None
    assert found.pop(new[0].path) == f"has 5 bytes instead of {new[0].bytes}"
    assert found.pop(old[0].path) == "is missing, only its manifest is there"
    assert "has no manifest" in (found.pop(new[1].path) or "")
    assert found == {}


def test_prune_removes_what_is_past_the_retention(known: Path, folders: tuple[Path, Path]) -> None:
    oldest, at, young = days_ago(known, folders, 30, 7.01, 6.99)
    before = files(*folders)
    would = prune_them(folders, oldest[0].database_id, dry_run=True)
    assert files(*folders) == before
    assert sorted(would) == sorted([*pair(oldest), *pair(at)])
    assert prune_them(folders, oldest[0].database_id) == would
    assert files(*folders) == sorted(path.name for path in pair(young))
    assert prune_them(folders, oldest[0].database_id) == []


def test_the_last_one_is_never_removed(known: Path, folders: tuple[Path, Path]) -> None:
    older, last = days_ago(known, folders, 300, 200)
    assert sorted(prune_them(folders, last[0].database_id)) == sorted(pair(older))
    assert prune_them(folders, last[0].database_id, retention_days=0) == []
    assert verify_backup(last[0].path)


@pytest.mark.parametrize("damage", ["byte", "size", "manifest", "gone"])
def test_a_damaged_backup_does_not_count_as_the_last(
    known: Path, folders: tuple[Path, Path], damage: str
) -> None:
    older, last, young = days_ago(known, folders, 300, 200, 1)
    for backup in young:
        if damage == "byte":
            spoil(backup.path, flip)
        elif damage == "size":
            os.truncate(backup.path, 5)
        elif damage == "manifest":
            manifest_path(backup.path).write_text("{}")
        else:
            backup.path.unlink()
    spoil(last[0].path, flip)  # its twin in the other folder is whole
    assert sorted(prune_them(folders, last[0].database_id)) == sorted(pair(older))
    assert verify_backup(last[1].path)


def test_nothing_is_removed_where_no_backup_verifies(known: Path, folders: tuple[Path, Path]) -> None:
    both = days_ago(known, folders, 300, 200)
    for backup in (one for two in both for one in two):
        spoil(backup.path, flip)
    before = files(*folders)
    assert prune_them(folders, both[0][0].database_id) == []
    assert files(*folders) == before


def test_prune_leaves_what_is_not_this_databases(
    known: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (mine,) = days_ago(known, folders, 1)
    other = tmp_path / "other" / "ora.db"
    other.parent.mkdir()
    shutil.copy(known, other)
    run(other, "update lotgate_state set value = 'other' where key = 'database_id'")
    theirs = take(other, folders, at=NOW - timedelta(days=300), operation_id="op7")
    foreign = folders[0] / "ora.db.20200101T000000Z.op0.sqlite"
    foreign.write_text("mine")
    note = folders[0] / "ora.db.20200101T000000Z.op1.sqlite.txt"
    note.write_text("mine")
    before = files(*folders)
    for database_id in (mine[0].database_id, None):
        assert prune_them(folders, database_id, retention_days=2) == []
    assert files(*folders) == before
    assert list_backups(folders, "other")[0].backup in theirs


def test_a_clock_that_was_set_back(known: Path, folders: tuple[Path, Path]) -> None:
    old, future = days_ago(known, folders, 10, -400)
    assert sorted(prune_them(folders, old[0].database_id)) == sorted(pair(old))
    assert verify_backup(future[0].path)


def test_prune_finishes_what_a_killed_run_began(known: Path, folders: tuple[Path, Path]) -> None:
    older, last = days_ago(known, folders, 300, 200)
    older[0].path.unlink()
    assert sorted(prune_them(folders, last[0].database_id)) == sorted(set(pair(older)) - {older[0].path})
    assert files(*folders) == sorted(path.name for path in pair(last))


def test_prune_refuses_a_linked_folder(known: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    older, _ = days_ago(known, folders, 300, 200)
    link = tmp_path / "link"
    link.symlink_to(folders[0])
    with pytest.raises(UsageError, match="is a symbolic link"):
        prune_them((link, folders[1]), older[0].database_id)
    assert older[0].path.exists()


def standard_folders(known: Path, work: Path) -> tuple[Path, Path]:
    return work / "backups", known.with_name("ora.db.lotgate-backups")


def test_the_command_lists(lotgate: Cli, known: Path, work: Path) -> None:
    folders = standard_folders(known, work)
    outcome = lotgate("backups", *arguments(known, work))
    assert outcome == Outcome(0, f"There are no backups in {folders[0]} and {folders[1]}.\n", "")
    first, second = take(known, folders)
    os.truncate(second.path, 5)
    outcome = lotgate("backups", *arguments(known, work))
    assert outcome.code == 0
    kilobytes = f"{first.bytes / 1000:.1f} kB"
    assert f"{first.path}\n  2025-11-01T12:00:00+00:00  {kilobytes}  swap  complete (its hash" in outcome.out
    assert f"{second.path}\n" in outcome.out
    assert f"swap  damaged: has 5 bytes instead of {first.bytes}\n" in outcome.out
    found = lotgate("backups", *arguments(known, work), "--json").json
    assert found["folders"] == [str(folder) for folder in folders]
    assert {one["path"]: one["state"] for one in found["backups"]} == {
        str(first.path): "complete",
        str(second.path): "damaged",
    }
    assert found["backups"][0]["sha256"] == first.sha256


def test_the_list_does_not_need_the_database(lotgate: Cli, known: Path, work: Path) -> None:
    first, _ = take(known, standard_folders(known, work))
    known.unlink()
    outcome = lotgate("backups", *arguments(known, work))
    assert outcome.code == 0
    assert str(first.path) in outcome.out
    assert outcome.err == f"There is no database {known}. The backups of every database are listed.\n"


def test_the_command_prunes(lotgate: Cli, known: Path, work: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "lotgate.toml").write_text("[swap]\nretention_days = 3\n")
    folders = standard_folders(known, work)
    now = datetime.now(UTC).replace(microsecond=0)
    old = take(known, folders, at=now - timedelta(days=4), operation_id="old")
    new = take(known, folders, at=now - timedelta(days=2), operation_id="new")
    outcome = lotgate("backups", *arguments(known, work), "--prune", "--json")
    assert sorted(outcome.json["removed"]) == sorted(map(str, pair(old)))
    assert outcome.json["retention_days"] == 3
    assert files(*folders) == sorted(path.name for path in pair(new))
    outcome = lotgate("backups", *arguments(known, work), "--prune", "--yes")
    assert outcome == Outcome(0, "Nothing to remove: no backup but the last is older than 3 days.\n", "")


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 3), (b"y\n", 0)])
def test_prune_asks_on_a_terminal(known: Path, work: Path, answer: bytes, code: int) -> None:
    import pty

    folders = standard_folders(known, work)
    old, last = days_ago(known, folders, 300, 200)
    master, slave = pty.openpty()
    os.write(master, answer)
    command = [*LOTGATE, "backups", *map(str, arguments(known, work)), "--prune"]
    done = subprocess.run(command, stdin=slave, capture_output=True, text=True, check=False)
    os.close(slave)
    os.close(master)
    assert "Remove these files?" in done.stderr
    assert str(old[0].path) in done.stderr
    assert done.returncode == code
    left = [*pair(last), *([] if answer == b"y\n" else pair(old))]
    assert files(*folders) == sorted(path.name for path in left)
