"""Ways to copy the live file, each in a process of its own: what the disk, SQLite and lotgate need for it.

`copy`: the bytes, and fsync; of a file that nobody writes to, or it is worth nothing. `online`: SQLite's
online backup in one step, and fsync. `backup`: lotgate's two verified backups, as a swap takes them.

Usage: python tests/bench/copying.py copy|online|backup DATABASE FOLDER
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy(database: Path, folder: Path) -> None:
    shutil.copyfile(database, folder / "copy.sqlite")
    sync(folder / "copy.sqlite")


def online(database: Path, folder: Path) -> None:
    target = folder / "online.sqlite"
    with closing(sqlite3.connect(database)) as live, closing(sqlite3.connect(target)) as to:
        to.execute("pragma synchronous = off")
        live.backup(to)
    sync(target)


def backup(database: Path, folder: Path) -> None:
    from lotgate.console import SilentReporter
    from lotgate.live.backups import take_backups
    from lotgate.live.connection import lock_database

    with lock_database(database):
        take_backups(
            database,
            (folder / "first", folder / "second"),
            operation_id="be4c4bac",
            reason="bench",
            reporter=SilentReporter(),
            taken_at="2025-10-10T00:00:00+00:00",
        )


if __name__ == "__main__":
    {"copy": copy, "online": online, "backup": backup}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
