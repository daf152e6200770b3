"""The counter in a build, and fingerprints of the schema."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conftest import drop_privileges, fingerprint
from counter_cases import OWN, Cli, Hold, install, opened
from lotgate.live.counter import (
    schema_fingerprint,
)
from lotgate.live.state import database_id
from lotgate.snapshot import Snapshot, take_snapshot
from lotgate.workdir import WorkDir
from test_build import QUICK, leave_out_unit_tests, work_dir_of_the_session


def test_the_write_lock_is_held_for_a_moment_only(live: Path) -> None:
    """The file is checked before, not under the lock."""
    with opened(live) as connection:
        connection.execute(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)"
            " insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
            " select '2025-09-15', '17612 - ' || i, '17612', 1, null from n"
        )
    statements: list[tuple[float, str]] = []

    def watch(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(lambda sql: statements.append((time.monotonic(), sql.lower())))

    from lotgate.live import counter as module

    real = module.open_for_writing

    @contextmanager
    def watched(path: Path, *, lock_timeout: float) -> Iterator[sqlite3.Connection]:
        with real(path, lock_timeout=lock_timeout) as connection:
            watch(connection)
            yield connection
            statements.append((time.monotonic(), "done"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_for_writing", watched)
        install(live)
    begun = next(at for at, sql in statements if sql == "begin immediate")
    assert statements[-1][0] - begun < 0.5
    assert not any("check" in sql and "pragma" in sql for _, sql in statements)
    assert not any("count(" in sql for _, sql in statements)


def test_a_schema_is_the_same_whatever_quotes_a_rename_adds(live: Path) -> None:
    with opened(live) as connection:
        connection.execute('create view v as select \'shipped_items\', "ship_date" from shipped_items -- "a"')
        connection.execute(
            "create trigger t after insert on workflows begin insert into shipped_orders (id) values (1); end"
        )
        before = schema_fingerprint(connection)
        text = connection.execute("select group_concat(sql) from sqlite_schema").fetchone()
        for table in ("shipped_items", "shipped_orders", "orders_inbox"):
            connection.execute(f"alter table {table} rename to aside")
            assert schema_fingerprint(connection) != before
            connection.execute(f"alter table aside rename to {table}")
        assert connection.execute("select group_concat(sql) from sqlite_schema").fetchone() != text
        assert schema_fingerprint(connection) == before
    install(live)
    with opened(live) as connection:
        connection.execute("create index lotgate_i on workflows (status)")
        connection.execute("analyze")
        assert schema_fingerprint(connection) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("create table t (a default 'x')", "create table t (a default '\"x\"')"),
        ("create table t (a default '\"x\"')", "create table t (a default 'x')"),
        ('create table t (a default "null")', "create table t (a default null)"),
        ('create table t (a default "true")', "create table t (a default true)"),
        ("create table t (a)", "create table t (b)"),
        ("create table t (a int)", "create table t (a int) strict"),
        ("create table t (a)", "create view t as select 1 as a"),
        ('create table t ("a b")', 'create table t ("a  b")'),
        ('create table t (a /* "b" */)', "create table t (a /* b */)"),
        ("create table t (a check (a <> ''))", "create table t (a check (a <> ' '))"),
        ("create table t (a)", "create table t (a); create index i on t (a)"),
    ],
)
def test_schemas_that_differ_have_other_fingerprints(one: str, other: str) -> None:
    found = []
    for statements in (one, other):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(statements)
            found.append(schema_fingerprint(connection))
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("create table t (a)", 'create table "t" ("a")'),
        ("create table t (a)", "create table [t] (`a`)"),
        ("create table u (a references t (b))", 'create table u (a references "t" ("b"))'),
    ],
)
def test_schemas_that_differ_in_quotes_only_have_one_fingerprint(one: str, other: str) -> None:
    found = []
    for statements in (one, other):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(statements)
            found.append(schema_fingerprint(connection))
    assert found[0] == found[1]


def snapshot(database: Path, folder: Path) -> Snapshot:
    folder.mkdir()
    return take_snapshot(database, WorkDir(folder))


def test_the_snapshot_knows_the_counter_and_its_copy_has_nothing_of_it(live: Path, tmp_path: Path) -> None:
    plain = snapshot(live, tmp_path / "plain")
    assert (plain.change_counter, plain.database_id) == (None, None)
    found = install(live)
    with opened(live) as connection:
        connection.execute("create table lotgate_history (id integer primary key, secret text)")
        connection.execute("create index their_index on lotgate_history (secret)")
        connection.execute("create view lotgate_view as select * from lotgate_history")
        connection.execute("insert into lotgate_history (secret) values ('only in the live database')")
        connection.execute("update shipped_items set quantity_shipped = 2")
        identity = database_id(connection)
    before = fingerprint(live.parent)
    taken = snapshot(live, tmp_path / "counted")
    assert fingerprint(live.parent) == before
    assert (taken.change_counter, taken.database_id) == (found, identity)
    assert taken.schema_fingerprint == plain.schema_fingerprint
    assert (taken.tables, taken.added) == (plain.tables, plain.added)
    described = json.loads((tmp_path / "counted" / "snapshot.json").read_text())
    assert described["change_counter"] == {"value": found.value, "stamp": found.stamp}
    with opened(taken.path) as connection:
        assert connection.execute(OWN).fetchall() == [("lotgate_snapshot",)]
        copied = list(connection.iterdump())
    with opened(plain.path) as connection:
        assert copied == list(connection.iterdump())
    assert b"only in the live database" not in taken.path.read_bytes()


def test_the_same_source_gives_the_same_bytes_whatever_the_stamp(live: Path, tmp_path: Path) -> None:
    """A build can be repeated to the byte, in another copy of the same database too."""
    found = []
    copy = tmp_path / "ora.db"
    for folder in ("one", "two"):
        copy.unlink(missing_ok=True)
        with opened(live) as source, opened(copy) as target:
            source.backup(target)
        install(copy)
        with opened(copy) as connection:
            connection.execute("update shipped_items set quantity_shipped = 3")
        found.append(snapshot(copy, tmp_path / folder))
    assert found[0].change_counter != found[1].change_counter
    assert found[0].sha256 == found[1].sha256


def build_words(live: Path, factory: pytest.TempPathFactory, controls: Path) -> list[str]:
    controls.mkdir()
    work = work_dir_of_the_session(factory)
    return ["build", "--database", str(live), "--work-dir", str(work), "--controls", str(controls)]


def described(words: list[str]) -> tuple[object, object]:
    """What the work directory says about the counter: that of the snapshot, and why there is none."""
    work = Path(words[words.index("--work-dir") + 1])
    found = [json.loads((work / name).read_text()) for name in ("snapshot.json", "build.json")]
    return found[0]["change_counter"], found[1]["no_counter_because"]


def test_a_build_without_a_counter(
    lotgate: Cli,
    live: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_out_unit_tests(monkeypatch)
    before = fingerprint(live.parent)
    words = build_words(live, tmp_path_factory, tmp_path / "controls")
    outcome = lotgate(*words, "--no-counter", "--json")
    assert outcome.code == 0, outcome.err
    assert fingerprint(live.parent) == before
    because = "--no-counter was given."
    assert outcome.err == f"No change-counter, so the candidate cannot be swapped: {because}\n"
    assert outcome.json["snapshot"]["change_counter"] is None
    assert outcome.json["build"]["no_counter_because"] == because
    assert described(words) == (None, because)

    found = install(live)  # one that is there is as good as a new one
    before = fingerprint(live.parent)
    outcome = lotgate(*words, "--no-counter")
    assert outcome.code == 0, outcome.err
    assert "No change-counter" not in outcome.err
    assert fingerprint(live.parent) == before
    assert described(words) == ({"value": found.value, "stamp": found.stamp}, None)


def test_a_build_beside_a_writer_that_does_not_let_go(
    lotgate: Cli,
    live: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    hold: Hold,
) -> None:
    leave_out_unit_tests(monkeypatch)
    hold(live, "begin immediate", "update shipped_items set quantity_shipped = 9")
    before = fingerprint(live.parent)
    words = build_words(live, tmp_path_factory, tmp_path / "controls")
    outcome = lotgate(*words, "--lock-timeout", "0.2")
    assert outcome.code == 0, outcome.err
    because = f"{live} was locked by another process for longer than 0.2 s."
    lines = [line for line in outcome.err.splitlines() if "No change-counter" in line]
    assert lines == [f"No change-counter, so the candidate cannot be swapped: {because}"]
    assert described(words) == (None, because)
    assert fingerprint(live.parent) == before


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_build_of_a_database_that_cannot_be_written_to(
    live: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, what: str
) -> None:
    before = fingerprint(live.parent)
    (live if what == "file" else live.parent).chmod(0o555)
    words = build_words(live, tmp_path_factory, tmp_path / "controls")
    done = subprocess.run(
        [*QUICK, *words], capture_output=True, text=True, preexec_fn=drop_privileges, check=False
    )
    live.parent.chmod(0o755)
    live.chmod(0o644)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "No change-counter" in line)
    because = f"{live if what == 'file' else live.parent} cannot be written to."
    assert line == f"No change-counter, so the candidate cannot be swapped: {because}"
    assert described(words) == (None, because)
    assert fingerprint(live.parent) == before
