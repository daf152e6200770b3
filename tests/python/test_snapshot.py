"""The snapshot: consistent beside writers, complete, repeatable, and never half there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conftest import LOTGATE, Outcome, fill, fingerprint
from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.legacy_schema import SNAPSHOT_COLUMNS, Shape, create_legacy_database
from lotgate.snapshot import Snapshot, take_snapshot
from lotgate.workdir import WorkDir

# One transaction after the other; a header and its item always come together, and stock goes down by as much.
WRITER = """
import select, sqlite3, sys, time
path, first = sys.argv[1], int(sys.argv[2])
connection = sqlite3.connect(path, timeout=10, isolation_level=None)
longest, number = 0.0, first
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.002)[0]:
    start = time.monotonic()
    connection.execute("begin immediate")
    connection.execute(
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-06', ?)", (number,)
    )
    connection.execute(
        "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
        " values ('2025-10-06', '17612 - 250300', '17612', 1, ?)",
        (number,),
    )
    connection.execute("update inventory_current set current_quantity = current_quantity - 1")
    connection.execute("commit")
    longest = max(longest, time.monotonic() - start)
    number += 1
print(number - first, longest, flush=True)
"""


def snapshot(database: Path, work: Path) -> Snapshot:
    work.mkdir(exist_ok=True)
    return take_snapshot(database, WorkDir(work))


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def writers(path: Path, count: int) -> Iterator[list[tuple[int, float]]]:
    """Writer processes at work inside the block; then the list has commits and longest wait of each."""
    results: list[tuple[int, float]] = []
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(1_000_000 * (n + 1))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield results
    finally:
        for process in processes:
            out, _ = process.communicate("stop\n", timeout=30)
            commits, longest = out.split()
            results.append((int(commits), float(longest)))


def test_it_is_consistent_while_others_write(live: Path, work: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("update inventory_current set current_quantity = 20 - 20")
        connection.execute("create table filler (a)")  # so that the copy takes a while
        connection.execute(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 200)"
            " insert into filler select randomblob(100000) from n"
        )
        connection.commit()
    seen = []
    with writers(live, 2) as results:
        for _ in range(6):
            taken = snapshot(live, work)
            counted = {table.name: table.rows for table in taken.tables}
            assert counted["shipped_orders"] == counted["shipped_items"]
            (orphans, stock), *_ = rows(
                work / "legacy.sqlite",
                "select (select count(*) from shipped_items i left join shipped_orders o using (order_number)"
                " where o.id is null), (select current_quantity from inventory_current)",
            )
            assert orphans == 0
            assert stock == 20 - counted["shipped_items"]  # type: ignore[operator]
            seen.append(counted["shipped_items"])
    assert len(set(seen)) > 1, "the writers wrote nothing between the snapshots"
    assert all(commits > 10 for commits, _ in results)
    assert max(longest for _, longest in results) < 2.0
    total = sum(commits for commits, _ in results)
    assert rows(live, "select count(*) from shipped_items") == [(20 + total,)]


def test_a_rollback_journal_database_works_too(live: Path, work: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("pragma journal_mode = delete")
    before = fingerprint(live.parent)
    assert snapshot(live, work).journal_mode == "delete"
    assert fingerprint(live.parent) == before


def test_the_copy_is_a_closed_read_only_file_for_its_owner(live: Path, work: Path) -> None:
    taken = snapshot(live, work)
    assert sorted(path.name for path in work.iterdir()) == ["legacy.sqlite", "snapshot.json"]
    assert stat.S_IMODE(taken.path.stat().st_mode) == 0o400
    assert stat.S_IMODE((work / "snapshot.json").stat().st_mode) == 0o600
    assert rows(taken.path, "pragma journal_mode") == [("delete",)]
    assert rows(taken.path, "pragma integrity_check") == [("ok",)]
    assert taken.sha256 == hashlib.sha256(taken.path.read_bytes()).hexdigest()
    described = json.loads((work / "snapshot.json").read_text())
    assert described.pop("taken_at").endswith("+00:00")
    assert described == json.loads(json.dumps(taken.as_json()))


def test_the_same_source_gives_the_same_bytes(live: Path, tmp_path: Path) -> None:
    first = snapshot(live, tmp_path / "one")
    assert snapshot(live, tmp_path / "two").sha256 == first.sha256
    assert snapshot(live, tmp_path / "one").sha256 == first.sha256
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("update shipped_items set quantity_shipped = 3 where id = 1")
        connection.commit()
    assert snapshot(live, tmp_path / "two").sha256 != first.sha256


def test_rows_in_the_wal_count_as_those_in_the_file(live: Path, tmp_path: Path, hold: object) -> None:
    hold(live, "update shipped_items set quantity_shipped = 3 where id = 1").kill()  # type: ignore[operator]
    in_wal = snapshot(live, tmp_path / "one")
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert snapshot(live, tmp_path / "two").sha256 == in_wal.sha256


@pytest.mark.parametrize("shape", list(Shape))
def test_the_models_see_one_schema_in_every_shape(shape: Shape, tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, shape)) as connection:
        had = {table: set() for table in SNAPSHOT_COLUMNS} | {
            table: {column for _, column, *_ in connection.execute(f"pragma table_info({table})")}
            for (table,) in connection.execute(
                "select name from sqlite_schema where type = 'table'"
            ).fetchall()
        }
    taken = snapshot(path, tmp_path / "work")
    expected = set()
    for table, columns in SNAPSHOT_COLUMNS.items():
        found = {row[1] for row in rows(taken.path, f"pragma table_info({table})")}
        assert set(columns) <= found
        if not had[table]:
            expected.add(f"table {table}")
        else:
            expected |= {f"column {table}.{column}" for column in set(columns) - had[table]}
    assert set(taken.added) == expected
    assert (not taken.added) == (shape in (Shape.late, Shape.keyless))


def test_nothing_in_the_schema_is_overlooked(live: Path, work: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.executescript("""
            create view daily as select ship_date, sum(quantity_shipped) from shipped_items group by 1;
            create view broken as select x from gone;
            create trigger watch after insert on shipped_items begin select 1; end;
            create virtual table search using fts5(body);
            create table "odd ""name" (a, b generated always as (a + 1));
            create table keyed (k text primary key) without rowid;
            insert into "odd ""name" (a) values (1);
        """)
    taken = snapshot(live, work)
    found = {table.name: (table.kind, table.rows, table.role) for table in taken.tables}
    assert found["shipped_items"] == ("table", 20, "derived-from")
    assert found["workflows"] == ("table", 0, "carried over")
    assert found['odd "name'] == ("table", 1, "left alone")
    assert found["keyed"] == ("table", 0, "left alone")
    assert found["daily"] == ("view", None, "left alone")
    assert found["broken"] == ("view", None, "left alone")
    assert found["watch"] == ("trigger", None, "left alone")
    assert found["search"] == ("virtual table", None, "left alone")
    assert next(t for t in taken.tables if t.name == 'odd "name').columns == ("a", "b")
    in_schema = rows(
        live, "select name from sqlite_schema where type <> 'index' and name not glob 'sqlite_*'"
    )
    assert set(found) == {name for (name,) in in_schema}


def test_broken_foreign_keys_are_reported_and_block_nothing(live: Path, work: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.executescript("""
            insert into order_items_inbox (order_inbox_id, sku, quantity)
            values (7, '17612', 1), (8, '17612', 1);
            update shipped_items set order_number = 'none' where id = 1;
            create table parent (a);
            create table child (a references parent (a));
            insert into child values (1);
        """)
    taken = snapshot(live, work)
    assert taken.foreign_key_violations == {"order_items_inbox": 2, "shipped_items": 1}
    assert taken.foreign_keys_unchecked == ("child",)


def test_a_snapshot_of_a_snapshot_is_possible(live: Path, work: Path, tmp_path: Path) -> None:
    first = snapshot(live, work)
    again = snapshot(first.path, tmp_path / "again")
    assert "lotgate_snapshot" not in {table.name for table in again.tables}
    assert rows(again.path, "select value from lotgate_snapshot where key = 'source'") == [(str(first.path),)]


@pytest.mark.parametrize(
    "stop", [OSError(28, "No space left on device"), KeyboardInterrupt(), GateClosed("no")]
)
@pytest.mark.parametrize("at", ["copy_database", "_check_rows", "file_sha256", "additions"])
def test_a_failure_leaves_the_previous_snapshot(
    live: Path, work: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, at: str
) -> None:
    snapshot(live, work)
    before = fingerprint(work)
    source = fingerprint(live.parent)

    def fail(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr(f"lotgate.snapshot.{at}", fail)
    with pytest.raises(EnvironmentFailed if isinstance(stop, OSError) else type(stop)):
        snapshot(live, work)
    assert fingerprint(work) == before
    assert fingerprint(live.parent) == source


def test_a_killed_run_is_cleaned_up_by_the_next(live: Path, work: Path) -> None:
    taken = snapshot(live, work)
    previous = taken.path.read_bytes()
    slow = (
        "import lotgate.snapshot as s, time\n"
        "s.file_sha256 = lambda path: (print('half', flush=True), time.sleep(60))\n"
        "from lotgate.cli import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow, "snapshot", "--database", str(live), "--work-dir", str(work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (work / ".legacy.sqlite.new").exists()
    assert taken.path.read_bytes() == previous
    again = subprocess.run(
        [*LOTGATE, "snapshot", "--database", str(live), "--work-dir", str(work)],
        capture_output=True,
        check=False,
    )
    assert again.returncode == 0
    assert not list(work.glob(".*.new*"))


def test_a_stale_journal_is_not_played_into_the_new_snapshot(live: Path, work: Path) -> None:
    snapshot(live, work)
    for suffix in ("journal", "wal", "shm"):
        (work / f"legacy.sqlite-{suffix}").write_bytes(b"stale")
    snapshot(live, work)
    assert sorted(path.name for path in work.iterdir()) == ["legacy.sqlite", "snapshot.json"]


def test_a_symbolic_link_is_followed_to_the_wal(live: Path, work: Path, tmp_path: Path, hold: object) -> None:
    hold(live, "update shipped_items set quantity_shipped = 9")  # type: ignore[operator]
    link = tmp_path / "link.db"
    link.symlink_to(live)
    taken = snapshot(link, work)
    assert taken.source == live
    assert rows(taken.path, "select distinct quantity_shipped from shipped_items") == [(9,)]


def test_the_sidecars_of_a_running_writer_stay(live: Path, work: Path, hold: object) -> None:
    """A writer that comes while the snapshot is taken, and commits, keeps its -wal."""
    from lotgate.sqlite_files import open_live

    with open_live(live):
        hold(live, "update shipped_items set quantity_shipped = 8")  # type: ignore[operator]
    assert live.with_name("ora.db-wal").stat().st_size > 0
    assert live.with_name("ora.db-shm").exists()
    assert rows(live, "select distinct quantity_shipped from shipped_items") == [(8,)]


@pytest.mark.parametrize("end", ["killed", "closed"])
def test_rows_of_a_writer_that_came_and_went_are_kept(live: Path, hold: object, end: str) -> None:
    """Nobody has the database open any more, and the -wal was not there before: it holds the only copy."""
    from lotgate.sqlite_files import open_live

    with open_live(live):
        if end == "killed":
            holder = hold(live, "update shipped_items set quantity_shipped = 8")  # type: ignore[operator]
            holder.kill()
            holder.wait()
        else:
            change = "c.execute('update shipped_items set quantity_shipped = 8'); c.commit(); c.close()"
            subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); {change}",
                    live,
                ],
                check=True,
            )
    assert rows(live, "select distinct quantity_shipped from shipped_items") == [(8,)]


def test_all_reads_of_an_open_live_database_see_one_state(live: Path, hold: object) -> None:
    from lotgate.sqlite_files import open_live

    with open_live(live) as opened:
        hold(live, "update shipped_items set quantity_shipped = 8")  # type: ignore[operator]
        seen = opened.connection.execute("select distinct quantity_shipped from shipped_items").fetchall()
    assert seen == [(2,)]


def test_an_idle_reader_keeps_the_empty_wal_that_it_uses(live: Path, hold: object) -> None:
    from lotgate.sqlite_files import open_live

    with open_live(live):
        holder = hold(live, "select count(*) from shipped_items")  # type: ignore[operator]
    assert live.with_name("ora.db-wal").exists()
    holder.kill()
    holder.wait()


def test_a_million_values_are_looked_through_quickly(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, Shape.keyless)) as connection:
        fill(connection)
        connection.execute(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)"
            " insert into shipped_items"
            " (ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
            " select '2025-09-15', '17612 - 250237', '17612', 1, i, '2025-10-01 19:32:37' from n"
        )
        connection.commit()
    start = time.monotonic()
    snapshot(path, work)
    assert time.monotonic() - start < 10


def test_nothing_of_the_copy_is_readable_for_others_while_it_is_made(
    live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lotgate.snapshot as module

    seen = []
    real = module.file_sha256

    def look(path: Path) -> str:
        seen.append({file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()})
        return real(path)

    monkeypatch.setattr(module, "file_sha256", look)
    old = os.umask(0)
    try:
        snapshot(live, work)
    finally:
        os.umask(old)
    assert seen == [{".legacy.sqlite.new": 0o600}]
    shutil.rmtree(work)


def test_a_new_snapshot_takes_an_older_candidate_away(
    lotgate: Callable[..., Outcome], live: Path, work: Path
) -> None:
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0
    stale = [work / name for name in ("candidate.sqlite", "candidate.failed.sqlite", "build.json")]
    for file in stale:
        file.write_bytes(b"of the snapshot before")
    assert lotgate("snapshot", "--database", live.parent / "wrong.db", "--work-dir", work).code == 2
    assert all(file.exists() for file in stale)
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0
    assert not any(file.exists() for file in stale)


def test_an_id_that_leaves_no_room_is_refused(
    lotgate: Callable[..., Outcome], live: Path, work: Path
) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("update shipped_items set id = 9223372036854775807 where id = 1")
        connection.commit()
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert outcome.code == 2
    assert "the highest id is 9223372036854775807: recovered rows have no room after it" in outcome.err
