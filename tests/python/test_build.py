"""``lotgate build``: what it leaves, that it repeats itself, how it fails, and what it tells on the way.

Also what the other tests of builds share: a small build takes as long as dbt needs to parse the project and
to run its unit tests, so they build at one path, where dbt finds what it has parsed, and most leave out the
unit tests, which never look at a database.
"""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from conftest import Outcome, fingerprint
from lotgate.controls import load_controls
from lotgate.dbt_run import DbtRun
from lotgate.generator import Shape, generate
from lotgate.legacy_schema import quoted
from lotgate.sqlite_files import open_live
from lotgate.table_hashes import hash_tables

Cli = Callable[..., Outcome]
Hold = Callable[..., subprocess.Popen[str]]

QUICK = [
    sys.executable,
    "-c",
    "from contextlib import nullcontext\n"
    "import lotgate.build as build\n"
    "none = build.DbtRun('', True, ())\n"
    "build.start_unit_tests = lambda work_dir: nullcontext(lambda: none)\n"
    "from lotgate.cli import main; main()",
]
"""The command without dbt's unit tests, for a process of its own."""


def leave_out_unit_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for this process."""
    none = DbtRun("", True, ())
    monkeypatch.setattr("lotgate.build.start_unit_tests", lambda work_dir: nullcontext(lambda: none))


def work_dir_of_the_session(factory: pytest.TempPathFactory) -> Path:
    """One path for all builds, empty but for what dbt has parsed before."""
    work = factory.getbasetemp() / "builds"
    parsed = work / "dbt" / "partial_parse.msgpack"
    kept = parsed.read_bytes() if parsed.exists() else None
    shutil.rmtree(work, ignore_errors=True)
    if kept is not None:
        parsed.parent.mkdir(parents=True)
        parsed.write_bytes(kept)
        work.chmod(0o700)
    return work


def write_controls(folder: Path, **files: list[str]) -> Path:
    """A folder with these control files: their lines, the first of which is the header."""
    folder.mkdir(exist_ok=True)
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def rows_of(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def put_old_candidate(work: Path) -> None:
    """What an earlier build left."""
    work.mkdir(mode=0o700, exist_ok=True)
    for name in ("candidate.sqlite", "build.json", "candidate.failed.sqlite"):
        (work / name).write_text("of an earlier build")


def apart_from_lotgate(database: Path) -> dict[str, Any]:
    """All that is in a database, but for what is lotgate's own: its schema and every row."""
    with open_live(database) as live:  # which leaves no -wal and -shm behind
        live.connection.text_factory = bytes
        schema = live.connection.execute(
            "select type, name, sql from sqlite_schema"
            " where name not like 'lotgate\\_%' escape '\\' and sql is not null order by name"
        ).fetchall()
        tables = [name.decode() for type_, name, _ in schema if type_ == b"table"]
        return {"": schema} | {
            table: live.connection.execute(f"select * from {quoted(table)}").fetchall() for table in tables
        }


def no_candidate(work: Path) -> bool:
    """Whether there is nothing that could be taken for a candidate."""
    names = {path.name for path in work.iterdir()}
    unwanted = {"candidate.sqlite", "build.json", "candidate.unfinished.sqlite"}
    return not unwanted & names and not any(name.startswith(".") and ".new" in name for name in names)


@pytest.fixture
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return work_dir_of_the_session(tmp_path_factory)


@pytest.fixture
def controls(tmp_path: Path) -> Path:
    return write_controls(tmp_path / "controls")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_unit_tests(monkeypatch)


def test_what_a_build_leaves(
    lotgate: Cli, live: Path, work: Path, controls: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything runs here, unit tests too, beside a -wal, and whatever the shell says to dbt."""
    hold(live, "update shipped_items set quantity_shipped = 3 where id = 1")
    monkeypatch.setenv("DBT_EMPTY", "1")
    monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "test unit_test")
    put_old_candidate(work)
    before, content = fingerprint(live.parent), apart_from_lotgate(live)
    assert before["ora.db-wal"][0] != hashlib.sha256(b"").hexdigest()
    old = os.umask(0)
    try:
        outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    finally:
        os.umask(old)
    assert outcome.code == 0, outcome.err
    after = fingerprint(live.parent)
    assert after.pop("ora.db-wal") != before.pop("ora.db-wal")  # the counter, and nothing else
    assert after == before
    assert apart_from_lotgate(live) == content
    assert rows_of(live, "select name from sqlite_schema where type = 'table' and name like 'lotgate%'") == [
        ("lotgate_state",), ("lotgate_change_counter",), ("lotgate_changed_orders",)
    ]  # fmt: skip
    assert os.environ["DBT_EMPTY"] == "1"

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in work.iterdir() if path.is_file()}
    assert modes == {
        ".lotgate.lock": 0o600,
        "build.json": 0o600,
        "candidate.sqlite": 0o600,
        "failures.sqlite": 0o600,
        "legacy.sqlite": 0o400,
        "shipstation.sqlite": 0o600,
        "snapshot.json": 0o600,
    }
    assert [path for path in work.rglob("*") if path.stat().st_mode & 0o077] == []  # dbt's, too
    described = json.loads((work / "build.json").read_text(encoding="ascii"))
    for name, file in (("snapshot", "legacy.sqlite"), ("evidence", "shipstation.sqlite")):
        assert described[f"{name}_sha256"] == hashlib.sha256((work / file).read_bytes()).hexdigest()
    assert described["no_counter_because"] is None
    recorded = json.loads((work / "snapshot.json").read_text(encoding="ascii"))["change_counter"]
    assert rows_of(live, "select value, stamp from lotgate_change_counter") == [tuple(recorded.values())]
    for name, text in load_controls(controls).as_files().items():
        assert (work / "controls" / name).read_text(encoding="utf-8") == text, "what the build read is there"
    tables = [table["table"] for table in described["hashes"]]
    assert {"skus", "lots", "shipped_orders", "shipped_items", "audit_row_ledger"} <= set(tables)
    found = hash_tables(work / "candidate.sqlite", tables)
    assert [table["sha256"] for table in described["hashes"]] == [table.sha256 for table in found]
    assert {table["table"]: table["rows"] for table in described["hashes"]}["shipped_items"] == 20
    checks = described["checks"]
    assert len(checks) == len({check["unique_id"] for check in checks}) > 200
    assert {check["status"] for check in checks} <= {"pass", "warn"}
    assert len(described["dbt_invocation_id"]) == 36
    units = "select sum(quantity_shipped) from shipped_items"
    assert rows_of(work / "candidate.sqlite", units) == [(41,)]

    lines = outcome.err.splitlines()
    assert "Building the candidate with dbt ..." in lines
    assert "Checking and hashing the candidate ..." in lines
    assert all(line.endswith(" ...") or ": done in " in line for line in lines)
    assert not set("\r\x1b") & set(outcome.err)
    assert "What became of the rows" in outcome.out
    assert str(work / "candidate.sqlite") in outcome.out


def test_building_again_gives_the_same_tables(lotgate: Cli, work: Path, tmp_path: Path, quick: None) -> None:
    made = generate(tmp_path / "made", rows=600, seed=12, shape=Shape.late)
    (made.controls / "quarantine_decisions.csv").unlink()  # they name rows by ids, which change below
    work.mkdir(mode=0o700, exist_ok=True)
    assert made.shipstation
    shutil.copyfile(made.shipstation, work / "shipstation.sqlite")

    def build() -> dict[str, tuple[int, str]]:
        outcome = lotgate(
            "build", "--database", made.database, "--work-dir", work, "--controls", made.controls, "--json"
        )
        assert outcome.code == 0, outcome.err
        assert outcome.err == ""
        assert outcome.json["figures"]["residual"] == 0
        return {table["table"]: (table["rows"], table["sha256"]) for table in outcome.json["build"]["hashes"]}

    first = build()
    assert first["shipped_items"][0] > 400
    assert first["lots"][0] > 10
    assert build() == first

    with closing(sqlite3.connect(made.database)) as connection:
        connection.execute("pragma foreign_keys = off")
        columns = [row[1] for row in connection.execute("pragma table_info(shipped_items)")][1:]
        names = ", ".join(f'"{name}"' for name in columns)
        connection.execute("create temp table moved as select * from shipped_items")
        connection.execute("delete from shipped_items")
        connection.execute(
            f"insert into shipped_items ({names})"
            f" select {names} from moved order by id * 7919 % 1009, id desc"
        )
        connection.commit()
    third = build()
    assert third["audit_row_ledger"] != first["audit_row_ledger"]
    assert {name: third[name] for name in ("skus", "lots")} == {
        name: first[name] for name in ("skus", "lots")
    }


WRITER = """
import itertools, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=2)
for number in itertools.count(1):
    order = f"{700000 + number}5"
    connection.execute("begin immediate")
    connection.execute(
        "insert into shipped_orders (ship_date, order_number) values ('2025-09-16', ?)", (order,))
    connection.execute(
        "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
        " values ('2025-09-16', '17612 - 250237', '17612', 1, ?)", (order,))
    connection.execute("commit")
    print(number, flush=True)
    if not sys.stdin.readline():
        break
"""


@pytest.fixture
def writers(live: Path) -> Iterator[Callable[[int], list[subprocess.Popen[str]]]]:
    """Starts processes that each write one order after the other, whenever they are told to."""
    started: list[subprocess.Popen[str]] = []

    def start(count: int) -> list[subprocess.Popen[str]]:
        program = WRITER
        for number in range(count):
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", program.replace("700000", str(700000 + 100000 * number)), live],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        return started

    yield start
    for writer in started:
        writer.kill()
        writer.communicate()


def test_writers_go_on_writing(
    lotgate: Cli,
    live: Path,
    work: Path,
    controls: Path,
    quick: None,
    writers: Callable[[int], list[subprocess.Popen[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An order and its row are written at once, before and after every step: the candidate has both."""
    busy = writers(2)
    written = [0, 0]

    def write(times: int = 1) -> None:
        for place, writer in enumerate(busy):
            assert writer.stdin
            assert writer.stdout
            for _ in range(times):
                line = writer.stdout.readline()
                assert line, writer.stderr and writer.stderr.read()
                written[place] = int(line)
                writer.stdin.write("\n")
                writer.stdin.flush()

    from lotgate.console import PlainReporter

    real = PlainReporter.step
    steps: list[str] = []

    def step(self: PlainReporter, title: str, total: float | None = None) -> Any:
        steps.append(title)
        write(5)
        return real(self, title, total)

    monkeypatch.setattr(PlainReporter, "step", step)
    write(3)
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert outcome.code == 0, outcome.err
    assert len(steps) == 7
    recorded = json.loads((work / "snapshot.json").read_text())["change_counter"]["value"]
    write(3)
    assert all(count > 30 for count in written)
    for writer in busy:
        assert writer.poll() is None
    (orders,) = rows_of(work / "candidate.sqlite", "select count(*) from shipped_orders")[0]
    (items,) = rows_of(work / "candidate.sqlite", "select count(*) from shipped_items")[0]
    assert orders == items
    assert 20 + 2 * 3 <= items < 20 + sum(written)
    (after,) = rows_of(live, "select count(*) from shipped_items")[0]
    assert after >= 20 + sum(written)
    (counted,) = rows_of(live, "select value from lotgate_change_counter")[0]
    assert counted - recorded >= 2 * (after - items)  # an order and its row, each time
    assert live.with_name("ora.db-wal").exists()


DECISION = (
    "legacy_id,order_number,base_sku,sku_lot,quantity_shipped,decision,ship_date,reason,decided_by,decided_on"
)


def decision(row: int, order: str, quantity: int = 2, sku: str = "17612") -> str:
    return f"{row},{order},{sku},{sku} - 250237,{quantity},remove,,never left,warehouse lead,2025-10-10"


def test_decisions_that_cannot_be_applied(
    lotgate: Cli, live: Path, work: Path, tmp_path: Path, quick: None
) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute(
            "update shipped_items set base_sku = '99999', sku_lot = '99999 - 250237' where id > 18"
        )
        connection.commit()
    lines = [
        decision(999, "600005"),
        decision(19, "600185", quantity=5, sku="99999"),
        decision(1, "600005"),
        decision(20, "600195", sku="99999"),
    ]
    controls = write_controls(tmp_path / "controls", quarantine_decisions=[DECISION, *lines])
    put_old_candidate(work)
    content = apart_from_lotgate(live)
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert outcome.code == 2
    problem = outcome.err[outcome.err.index("Error: ") :]
    file = controls / "quarantine_decisions.csv"
    assert problem.startswith(f"Error: 3 decisions in {file} cannot be applied:\n")
    for row, words in (
        (999, "does not exist in shipped_items: take the line out"),
        (19, "no longer matches order_number, base_sku, sku_lot or quantity_shipped: look at the row again"),
        (1, "is not quarantined (keep, late_import): take the line out"),
    ):
        (line,) = (line for line in problem.splitlines() if line.startswith(f"  row {row} (remove) "))
        assert words in line, line
    assert "row 20 " not in problem
    assert "Hint: Correct those lines, or name the folder of this database's controls with" in problem
    assert outcome.out == ""
    assert no_candidate(work)
    assert apart_from_lotgate(live) == content
    problems = "select count(*) from audit_decisions where problem is not null"
    assert rows_of(work / "candidate.failed.sqlite", problems) == [(3,)]
    assert stat.S_IMODE((work / "candidate.failed.sqlite").stat().st_mode) == 0o600


def test_a_row_named_twice_is_refused_before_anything_is_read(
    lotgate: Cli, live: Path, work: Path, tmp_path: Path
) -> None:
    lines = [DECISION, decision(7, "600065"), decision(7, "600065")]
    controls = write_controls(tmp_path / "controls", quarantine_decisions=lines)
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert outcome.code == 2
    assert "quarantine_decisions.csv" in outcome.err
    assert "line 3" in outcome.err
    assert "decision for the legacy_id of line 2; keep one of them" in outcome.err
    assert "Building" not in outcome.err
    assert not (work / "legacy.sqlite").exists()


def test_a_check_that_fails_is_named_in_words(
    lotgate: Cli, live: Path, work: Path, tmp_path: Path, quick: None
) -> None:
    expectation = ["ship_date,expected_units,source", "2025-09-15,41,counted"]
    controls = write_controls(tmp_path / "controls", expected_units=expectation)
    put_old_candidate(work)
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls, "--json")
    assert outcome.code == 1
    assert outcome.json["error"]["exit_code"] == 1
    message = outcome.json["error"]["message"]
    assert "check assert_units_are_as_the_owner_expects found 1 row: " in message
    assert "Guards the totals that an owner knows from elsewhere: expected_units.csv." in message
    assert str(work / "candidate.failed.sqlite") in outcome.json["error"]["hint"]
    assert outcome.err == f"Error: {message}\nHint: {outcome.json['error']['hint']}\n"
    assert no_candidate(work)
    assert rows_of(work / "candidate.failed.sqlite", "select count(*) from shipped_items") == [(20,)]


def test_a_description_that_cannot_be_written_leaves_no_candidate(
    lotgate: Cli, live: Path, work: Path, controls: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lotgate.build.Build.as_json", full)
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert outcome.code == 3
    assert f"{work / 'build.json'} cannot be written: No space left on device." in outcome.err
    assert no_candidate(work)
    assert (work / "candidate.failed.sqlite").exists()


def test_bars_on_a_terminal(live: Path, work: Path, controls: Path) -> None:
    leader, follower = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LOTGATE_", "NO_COLOR"))}
    try:
        process = subprocess.Popen(
            [*QUICK, "build", "--database", live, "--work-dir", work, "--controls", controls],
            stdout=subprocess.PIPE,
            stderr=follower,
            env=clean | {"TERM": "xterm-256color", "COLUMNS": "100"},
        )
        os.close(follower)
        seen = b""
        while True:
            try:
                seen += os.read(leader, 65536)
            except OSError:  # the last process on the other side is gone
                break
        out, _ = process.communicate()
    finally:
        os.close(leader)
    text = seen.decode()
    assert process.returncode == 0, text
    bars = [
        part for part in text.replace("\r", "\n").splitlines() if "Building the candidate with dbt" in part
    ]
    assert len(bars) > 3  # it moves
    assert any("━" in bar and "\x1b[" in bar for bar in bars)
    assert "✓" in bars[-1]
    assert " ..." not in text
    assert b"What became of the rows" in out
    assert b"\x1b" not in out
