"""The work directory: the files in it, its lock, and the refusal to share a folder with the live database.

It holds copies of customer data, so it is created for its owner only (0700), as are lotgate's files (0600).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import EnvironmentFailed, UsageError

__all__ = ["WorkDir", "discard_audit", "fsync_folder", "open_work_dir", "remove_database", "write_private"]

LOCK_FILE = ".lotgate.lock"


@dataclass(frozen=True)
class WorkDir:
    """The paths of one work directory (docs/design.md, section 3)."""

    path: Path

    @property
    def legacy(self) -> Path:
        """The snapshot of the live database."""
        return self.path / "legacy.sqlite"

    @property
    def candidate(self) -> Path:
        """What the dbt project builds."""
        return self.path / "candidate.sqlite"

    @property
    def unfinished_candidate(self) -> Path:
        """The candidate while it is being built."""
        return self.path / "candidate.unfinished.sqlite"

    @property
    def failed_candidate(self) -> Path:
        """A candidate that did not hold, left for a person to look at; nothing promotes it."""
        return self.path / "candidate.failed.sqlite"

    @property
    def failures(self) -> Path:
        """The rows that dbt's data tests found, one table for each test that found any."""
        return self.path / "failures.sqlite"

    @property
    def build_json(self) -> Path:
        """What the candidate was built from, its hashes and what was checked."""
        return self.path / "build.json"

    @property
    def shipstation(self) -> Path:
        """The evidence that ``recover`` fetched."""
        return self.path / "shipstation.sqlite"

    @property
    def snapshot_json(self) -> Path:
        """What the snapshot found, and when."""
        return self.path / "snapshot.json"

    @property
    def controls(self) -> Path:
        """The folder of the normalized copies of the controls, which dbt seeds."""
        return self.path / "controls"

    @property
    def dbt(self) -> Path:
        """The folder of dbt's own artifacts."""
        return self.path / "dbt"

    @property
    def verdict(self) -> Path:
        """What the audit found; there only while it belongs to the candidate beside it."""
        return self.path / "verdict.json"

    @property
    def gx(self) -> Path:
        """The folder of what Great Expectations writes: results, Data Docs, JUnit."""
        return self.path / "gx"

    @property
    def data_docs(self) -> Path:
        """The folder of GX's Data Docs."""
        return self.gx / "data_docs"

    @property
    def junit(self) -> Path:
        """Every check as a JUnit test case, for CI."""
        return self.gx / "junit.xml"

    @property
    def summary(self) -> Path:
        """The verdict as Markdown, for CI's job page."""
        return self.gx / "summary.md"

    @property
    def rehearsal(self) -> Path:
        """The folder of the copy that a plan is tried on."""
        return self.path / "rehearsal"

    @property
    def review(self) -> Path:
        """The folder of the pages for a person; ``index.html`` is the first."""
        return self.path / "review"

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that lotgate may replace here."""
        databases = (
            self.legacy,
            self.candidate,
            self.unfinished_candidate,
            self.failed_candidate,
            self.failures,
            self.shipstation,
        )
        journals = (journal for path in databases for journal in _journals(path))
        return (*databases, *journals, self.snapshot_json, self.build_json, self.verdict)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that lotgate or dbt may empty here."""
        return (self.controls, self.dbt, self.gx, self.review, self.rehearsal)


@contextmanager
def open_work_dir(path: Path, database: Path) -> Iterator[WorkDir]:
    """Creates the work directory where it is missing, and holds its lock: one run at a time.

    The lock is the kernel's (flock) and goes with the process, however that ends. ``database`` is the live
    database; a work directory in which its files would stand in harm's way is a UsageError. A directory that
    cannot be created or written to, and another run in progress, are EnvironmentFailed.
    """
    work_dir = WorkDir(path.resolve())
    _refuse_collisions(work_dir, database)
    try:
        work_dir.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(
            f"The work directory {path} is not a folder.", hint="Name a folder with --work-dir."
        ) from error
    except OSError as error:
        raise _not_writable(path, error) from error
    _refuse_collisions(work_dir, database)
    with _locked(work_dir.path / LOCK_FILE, path):
        yield work_dir


@contextmanager
def write_private(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` whose file, 0600, is fsynced and renamed to it at the end.

    On an error it is removed, with what SQLite may have put beside it, and ``path`` stays as it was.
    """
    temporary = path.with_name(f".{path.name}.new")
    leftovers = [
        temporary,
        *(temporary.with_name(f"{temporary.name}-{s}") for s in ("journal", "wal", "shm")),
    ]
    try:
        for leftover in leftovers:  # a killed run's; the lock says that nobody is at work here
            leftover.unlink(missing_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield temporary
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        for journal in _journals(path):  # a stale one beside the new file would be played into it
            journal.unlink(missing_ok=True)
        temporary.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise EnvironmentFailed(
            f"{path} cannot be written: {error.strerror}.",
            hint="Free space there, or use another --work-dir.",
        ) from error
    finally:
        for leftover in leftovers:
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)


def discard_audit(work_dir: WorkDir) -> None:
    """Removes what an earlier audit left: the verdict first, so that none outlives what it is about.

    Raises EnvironmentFailed where that cannot be.
    """
    try:
        work_dir.verdict.unlink(missing_ok=True)
        for folder in (work_dir.gx, work_dir.review):
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        raise EnvironmentFailed(
            f"The earlier audit in {work_dir.path} cannot be removed: {error.strerror}.",
            hint="Make the work directory writable, or use another --work-dir.",
        ) from error


def remove_database(path: Path) -> None:
    """Removes a file of the work directory, and what SQLite may have put beside it, where they are there.

    Raises EnvironmentFailed where that cannot be.
    """
    try:
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFailed(
            f"{path} cannot be removed: {error.strerror}.",
            hint="Make the work directory writable, or use another --work-dir.",
        ) from error


def fsync_folder(folder: Path) -> None:
    """Makes a rename in ``folder`` survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _journals(database: Path) -> list[Path]:
    return [database.with_name(f"{database.name}-{suffix}") for suffix in ("journal", "wal", "shm")]


@contextmanager
def _locked(lock: Path, shown: Path) -> Iterator[None]:
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _not_writable(shown, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            by = f" by process {holder}" if holder.isdigit() else ""
            raise EnvironmentFailed(
                f"The work directory {shown} is in use{by}: another run is in progress.",
                hint="Wait until it is done, or use another --work-dir.",
            ) from error
        except OSError as error:
            raise EnvironmentFailed(
                f"The work directory {shown} cannot be locked: {error.strerror}.",
                hint="Use a --work-dir on a local disk.",
            ) from error
        # Who holds it is a courtesy to the next run; a full disk must fail where it says what is missing.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def _not_writable(path: Path, error: OSError) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"The work directory {path} cannot be written to: {error.strerror}.",
        hint="Make it writable, or use another --work-dir.",
    )


def _refuse_collisions(work_dir: WorkDir, database: Path) -> None:
    """Compares resolved paths and inodes, since links and mounts give one file several names."""
    database = database.resolve()
    if _same(work_dir.path, database.parent):
        raise UsageError(
            f"The work directory {work_dir.path} is the live database's own folder.",
            hint="Use another --work-dir: lotgate replaces files in it.",
        )
    if _same(work_dir.path, database):
        raise UsageError(
            f"The work directory {work_dir.path} is the live database itself.",
            hint="Name a folder with --work-dir.",
        )
    for path in work_dir.files:
        if _same(path, database):
            raise UsageError(
                f"{path} in the work directory is the live database itself.",
                hint="Use another --work-dir, or remove that link.",
            )
    for folder in (work_dir.controls, work_dir.dbt, work_dir.rehearsal):
        if folder.is_symlink():
            raise UsageError(
                f"{folder} is a link to a folder, which lotgate empties.",
                hint="Remove the link, or use another --work-dir.",
            )
    for folder in work_dir.folders:
        if any(_same(folder, parent) for parent in database.parents):
            raise UsageError(
                f"The live database is inside {folder}, which lotgate empties.",
                hint="Use another --work-dir.",
            )


def _same(one: Path, other: Path) -> bool:
    if one.resolve() == other:
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False
