"""Folders that are replaced whole, so that no page of an older audit stands beside one of a newer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lotgate.errors import EnvironmentFailed
from lotgate.workdir import fsync_folder

__all__ = ["replaced_folder", "write_file"]


@contextmanager
def replaced_folder(folder: Path, *, keep: Iterable[str]) -> Iterator[Path]:
    """A new folder, 0700, takes the place of ``folder`` at the end; ``keep`` names what moves to it.

    On an error ``folder`` stays as it was. A crash in the middle of the exchange leaves no ``folder``, never
    a mixture; what it left behind is removed the next time. Raises EnvironmentFailed where the disk is full
    or something cannot be written.
    """
    new = folder.with_name(f".{folder.name}.new")
    old = folder.with_name(f".{folder.name}.old")
    try:
        _remove(new)
        _remove(old)
        new.mkdir(mode=0o700, parents=False)
        yield new
        fsync_folder(new)
        _exchange(folder, new, old, keep)
        _remove(old)
        fsync_folder(folder.parent)
    except OSError as error:
        raise EnvironmentFailed(
            f"The review in {folder} cannot be written: {error.strerror or error}.",
            hint="Free space there or make it writable, or use another --work-dir.",
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_file(path: Path, parts: Iterable[str]) -> None:
    """Writes a text, 0600 and fsynced, as it comes. A character that UTF-8 does not have is written out."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def _exchange(folder: Path, new: Path, old: Path, keep: Iterable[str]) -> None:
    moved: list[str] = []
    there = folder.is_dir()
    if there:
        folder.rename(old)
    try:
        for name in keep:
            if there and (old / name).exists():
                (old / name).rename(new / name)
                moved.append(name)
        new.rename(folder)
    except OSError:
        for name in moved:
            (new / name).rename(old / name)
        if there:
            old.rename(folder)
        raise


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
