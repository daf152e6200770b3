"""What the tests of backups share: a database with an id, two folders, and files that are spoiled."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Outcome
from lotgate.console import SilentReporter
from lotgate.live.backups import (
    Backup,
    manifest_path,
    take_backups,
)
from lotgate.live.connection import immediate, open_for_writing
from lotgate.live.restore import Restoration, restore_backup
from lotgate.live.state import ensure_state

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


def corrupt(path: Path) -> None:
    """Spoils an index page, so that only an integrity check sees it. No connection is open."""
    ((root,),) = query(path, "select rootpage from sqlite_schema where name = 'idx_shipped_items_date'")
    ((size,),) = query(path, "pragma page_size")
    with path.open("r+b") as file:
        content = file.seek((root - 1) * size) and file.read(size)
        assert content.count(b"2025-09-15") == 20
        file.seek((root - 1) * size)
        file.write(content.replace(b"2025-09-15", b"2025-09-16", 3))


def grow(path: Path) -> None:
    run(path, "create table filler (a)", "insert into filler values (randomblob(3000000))")


def spoil(path: Path, change: Callable[[bytearray], object]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def flip(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


def pair(backups: tuple[Backup, Backup]) -> list[Path]:
    return [path for backup in backups for path in (backup.path, manifest_path(backup.path))]


def arguments(known: Path, work: Path) -> list[str | Path]:
    return ["--database", known, "--work-dir", work]
