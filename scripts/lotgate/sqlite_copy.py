"""A consistent copy of a database that others go on writing to: for snapshots, backups and rehearsals.

Source: SQLite's online backup API (https://www.sqlite.org/backup.html).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from lotgate.sqlite_files import explain, sqlite_uri

__all__ = ["copy_database", "file_sha256"]

PAGES_A_STEP = 1_000


def copy_database(
    live: sqlite3.Connection, temporary: Path, final: Path, *, lock_timeout: float | None = None
) -> None:
    """Copies all pages from within ``live``'s read transaction: it waits for no lock and starts over for no
    writer.

    What was written is synced piece by piece: one sync of all of it would hold up the syncs of others on the
    same disk, and with them every commit to the live database. ``temporary`` exists, is nobody else's and
    is to become ``final``, the name in errors; its owner does the one fsync that counts.

    Raises EnvironmentFailed where the copy cannot be written, sqlite3.Error for what concerns ``live``.
    """
    descriptor = os.open(temporary, os.O_RDONLY)  # nobody else has this file open, so no lock can be lost
    with closing(sqlite3.connect(sqlite_uri(temporary), uri=True, isolation_level=None)) as copy:
        copy.execute("pragma synchronous = off")
        try:
            live.backup(copy, pages=PAGES_A_STEP, progress=lambda *_: os.fdatasync(descriptor))
            copy.execute("pragma journal_mode = delete").fetchone()
        except sqlite3.Error as error:
            # of the two files only the copy is written to
            if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE")):
                raise explain(error, final, lock_timeout=lock_timeout) from error
            raise
        finally:
            os.close(descriptor)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file. Never of a live database, whose locks the closing would drop."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
