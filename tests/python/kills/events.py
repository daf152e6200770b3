"""The steps of a process: every SQL statement and every file operation, before and after; and death at one.

Nothing of this is in lotgate: connections are made by a subclass of SQLite's, files are seen by an audit hook
(https://docs.python.org/3/library/audit_events.html). It is installed in a forked child and ends with it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

__all__ = ["Point", "Watch"]

Result = TypeVar("Result")

FILE_EVENTS = {
    "os.chmod": "chmod",
    "os.link": "link",
    "os.mkdir": "mkdir",
    "os.remove": "remove",
    "os.rename": "rename",
    "os.rmdir": "rmdir",
    "os.symlink": "symlink",
    "os.truncate": "truncate",
    "subprocess.Popen": "command",
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Point:
    """A moment at which a process can be killed: ``kind`` is ``sql`` or ``file``, ``name`` the statement's
    first word or the operation, ``when`` before or after it. ``text`` begins the statement or is a path."""

    kind: str
    name: str
    when: str
    text: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}"

    def as_json(self) -> dict[str, str]:
        return asdict(self)


class Watch:
    """Counts the points of this process, from 1 on, and kills it at ``kill_at``.

    Without ``kill_at`` the points are kept. ``told`` gets the point just before the end.
    """

    def __init__(self, kill_at: int | None, told: Callable[[Point], None]) -> None:
        self.kill_at = kill_at
        self.told = told
        self.count = 0
        self.points: list[Point] = []

    def reach(self, kind: str, name: str, when: str, text: str = "") -> None:
        self.count += 1
        point = Point(kind, name, when, text[:120])
        if self.kill_at is None:
            self.points.append(point)
        elif self.count == self.kill_at:
            self.told(point)
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """From here on every statement and file operation of this process counts. It cannot be taken back."""
        self._watch_sqlite()
        self._watch_fsync()
        self._watch_commands()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if mode else bool(flags & WRITING)
            if writes and not isinstance(path, int) and os.fspath(path) not in (os.devnull, b"/dev/null"):
                self.reach("file", "open", "before", os.fsdecode(path))
        elif event in FILE_EVENTS:
            self.reach("file", FILE_EVENTS[event], "before", str(arguments[0]))

    def _watch_fsync(self) -> None:
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            self.reach("file", "fsync", "before")
            fsync(descriptor)
            self.reach("file", "fsync", "after")

        os.fsync = watched  # type: ignore[assignment]

    def _watch_commands(self) -> None:
        watch = self

        class Popen(subprocess.Popen):  # type: ignore[type-arg]
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                watch.reach("file", "command", "after", str(self.args))  # it is running now

        subprocess.Popen = Popen  # type: ignore[misc]

    def _watch_sqlite(self) -> None:
        watch = self

        def around(name: str, text: str, call: Callable[[], Result]) -> Result:
            watch.reach("sql", name, "before", text)
            try:
                return call()
            finally:
                watch.reach("sql", name, "after", text)

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                return around(_word(sql), sql, lambda: super(Connection, self).execute(sql, parameters))

            def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
                return around(_word(sql), sql, lambda: super(Connection, self).executemany(sql, rows))

            def executescript(self, sql: str, /) -> sqlite3.Cursor:
                return around("script", sql, lambda: super(Connection, self).executescript(sql))

            def commit(self) -> None:
                around("commit", "commit", super().commit)

            def rollback(self) -> None:
                around("rollback", "rollback", super().rollback)

            def backup(self, *arguments: Any, **options: Any) -> None:
                around("backup", "", lambda: super(Connection, self).backup(*arguments, **options))

            def close(self) -> None:  # the last connection's close writes the -wal back
                around("close", "", super().close)

        connect = sqlite3.connect

        def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
            return connect(*arguments, factory=Connection, **options)

        sqlite3.connect = watched  # type: ignore[assignment]


def _word(sql: str) -> str:
    return sql.split(None, 1)[0].lower() if sql.strip() else "nothing"
