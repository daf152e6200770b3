"""Folders, disks and killed runs: where backups cannot be, and what a killed run leaves."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backup_cases import (
    NOW,
    files,
    grow,
    take,
)
from conftest import drop_privileges, fingerprint
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.live.backups import (
    list_backups,
    on_one_disk,
    verify_backup,
)
from test_bad_input import needs_small_disk, on_small_disk


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
