"""The live database's log stays short beside readers that leave SQLite no moment to begin it anew.

Source: docs/swap.md, "What SQLite asks for".
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import Outcome
from lotgate.config import SwapSettings
from lotgate.console import SilentReporter
from lotgate.errors import EnvironmentFailed
from lotgate.live import staging as staging_module
from lotgate.live import write_ahead_log
from lotgate.live.connection import open_for_writing
from lotgate.live.staging import drop_tables
from lotgate.live.write_ahead_log import LogState, ShortLog, checkpoint
from swap_cases import SwapCase, assert_sound, copy_case, picture
from swap_fault_cases import before_calling, is_swapped, refused, succeeds

Cli = Callable[..., Outcome]
PAGE = 4096 + 24


@dataclass
class Crowd:
    """Other programs: one reads for long and then again at once, one writes; and a clock that they move.

    While lotgate polls, the reader has a moment between two queries every tenth time; never, without
    ``gaps``.
    """

    database: Path
    gaps: bool = True
    now: float = 0.0
    polls: int = 0
    reader: sqlite3.Connection | None = None

    def read_again(self) -> None:
        """The next query begins before the one before it ends."""
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=0)
        connection.execute("begin")
        connection.execute("select count(*) from sqlite_schema").fetchone()
        self.stop_reading()
        self.reader = connection

    def stop_reading(self) -> None:
        if self.reader is not None:
            self.reader.close()
        self.reader = None

    def write(self) -> None:
        """At once, or it fails: nobody holds a lock."""
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None, timeout=0)) as other:
            other.execute("insert into others values (null)")

    def while_lotgate_sleeps(self, seconds: float) -> None:
        self.now += seconds
        self.polls += 1
        self.write()
        if self.gaps and self.polls % 10 == 0:
            self.stop_reading()
        else:
            self.read_again()


@pytest.fixture
def crowd(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    """It reads; and begins its next query whenever lotgate sleeps."""
    made = Crowd(database)
    made.read_again()
    clock = SimpleNamespace(sleep=made.while_lotgate_sleeps, monotonic=lambda: made.now)
    monkeypatch.setattr(write_ahead_log, "time", clock)
    monkeypatch.setattr(write_ahead_log, "PAUSE_AT_LEAST_S", 0.25)
    monkeypatch.setattr(
        staging_module,
        "time",
        SimpleNamespace(sleep=lambda seconds: made.read_again(), monotonic=time.monotonic),
    )
    yield made
    made.stop_reading()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A table of 20,000 rows with an index in no order."""
    path = tmp_path / "it's live.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table filler (note text, other integer)")
        connection.execute("create table others (id integer primary key)")
        connection.execute(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)"
            " insert into filler select printf('%050d', i), i * 7919 % 20011 from n"
        )
        connection.execute("create index filler_other on filler (other, note)")
    return path


@pytest.fixture
def writer(database: Path) -> Iterator[sqlite3.Connection]:
    with open_for_writing(database) as connection:
        connection.execute("pragma wal_autocheckpoint = 0")
        yield connection


def fill(connection: sqlite3.Connection, pages: int) -> None:
    connection.execute("insert into others values (null)")
    connection.execute(f"update filler set note = note || 'x' where rowid <= {pages * 60}")


def log_bytes(database: Path) -> int:
    return database.with_name(database.name + "-wal").stat().st_size


def test_readers_are_waited_for_and_the_log_begins_anew(
    writer: sqlite3.Connection, crowd: Crowd, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs read and write meanwhile: lotgate holds no lock while it waits."""
    monkeypatch.setattr(write_ahead_log, "BOUND", 20 * PAGE)
    fill(writer, 50)
    before = checkpoint(writer).frames
    assert before > 20
    (timeout,) = writer.execute("pragma busy_timeout").fetchone()
    ShortLog().wait_for_readers(writer, checkpoint(writer))
    assert crowd.polls == 10
    assert writer.execute("pragma busy_timeout").fetchone() == (timeout,)
    crowd.read_again()
    fill(writer, 0)
    assert checkpoint(writer).frames < 10
    assert writer.execute("select count(*) from others").fetchone() == (1 + 10 + 1,)


def test_a_reader_without_a_pause_is_waited_for_again_after_as_much_more(
    writer: sqlite3.Connection, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_ahead_log, "BOUND", 60 * PAGE)
    crowd.gaps = False
    log = ShortLog()
    waited = []
    for _ in range(300):
        fill(writer, 0)
        before = crowd.now
        log.wait_for_readers(writer, checkpoint(writer))
        waited.append(crowd.now > before)
    waited_at = log.waited_at
    log.wait_for_readers(writer, LogState(-1))  # another connection is at a checkpoint
    assert log.waited_at == waited_at > 0
    frames = checkpoint(writer).frames
    assert frames >= 300
    assert 4 <= sum(waited) <= frames / 60
    assert crowd.now == pytest.approx(sum(waited) * write_ahead_log.PATIENCE_S)


def test_a_short_log_is_not_waited_for(writer: sqlite3.Connection, crowd: Crowd) -> None:
    fill(writer, 50)
    ShortLog().wait_for_readers(writer, checkpoint(writer))
    assert crowd.polls == 0


@pytest.mark.parametrize("gaps", [True, False])
def test_without_room(
    writer: sqlite3.Connection,
    crowd: Crowd,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    gaps: bool,
) -> None:
    """It is waited longer, and then stopped while others can still write."""
    monkeypatch.setattr(write_ahead_log, "BOUND", 20 * PAGE)
    monkeypatch.setattr(write_ahead_log, "FREE_AT_LEAST", 1_000_000)
    monkeypatch.setattr(write_ahead_log, "PATIENCE_S", 0.01)
    monkeypatch.setattr(write_ahead_log, "free_bytes", lambda folder: 999_999)
    crowd.gaps = gaps
    fill(writer, 50)
    (timeout,) = writer.execute("pragma busy_timeout").fetchone()
    if gaps:
        ShortLog().wait_for_readers(writer, checkpoint(writer))
        fill(writer, 0)
        assert checkpoint(writer).frames < 10
    else:
        with pytest.raises(EnvironmentFailed) as caught:
            ShortLog().wait_for_readers(writer, checkpoint(writer))
        assert caught.value.exit_code == 3
        assert str(database) in str(caught.value)
        assert "1000.0 kB are free" in str(caught.value)
        assert "Pause the programs that read long" in (caught.value.hint or "")
        assert crowd.now >= write_ahead_log.PATIENCE_WITHOUT_ROOM_S
        monkeypatch.setattr(write_ahead_log, "free_bytes", lambda folder: 1_000_000)
        ShortLog().wait_for_readers(writer, checkpoint(writer))
    assert writer.execute("pragma busy_timeout").fetchone() == (timeout,)


def test_the_log_of_emptying_a_table(
    database: Path, crowd: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the same reader, with and without the bound: a multiple of the table, or little more than it."""
    settings = SwapSettings(backup_folders=(tmp_path / "one", tmp_path / "two"))
    monkeypatch.setattr("lotgate.live.staging.SMALL_TABLE", 0)
    monkeypatch.setattr("lotgate.live.staging.LARGEST_CHUNK", 100)
    sizes = []
    original = database.read_bytes()
    for bound in (1_000_000_000, 100 * PAGE):
        crowd.stop_reading()
        database.write_bytes(original)
        crowd.read_again()
        monkeypatch.setattr(write_ahead_log, "BOUND", bound)
        with open_for_writing(database) as connection:
            drop_tables(connection, ("filler",), settings, reporter=SilentReporter())
            assert (
                connection.execute("select name from sqlite_schema where name = 'filler'").fetchone() is None
            )
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
            sizes.append(log_bytes(database))
    assert sizes[1] < 3 * 100 * PAGE < sizes[0] / 3, sizes


@pytest.fixture
def case(demo_build: Path, tmp_path: Path) -> SwapCase:
    return copy_case(demo_build, tmp_path / "case")


def test_a_swap_stops_before_the_log_takes_the_last_room(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is promoted; what is staged goes as soon as the readers let it."""
    before = picture(case.database)
    waited = []
    clock = SimpleNamespace(sleep=waited.append, monotonic=lambda: sum(waited))
    with monkeypatch.context() as patched, contextlib.closing(sqlite3.connect(case.database)) as reader:
        patched.setattr(write_ahead_log, "BOUND", 20 * PAGE)
        patched.setattr(write_ahead_log, "free_bytes", lambda folder: 1_000_000)
        patched.setattr(write_ahead_log, "time", clock)
        patched.setattr(write_ahead_log, "PAUSE_AT_LEAST_S", 1.0)
        before_calling(patched, "stage", lambda: reader.executescript("begin; select * from shipped_orders;"))
        outcome = case.run(lotgate, "swap")
    refused(outcome, 3, "write-ahead log", "1.0 MB are free", "Pause the programs")
    home = succeeds(case.run(lotgate, "status", "--json")).json
    assert home["phase"] == "legacy"
    assert picture(case.database) == before
    assert_sound(case)
    succeeds(case.run(lotgate, "swap"))
    assert is_swapped(case)
