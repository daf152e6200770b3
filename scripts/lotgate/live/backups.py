"""Verified backups of the live database: taken in two folders, checked, listed and pruned.

A backup is a copy through SQLite's backup API with a manifest beside it, ``<file>.json``, written last; a
file without one is not a backup yet. Source: docs/swap.md, "Backups".
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError, UsageError
from lotgate.live.backup_files import (
    NAME,
    Undo,
    check_copy,
    check_space,
    check_targets,
    copy_bytes,
    failed,
    is_link,
    manifest_path,
    new_file,
    prepare_folder,
    remove_leftovers,
)
from lotgate.machine import format_size, same_disk
from lotgate.sqlite_copy import copy_database, file_sha256
from lotgate.sqlite_files import DEFAULT_LOCK_TIMEOUT, database_size, open_live, path_text

__all__ = [
    "Backup",
    "ListedBackup",
    "list_backups",
    "manifest_path",
    "on_one_disk",
    "prune",
    "take_backups",
    "verify_backup",
]

FORMAT = 1


@dataclass(frozen=True)
class Backup:
    """A backup as its manifest describes it.

    ``database_id`` is that of ``lotgate_state`` in the copy, None where lotgate had written nothing yet.
    ``taken_at`` is UTC in ISO 8601; ``reason`` is the operation that asked for it; ``tables`` has the rows.
    """

    path: Path
    sha256: str
    bytes: int
    database_id: str | None
    source: str
    taken_at: str
    reason: str
    operation_id: str
    tables: Mapping[str, int]


@dataclass(frozen=True)
class ListedBackup:
    """A file that is or should be a backup. ``problem`` is None where manifest and size are right; the
    content was not looked at (``verify_backup`` does). ``backup`` is None where no manifest can be read."""

    path: Path
    backup: Backup | None
    problem: str | None


def _is_time(text: str) -> str:
    _time(text)
    return text


class _Manifest(BaseModel):
    """What a manifest must hold, no more and no less."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1]
    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    database_id: str | None
    source: str
    taken_at: Annotated[str, AfterValidator(_is_time)]
    reason: str
    operation_id: str
    tables: dict[str, Annotated[int, Field(ge=0)]]


def on_one_disk(folders: tuple[Path, Path]) -> bool:
    """Whether one broken disk would take both backups."""
    return same_disk(*folders)


def take_backups(
    database: Path,
    folders: tuple[Path, Path],
    *,
    operation_id: str,
    reason: str,
    reporter: Reporter,
    taken_at: str,
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT,
) -> tuple[Backup, Backup]:
    """Takes one consistent copy of the live database, checks it, and puts it into both folders.

    Others may write meanwhile where the database is in WAL mode. The folders are created (0700), the files
    are 0600. The caller holds the database's lock (``lock_database``). On any error nothing of this call
    stays. Raises UsageError for folders that cannot be (a link, one folder twice, not a folder, a name that
    is taken), EnvironmentFailed for permissions, space and locks, GateClosed for a corrupt database.
    """
    folders = (folders[0].absolute(), folders[1].absolute())
    undo: Undo = []
    try:
        for folder in folders:
            prepare_folder(folder, undo)
        if folders[0].samefile(folders[1]):
            raise UsageError(
                f"Both backup folders, {folders[0]} and {folders[1]}, are the same folder.",
                hint="Name two folders, on two disks where possible.",
            )
        with open_live(database, lock_timeout=lock_timeout) as live:
            name = _file_name(live.path, taken_at, operation_id)
            targets = (folders[0] / name, folders[1] / name)
            check_targets(targets)
            for folder in folders:
                remove_leftovers(folder, live.path.name)
            size = database_size(live.connection)
            check_space(folders, size)
            with new_file(targets[0], undo) as temporary:
                with reporter.step(f"Backing up {live.path.name} ({format_size(size)})"):
                    copy_database(live.connection, temporary, targets[0])
                with reporter.step("Checking the backup"):
                    found_id, tables = check_copy(temporary, live.path)
                    sha256, length = file_sha256(temporary), temporary.stat().st_size
        source = path_text(live.path)
        first, second = (
            Backup(target, sha256, length, found_id, source, taken_at, reason, operation_id, tables)
            for target in targets
        )
        _write_manifest(first, undo)
        with reporter.step("Copying the backup"):
            with new_file(second.path, undo) as temporary:
                copy_bytes(first.path, temporary)
                if file_sha256(temporary) != sha256:
                    raise EnvironmentFailed(
                        f"The second backup in {folders[1]} is not what was written.", hint="Check that disk."
                    )
                check_copy(temporary, live.path)
            _write_manifest(second, undo)
    except BaseException as error:
        for step in reversed(undo):
            with contextlib.suppress(OSError):
                step()
        if isinstance(error, OSError):
            raise failed(error, folders) from error
        raise
    return first, second


def verify_backup(path: Path) -> Backup:
    """Reads a backup wholly and compares it with its manifest.

    Raises GateClosed, naming what differs: no or a damaged manifest, another file's manifest, size, hash,
    integrity, database. Raises UsageError where there is no such file, EnvironmentFailed where it cannot be
    read.
    """
    path = path.absolute()
    advice = "Use another backup: `lotgate backups` lists them."
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{path} is not an ordinary file.", hint=advice)
        backup = _read_manifest(path)
        if found.st_size != backup.bytes:
            raise GateClosed(
                f"{path} has {found.st_size} bytes, and its manifest says {backup.bytes}.", hint=advice
            )
        if file_sha256(path) != backup.sha256:
            raise GateClosed(f"{path} was changed: its hash is not the one in its manifest.", hint=advice)
    except FileNotFoundError as error:
        raise UsageError(f"There is no backup {path}.", hint=advice) from error
    except OSError as error:
        raise EnvironmentFailed(f"{path} cannot be read: {error.strerror}.", hint=advice) from error
    found_id, tables = check_copy(path, path)
    if found_id != backup.database_id:
        raise GateClosed(
            f"{path} holds database {found_id}, and its manifest says {backup.database_id}.", hint=advice
        )
    if tables != dict(backup.tables):
        raise GateClosed(f"{path} does not have the tables and rows that its manifest says.", hint=advice)
    return backup


def list_backups(folders: Sequence[Path], database_id: str | None) -> list[ListedBackup]:
    """The backups in the folders, newest first; of one database, or of all where ``database_id`` is None.

    Damaged ones are listed too, those without a readable manifest always, since nobody knows whose they are.
    A folder that is not there holds none. Raises EnvironmentFailed where a folder cannot be read.
    """
    listed: list[ListedBackup] = []
    seen: set[Path] = set()
    for folder in folders:
        real = folder.resolve()
        if real in seen:
            continue
        seen.add(real)
        try:
            names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        except OSError as error:
            raise EnvironmentFailed(
                f"{folder} cannot be read: {error.strerror}.", hint="Run as the user who took the backups."
            ) from error
        backups = {name.removesuffix(".json") for name in names}
        listed += [_look_at(folder.absolute() / name) for name in backups if NAME.fullmatch(name)]
    if database_id is not None:
        listed = [one for one in listed if one.backup is None or one.backup.database_id == database_id]
    return sorted(listed, key=lambda one: (_order(one), str(one.path)), reverse=True)


def prune(
    folders: tuple[Path, Path],
    *,
    now: datetime,
    retention_days: float,
    database_id: str | None,
    dry_run: bool,
) -> list[Path]:
    """Removes this database's backups that are older than the retention; returns the files.

    The newest backup that still verifies is never removed, in neither folder; where none does, nothing is
    removed. Nor is a file without a
    manifest of lotgate's, or one of another database. One from the future (a clock was set back) is young.
    Nothing is removed with ``dry_run``. Raises UsageError for a folder that is a link, EnvironmentFailed
    where a file cannot be removed.
    """
    for folder in folders:
        if folder.is_symlink():
            raise is_link(folder)
    own = [
        (one, one.backup)
        for one in list_backups(folders, None)
        if one.backup is not None and one.backup.database_id == database_id
    ]
    retention = timedelta(days=retention_days)
    old = [backup for _, backup in own if now - _time(backup.taken_at) > retention]
    if not old:
        return []
    last = next((backup for one, backup in own if one.problem is None and _verifies(backup.path)), None)
    if last is None:  # what is left may still be worth something to a person
        return []
    removed: list[Path] = []
    for backup in old:
        if (backup.taken_at, backup.operation_id) == (last.taken_at, last.operation_id):
            continue
        # The manifest goes last: while it is there, a run that was killed is finished by the next one.
        for path in (backup.path, manifest_path(backup.path)):
            if not os.path.lexists(path):
                continue
            try:
                if not dry_run:
                    path.unlink()
            except OSError as error:
                raise EnvironmentFailed(
                    f"{path} cannot be removed: {error.strerror}.", hint="Make its folder writable."
                ) from error
            removed.append(path)
    return removed


def _file_name(database: Path, taken_at: str, operation_id: str) -> str:
    name = f"{database.name}.{_stamp(taken_at)}.{operation_id}.sqlite"
    if not NAME.fullmatch(name):
        raise ValueError(f"not an operation's id: {operation_id!r}")
    return name


def _stamp(taken_at: str) -> str:
    return f"{_time(taken_at).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _time(taken_at: str) -> datetime:
    found = datetime.fromisoformat(taken_at)
    if found.tzinfo is None:
        raise ValueError(f"a time without its offset: {taken_at!r}")
    return found


def _write_manifest(backup: Backup, undo: Undo) -> None:
    content = asdict(backup) | {"format": FORMAT, "file": path_text(Path(backup.path.name))}
    del content["path"]
    target = manifest_path(backup.path)
    with new_file(target, undo) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="ascii")


def _read_manifest(path: Path) -> Backup:
    """The manifest of a backup. GateClosed where it is missing, damaged or another file's."""
    file = manifest_path(path)
    advice = "Use another backup: `lotgate backups` lists them."
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise GateClosed(f"{file} is not an ordinary file.", hint=advice)
        found = _Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise GateClosed(
            f"{path} has no manifest {file.name}: it is not one of lotgate's, or it was never finished.",
            hint=advice,
        ) from error
    except ValidationError as error:
        raise GateClosed(f"{file}, the manifest of {path.name}, is damaged.", hint=advice) from error
    # the name says when and by what it was taken, too, so that a manifest belongs to one file only
    stamp = f".{_stamp(found.taken_at)}.{found.operation_id}.sqlite"
    if found.file != path_text(Path(path.name)) or not found.file.endswith(stamp):
        raise GateClosed(f"{file} is the manifest of another backup: {found.file}.", hint=advice)
    return Backup(path=path, **found.model_dump(exclude={"format", "file"}))


def _look_at(path: Path) -> ListedBackup:
    backup: Backup | None = None
    try:
        backup = _read_manifest(path)
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return ListedBackup(path, backup, "is not an ordinary file")
        if found.st_size != backup.bytes:
            return ListedBackup(path, backup, f"has {found.st_size} bytes instead of {backup.bytes}")
    except GateClosed as error:
        return ListedBackup(path, None, error.message)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        problem = "is missing, only its manifest is there" if missing else f"cannot be read: {error.strerror}"
        return ListedBackup(path, backup, problem)
    return ListedBackup(path, backup, None)


def _order(one: ListedBackup) -> datetime:
    if one.backup is None:
        return datetime.min.replace(tzinfo=UTC)
    return _time(one.backup.taken_at)


def _verifies(path: Path) -> bool:
    try:
        verify_backup(path)
    except LotgateError:
        return False
    return True
