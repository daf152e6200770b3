"""A backup is put back into the live file, and what stops it."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
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
    flip,
    grow,
    query,
    restore,
    run,
    spoil,
    take,
    writer,
)
from conftest import fingerprint
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.live.backups import (
    manifest_path,
    verify_backup,
)
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.state import ensure_state

CHANGES = (
    "delete from shipped_items where id <= 5",
    "update shipped_items set quantity_shipped = 40 where id = 7",
    "insert into sku_lot (sku, lot) values ('17612', '250300')",
    "create table invented (a)",
    "insert into invented values (zeroblob(100000))",
    "drop index idx_shipped_items_date",
)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_backup_is_put_back(known: Path, folders: tuple[Path, Path], mode: str) -> None:
    run(
        known,
        f"pragma journal_mode = {mode}",
        "create table pairs (a text collate nocase, b integer, c blob, primary key (b, a)) without rowid",
        "insert into pairs values ('x', 2, x'00ff'), ('y', 1, cast(x'ff' as text)), ('z', 1, null)",
    )
    before = {name: query(known, f"select * from {name}") for name in ("shipped_items", "sqlite_schema")}
    backup, _ = take(known, folders)
    run(known, *CHANGES)
    changed = query(known, ROWS)
    inode = known.stat().st_ino
    with closing(sqlite3.connect(known, isolation_level=None)) as other:
        assert other.execute(ROWS).fetchall() == changed
        found = restore(known, backup.path, folders)
        assert other.execute(ROWS).fetchall() == before["shipped_items"]  # it was open all the time
        other.execute("insert into sku_lot (sku, lot) values ('17612', '250301')")
    assert query(known, "select lot from sku_lot") == [("250301",)]
    assert {name: query(known, f"select * from {name}") for name in before} == before
    assert query(known, "pragma journal_mode") == [(mode,)]
    assert query(known, "pragma integrity_check") == [("ok",)]
    assert known.stat().st_ino == inode
    assert (found.backup, found.lost_writes, found.written_since) == (backup, False, ())
    assert found.tables == backup.tables
    assert found.tables["pairs"] == 3
    assert 0 < found.seconds <= found.total_seconds
    assert found.safety is not None
    for safety in found.safety:
        assert safety.reason == "restore"
        assert query(verify_backup(safety.path).path, ROWS) == changed
    restore(known, found.safety[1].path, folders, operation_id="op3")  # and back again
    assert query(known, ROWS) == changed


@pytest.mark.parametrize("which", ["first", "moved"])
def test_the_backup_may_stand_anywhere(
    known: Path, folders: tuple[Path, Path], tmp_path: Path, which: str
) -> None:
    backup, _ = take(known, folders)
    path = backup.path
    if which == "moved":
        (tmp_path / "usb").mkdir()
        for file in (path, manifest_path(path)):
            shutil.copy(file, tmp_path / "usb")
        path = tmp_path / "usb" / path.name
    run(known, *CHANGES)
    restore(known, path, folders)
    assert len(query(known, ROWS)) == 20


def test_a_reader_keeps_its_snapshot_and_blocks_nobody_in_wal_mode(
    known: Path, folders: tuple[Path, Path]
) -> None:
    backup, _ = take(known, folders)
    run(known, *CHANGES)
    with closing(sqlite3.connect(known, isolation_level=None)) as reader:
        reader.execute("begin")
        assert len(reader.execute(ROWS).fetchall()) == 15
        restore(known, backup.path, folders)
        assert len(reader.execute(ROWS).fetchall()) == 15
        reader.execute("commit")
        assert len(reader.execute(ROWS).fetchall()) == 20


def test_writers_go_on_through_a_restore(known: Path, folders: tuple[Path, Path]) -> None:
    """The counter and the orders it counts are one transaction, so that a mixture would show."""
    with writer(known):
        while query(known, COUNT)[0][0] < 20:
            pass
        backup, _ = take(known, folders)
        (target,) = query(backup.path, COUNT)[0]
        while query(known, COUNT)[0][0] < target + 200:
            pass
        found = restore(known, backup.path, folders)
        (after,) = query(known, COUNT)[0]
    assert target <= after
    assert query(known, COUNT) == query(known, WRITTEN)
    assert query(known, "pragma integrity_check") == [("ok",)]
    assert found.lost_writes
    assert set(found.written_since) <= {"configuration_params", "shipped_orders", "sqlite_sequence"}
    assert found.safety is not None
    assert query(found.safety[0].path, COUNT)[0][0] >= target + 200


@pytest.mark.parametrize(
    ("mode", "statements", "safety"),
    [
        ("wal", ["begin immediate"], 2),
        ("delete", ["begin immediate"], 2),
        ("delete", ["begin exclusive"], 0),
        ("delete", ["begin", "select * from sku_lot"], 2),
    ],
)
def test_a_lock_that_stays(
    known: Path,
    folders: tuple[Path, Path],
    hold: Callable[..., Any],
    mode: str,
    statements: list[str],
    safety: int,
) -> None:
    run(known, f"pragma journal_mode = {mode}", "insert into sku_lot (sku, lot) values ('17612', '250300')")
    backup, _ = take(known, folders)
    run(known, *CHANGES[:2])
    changed = query(known, ROWS)
    holder = hold(known, *statements)
    with pytest.raises(EnvironmentFailed, match=r"was locked by another process for longer than 0\.3 s"):
        restore(known, backup.path, folders, lock_timeout=0.3)
    holder.kill()
    holder.communicate()
    assert query(known, ROWS) == changed
    assert query(known, "pragma integrity_check") == [("ok",)]
    assert sum("op2" in name for name in files(*folders)) == 2 * safety


def test_a_lock_that_goes_is_waited_for(known: Path, folders: tuple[Path, Path]) -> None:
    backup, _ = take(known, folders)
    run(known, *CHANGES)
    program = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
    program += " c.execute('begin immediate'); print('ready', flush=True); time.sleep(1)"
    holder = subprocess.Popen([sys.executable, "-c", program, str(known)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"ready\n"
    restore(known, backup.path, folders, lock_timeout=20)
    holder.communicate()
    assert len(query(known, ROWS)) == 20


@pytest.mark.parametrize("damage", ["byte", "size", "manifest"])
def test_a_backup_that_does_not_verify_is_not_put_back(
    known: Path, folders: tuple[Path, Path], damage: str
) -> None:
    backup, _ = take(known, folders)
    if damage == "byte":
        spoil(backup.path, flip)
    elif damage == "size":
        os.truncate(backup.path, 5)
    else:
        manifest_path(backup.path).unlink()
    before, listed = fingerprint(known.parent), files(*folders)
    with pytest.raises(GateClosed):
        restore(known, backup.path, folders)
    assert fingerprint(known.parent) == before
    assert files(*folders) == listed


def test_a_backup_of_another_database(known: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    """The same path, and even the same rows: the id tells."""
    backup, _ = take(known, folders)
    run(known, "update lotgate_state set value = 'other' where key = 'database_id'")
    before = fingerprint(known.parent)
    with pytest.raises(
        GateClosed, match=rf"is a backup of another database: its id is {backup.database_id}, and"
    ):
        restore(known, backup.path, folders)
    assert fingerprint(known.parent) == before


@pytest.mark.parametrize("without", ["live", "backup"])
def test_without_an_id_the_paths_are_compared(
    known: Path, folders: tuple[Path, Path], tmp_path: Path, without: str
) -> None:
    if without == "backup":
        run(known, "drop table lotgate_state")
    backup, _ = take(known, folders)
    run(known, *CHANGES)
    if without == "live":
        run(known, "drop table lotgate_state")
    else:
        with open_for_writing(known) as connection, immediate(connection):
            ensure_state(connection)
    other = tmp_path / "other.db"
    run(known, "pragma wal_checkpoint(truncate)")
    shutil.copy(known, other)
    nameless = other if without == "live" else backup.path
    with pytest.raises(GateClosed) as raised:
        restore(other, backup.path, folders)
    assert raised.value.message == (
        f"{backup.path} is a backup of {known}, not of {other}."
        f" The paths were compared, since {nameless} has no lotgate id."
    )
    restore(known, backup.path, folders)
    assert len(query(known, ROWS)) == 20


def test_the_live_database_is_no_backup_of_itself(known: Path, folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="is the live database itself"):
        restore(known, known, folders)
    link = known.parent / "link"
    link.hardlink_to(known)
    with pytest.raises(UsageError, match="is the live database itself"):
        restore(known, link, folders)


def with_page_size(path: Path, size: int) -> None:
    mode = query(path, "pragma journal_mode")[0][0]
    run(
        path,
        "pragma journal_mode = delete",
        f"pragma page_size = {size}",
        "vacuum",
        f"pragma journal_mode = {mode}",
    )


def test_another_page_size(known: Path, folders: tuple[Path, Path]) -> None:
    with_page_size(known, 8192)
    backup, _ = take(known, folders)
    run(known, *CHANGES)
    restore(known, backup.path, folders)  # the same one, and not SQLite's usual one
    assert query(known, "pragma page_size") == [(8192,)]
    with_page_size(known, 4096)
    before = fingerprint(known.parent)
    with pytest.raises(GateClosed, match=r"has pages of 8192 bytes, and .* has pages of 4096: SQLite cannot"):
        restore(known, backup.path, folders, operation_id="op3")
    assert fingerprint(known.parent) == before
    assert not any("op3" in name for name in files(*folders))
    run(known, "pragma journal_mode = delete", *CHANGES)
    restore(known, backup.path, folders, operation_id="op3")  # as the hint says
    assert query(known, "pragma page_size") == [(8192,)]
    assert len(query(known, ROWS)) == 20


@pytest.mark.parametrize("damage", ["corrupt", "empty", "schema"])
def test_a_live_file_that_cannot_be_read_needs_force(
    known: Path, folders: tuple[Path, Path], damage: str
) -> None:
    backup, _ = take(known, folders)
    run(known, "pragma wal_checkpoint(truncate)")
    if damage == "corrupt":
        corrupt(known)
    elif damage == "empty":
        os.truncate(known, 0)
    else:
        spoil(known, lambda content: content.__setitem__(slice(100, 120), b"\xff" * 20))
    with pytest.raises(
        GateClosed, match=r"No backup of the present state of .*ora\.db can be taken: "
    ) as raised:
        restore(known, backup.path, folders)
    assert "--force" in (raised.value.hint or "")
    found = restore(known, backup.path, folders, force=True)
    assert found.safety is None
    assert query(known, ROWS) == query(backup.path, ROWS)
    assert query(known, "pragma integrity_check") == [("ok",)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content.__setitem__(slice(None), b"x" * 10000), "is not a SQLite database"),
        (lambda content: content.__delitem__(slice(3 * 4096, None)), "is corrupt: database disk image is"),
    ],
    ids=["no database", "cut off"],
)
def test_a_live_file_that_sqlite_cannot_write_into(
    known: Path, folders: tuple[Path, Path], damage: Callable[[bytearray], object], message: str
) -> None:
    backup, _ = take(known, folders)
    run(known, "pragma wal_checkpoint(truncate)")
    spoil(known, damage)
    before = known.read_bytes()
    with pytest.raises(GateClosed, match=rf"can be taken: .* {message}"):
        restore(known, backup.path, folders)
    with pytest.raises(GateClosed, match=rf"SQLite cannot write into .* {message}") as raised:
        restore(known, backup.path, folders, force=True)
    assert "move it and its -wal and -shm away" in (raised.value.hint or "")
    assert known.read_bytes() == before
    known.unlink()
    with pytest.raises(UsageError, match="There is no database"):
        restore(known, backup.path, folders, force=True)


def test_a_safety_backup_that_cannot_be_taken_stops_it(known: Path, folders: tuple[Path, Path]) -> None:
    backup, _ = take(known, folders)
    run(known, *CHANGES)
    before = fingerprint(known.parent)
    for file in folders[1].iterdir():
        file.unlink()
    folders[1].rmdir()
    folders[1].symlink_to(".")
    with pytest.raises(UsageError, match="is a symbolic link"):
        restore(known, backup.path, folders)
    assert fingerprint(known.parent) == before


@pytest.mark.parametrize(
    "fault",
    [
        "delete from shipped_items where id = 3",
        "update shipped_items set sku_lot = cast(sku_lot as blob) where id = 3",
        "create view sneaked as select 1",
    ],
)
def test_a_result_that_is_not_the_backup_is_seen(
    known: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A fault of the restoration itself: made through its own connection, so that nobody else wrote."""
    import lotgate.live.restore as module

    run(known, "create table loose (sku_lot)", "insert into loose values ('x')")
    fault = (
        fault.replace("shipped_items set", "loose set").replace("where id = 3", "")
        if "cast" in fault
        else fault
    )
    backup, _ = take(known, folders)
    original = module._copy_into

    def faulty(connection: sqlite3.Connection, *rest: Any) -> float:
        seconds = original(connection, *rest)
        connection.execute(fault)
        return seconds

    monkeypatch.setattr(module, "_copy_into", faulty)
    with pytest.raises(GateClosed, match="and differs from it in ") as raised:
        restore(known, backup.path, folders)
    assert "The state before is in " in (raised.value.hint or "")


RESTORE = f"""
import sys
from pathlib import Path
from lotgate.console import SilentReporter
from lotgate.errors import LotgateError
from lotgate.live import restore
try:
    restore.restore_backup(Path(sys.argv[1]), Path(sys.argv[2]), (Path(sys.argv[3]), Path(sys.argv[4])),
                           operation_id="op2", taken_at="{NOW.isoformat()}", lock_timeout=5.0,
                           reporter=SilentReporter())
except LotgateError as error:
    print(type(error).__name__, error.message)
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_restore_that_runs_out_of_room_changes_nothing(
    known: Path, folders: tuple[Path, Path], mode: str
) -> None:
    run(known, f"pragma journal_mode = {mode}")
    grow(known)
    backup, _ = take(known, folders)
    run(known, "drop table filler", "vacuum", *CHANGES[:2], "pragma wal_checkpoint(truncate)")
    changed = query(known, ROWS)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(
        [sys.executable, "-c", RESTORE, str(known), str(backup.path), *map(str, folders)],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        check=False,
    )
    assert done.stdout.startswith("EnvironmentFailed ")
    assert str(known) in done.stdout
    assert query(known, ROWS) == changed
    assert query(known, "pragma integrity_check") == [("ok",)]
    restore(known, backup.path, folders, operation_id="op3")
    assert query(known, "select length(a) from filler") == [(3_000_000,)]


def test_a_restore_asks_for_its_room_first(
    known: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, _ = take(known, folders)
    monkeypatch.setattr("lotgate.live.restore.free_bytes", lambda path: backup.bytes)
    before = fingerprint(known.parent)
    with pytest.raises(EnvironmentFailed, match=r"Restoring needs 1\.\d MB on the disk of .*ora\.db, and "):
        restore(known, backup.path, folders)
    assert fingerprint(known.parent) == before


def test_what_others_write_right_after_is_no_fault_and_is_named(
    known: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import lotgate.live.restore as module

    backup, _ = take(known, folders)
    original = module._copy_into

    def and_then(*arguments: Any) -> float:
        seconds = original(*arguments)
        run(known, "insert into sku_lot (sku, lot) values ('17612', '250300')")
        return seconds

    monkeypatch.setattr(module, "_copy_into", and_then)
    found = restore(known, backup.path, folders)
    assert set(found.written_since) - {"sqlite_sequence"} == {"sku_lot"}
    assert not found.lost_writes
    assert found.tables == backup.tables
    assert query(known, "select lot from sku_lot") == [("250300",)]
