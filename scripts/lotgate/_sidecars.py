"""Looks at a database file's locks and header, and removes a -wal and -shm that nobody needs.

This file is run as a program of its own, never inside the process that has the database open: a process
that opens and closes a file loses every POSIX lock it holds on that file
(https://www.sqlite.org/howtocorrupt.html, section 2.2), and SQLite's locks are such locks. It therefore
imports the standard library only. It never writes a byte of the database or its -wal.

Usage: ``_sidecars.py header FILE`` | ``locks FILE`` | ``clean FILE [wal] [shm]``; the answer is JSON.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
import sys

# SQLite's lock bytes, https://www.sqlite.org/src/file/src/os.h
PENDING_BYTE = 0x40000000
RESERVED_BYTE = PENDING_BYTE + 1
SHARED_FIRST = PENDING_BYTE + 2
SHARED_SIZE = 510
# the write lock in the -shm file, https://www.sqlite.org/walformat.html section 2.3
WAL_WRITE_LOCK = 120
# Linux' struct flock on 64 bits: type, whence, start, length, pid
FLOCK = "hhqqi4x"


def header(path: str) -> dict[str, object]:
    """Whether the file's header names the WAL mode, https://www.sqlite.org/fileformat.html section 1.3.3."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would double this program's start-up time
        start = file.read(100)
    return {"sqlite": start[:16] == b"SQLite format 3\0", "wal": start[18:20] == b"\2\2"}


def locks(path: str) -> dict[str, object]:
    """Who holds a write lock at this moment, as far as the kernel says: nothing is locked to find out."""
    holders: dict[str, int] = {}
    for name, file, first, length in (
        ("reserved", path, RESERVED_BYTE, 1),
        ("exclusive", path, SHARED_FIRST, SHARED_SIZE),
        ("wal", path + "-shm", WAL_WRITE_LOCK, 1),
    ):
        with contextlib.suppress(OSError):
            descriptor = os.open(file, os.O_RDONLY)
            try:
                question = struct.pack(FLOCK, fcntl.F_RDLCK, os.SEEK_SET, first, length, 0)
                answer = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
                if answer[0] == fcntl.F_WRLCK:
                    holders[name] = answer[4]
            finally:
                os.close(descriptor)
    return {"holders": holders}


def clean(path: str, created: list[str]) -> dict[str, object]:
    """Removes the -wal and -shm named in ``created`` in the way of SQLite's own last close.

    The exclusive lock on the database file is what SQLite takes for that (sqlite3WalClose): a connection
    in WAL mode holds a shared lock for as long as it lives, so with the exclusive one nobody has the
    files open and nobody can open them. A -wal that holds anything stays, and its -shm with it.
    """
    removed: list[str] = []
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError as error:
        return {"removed": removed, "why": f"no write permission: {error.strerror}"}
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 2 + SHARED_SIZE, PENDING_BYTE)
        except OSError:
            return {"removed": removed, "why": "another process has the database open"}
        wal = path + "-wal"
        if "wal" in created and os.path.exists(wal) and os.path.getsize(wal):  # noqa: PTH110, PTH202
            return {"removed": removed, "why": "another process wrote to the write-ahead log"}
        for suffix in created:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{path}-{suffix}")  # noqa: PTH108
                removed.append(suffix)
    finally:
        os.close(descriptor)
    return {"removed": removed}


if __name__ == "__main__":
    command, target = sys.argv[1], sys.argv[2]
    if command == "header":
        print(json.dumps(header(target)))
    elif command == "locks":
        print(json.dumps(locks(target)))
    else:
        print(json.dumps(clean(target, sys.argv[3:])))
