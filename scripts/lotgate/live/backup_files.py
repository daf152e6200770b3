"""The files of backups: folders, temporary names, copies that are checked, what a killed run left.

Nothing here opens the live database's file; a copy is nobody's but ours until it has its name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.inspection import check_integrity
from lotgate.legacy_schema import quoted
from lotgate.live.state import database_id
from lotgate.machine import format_size, free_bytes, same_disk
from lotgate.sqlite_files import explain, sqlite_uri
from lotgate.workdir import fsync_folder

__all__ = [
    "NAME",
    "SPARE_BYTES",
    "Undo",
    "check_copy",
    "check_space",
    "check_targets",
    "copy_bytes",
    "failed",
    "is_link",
    "manifest_path",
    "new_file",
    "open_copy",
    "prepare_folder",
    "remove_leftovers",
    "tables_of",
]

# what takes back what was done, in order; run backwards
Undo = list[Callable[[], object]]
# the manifest, and what a file system needs for the names
SPARE_BYTES = 1 << 20
CHUNK_BYTES = 4 << 20
CACHE_KIB = 64_000
# <database>.<time>.<operation>.sqlite
NAME = re.compile(r".+\.[0-9]{8}T[0-9]{6}Z\.[A-Za-z0-9_-]+\.sqlite")
ADVICE = "Free space there (`lotgate backups --prune` removes old ones), or name another folder."


def manifest_path(path: Path) -> Path:
    """Where the manifest of a backup stands."""
    return path.with_name(f"{path.name}.json")


@contextmanager
def open_copy(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a finished copy; what lies beside it (a -wal, a -journal) is not believed."""
    uri = sqlite_uri(path, mode="ro", immutable="1")
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection


def prepare_folder(folder: Path, undo: Undo) -> None:
    """Creates a backup folder (0700) where it is missing.

    Raises UsageError or EnvironmentFailed where it cannot be one.
    """
    if folder.is_symlink():
        raise is_link(folder)
    try:
        for parent in (*reversed(folder.parents), folder):
            if not parent.exists():
                parent.mkdir(mode=0o700)
                undo.append(parent.rmdir)
    except FileExistsError as error:
        raise UsageError(f"The backup folder {folder} is behind a broken link.") from error
    except NotADirectoryError as error:
        raise UsageError(f"The backup folder {folder} is inside a file.", hint="Name a folder.") from error
    except OSError as error:
        raise EnvironmentFailed(
            f"The backup folder {folder} cannot be created: {error.strerror}.",
            hint="Create it, writable for you only, or name another.",
        ) from error
    if not folder.is_dir():
        raise UsageError(f"The backup folder {folder} is not a folder.", hint="Name a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EnvironmentFailed(
            f"The backup folder {folder} cannot be written to.", hint="Make it writable, or name another."
        )


def is_link(folder: Path) -> UsageError:
    """The error for a folder that is a symbolic link."""
    return UsageError(
        f"The backup folder {folder} is a symbolic link.",
        hint="Name the folder that it points to, so that it is clear where the backups are.",
    )


def check_targets(targets: Sequence[Path]) -> None:
    """Raises UsageError where one of the names is taken, by whatever."""
    for target in targets:
        for path in (target, manifest_path(target)):
            if os.path.lexists(path):
                what = "is a symbolic link" if path.is_symlink() else "exists already"
                raise UsageError(
                    f"{path} {what}.", hint="Nothing is overwritten. Look at it, and move it away."
                )


def check_space(folders: tuple[Path, Path], size: int) -> None:
    """Raises EnvironmentFailed where copies of ``size`` bytes do not fit into both folders."""
    times = 2 if same_disk(*folders) else 1
    needed = times * (size + SPARE_BYTES)
    for folder in folders:
        free = free_bytes(folder)
        if free < needed:
            raise EnvironmentFailed(
                f"{'Two backups need' if times == 2 else 'A backup needs'} {format_size(needed)} on the disk"
                f" of {folder}, and {format_size(free)} are free.",
                hint=ADVICE,
            )


def failed(error: OSError, folders: tuple[Path, Path]) -> EnvironmentFailed:
    """The error to raise for what the system said while backups were written."""
    where = error.filename or f"{folders[0]} or {folders[1]}"
    return EnvironmentFailed(
        f"The backup in {where} cannot be written: {error.strerror}. Nothing of it stays.",
        hint=ADVICE,
    )


@contextmanager
def new_file(target: Path, undo: Undo) -> Iterator[Path]:
    """A temporary file, 0600, that is fsynced and gets its name at the end; a failed one is removed.

    The kernel's lock on it says that its writer lives, so that the next run removes only what was left.
    """
    temporary = target.with_name(f".{target.name}.new")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # some file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield temporary
        os.fsync(descriptor)
        temporary.rename(target)
        undo.append(target.unlink)
        fsync_folder(target.parent)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                temporary.with_name(temporary.name + suffix).unlink()
        os.close(descriptor)


def remove_leftovers(folder: Path, database_name: str) -> None:
    """Removes temporary files of this database's backups whose writer was killed."""
    for path in folder.glob(".*.new"):
        name = path.name[1:].removesuffix(".new").removesuffix(".json")
        if not (name.startswith(f"{database_name}.") and NAME.fullmatch(name)) or path.is_symlink():
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for suffix in ("-journal", "-wal", "-shm", ""):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def copy_bytes(source: Path, temporary: Path) -> None:
    """Copies a finished copy, byte for byte, and syncs it."""
    with source.open("rb") as reading, temporary.open("r+b") as writing:
        while chunk := reading.read(CHUNK_BYTES):
            writing.write(chunk)
            writing.flush()
            os.fdatasync(writing.fileno())
        os.fsync(writing.fileno())


def check_copy(path: Path, shown: Path) -> tuple[str | None, Mapping[str, int]]:
    """The copy's database id and the rows of its tables. GateClosed where ``shown`` is corrupt."""
    try:
        with open_copy(path) as connection:
            connection.execute(f"pragma cache_size = -{CACHE_KIB}")
            complaints = check_integrity(connection)
            if complaints:
                raise GateClosed(
                    f"{shown} is corrupt; SQLite's integrity check says: {'; '.join(complaints[:3])}.",
                    hint="Restore it from a backup, or recover what can be with `sqlite3 FILE .recover`.",
                )
            tables = {
                name: int(connection.execute(f"select count(*) from {quoted(name)}").fetchone()[0])
                for name in tables_of(connection)
            }
            return database_id(connection), tables
    except sqlite3.Error as error:
        problem = explain(error, shown)
        raise (GateClosed(problem.message) if isinstance(problem, UsageError) else problem) from error


def tables_of(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The tables that hold rows of their own: not views and virtual tables, but what those keep."""
    found = connection.execute(
        "select name from pragma_table_list where schema = 'main' and type in ('table', 'shadow')"
        " and name not in ('sqlite_schema', 'sqlite_temp_schema') order by name"
    )
    return tuple(str(name) for (name,) in found)
