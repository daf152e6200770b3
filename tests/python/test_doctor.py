"""What doctor sees, and that it changes nothing."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Outcome, fingerprint
from lotgate.doctor import Check, examine
from lotgate.machine import file_system, is_network, open_holders

Cli = Callable[..., Outcome]
Hold = Callable[..., subprocess.Popen[str]]

MOUNTS = r"""
/dev/vda / ext4 rw 0 0
server:/export /srv nfs4 rw 0 0
/dev/vdb /srv/local xfs rw 0 0
//nas/share /mnt/two\040words cifs rw 0 0
host:/ /home/me/remote fuse.sshfs rw 0 0
overlay /layers fuse.fuse-overlayfs rw 0 0
tmpfs /srv/local/covered tmpfs rw 0 0
nas:/x /srv/local/covered nfs rw 0 0
"""


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_a_good_database_has_no_problem(lotgate: Cli, live: Path, work: Path) -> None:
    before = fingerprint(live.parent)
    outcome = lotgate("doctor", "--database", live, "--work-dir", work, "--json")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.json["problems"] == 0
    names = [check["name"] for check in outcome.json["checks"]]
    assert names == [
        "SQLite",
        "open in",
        "write lock",
        "file system of the live database",
        "file system of the work directory",
        "journal mode",
        "disk space",
        "schema",
        "added to the snapshot",
        "integrity",
        "foreign keys",
        "ids of shipped_items",
        "text",
        "controls",
        "project",
    ]
    assert not work.exists()
    assert fingerprint(live.parent) == before


def test_plain_output_has_a_line_for_each_check_and_the_hint_below(
    lotgate: Cli, live: Path, work: Path
) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("pragma journal_mode = delete")
    outcome = lotgate("doctor", "--database", live, "--work-dir", work)
    assert (
        "warning  journal mode: delete: writers wait while lotgate copies the file\n         Switch"
        in outcome.out
    )
    assert outcome.out.endswith("Problems: 0, warnings: 1\n")
    assert outcome.err == "Looking through ora.db ...\n"
    assert outcome.code == 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/x", "ext4"),
        ("/srv/ora.db", "nfs4"),
        ("/srv/local/ora.db", "xfs"),
        ("/srv/localized/ora.db", "nfs4"),
        ("/mnt/two words/ora.db", "cifs"),
        ("/home/me/remote/deep/er/ora.db", "fuse.sshfs"),
        ("/srv/local/covered/ora.db", "nfs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(path: str, expected: str) -> None:
    assert file_system(Path(path), MOUNTS) == expected


def test_network_file_systems() -> None:
    assert all(map(is_network, ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs")))
    assert not any(
        map(is_network, ("ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuse.fuse-overlayfs", "apfs"))
    )


def test_a_network_file_system_is_a_problem_for_the_live_database_only(
    live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.doctor.file_system", lambda path: "nfs4")
    checks = by_name(examine(live, work))
    assert checks["file system of the live database"].status == "problem"
    assert "nfs4" in checks["file system of the live database"].detail
    assert checks["file system of the work directory"].status == "warning"


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_writer_is_seen_with_its_lock_and_not_disturbed(
    live: Path, work: Path, hold: Hold, journal: str
) -> None:
    holder = hold(live, f"pragma journal_mode = {journal}", "begin immediate", "delete from sku_lot")
    before = fingerprint(live.parent)
    checks = by_name(examine(live, work))
    assert f"({holder.pid})" in checks["open in"].detail
    assert "; 1 of them for writing" in checks["open in"].detail
    assert checks["write lock"].status == "warning"
    assert str(holder.pid) in checks["write lock"].detail
    assert fingerprint(live.parent) == before


def test_a_reader_is_no_writer(live: Path, hold: Hold) -> None:
    idle = hold(live, "select count(*) from sku_lot")
    holders, complete = open_holders(live)
    assert [holder.pid for holder in holders] == [idle.pid]
    assert complete or holders


def test_nobody_has_it_open(live: Path, work: Path) -> None:
    checks = by_name(examine(live, work))
    assert checks["open in"].detail.startswith("no other process")
    assert checks["write lock"] == Check("write lock", "ok", "nobody holds it at this moment")


def test_too_little_disk_space(live: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotgate.doctor.free_bytes", lambda folder: 1234)
    check = by_name(examine(live, work))["disk space"]
    assert check.status == "problem"
    assert "1.2 kB are free" in check.detail
    monkeypatch.setattr("lotgate.doctor.same_disk", lambda one, other: False)
    details = [check.detail for check in examine(live, work) if check.name == "disk space"]
    assert ["snapshot and candidate" in detail for detail in details] == [True, False]
    assert ["2 backups" in detail for detail in details] == [False, True]


def test_an_old_sqlite(live: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotgate.doctor.sqlite3.sqlite_version_info", (3, 34, 1))
    check = by_name(examine(live, work))["SQLite"]
    assert (check.status, check.detail) == ("problem", "3.34.1")
    monkeypatch.setattr("lotgate.doctor.sqlite3.sqlite_version_info", (3, 51, 2))
    assert "before 3.51.3" in by_name(examine(live, work))["SQLite"].detail
    monkeypatch.setattr("lotgate.doctor.sqlite3.sqlite_version_info", (3, 51, 3))
    assert by_name(examine(live, work))["SQLite"].detail == "3.51.3"


def test_broken_foreign_keys_are_a_warning(lotgate: Cli, live: Path, work: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute(
            "insert into order_items_inbox (order_inbox_id, sku, quantity) values (7, '17612', 1)"
        )
        connection.commit()
    outcome = lotgate("doctor", "--database", live, "--work-dir", work)
    assert "warning  foreign keys: order_items_inbox: 1 rows break one" in outcome.out
    assert outcome.code == 0


def test_problems_give_exit_code_1(lotgate: Cli, live: Path, work: Path, tmp_path: Path) -> None:
    controls = tmp_path / "controls"
    controls.mkdir()
    (controls / "incidents.csv").write_text("wrong\n")
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("alter table shipped_items rename to other_items")
    outcome = lotgate("doctor", "--database", live, "--work-dir", work, "--controls", controls, "--json")
    problems = {check["name"] for check in outcome.json["checks"] if check["status"] == "problem"}
    assert problems == {"schema", "controls"}
    assert outcome.json["problems"] == 2
    assert outcome.code == 1
