"""What the machine says about a database's files: file systems, free space, processes; from Linux' /proc.

Nothing here opens the database in this process (see ``_sidecars``), changes anything or raises for what it
may not look at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lotgate.sqlite_files import ask_sidecars

__all__ = [
    "Holder",
    "file_system",
    "format_size",
    "free_bytes",
    "is_network",
    "open_holders",
    "same_disk",
    "write_lock_holders",
]

NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"),
    }
)
# file systems in user space: these are local
LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs", "fuse.mergerfs", "fuse.ntfs-3g"})


@dataclass(frozen=True)
class Holder:
    """A process that has the database or its -wal open, and whether for writing."""

    pid: int
    name: str
    writes: bool


def file_system(path: Path, mounts: str | None = None) -> str | None:
    """The type of the file system that ``path`` (or its nearest existing parent) is on; None where unknown.

    ``mounts`` is the text of /proc/self/mounts, for tests.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    resolved = path.resolve()
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = Path(_unescape(fields[1]))
        # of two mounts on one folder the later one is seen
        if (mount == resolved or mount in resolved.parents) and (best is None or len(mount.parts) >= best[0]):
            best = (len(mount.parts), fields[2])
    return best[1] if best else None


def is_network(file_system: str) -> bool:
    """Whether SQLite's locks and shared memory cannot be trusted there (https://www.sqlite.org/wal.html)."""
    if file_system.startswith("fuse."):
        return file_system not in LOCAL_FUSE
    return file_system in NETWORK_FILE_SYSTEMS


def free_bytes(path: Path) -> int:
    """What an ordinary user may still write where ``path`` is or will be."""
    found = os.statvfs(_existing(path))
    return found.f_bavail * found.f_frsize


def format_size(size: float) -> str:
    """Bytes for people: ``1.5 GB``."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def same_disk(one: Path, other: Path) -> bool:
    """Whether the two share their free space."""
    return _existing(one).stat().st_dev == _existing(other).stat().st_dev


def open_holders(database: Path) -> tuple[tuple[Holder, ...], bool]:
    """The other processes that have the database open, and whether every process could be looked at."""
    wanted = set()
    for path in (database, database.with_name(f"{database.name}-wal")):
        try:
            found = path.stat()
        except OSError:
            continue
        wanted.add((found.st_dev, found.st_ino))
    holders = []
    complete = Path("/proc/self/fd").is_dir()
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            writes = _opens(process, wanted)
        except PermissionError:
            complete = False
            continue
        except OSError:  # it ended meanwhile
            continue
        if writes is not None:
            holders.append(Holder(int(process.name), _process_name(process), writes))
    return tuple(sorted(holders, key=lambda holder: holder.pid)), complete


def write_lock_holders(database: Path) -> tuple[int, ...]:
    """The processes that hold a write lock on the database at this moment; nothing is locked to find out."""
    answer = ask_sidecars("locks", database).get("holders", {})
    return tuple(sorted(set(answer.values()))) if isinstance(answer, dict) else ()


def _opens(process: Path, wanted: set[tuple[int, int]]) -> bool | None:
    """Whether the process may write to one of the files; None where it has none of them open."""
    result: bool | None = None
    for descriptor in (process / "fd").iterdir():
        try:
            found = descriptor.stat()
            if (found.st_dev, found.st_ino) not in wanted:
                continue
            info = (process / "fdinfo" / descriptor.name).read_text(encoding="ascii")
        except FileNotFoundError:
            continue
        flags = next(line.split()[1] for line in info.splitlines() if line.startswith("flags:"))
        result = bool(result) or int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
    return result


def _process_name(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def _existing(path: Path) -> Path:
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path


def _unescape(field: str) -> str:
    """The octal escapes of /proc/mounts: ``\\040`` is a blank."""
    for code in ("040", "011", "012", "134"):
        field = field.replace(f"\\{code}", chr(int(code, 8)))
    return field
