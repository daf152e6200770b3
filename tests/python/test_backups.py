"""Backups: taken while others write, refused where they cannot be safe, verified, pruned, put back."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import LOTGATE, Outcome, drop_privileges, fingerprint
from lotgate.console import SilentReporter
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.live.backups import (
    Backup,
    list_backups,
    manifest_path,
    on_one_disk,
    prune,
    take_backups,
    verify_backup,
)
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.restore import Restoration, restore_backup
from lotgate.live.state import ensure_state
from test_bad_input import needs_small_disk, on_small_disk

Cli = Callable[..., Outcome]
NOW = datetime(2025, 11, 1, 12, 0, tzinfo=UTC)
ROWS = "select * from shipped_items order by id"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "first", tmp_path / "deep" / "second"


@pytest.fixture
def known(live: Path) -> Path:
    """The live database with an id."""
    with open_for_writing(live) as connection, immediate(connection):
        ensure_state(connection)
    return live


def take(
    database: Path, folders: tuple[Path, Path], *, at: datetime = NOW, operation_id: str = "op1", **more: Any
) -> tuple[Backup, Backup]:
    return take_backups(
        database,
        folders,
        operation_id=operation_id,
        reason=more.pop("reason", "swap"),
        reporter=SilentReporter(),
        taken_at=at.isoformat(),
        **more,
    )


def restore(database: Path, backup: Path, folders: tuple[Path, Path], **more: Any) -> Restoration:
    return restore_backup(
        database,
        backup,
        folders,
        operation_id=more.pop("operation_id", "op2"),
        taken_at=(NOW + timedelta(hours=1)).isoformat(),
        lock_timeout=more.pop("lock_timeout", 5.0),
        reporter=SilentReporter(),
        **more,
    )


def query(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        return connection.execute(sql).fetchall()


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def files(*roots: Path) -> list[str]:
    return sorted(path.name for root in roots if root.exists() for path in root.iterdir())


# taking


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


WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
print("ready", flush=True)
while True:
    connection.execute("begin immediate")
    connection.execute("update configuration_params set value = value + 1 where category = 'W'")
    connection.execute("insert into shipped_orders (ship_date, order_number) select '2025-10-01',"
                       " cast(value as integer) + 1000000 from configuration_params where category = 'W'")
    connection.execute("commit")
    time.sleep(float(sys.argv[2]))  # in rollback mode one that never pauses would starve every reader
"""


@contextmanager
def writer(path: Path, pause: float = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that never stops writing: a counter and an order for each count, in one transaction."""
    run(path, "insert into configuration_params (category, parameter_name, value) values ('W', 'n', '0')")
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
        assert process.poll() is None, process.stderr and process.stderr.read()
    finally:
        process.kill()
        process.communicate()


COUNT = "select cast(value as integer) from configuration_params where category = 'W'"
WRITTEN = "select count(*) from shipped_orders where ship_date = '2025-10-01'"


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


def corrupt(path: Path) -> None:
    """Spoils an index page, so that only an integrity check sees it. No connection is open."""
    ((root,),) = query(path, "select rootpage from sqlite_schema where name = 'idx_shipped_items_date'")
    ((size,),) = query(path, "pragma page_size")
    with path.open("r+b") as file:
        content = file.seek((root - 1) * size) and file.read(size)
        assert content.count(b"2025-09-15") == 20
        file.seek((root - 1) * size)
        file.write(content.replace(b"2025-09-15", b"2025-09-16", 3))


# folders


def broken(folders: tuple[Path, Path], kind: str) -> tuple[tuple[Path, Path], str]:
    """A pair of folders with something wrong, and what is said."""
    one, other = folders
    if kind == "link":
        other.parent.mkdir()
        (other.parent / "real").mkdir()
        other.symlink_to("real")
        return folders, "is a symbolic link"
    if kind == "file":
        other.parent.mkdir()
        other.write_text("x")
        return folders, "is not a folder"
    if kind == "in a file":
        other.parent.write_text("x")
        return folders, "is inside a file|is not a folder"
    if kind == "broken link above":
        other.parent.symlink_to("nowhere")
        return folders, "is behind a broken link"
    if kind == "one by name":
        return (one, one), "are the same folder"
    assert kind == "one by link above"
    one.mkdir()
    other.parent.symlink_to(".")
    return (one, other.parent / "first"), "are the same folder"


@pytest.mark.parametrize(
    "kind", ["link", "file", "in a file", "broken link above", "one by name", "one by link above"]
)
def test_folders_that_cannot_be(known: Path, folders: tuple[Path, Path], kind: str) -> None:
    pair, message = broken(folders, kind)
    before = sorted(known.parents[1].rglob("*"))
    with pytest.raises(UsageError, match=message):
        take(known, pair)
    with pytest.raises(UsageError, match=message):
        take(known, (pair[1], pair[0]))
    assert sorted(known.parents[1].rglob("*")) == before


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("suffix", ["", ".json"])
def test_a_name_that_is_taken(known: Path, folders: tuple[Path, Path], which: int, suffix: str) -> None:
    victim = known.parent / "victim"
    folders[which].mkdir(parents=True)
    target = folders[which] / f"ora.db.20251101T120000Z.op1.sqlite{suffix}"
    target.symlink_to(victim)
    with pytest.raises(UsageError, match="is a symbolic link"):
        take(known, folders)
    assert not victim.exists()
    target.unlink()
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        take(known, folders)
    assert files(*folders) == [target.name]
    assert target.read_text() == "mine"


def take_in_a_process(
    known: Path, folders: tuple[Path, Path], before: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        in_a_process(known, folders, before), capture_output=True, text=True, check=False, **options
    )


def in_a_process(known: Path, folders: tuple[Path, Path], before: str = "") -> list[str]:
    """A program that takes backups and says which error it was, and what is left in the folders."""
    program = f"""
import os, sys
from pathlib import Path
from lotgate.console import SilentReporter
from lotgate.errors import LotgateError
from lotgate.live import backup_files, backups
{before}
folders = (Path(sys.argv[2]), Path(sys.argv[3]))
try:
    backups.take_backups(Path(sys.argv[1]), folders, operation_id="op1", reason="swap",
                         reporter=SilentReporter(), taken_at="{NOW.isoformat()}")
except LotgateError as error:
    print(type(error).__name__, error.message)
print("left", sorted(name for folder in folders if folder.exists() for name in os.listdir(folder)))
"""
    return [sys.executable, "-c", program, str(known), *map(str, folders)]


def test_a_folder_that_cannot_be_written_to(known: Path, folders: tuple[Path, Path]) -> None:
    folders[0].mkdir()
    folders[1].parent.mkdir(mode=0o500)
    done = take_in_a_process(known, folders, preexec_fn=drop_privileges)
    assert (
        f"EnvironmentFailed The backup folder {folders[1]} cannot be created: Permission denied."
        in done.stdout
    )
    folders[1].parent.chmod(0o700)
    folders[1].mkdir(mode=0o500)
    done = take_in_a_process(known, folders, preexec_fn=drop_privileges)
    assert f"EnvironmentFailed The backup folder {folders[1]} cannot be written to." in done.stdout
    assert done.stdout.endswith("left []\n")


def grow(path: Path) -> None:
    run(path, "create table filler (a)", "insert into filler values (randomblob(3000000))")


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("blind", [False, True])
def test_a_disk_that_is_full_or_fills_up(
    known: Path, folders: tuple[Path, Path], which: int, blind: bool
) -> None:
    """Blind: the space was there when it was asked for."""
    for folder in folders:
        folder.mkdir(parents=True)
    needs_small_disk(folders[which])
    grow(known)
    before = fingerprint(known.parent)
    program = in_a_process(known, folders, "backups.check_space = lambda *a: None" if blind else "")
    done = subprocess.run(
        on_small_disk(folders[which], 2_000_000, *program), capture_output=True, text=True, check=False
    )
    if blind:
        assert "No space" in done.stdout
    else:
        assert f"A backup needs 4.2 MB on the disk of {folders[which]}, and 2.0 MB are free." in done.stdout
    assert done.stdout.startswith("EnvironmentFailed ")
    assert done.stdout.endswith("left []\n"), done.stdout + done.stderr
    assert fingerprint(known.parent) == before
    assert files(*folders) == []


def test_a_limit_on_file_sizes(known: Path, folders: tuple[Path, Path]) -> None:
    grow(known)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = take_in_a_process(known, folders, preexec_fn=limit)
    assert done.stdout.startswith("EnvironmentFailed ")
    assert done.stdout.endswith("left []\n")


def test_two_backups_on_one_disk_need_twice_the_space(
    known: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = known.stat().st_size
    monkeypatch.setattr("lotgate.live.backup_files.free_bytes", lambda path: int(1.5 * size) + (1 << 20))
    with pytest.raises(EnvironmentFailed, match="Two backups need"):
        take(known, folders)
    monkeypatch.setattr("lotgate.live.backup_files.same_disk", lambda *folders: False)
    take(known, folders)


def test_whether_both_are_on_one_disk(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    assert on_one_disk(folders)
    assert not on_one_disk((folders[0], Path("/proc")))


def test_a_second_copy_that_is_not_the_first(
    known: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that does not hold what was written to it."""

    def lie(source: Path, temporary: Path) -> None:
        content = bytearray(source.read_bytes())
        content[-1] ^= 1
        temporary.write_bytes(content)

    monkeypatch.setattr("lotgate.live.backups.copy_bytes", lie)
    with pytest.raises(EnvironmentFailed, match="is not what was written"):
        take(known, folders)
    assert files(*folders) == []
    assert not folders[0].exists()


KILL = """
import signal
count = 0
def hook(event, arguments):
    global count
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "sqlite3.connect", "subprocess.Popen"):
        count += 1
        if count == {number}:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


def test_what_a_killed_run_leaves_is_no_backup_and_the_next_one_clears_it(
    known: Path, tmp_path: Path
) -> None:
    """Killed before the first, the second, ... file operation."""
    states = set()
    for number in range(1, 1000, 2):
        folders = tmp_path / f"{number}" / "first", tmp_path / f"{number}" / "second"
        done = take_in_a_process(known, folders, KILL.format(number=number))
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stdout + done.stderr
        whole = [one.path for one in list_backups(folders, None) if one.problem is None]
        states.add((len(whole), any(name.startswith(".") for name in files(*folders))))
        for path in whole:
            verify_backup(path)
        take(known, folders, operation_id="op2")
        assert [name for name in files(*folders) if name.startswith(".")] == []
        assert len([one for one in list_backups(folders, None) if one.problem is None]) == len(whole) + 2
    assert number > 30
    assert states >= {(0, False), (0, True), (1, False), (1, True)}


def test_a_temporary_file_of_a_run_that_lives_is_left_alone(known: Path, folders: tuple[Path, Path]) -> None:
    import fcntl

    folders[0].mkdir()
    busy = folders[0] / ".ora.db.20251031T120000Z.op0.sqlite.new"
    idle = folders[0] / ".ora.db.20251030T120000Z.op0.sqlite.new"
    others = [
        folders[0] / name for name in (".other.db.20251030T120000Z.op0.sqlite.new", ".ora.db.mine.sqlite.new")
    ]
    for path in (busy, idle, *others):
        path.write_text("x")
    with busy.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        take(known, folders)
    assert busy.exists()
    assert not idle.exists()
    assert all(path.exists() for path in others)


# verifying


def spoil(path: Path, change: Callable[[bytearray], object]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def rewrite(path: Path, **values: Any) -> None:
    """Changes a manifest; a value of None takes the key out."""
    file = manifest_path(path)
    content = json.loads(file.read_text()) | values
    file.write_text(json.dumps({key: value for key, value in content.items() if value != "absent"}))


def flip(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


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


# listing and pruning


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


def pair(backups: tuple[Backup, Backup]) -> list[Path]:
    return [path for backup in backups for path in (backup.path, manifest_path(backup.path))]


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


# the command


def arguments(known: Path, work: Path) -> list[str | Path]:
    return ["--database", known, "--work-dir", work]


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


# restoring


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
