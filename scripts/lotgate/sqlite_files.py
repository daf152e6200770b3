"""Opening SQLite files safely: a live database strictly read-only, with clear errors for what is wrong.

What SQLite 3.40 does with ``mode=ro`` was tried, and this module is built on it:

- It changes neither the database file nor a -wal that has content. The -shm, which is shared memory, is
  used as by every reader.
- In WAL mode without a -wal (the last connection closed cleanly) it creates an empty -wal and a -shm and
  leaves both behind, since removing them takes a lock that a read-only connection cannot have. They are
  removed here, where they were not there before, under exactly the lock that SQLite takes for that
  (``_sidecars.clean``).
- It cannot do so in a folder that it cannot write to (SQLITE_READONLY_DIRECTORY). Then ``immutable=1`` is
  right, but only without a -wal that holds something: it ignores the -wal, and with it the latest rows. A
  database that was written to meanwhile is found out by the file's time, size and new -wal, and refused.
- A rollback-journal database whose writer crashed cannot be read at all (SQLITE_READONLY_ROLLBACK).
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError, UsageError

__all__ = [
    "LiveDatabase",
    "ask_sidecars",
    "check_file",
    "database_size",
    "explain",
    "open_live",
    "path_text",
    "sqlite_uri",
]

DEFAULT_LOCK_TIMEOUT = 30.0
HEADER_SIZE = 100


@dataclass(frozen=True)
class LiveDatabase:
    """An open read-only connection to a live database, and its resolved path.

    ``immutable`` says that it was opened without locks, since the folder or the file cannot be written to.
    """

    path: Path
    connection: sqlite3.Connection
    immutable: bool


def sqlite_uri(path: Path, **parameters: str) -> str:
    """SQLite's URI for an absolute path; every character that means something in a URI is escaped.

    >>> sqlite_uri(Path("/a b/50%?.db"), mode="ro")
    'file:/a%20b/50%25%3F.db?mode=ro'
    """
    query = urllib.parse.urlencode(parameters)
    return f"file:{urllib.parse.quote(os.fsencode(path.absolute()), safe='/')}" + (
        f"?{query}" if query else ""
    )


def check_file(path: Path) -> Path:
    """The real path of a database file, symbolic links followed, since its -wal stands beside the real file.

    Raises UsageError where there is no file, or one that cannot be a database; EnvironmentFailed where it
    cannot be looked at.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"There is no database {path}.",
            hint="Name it with --database, LOTGATE_DATABASE or lotgate.toml.",
        ) from error
    except OSError as error:
        raise EnvironmentFailed(f"{path} cannot be looked at: {error.strerror}.") from error
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{path} is a folder, not a database.", hint="Name the database file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is not an ordinary file.", hint="Name the database file.")
    if found.st_size == 0:
        raise UsageError(
            f"{path} is an empty file, not a database.",
            hint="SQLite creates such a file when a program opens a wrong path. Name the right database.",
        )
    if found.st_size < HEADER_SIZE:
        raise UsageError(f"{path} is not a SQLite database.", hint="Name the database file.")
    real = path.resolve()
    for file in (real, _sidecar(real, "wal")):
        if file.exists() and not os.access(file, os.R_OK):
            raise EnvironmentFailed(
                f"{file} cannot be read: permission denied.",
                hint="Run as a user who may read it, or grant read permission.",
            )
    return real


@contextmanager
def open_live(path: Path, *, lock_timeout: float = DEFAULT_LOCK_TIMEOUT) -> Iterator[LiveDatabase]:
    """Opens a live database read-only, inside one read transaction, so that all reads see one state.

    Not a byte of the file or its -wal changes, and no -wal or -shm that was not there stays behind where it
    can be removed safely. ``lock_timeout`` (seconds) is how long another process's exclusive lock is waited
    for. Raises UsageError, EnvironmentFailed and GateClosed as ``check_file`` and ``explain`` do.
    """
    path = check_file(path)
    before = {suffix: _sidecar(path, suffix).exists() for suffix in ("wal", "shm")}
    immutable = _needs_immutable(path)
    state = _state(path)
    parameters = {"mode": "ro", "immutable": "1"} if immutable else {"mode": "ro"}
    try:
        connection = sqlite3.connect(
            sqlite_uri(path, **parameters), uri=True, timeout=lock_timeout, isolation_level=None
        )
    except sqlite3.Error as error:
        raise explain(error, path, lock_timeout=lock_timeout) from error
    try:
        try:
            connection.execute("pragma query_only = 1")
            connection.execute("begin")
            connection.execute("select count(*) from sqlite_schema").fetchone()
            yield LiveDatabase(path, connection, immutable)
        except sqlite3.Error as error:
            raise explain(error, path, lock_timeout=lock_timeout) from error
        finally:
            connection.close()
        if immutable and _state(path) != state:
            raise EnvironmentFailed(
                f"{path} was written to while it was read without locks.",
                hint=f"Run as a user who may write in {path.parent}, so that locks work, or try again.",
            )
    finally:
        created = [suffix for suffix, was_there in before.items() if not was_there]
        if not immutable and any(_sidecar(path, suffix).exists() for suffix in created):
            ask_sidecars("clean", path, *created)


def database_size(connection: sqlite3.Connection) -> int:
    """The size of the main database in bytes, with what is still in its write-ahead log."""
    (pages,) = connection.execute("pragma main.page_count").fetchone()
    (page_size,) = connection.execute("pragma main.page_size").fetchone()
    return int(pages) * int(page_size)


def ask_sidecars(command: str, path: Path, *arguments: str) -> dict[str, object]:
    """Runs ``_sidecars.py`` in a process of its own; an empty answer where that did not work.

    What it does is never needed for a right result, so its failure is none of the command's.
    """
    program = Path(__file__).with_name("_sidecars.py")
    process = subprocess.run(
        [sys.executable, "-I", "-S", str(program), command, str(path), *arguments],
        capture_output=True,
        check=False,
    )
    if process.returncode:
        return {}
    answer: dict[str, object] = json.loads(process.stdout)
    return answer


def explain(error: sqlite3.Error, path: Path, *, lock_timeout: float | None = None) -> LotgateError:
    """The error to raise for what SQLite said about a file (result codes: https://www.sqlite.org/rescode.html)."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        waited = "" if lock_timeout is None else f" for longer than {lock_timeout:g} s"
        return EnvironmentFailed(
            f"{path} was locked by another process{waited}.",
            hint="Try again when that process is done, or wait longer with --lock-timeout SECONDS. "
            "`lotgate doctor` shows who has the file open.",
        )
    if name == "SQLITE_NOTADB":
        return UsageError(
            f"{path} is not a SQLite database (or it is encrypted).", hint="Name the database file."
        )
    if name.startswith("SQLITE_CORRUPT"):
        return GateClosed(
            f"{path} is corrupt: {error}.",
            hint="Restore it from a backup, or recover what can be with `sqlite3 FILE .recover`.",
        )
    if name.startswith("SQLITE_FULL"):
        return EnvironmentFailed(
            f"No space is left while writing {path}.", hint="Free space there, or use another --work-dir."
        )
    if name.startswith("SQLITE_IOERR"):
        return EnvironmentFailed(
            f"Reading or writing {path} failed: {error} ({name}).",
            hint="Check the disk, its free space and any limit on file sizes, then try again.",
        )
    if name == "SQLITE_READONLY_ROLLBACK":
        return EnvironmentFailed(
            f"{path} holds an unfinished transaction of a process that crashed ({path.name}-journal).",
            hint="Let the program that writes to it open it once, so that SQLite rolls the transaction back.",
        )
    if name in {"SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_CANTINIT", "SQLITE_READONLY_RECOVERY"} or (
        name.startswith("SQLITE_CANTOPEN") and _has_content(_sidecar(path, "wal"))
    ):
        return EnvironmentFailed(
            f"{path} cannot be read without write permission in {path.parent}: its latest rows are in "
            f"{path.name}-wal, and SQLite has to create {path.name}-shm to read them.",
            hint=f"Run as a user who may write there, or copy {path.name} and {path.name}-wal together to a "
            "folder of your own while no process has them open.",
        )
    return EnvironmentFailed(
        f"SQLite failed on {path}: {error}{f' ({name})' if name else ''}.",
        hint="Check the disk and the permissions, then try again.",
    )


def _sidecar(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}-{suffix}")


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def path_text(path: Path) -> str:
    """A path as text that can be stored and printed: bytes that are not UTF-8 are shown as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _needs_immutable(path: Path) -> bool:
    """Whether only ``immutable=1`` can read the file, or read it without leaving files behind for good."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return False
    wal, shm = _sidecar(path, "wal"), _sidecar(path, "shm")
    if _has_content(wal) or (wal.exists() and shm.exists()) or _sidecar(path, "journal").exists():
        return False
    return ask_sidecars("header", path).get("wal") is True


def _state(path: Path) -> tuple[int, int, int, bool, bool]:
    found = path.stat()
    return (
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        _has_content(_sidecar(path, "wal")),
        _sidecar(path, "shm").exists(),
    )
