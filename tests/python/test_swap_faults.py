"""What can go wrong with plan, swap, rollback, contract and status, one fault at a time.

After each the message says what is wrong, the exit code is the one of docs/design.md, section 3, the live
database is as it was to the last value, and the next try does what it should.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import resource
import sqlite3
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import lotgate.live.contract as contract_module
import lotgate.live.rollback as rollback_module
import lotgate.live.swap as swap_module
from compiled_models import CompiledModels
from conftest import LOTGATE, Outcome, drop_privileges, fill, run_lotgate
from lotgate.build import hashed_tables
from lotgate.controls import load_controls
from lotgate.errors import EnvironmentFailed
from lotgate.legacy_schema import MODEL_COLUMNS, Shape, create_legacy_database
from lotgate.live.after_checks import Finding
from lotgate.live.clock import utc_now
from lotgate.live.counter import install_counter
from lotgate.live.cutover import switch
from lotgate.table_hashes import hash_tables, schema_sha256
from lotgate.verdict import count_checks, read_verdict, write_verdict
from swap_cases import SwapCase, assert_sound, copy_case, picture, query, rebind, unharmed, write

Cli = Callable[..., Outcome]
Hold = Callable[..., "subprocess.Popen[str]"]

WORKFLOWS = "select workflow_name, enabled from workflow_controls order by 1"


@pytest.fixture
def case(demo_build: Path, tmp_path: Path) -> SwapCase:
    """The demo, not swapped yet; one of the workflows that a swap pauses is off already."""
    made = copy_case(demo_build, tmp_path / "case")
    write(made.database, "update workflow_controls set enabled = 0 where workflow_name = 'xml-import'")
    return made


@pytest.fixture
def swapped(case: SwapCase, lotgate: Cli) -> SwapCase:
    succeeds(case.run(lotgate, "swap"))
    return case


def refused(outcome: Outcome, code: int, *words: str) -> None:
    assert outcome.code == code, outcome
    assert outcome.err.startswith("Error: ") or "\nError: " in outcome.err, outcome
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in outcome.err, f"{word!r} is not in: {outcome.err}"


def succeeds(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome
    return outcome


def is_swapped(case: SwapCase) -> bool:
    names = {name for (name,) in query(case.database, "select name from sqlite_schema where type = 'table'")}
    return {"skus", "lots", "legacy_shipped_orders", "legacy_shipped_items"} <= names


def before_calling(
    monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], object], *, module: object = swap_module
) -> None:
    """Does something just before a step of the swap begins, the first time that it does."""
    real = getattr(module, name)
    done: list[bool] = []

    def run(*arguments: Any, **more: Any) -> Any:
        if not done:
            done.append(True)
            action()
        return real(*arguments, **more)

    monkeypatch.setattr(module, name, run)


# ---------------------------------------------------------------- disk full


@contextlib.contextmanager
def small_files() -> Iterator[Callable[[int], None]]:
    """A function that limits how long this process's files may get, until the end of the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


STEPS_BEFORE = ("take_backups", "stage", "verify_staged", "pause_ingestion", "switch_tables")
STEPS_AFTER = ("check_switched", "update_event", "finish")


@pytest.mark.parametrize("step", [*STEPS_BEFORE, *STEPS_AFTER])
def test_disk_full_from_a_step_on(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Nothing can be written any more from the step on, neither what it writes nor what undoes it."""
    before, flags = picture(case.database), query(case.database, WORKFLOWS)
    with small_files() as limit:
        before_calling(monkeypatch, step, lambda: limit(8192))
        outcome = case.run(lotgate, "swap")
    refused(outcome, 3)
    assert re.search("No space|limit on file sizes|cannot be written", outcome.err), outcome.err
    home = succeeds(case.run(lotgate, "status", "--json")).json
    assert_sound(case)
    assert query(case.database, WORKFLOWS) == flags
    if step in STEPS_BEFORE:
        assert home["phase"] == "legacy"
        assert (home["recovered"] == []) == (step == "take_backups")
        assert picture(case.database) == before
        succeeds(case.run(lotgate, "swap"))
    else:
        assert home["phase"] == "migrated"
        assert home["recovered"] == [
            "A swap was interrupted after its cut-over; it was checked and finished."
        ]
        assert [event["finished_at"] is None for event in home["events"]] == [False]
    assert is_swapped(case)
    assert query(case.database, WORKFLOWS) == flags


@pytest.mark.parametrize("step", ["take_backups", "stage", "pause_ingestion", "switch_tables"])
def test_no_page_is_left_while_a_step_writes(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """SQLITE_FULL, as on a full disk, within a step; what undoes it needs no new page."""
    real = getattr(swap_module, step)

    def run(*arguments: Any, **more: Any) -> Any:
        connection = arguments[0]
        if step == "take_backups":
            monkeypatch.setattr("lotgate.live.backups.free_bytes", lambda folder: 10, raising=False)
            monkeypatch.setattr("lotgate.live.backup_files.free_bytes", lambda folder: 10, raising=False)
            return real(*arguments, **more)
        (pages,) = connection.execute("pragma main.page_count").fetchone()
        connection.execute(f"pragma main.max_page_count = {pages + 1}")
        return real(*arguments, **more)

    monkeypatch.setattr(swap_module, step, run)
    with unharmed(case):
        outcome = case.run(lotgate, "swap")
        refused(outcome, 3, "are free" if step == "take_backups" else "No space is left", "ree space")
    monkeypatch.undo()
    assert case.run(lotgate, "swap").code == 0


def test_no_room_for_staging(case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotgate.live.preflight.free_bytes", lambda folder: 1_000_000)
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), 3, "needs up to", "1.0 MB are free", "Free space")
    assert case.backups == []


def test_every_limit_on_file_sizes_ends_in_one_of_two_states(demo_build: Path, tmp_path: Path) -> None:
    """In a process of its own, with limits from too small for a backup to enough."""
    made = copy_case(demo_build, tmp_path / "made")
    before = picture(made.database)
    size = made.database.stat().st_size
    found = set()
    for extra in (-200_000, 8_192, 100_000, 140_000, 3_000_000):
        case = copy_case(demo_build, tmp_path / str(extra))

        def small(limit: int = size + extra) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        outcome = case.run(run_cli(preexec=small), "swap")
        operation = query(case.database, "select value from lotgate_state where key = 'operation'")
        phase = json.loads(operation[0][0])["phase"] if operation else "none"
        found.add((outcome.code, phase))
        if outcome.code:
            refused(outcome, 3, "Check the disk, its free space and any limit on file sizes")
        home = succeeds(case.run(run_lotgate, "status", "--json")).json
        assert_sound(case)
        assert len(home["recovered"]) == (phase != "none")
        if phase == "switched" or outcome.code == 0:
            assert is_swapped(case)
        else:
            assert home["phase"] == "legacy"
            assert picture(case.database) == before
    assert {(3, "none"), (3, "staging"), (0, "none")} <= found


def run_cli(**settings: Any) -> Cli:
    return lambda *arguments: run_lotgate(*arguments, **settings)


@pytest.mark.parametrize("command", ["rollback", "contract"])
def test_disk_full_while_taking_back_or_contracting(
    swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Before the tables are touched, and after they were: the next command undoes, and finishes."""
    write(swapped.database, "drop view dashboard_daily_units")
    module = rollback_module if command == "rollback" else contract_module
    early, late = {
        "rollback": ("_switch_back", "finish"),
        "contract": ("_drop_columns", "finish_contract"),
    }[command]
    force = ("--force", "--confirm-name", "ora.db") if command == "contract" else ()
    before, flags = picture(swapped.database), query(swapped.database, WORKFLOWS)
    for step in (early, late):
        with small_files() as limit, monkeypatch.context() as patched:
            before_calling(patched, step, lambda: limit(8192), module=module)
            outcome = swapped.run(lotgate, command, *force)
        refused(outcome, 3)
        home = succeeds(swapped.run(lotgate, "status", "--json")).json
        assert len(home["recovered"]) == 1
        assert_sound(swapped)
        assert query(swapped.database, WORKFLOWS) == flags
        if step == early:
            assert home["phase"] == "migrated"
            assert picture(swapped.database) == before
    assert home["phase"] == ("legacy" if command == "rollback" else "contracted")


# ---------------------------------------------------------------- what cannot be written to


@pytest.mark.parametrize("what", ["file", "folder", "backups", "second backups"])
def test_read_only(case: SwapCase, what: str) -> None:
    place = {
        "file": case.database,
        "folder": case.database.parent,
        "backups": case.backup_folders[0],
        "second backups": case.backup_folders[1],
    }[what]
    if "backups" in what:
        place.mkdir()
    mode = stat.S_IMODE(place.stat().st_mode)
    with unharmed(case):
        place.chmod(0o444 if what == "file" else 0o555)
        outcome = case.run(run_cli(preexec=drop_privileges), "swap")
        place.chmod(mode)
        refused(outcome, 3, str(place))
        assert re.search("cannot be written|cannot be created", outcome.err), outcome.err
        assert case.backups == []


def test_a_backup_folder_that_is_a_link(case: SwapCase, lotgate: Cli, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(exist_ok=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with unharmed(case):
        refused(case.run(lotgate, "swap", "--backup-dir", link), 2, "symbolic link", str(link))
    assert case.backups == []


# ---------------------------------------------------------------- others at work


def test_a_locked_database(case: SwapCase, lotgate: Cli, hold: Hold) -> None:
    with unharmed(case):
        holder = hold(case.database, "begin immediate")
        outcome = case.run(lotgate, "swap", "--lock-timeout", "0.3")
        holder.kill()
        holder.wait()
        refused(outcome, 3, "locked by another process", "0.3 s", "--lock-timeout")
    succeeds(case.run(lotgate, "swap"))


def test_a_lock_during_the_cut_over_is_waited_for(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(case.database, isolation_level=None, check_same_thread=False)
    timers = []

    def lock() -> None:
        other.execute("begin immediate")
        timers.append(threading.Timer(0.9, other.execute, ["commit"]))
        timers[0].start()

    before_calling(monkeypatch, "switch", lock)
    result = succeeds(case.run(lotgate, "swap", "--lock-timeout", "0.1", "--json")).json
    timers[0].join()
    other.close()
    assert 2 <= result["attempts"] <= 5
    assert is_swapped(case)
    assert_sound(case)


def test_a_lock_that_outlives_every_attempt(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTGATE_LOCK_ATTEMPTS", "2")
    with unharmed(case), closing(sqlite3.connect(case.database, isolation_level=None)) as other:
        before_calling(monkeypatch, "switch", lambda: other.execute("begin immediate"))
        outcome = case.run(lotgate, "swap", "--lock-timeout", "0.1")
        other.execute("rollback")
        refused(outcome, 3, "2 attempts")
        # undoing was not possible either, so the staged tables are there until the next command
        home = succeeds(case.run(lotgate, "status", "--json")).json
        assert home["recovered"] == ["A swap was interrupted before it changed a table; it was undone."]


def test_a_cut_over_that_takes_too_long_gives_up(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTGATE_LOCK_ATTEMPTS", "3")
    with unharmed(case):
        outcome = case.run(lotgate, "swap", "--lock-budget-ms", "1")
        refused(outcome, 3, "within 1 ms in 3 attempts", "--lock-budget-ms")
    succeeds(case.run(lotgate, "swap"))


SLOW_QUERY = (
    "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000000)"
    " select max(i) from n"
)


@pytest.mark.parametrize("what", ["one long statement", "time outside of SQLite"])
def test_the_budget_ends_what_takes_too_long(case: SwapCase, what: str) -> None:
    """In the middle of a statement, and at the latest before the commit."""

    def body() -> None:
        connection.execute("delete from polling_state")
        connection.execute("update sync_watermark set updated_at = 'now'")
        if what == "one long statement":
            connection.execute(SLOW_QUERY).fetchall()
        else:
            time.sleep(0.06)

    with unharmed(case), closing(sqlite3.connect(case.database, isolation_level=None)) as connection:
        start = time.monotonic()
        with pytest.raises(EnvironmentFailed, match="within 50 ms in 1 attempts"):
            switch(connection, body, database=case.database, budget_ms=50, attempts=1)
        assert time.monotonic() - start < 3  # the statement alone takes longer
        assert not connection.in_transaction
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_a_reader_keeps_its_snapshot(case: SwapCase, lotgate: Cli) -> None:
    old = query(case.database, "select * from shipped_items order by id")
    with closing(sqlite3.connect(case.database, isolation_level=None)) as reader:
        reader.execute("begin")
        assert reader.execute("select * from shipped_items order by id").fetchall() == old
        succeeds(case.run(lotgate, "swap"))
        assert reader.execute("select * from shipped_items order by id").fetchall() == old
        assert reader.execute("select * from sqlite_schema where name = 'skus'").fetchall() == []
        reader.execute("commit")
        new = reader.execute("select * from shipped_items order by id").fetchall()
        assert new != old
        reader.execute("begin")
        assert reader.execute("select * from shipped_items order by id").fetchall() == new
        succeeds(case.run(lotgate, "rollback"))
        assert reader.execute("select * from shipped_items order by id").fetchall() == new
        reader.execute("commit")
        assert reader.execute("select * from shipped_items order by id").fetchall() == old
    assert_sound(case)


@pytest.mark.parametrize("command", ["plan", "swap"])
def test_rollback_journal_mode(case: SwapCase, lotgate: Cli, command: str) -> None:
    write(case.database, "pragma journal_mode = delete")
    with unharmed(case):
        outcome = case.run(lotgate, command)
        assert outcome.code == 1, outcome
        for words in ("the journal mode is delete", "pragma journal_mode = wal"):
            assert words in outcome.out + outcome.err
    assert query(case.database, "pragma journal_mode") == [("delete",)]
    assert case.backups == []


def test_two_lotgates_at_once(case: SwapCase, lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    """The first waits in its pause command, with everything staged."""
    paused, go = tmp_path / "paused", tmp_path / "go"
    settings = {
        "LOTGATE_PAUSE_COMMAND": f"touch '{paused}'; while [ ! -e '{go}' ]; do sleep 0.02; done",
        "LOTGATE_RESUME_COMMAND": "true",
    }
    other = replace_work_dir(case, demo_build, tmp_path / "other")
    arguments = [*LOTGATE, *map(str, case.arguments("swap", "--json"))]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, env=os.environ | settings, cwd=tmp_path
    ) as first:
        try:
            wait_for(paused)
            during = picture(case.database)
            refused(case.run(lotgate, "swap"), 3, "work directory", "another run is in progress")
            refused(other("swap"), 3, "Another lotgate is at work", str(case.database))
            refused(other("rollback"), 3, "Another lotgate is at work")
            # the database is not migrated, which comes first
            assert other("contract", "--force", "--confirm-name", "ora.db").code in (1, 3)
            refused(other("plan"), 1, "is under way since", "lotgate status")
            found = succeeds(other("status", "--json")).json
            assert (found["phase"], found["recovered"]) == ("in progress", [])
            assert found["under_way"].startswith("swap since ")
            assert "Another lotgate is at work" in found["next_steps"][0]
            assert picture(case.database) == during
        finally:
            go.touch()
        out, _ = first.communicate(timeout=30)
    assert first.returncode == 0
    assert json.loads(out)["rows"]["shipped_items"] == 467
    assert is_swapped(case)
    assert_sound(case)


def replace_work_dir(case: SwapCase, build: Path, folder: Path) -> Cli:
    """The commands on the same database, with a work directory of their own."""
    work = copy_case(build, folder)

    def run(command: str, *more: str) -> Outcome:
        arguments = work.arguments(command, *more)
        arguments[arguments.index(work.database)] = case.database
        return run_lotgate(*arguments)

    return run


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.02)


# ---------------------------------------------------------------- the source changed

CHANGES = {
    "inventory_current": (
        "insert into inventory_current (sku, product_name) values ('19001', 'Test paste')",
        "update inventory_current set product_name = product_name || '!' where id = 1",
    ),
    "lot_inventory": (
        "insert into lot_inventory (sku, lot, received_date) values ('17612', '259999', '2025-10-01')",
        "update lot_inventory set initial_qty = initial_qty + 1 where id = 1",
    ),
    "sku_lot": (
        "insert into sku_lot (sku, lot) values ('17612', '259999')",
        "update sku_lot set active = 1 - active where id = 1",
    ),
    "shipped_orders": (
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-12', '990005')",
        "update shipped_orders set ship_date = '2025-10-12' where id = (select min(id) from shipped_orders)",
    ),
    "shipped_items": (
        "insert into shipped_items (ship_date, base_sku, quantity_shipped, order_number)"
        " select '2025-10-12', '17612', 1, min(order_number) from shipped_orders",
        "update shipped_items set quantity_shipped = quantity_shipped + 1"
        " where id = (select min(id) from shipped_items)",
    ),
    "orders_inbox": (
        "insert into orders_inbox (order_number, order_date) values ('990005', '2025-10-12')",
        "update orders_inbox set status = 'cancelled', order_date = '2025-10-12'"
        " where id = (select min(id) from orders_inbox)",
    ),
    "configuration_params": (
        "insert into configuration_params (category, parameter_name, value) values ('Keys', 'x', 'y')",
        "update configuration_params set value = '7' || value"
        " where id = (select min(id) from configuration_params)",
    ),
    "inventory_transactions": (
        "insert into inventory_transactions (date, sku, quantity, transaction_type)"
        " values ('2025-10-12', '17612', 3, 'Receive')",
        "update inventory_transactions set quantity = quantity + 1 where id = 1",
    ),
}


def statements_for(table: str) -> tuple[str, str, str]:
    return (*CHANGES[table], f"delete from {table} where id = (select max(id) from {table})")


@pytest.mark.parametrize("table", sorted(MODEL_COLUMNS))
def test_data_changed_after_the_audit(case: SwapCase, lotgate: Cli, table: str) -> None:
    for number, statement in enumerate(statements_for(table), 1):
        write(case.database, statement)
        with unharmed(case):
            words = [f"{number} change", "Pause ingestion", "lotgate migrate"]
            if table in ("shipped_items", "shipped_orders"):
                words.append(", of order")
            refused(case.run(lotgate, "swap"), 1, "changed after the audit", *words)
    assert case.backups == []


@pytest.mark.parametrize("table", sorted(MODEL_COLUMNS))
def test_a_writer_that_switched_triggers_off(
    case: SwapCase, lotgate: Cli, table: str, demo_build: Path, tmp_path: Path
) -> None:
    """The counter says that nothing changed; comparing a backup with the snapshot finds it all the same."""
    for number, statement in enumerate(statements_for(table)):
        each = copy_case(demo_build, tmp_path / str(number))
        triggers = query(
            each.database,
            f"select name, sql from sqlite_schema where type = 'trigger' and tbl_name = '{table}'",
        )
        assert triggers
        write(
            each.database,
            *(f'drop trigger "{name}"' for name, _ in triggers),
            statement,
            *(sql for _, sql in triggers),
        )
        with unharmed(each):
            refused(
                each.run(lotgate, "swap"),
                1,
                f"The table {table} is not what was audited",
                "goes around the triggers",
            )


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("alter table shipped_items add column note text", "change-counter"),
        ("alter table shipped_orders add column note text", "change-counter"),
        ("alter table weekly_shipped_history add column note text", "schema"),
        ("alter table lot_inventory add column note text", "schema"),
        ("create index owned_index on shipped_items (tracking_number)", "schema"),
        ("drop index idx_shipped_items_date", "schema"),
        ("create view owned_view as select * from shipped_items", "schema"),
        ("drop view dashboard_daily_units", "schema"),
        ("create table owned_table (id integer primary key)", "schema"),
        ("create trigger owned_trigger after insert on shipped_items begin select 1; end", "schema"),
        ("drop trigger lotgate_count_shipped_items_update", "change-counter"),
        ("drop table lotgate_change_counter", "change-counter"),
    ],
)
def test_schema_changed_after_the_audit(case: SwapCase, lotgate: Cli, statement: str, words: str) -> None:
    write(case.database, statement)
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), 1, words, "Build and audit again")
    assert case.backups == []


LATE = [
    "take_backups",
    "check_same_as_snapshot",
    "stage",
    "verify_staged",
    "pause_ingestion",
    "switch_tables",
    "switch",
]


@pytest.mark.parametrize("step", LATE)
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (CHANGES["shipped_items"][0], "changed after the audit: 1 change, of order"),
        (CHANGES["sku_lot"][1], "changed after the audit: 1 change"),
        ("create view owned_view as select * from shipped_items", "The schema of"),
        ("alter table shipped_items add column note text", ""),
    ],
)
def test_source_changed_during_the_swap(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, step: str, statement: str, words: str
) -> None:
    """Just before each step, up to the cut-over's transaction itself."""
    after: list[Any] = []

    def change() -> None:
        write(case.database, statement)
        after.append(picture(case.database, own=False))

    flags = query(case.database, WORKFLOWS)
    before_calling(monkeypatch, step, change)
    refused(case.run(lotgate, "swap"), 1, words)
    assert len(after) == 1
    found = picture(case.database, own=False)
    found["table workflow_controls"] = after[0]["table workflow_controls"]  # paused at that moment
    assert found == after[0]
    assert query(case.database, WORKFLOWS) == flags
    assert_sound(case)
    assert not is_swapped(case)


# ---------------------------------------------------------------- what was tampered with


def edit_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def tamper(case: SwapCase, what: str) -> None:
    """One thing that is not as it was audited."""
    if what == "a value of the candidate":
        write(
            case.work_dir / "candidate.sqlite",
            "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)",
        )
    elif what == "the candidate's ledger":
        write(
            case.work_dir / "candidate.sqlite",
            "update audit_row_ledger set reason = 'x'"
            " where legacy_id = (select min(legacy_id) from audit_row_ledger)",
        )
    elif what == "the candidate's index":
        write(case.work_dir / "candidate.sqlite", "drop index uniq_shipped_items_key")
    elif what == "the candidate's constraints, and its description":
        weaken(case)
    elif what == "a damaged candidate":
        damage(case.work_dir / "candidate.sqlite", "shipped_items")
    elif what == "the snapshot":
        (case.work_dir / "legacy.sqlite").chmod(0o600)
        write(
            case.work_dir / "legacy.sqlite",
            "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)",
        )
    elif what == "the controls":
        with (case.controls / "expected_units.csv").open("a") as file:
            file.write("2025-10-07,1,nobody\n")
    elif what == "build.json":
        case.work_dir.joinpath("build.json").write_text("{}")
    elif what == "a damaged verdict":
        case.verdict.write_text(case.verdict.read_text()[:500])
    elif what == "a verdict of another version":
        edit_json(case.verdict, format=1)
    elif what == "a verdict painted open":
        checks = json.loads(case.verdict.read_text())["checks"]
        edit_json(
            case.verdict, checks=[checks[0] | {"result": "failed", "severity": "critical"}, *checks[1:]]
        )
    elif what == "a closed verdict":
        close(case)
    elif what == "a verdict without a counter":
        write_verdict(replace(read_verdict(case.verdict), change_counter=None), case.verdict)
    elif what == "a verdict of another database":
        write_verdict(replace(read_verdict(case.verdict), database_id="0" * 32), case.verdict)
    elif what == "another database of that name":
        write(case.database, "update lotgate_state set value = hex(randomblob(16)) where key = 'database_id'")
    elif what == "a verdict of another moment":
        verdict = read_verdict(case.verdict)
        assert verdict.change_counter is not None
        counter = replace(verdict.change_counter, stamp=verdict.change_counter.stamp ^ 1)
        write_verdict(replace(verdict, change_counter=counter), case.verdict)
    elif what == "no verdict":
        case.verdict.unlink()
    elif what == "no candidate":
        (case.work_dir / "candidate.sqlite").unlink()
    else:
        raise AssertionError(what)


def damage(database: Path, table: str) -> None:
    """Another program writes over a page of the table, which nobody has open."""
    (root,) = query(database, f"select rootpage from sqlite_schema where name = '{table}'")[0]
    (size,) = query(database, "pragma page_size")[0]
    query(database, "pragma wal_checkpoint(truncate)")
    subprocess.run(
        [
            "dd",
            "if=/dev/urandom",
            f"of={database}",
            f"bs={size}",
            f"seek={root - 1}",
            "count=1",
            "conv=notrunc",
        ],
        check=True,
        capture_output=True,
    )


def weaken(case: SwapCase) -> None:
    """The candidate of another build: the same rows with weaker constraints, and what describes it."""
    candidate = case.work_dir / "candidate.sqlite"
    with closing(sqlite3.connect(candidate)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_schema set sql = replace(sql, 'check (quantity_shipped > 0)', '')"
            " where name = 'shipped_items'"
        )
        connection.commit()
    edit_json(case.work_dir / "build.json", schema_sha256=schema_sha256(candidate))


def close(case: SwapCase) -> None:
    verdict = read_verdict(case.verdict)
    first = replace(verdict.checks[0], result="failed", severity="critical")
    checks = (first, *verdict.checks[1:])
    write_verdict(replace(verdict, checks=checks, counts=count_checks(checks)), case.verdict)


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("a value of the candidate", 1, "Not as audited: the candidate's table shipped_items"),
        ("the candidate's ledger", 1, "the candidate's table audit_row_ledger"),
        ("the candidate's index", 1, "the candidate's tables and constraints"),
        ("the candidate's constraints, and its description", 1, "the candidate's tables and constraints"),
        ("a damaged candidate", 1, "candidate"),
        ("the snapshot", 1, "Not as audited: the snapshot"),
        ("the controls", 1, "Not as audited: the controls"),
        ("build.json", 1, "missing or damaged"),
        ("a damaged verdict", 1, "verdict.json is damaged"),
        ("a verdict of another version", 1, "another version of lotgate"),
        ("a verdict painted open", 1, "contradicts itself"),
        ("a closed verdict", 1, "The gate is closed"),
        ("a verdict without a counter", 1, "no change-counter"),
        ("a verdict of another database", 1, "is another database"),
        ("another database of that name", 1, "is another database"),
        ("a verdict of another moment", 1, "went another way"),
        ("no verdict", 2, "There is no verdict"),
        ("no candidate", 2, "no candidate"),
    ],
)
def test_not_what_was_audited(case: SwapCase, lotgate: Cli, what: str, code: int, words: str) -> None:
    tamper(case, what)
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), code, words)
    assert case.backups == []


def test_the_candidate_changes_while_it_is_staged(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_calling(monkeypatch, "stage", lambda: tamper(case, "a value of the candidate"))
    with unharmed(case):
        refused(case.run(lotgate, "swap"), 1, "What was staged for shipped_items is not what was audited")


def test_a_staged_table_is_changed_before_the_cut_over(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody writes to these tables; if somebody does, the checks afterwards take the swap back."""
    before = picture(case.database, own=False)
    before_calling(
        monkeypatch,
        "switch_tables",
        lambda: write(
            case.database,
            "delete from lotgate_stage_shipped_items"
            " where id = (select max(id) from lotgate_stage_shipped_items)",
        ),
    )
    refused(case.run(lotgate, "swap"), 1, "rows of shipped_items: 466 where 467 were audited", "rolled back")
    assert picture(case.database, own=False) == before
    assert_sound(case)


def test_a_check_after_the_cut_over_that_does_not_hold(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, flags = picture(case.database, own=False), query(case.database, WORKFLOWS)
    monkeypatch.setattr(swap_module, "check_switched", lambda *a, **k: [Finding("units", "1 too many")])
    refused(case.run(lotgate, "swap"), 1, "units: 1 too many", "rolled back", "Build and audit again")
    assert picture(case.database, own=False) == before
    assert query(case.database, WORKFLOWS) == flags
    assert_sound(case)
    assert not is_swapped(case)


@pytest.mark.parametrize("what", ["changed", "no manifest", "of another database"])
def test_a_backup_that_is_not_what_it_says(
    swapped: SwapCase, lotgate: Cli, what: str, demo_build: Path, tmp_path: Path
) -> None:
    backup = swapped.backups[0]
    words = {
        "changed": "was changed",
        "no manifest": "has no manifest",
        "of another database": "another database",
    }
    if what == "changed":
        write(
            backup,
            "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)",
        )
    elif what == "no manifest":
        Path(f"{backup}.json").unlink()
    else:
        other = copy_case(demo_build, tmp_path / "other")
        tamper(other, "another database of that name")
        (identity,) = query(other.database, "select value from lotgate_state where key = 'database_id'")[0]
        write_verdict(replace(read_verdict(other.verdict), database_id=identity), other.verdict)
        succeeds(other.run(lotgate, "swap"))
        backup = other.backups[0]
    before = picture(swapped.database)
    outcome = swapped.run(lotgate, "rollback", "--restore-backup", backup)
    refused(outcome, 1, words[what])
    assert picture(swapped.database) == before


# ---------------------------------------------------------------- what is the owner's


def owned(case: SwapCase, *statements: str) -> None:
    """What the owner had in the database when it was audited."""
    write(case.database, *statements)
    rebind(case)


def obstructed(case: SwapCase, lotgate: Cli, *words: str) -> None:
    """The plan lists it, the swap refuses with the same words, and nothing is touched."""
    with unharmed(case):
        plan = case.run(lotgate, "plan", "--json")
        assert plan.code == 1, plan
        listed = " ".join(plan.json["obstacles"])
        swap = case.run(lotgate, "swap")
        refused(swap, 1, "cannot be swapped as it is", *words)
        for word in words:
            assert word in listed
    assert case.backups == []


def test_foreign_key_violations_in_untouched_tables_stay(case: SwapCase, lotgate: Cli) -> None:
    broken = "select * from pragma_foreign_key_check('order_items_inbox')"
    owned(case, "insert into order_items_inbox (order_inbox_id, sku, quantity) values (999999, '17612', 1)")
    violations = query(case.database, broken)
    assert len(violations) == 1
    for command in ("swap", "rollback"):
        succeeds(case.run(lotgate, command))
        assert query(case.database, broken) == violations
        assert_sound(case)


def test_triggers_and_views_of_the_owner_survive(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        "create table packing_log (what text)",
        "create trigger owned_insert after insert on shipped_items begin"
        " insert into packing_log values (new.order_number || ' ' || new.quantity_shipped); end",
        "create trigger owned_header before delete on shipped_orders begin"
        " insert into packing_log values ('gone ' || old.order_number); end",
        "create view owned_stations as select id, packed_by_station, base_sku from shipped_items",
        "create trigger owned_view instead of update on owned_stations begin"
        " update shipped_items set packed_by_station = new.packed_by_station where id = old.id; end",
        "create view owned_of_view as select count(*) as n from owned_stations",
        "create view owned_broken as select some from no_such_table",
        "update shipped_items set packed_by_station = 'S' || (id % 3)",
        "create view owned_joined as select o.label_printer, i.quantity_shipped from shipped_orders as o"
        " inner join shipped_items as i on i.order_number = o.order_number",
    )
    names = (
        "select name, sql from sqlite_schema"
        " where type in ('view', 'trigger') and name not like 'lotgate%' order by 1"
    )
    before, legacy = query(case.database, names), picture(case.database, own=False)
    assert len(before) == 8  # with dashboard_daily_units
    succeeds(case.run(lotgate, "swap"))
    assert query(case.database, names) == before
    (kept,) = query(case.database, "select count(*) from owned_stations where packed_by_station is not null")[
        0
    ]
    (legacy_kept,) = query(
        case.database, "select count(*) from legacy_shipped_items where packed_by_station is not null"
    )[0]
    assert 0 < kept <= legacy_kept
    assert query(case.database, "select n from owned_of_view") == [(467,)]
    assert query(case.database, "select count(*) from owned_joined")[0][0] > 400
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        query(case.database, "select * from owned_broken")
    write(
        case.database,
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-12', '990005')",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        " select '2025-10-12', '17612', sku_id, 4, '990005' from skus where sku_code = '17612'",
        "update owned_stations set packed_by_station = 'Z9' where id = (select max(id) from shipped_items)",
        "delete from shipped_orders where order_number = '990005'",
    )
    assert query(case.database, "select what from packing_log") == [("990005 4",), ("gone 990005",)]
    assert query(case.database, "select count(*) from owned_stations where packed_by_station = 'Z9'") == [
        (1,)
    ]
    assert query(case.database, "select base_sku from owned_stations where packed_by_station = 'Z9'") == [
        ("17612",)
    ]
    write(
        case.database, "delete from shipped_items where packed_by_station = 'Z9'", "delete from packing_log"
    )
    succeeds(case.run(lotgate, "rollback"))
    assert picture(case.database, own=False) == legacy
    assert_sound(case)


def test_triggers_of_the_owner_are_not_fired_by_staging_or_renaming(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        "create table packing_log (what text)",
        *(
            f"create trigger owned_{table}_{event} after {event} on {table} begin"
            f" insert into packing_log values ('{table} {event}'); end"
            for table in ("shipped_items", "shipped_orders")
            for event in ("insert", "update", "delete")
        ),
    )
    for command in ("swap", "rollback"):
        succeeds(case.run(lotgate, command))
        assert query(case.database, "select * from packing_log") == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "create trigger owned_ship after update on orders_inbox begin insert into shipped_items"
            " (ship_date, base_sku, quantity_shipped, order_number)"
            " values ('2025-10-12', '17612', 1, new.order_number); end",
            "the trigger owned_ship adds rows to shipped_items",
        ),
        (
            "create trigger owned_conflict after insert on sync_watermark begin insert into shipped_items"
            " (ship_date, base_sku, quantity_shipped, order_number) values ('2025-10-12', '17612', 1, '1')"
            " on conflict (order_number, base_sku, sku_lot) do nothing; end",
            "the trigger owned_conflict adds rows to shipped_items",
        ),
        (
            "create trigger owned_trim after insert on shipped_items begin"
            " update shipped_items set sku_lot = trim(sku_lot) where id = new.id; end",
            "the trigger owned_trim sets shipped_items.sku_lot",
        ),
        (
            "create trigger owned_stock after insert on shipped_items begin update inventory_current"
            " set current_quantity = current_quantity - 1 where sku = NEW . [base_sku]; end",
            "the trigger owned_stock reads new.base_sku",
        ),
    ],
)
def test_triggers_that_would_do_something_else(
    case: SwapCase, lotgate: Cli, statement: str, words: str
) -> None:
    owned(case, statement)
    obstructed(case, lotgate, words)


def test_what_would_not_work_any_more_is_refused_by_name(case: SwapCase, lotgate: Cli) -> None:
    """A view that names a legacy index, which goes into the archive with its table."""
    owned(
        case, "create view owned_hint as select id from shipped_items indexed by idx_shipped_items_sku_date"
    )
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), 1, "would not work any more", "view owned_hint", "drop them")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "create table owned_scans (id integer primary key, item integer references shipped_items (id))",
            "owned_scans has a foreign key to shipped_items (item)",
        ),
        (
            "create table owned_labels (number text primary key references shipped_orders (order_number))",
            "owned_labels has a foreign key to shipped_orders (number)",
        ),
        ("create table skus (id integer primary key)", "table skus already"),
        ("create table lots (id integer primary key)", "table lots already"),
        ("create view lots as select 1 as one", "view lots already"),
        (
            "create table legacy_shipped_orders (id integer primary key)",
            "table legacy_shipped_orders already",
        ),
        ("create table Lotgate_Stage_Skus (id integer primary key)", "already: rename it"),
        ("create table lotgate_row_ledger (id integer primary key)", "table lotgate_row_ledger already"),
        ("create index lotgate_idx__x on workflows (name)", "index lotgate_idx__x already"),
    ],
)
def test_obstacles_of_the_owner(case: SwapCase, lotgate: Cli, statement: str, words: str) -> None:
    owned(case, statement)
    obstructed(case, lotgate, words)


def test_both_names_are_taken(case: SwapCase, lotgate: Cli) -> None:
    owned(case, "create table skus (id integer primary key)", "create table lots (id integer primary key)")
    obstructed(case, lotgate, "table skus already", "table lots already")


def test_an_index_of_the_owner_has_a_name_of_ours(case: SwapCase, lotgate: Cli) -> None:
    """It stays the owner's, through the contract, too."""
    owned(case, "create index idx_lots_status on workflows (status)", "drop view dashboard_daily_units")
    mine = "select tbl_name, sql from sqlite_schema where name = 'idx_lots_status'"
    before = query(case.database, mine)
    succeeds(case.run(lotgate, "swap"))
    assert query(case.database, mine) == before
    succeeds(case.run(lotgate, "rollback"))
    assert query(case.database, mine) == before
    rebind(case)
    succeeds(case.run(lotgate, "swap"))
    succeeds(case.run(lotgate, "contract", "--force", "--confirm-name", "ora.db"))
    assert query(case.database, mine) == before
    assert query(
        case.database,
        "select count(*) from sqlite_schema where tbl_name = 'lots' and sql like '%index%(status)%'",
    ) == [(1,)]
    assert_sound(case)


def test_a_column_that_cannot_be_filled(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        "alter table shipped_orders add column box text not null default ''",
        "update shipped_orders set box = 'A'",
    )
    with closing(sqlite3.connect(case.database)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_schema set sql = replace(sql, 'not null default ''''', 'not null')"
            " where name = 'shipped_orders'"
        )
        connection.commit()
    rebind(case)
    obstructed(case, lotgate, "shipped_orders.box must not be empty and has no default", "headers are added")


def test_columns_of_the_owner_are_kept(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        'alter table shipped_items add column "Odd ""name""" text',
        "alter table shipped_items add column weight real not null default 1.5",
        "alter table shipped_items add column payload blob",
        "alter table shipped_orders add column shelf integer default 7",
        'update shipped_items set "Odd ""name""" = \'é \' || id, weight = id / 3.0, payload = randomblob(5)',
        "update shipped_orders set shelf = id where id % 2",
    )
    legacy = picture(case.database, own=False)
    succeeds(case.run(lotgate, "swap"))
    columns = '"Odd ""name""", weight, payload, packed_by_station'
    assert query(
        case.database,
        f"select count(*) from (select id, {columns} from shipped_items where id in (select id from"
        f" legacy_shipped_items) except select id, {columns} from legacy_shipped_items)",
    ) == [(0,)]
    assert (
        query(case.database, "select count(*) from shipped_items where typeof(payload) = 'blob'")[0][0] > 400
    )
    assert query(
        case.database,
        "select count(*) from shipped_orders as n inner join legacy_shipped_orders as o using (id)"
        " where n.shelf is not o.shelf or n.label_printer is not o.label_printer",
    ) == [(0,)]
    (recovered,) = query(
        case.database, "select count(*) from shipped_items where weight is null or weight = 1.5"
    )[0]
    assert recovered >= 15
    succeeds(case.run(lotgate, "rollback"))
    assert picture(case.database, own=False) == legacy


def test_no_workflow_controls(case: SwapCase, lotgate: Cli) -> None:
    owned(case, "drop table workflow_controls")
    result = succeeds(case.run(lotgate, "swap", "--json")).json
    assert result["paused"] == []
    succeeds(case.run(lotgate, "rollback"))
    assert_sound(case)


# ---------------------------------------------------------------- shapes, empty tables, odd paths


@pytest.mark.parametrize("rows", [0, 20])
@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_of_database(
    demo_build: Path, compiled_models: CompiledModels, tmp_path: Path, lotgate: Cli, shape: Shape, rows: int
) -> None:
    case = build_shape(
        demo_build, compiled_models, tmp_path / f'it\'s a "{shape}" % 100? #1', shape, rows, lotgate
    )
    legacy = picture(case.database, own=False)
    assert succeeds(case.run(lotgate, "plan", "--json")).json["obstacles"] == []
    result = succeeds(case.run(lotgate, "swap", "--json")).json
    assert result["rows"]["shipped_items"] == rows
    assert is_swapped(case)
    expected = [("17612", "17612 - 250237", 2)] * rows
    assert query(case.database, "select base_sku, sku_lot, quantity_shipped from shipped_items") == expected
    assert query(case.database, "select count(*) from lotgate_row_ledger") == [(rows,)]
    write(
        case.database,
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-12', '990005')",
        "insert or ignore into skus (sku_code, product_name) values ('17612', 'Brush')",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        " select '2025-10-12', '17612', sku_id, 4, '990005' from skus where sku_code = '17612'",
    )
    assert succeeds(case.run(lotgate, "status", "--json")).json["phase"] == "migrated"
    assert succeeds(case.run(lotgate, "rollback", "--json")).json["inserted"] >= 2
    found = picture(case.database, own=False)
    changed = {name for name in found if found[name] != legacy.get(name)}
    assert {"table shipped_orders", "table shipped_items"} <= changed
    assert changed <= {"table shipped_orders", "table shipped_items", "table inventory_current"}
    assert {name: sql for name, (sql, _) in found.items()} == {name: sql for name, (sql, _) in legacy.items()}
    assert query(
        case.database,
        "select base_sku, sku_lot, quantity_shipped from shipped_items where order_number = '990005'",
    ) == [("17612", "", 4)]
    assert_sound(case)


def build_shape(
    demo: Path, compiled: CompiledModels, folder: Path, shape: Shape, rows: int, lotgate: Cli
) -> SwapCase:
    """A small database of a shape with a candidate from the compiled models, and an open verdict for it."""
    case = SwapCase(folder)
    case.database.parent.mkdir(parents=True)
    case.controls.mkdir()
    with closing(create_legacy_database(case.database, shape)) as connection:
        if rows and shape is not Shape.bare:
            fill(connection, rows)
        elif rows:
            fill_bare(connection, rows)
    install_counter(case.database, now=utc_now())
    snapshot = succeeds(
        lotgate("snapshot", "--database", case.database, "--work-dir", case.work_dir, "--json")
    ).json
    with compiled.run(case.work_dir / "legacy.sqlite", None, case.controls) as connection:
        connection.execute("vacuum main into ?", (str(case.work_dir / "candidate.sqlite"),))
    candidate = case.work_dir / "candidate.sqlite"
    verdict = read_verdict(demo / "verdict.json")
    counter = install_counter(case.database, now=utc_now())
    content = json.loads((case.work_dir / "snapshot.json").read_text())
    assert content["change_counter"] == {"value": counter.value, "stamp": counter.stamp}
    renewed = replace(
        verdict,
        source=str(case.database),
        snapshot_sha256=snapshot["sha256"],
        controls_sha256=load_controls(case.controls).sha256,
        schema_fingerprint=content["schema_fingerprint"],
        database_id=content["database_id"],
        change_counter=counter,
        candidate_schema_sha256=schema_sha256(candidate),
        tables=hash_tables(candidate, hashed_tables(candidate)),
    )
    write_verdict(renewed, case.verdict)
    build = json.loads((demo / "build.json").read_text())
    build |= {"schema_sha256": schema_sha256(candidate), "controls_folder": str(case.controls)}
    (case.work_dir / "build.json").write_text(json.dumps(build))
    return case


def fill_bare(connection: sqlite3.Connection, rows: int) -> None:
    """Nothing but the required columns, of which no one has a default."""
    connection.execute("insert into inventory_current (sku, product_name) values ('17612', 'Brush')")
    for number in range(rows):
        order = f"{600005 + 10 * number}"
        connection.execute("insert into shipped_orders values (?, '2025-09-15', ?)", (number + 1, order))
        connection.execute(
            "insert into shipped_items (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number,"
            " created_at) values (?, '2025-09-15', '17612 - 250237', '17612', 2, ?, '2025-09-15 10:00:00')",
            (number + 1, order),
        )
    connection.commit()


# ---------------------------------------------------------------- pausing and resuming


@pytest.mark.parametrize(
    ("command", "words"), [("exit 7", "exit code 7"), ("sleep 30", "did not end within 0.3 s")]
)
def test_a_pause_command_that_fails(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, words: str
) -> None:
    resumed = tmp_path / "resumed"
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", command)
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"echo again >> '{resumed}'")
    monkeypatch.setenv("LOTGATE_COMMAND_TIMEOUT_S", "0.3")
    start = time.monotonic()
    with unharmed(case):
        refused(case.run(lotgate, "swap"), 3, "pause_command", words)
    assert time.monotonic() - start < 5
    assert resumed.read_text() == "again\n"  # it may have paused half of what it should


@pytest.mark.parametrize("command", ["swap", "rollback"])
def test_a_resume_command_that_fails_is_tried_again(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    flags = query(case.database, WORKFLOWS)
    if command == "rollback":
        succeeds(case.run(lotgate, "swap"))
    fixed, log = tmp_path / "fixed", tmp_path / "log"
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "true")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"echo tried >> '{log}'; test -e '{fixed}'")
    refused(case.run(lotgate, command), 3, "resume_command", "exit code 1", "lotgate status")
    tries = len(log.read_text().splitlines())
    assert query(case.database, WORKFLOWS) == flags  # what lotgate itself switched is on again
    refused(case.run(lotgate, "status"), 3, "resume_command")
    assert len(log.read_text().splitlines()) == tries + 1
    fixed.touch()
    home = succeeds(case.run(lotgate, "status", "--json")).json
    assert len(home["recovered"]) == 1
    assert home["phase"] == ("migrated" if command == "swap" else "legacy")
    assert len(log.read_text().splitlines()) == tries + 2
    assert succeeds(case.run(lotgate, "status", "--json")).json["recovered"] == []
    assert_sound(case)


def test_what_the_database_says_never_runs_in_a_shell(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who may write SQL to the database must not decide what the operator runs."""
    succeeds(case.run(lotgate, "swap"))
    planted = {
        "id": "0", "kind": "swap", "phase": "paused", "started_at": "2025-10-10T00:00:00+00:00",
        "enabled_before": {}, "resume_command": f"touch '{tmp_path / 'ran'}'", "detail": {},
    }  # fmt: skip
    put = "insert into lotgate_state (key, value) values ('operation', '{}')"
    write(case.database, put.format(json.dumps(planted).replace("'", "''")))
    refused(case.run(lotgate, "status"), 1, "operation", "damaged")
    del planted["resume_command"]
    write(case.database, "delete from lotgate_state where key = 'operation'")
    write(case.database, put.format(json.dumps(planted | {"must_resume": True})))
    refused(case.run(lotgate, "status"), 3, "resume_command is not configured any more")
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "true")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"touch '{tmp_path / 'own'}'")
    succeeds(case.run(lotgate, "status"))
    assert [path.name for path in tmp_path.iterdir() if path.name in ("ran", "own")] == ["own"]


def test_a_shorter_retention_does_not_go_around_the_name(swapped: SwapCase, lotgate: Cli) -> None:
    prepare_contract(swapped)
    with unharmed(swapped):
        outcome = swapped.run(lotgate, "contract", "--retention-days", "0", "--yes")
        refused(outcome, 2, "--retention-days 0 is shorter", "--force")


def test_contract_spares_tables_with_names_like_the_archive(swapped: SwapCase, lotgate: Cli) -> None:
    prepare_contract(swapped)
    write(swapped.database, "create table legacy_shipped_items_export (a)")
    write(swapped.database, "insert into legacy_shipped_items_export values (1)")
    succeeds(swapped.run(lotgate, "contract", "--force", "--confirm-name", "ora.db"))
    assert query(swapped.database, "select a from legacy_shipped_items_export") == [(1,)]


@pytest.mark.parametrize("way", ["table made anew", "unknown unique index", "trigger dropped"])
def test_rows_that_changed_without_a_note_stop_a_rollback(swapped: SwapCase, lotgate: Cli, way: str) -> None:
    """status says so, rollback refuses, and --force rolls back without them."""
    database = swapped.database
    if way == "table made anew":
        (ddl,) = query(database, "select sql from sqlite_schema where name = 'shipped_items'")[0]
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("pragma legacy_alter_table = on")
            connection.execute(ddl.replace('"shipped_items"', "made_anew", 1))
            connection.execute("insert into made_anew select * from shipped_items")
            connection.execute("drop table shipped_items")
            connection.execute("alter table made_anew rename to shipped_items")
            connection.execute(
                "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped)"
                " values ('2025-10-09', '17612', 1, 50)"
            )
    elif way == "unknown unique index":
        (number,) = query(
            database, "select shipstation_order_id from shipped_orders group by 1 having count(*) = 1 limit 1"
        )[0]
        write(
            database,
            "create unique index own on shipped_orders (shipstation_order_id)"
            f" where shipstation_order_id = '{number}'",
            "insert or replace into shipped_orders (ship_date, order_number, shipstation_order_id)"
            f" values ('2025-10-09', 'own', '{number}')",
        )
    else:
        write(database, "drop trigger lotgate_log_shipped_items_delete")
    found = succeeds(swapped.run(lotgate, "status", "--json")).json
    assert found["is_lossless"] is False
    assert "without being noted" in found["not_carried"][0]
    refused(swapped.run(lotgate, "rollback"), 1, "without being noted", "--force")
    assert query(database, "select count(*) from skus") == [(5,)]
    succeeds(swapped.run(lotgate, "rollback", "--force"))


def test_restore_whose_pause_fails_leaves_ingestion_on(
    swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flags = query(swapped.database, WORKFLOWS)
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "exit 3")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"touch '{tmp_path / 'resumed'}'")
    outcome = swapped.run(lotgate, "rollback", "--restore-backup", swapped.backups[0])
    refused(outcome, 3, "pause_command failed with exit code 3")
    assert query(swapped.database, WORKFLOWS) == flags
    assert (tmp_path / "resumed").exists()
    assert succeeds(swapped.run(lotgate, "status", "--json")).json["recovered"] == []


def test_a_resume_command_that_starts_a_service_is_done(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service keeps the command's output open, which nobody waits for."""
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "true")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", "sleep 20 &")
    monkeypatch.setenv("LOTGATE_COMMAND_TIMEOUT_S", "5")
    succeeds(case.run(lotgate, "swap"))


def test_an_operator_changes_a_switch_meanwhile(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was switched on by hand stays on, what was off stays off, and a row that is gone stays gone."""

    def operate() -> None:
        write(
            case.database,
            "update workflow_controls set enabled = 1, updated_by = 'operator'"
            " where workflow_name = 'shipstation-upload'",
            "delete from workflow_controls where workflow_name = 'unified-shipstation-sync'",
            "update workflow_controls set enabled = 0 where workflow_name = 'weekly-reporter'",
        )

    before_calling(monkeypatch, "switch_tables", operate)
    result = succeeds(case.run(lotgate, "swap", "--json")).json
    assert result["paused"] == ["shipstation-upload", "unified-shipstation-sync"]
    assert query(case.database, WORKFLOWS) == [
        ("orders-cleanup", 1),
        ("shipstation-upload", 1),
        ("weekly-reporter", 0),
        ("xml-import", 0),
    ]


def test_what_is_paused_is_off_during_the_cut_over_only(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    for step in ("stage", "pause_ingestion", "switch_tables", "check_switched"):
        before_calling(
            monkeypatch, step, lambda step=step: seen.update({step: dict(query(case.database, WORKFLOWS))})
        )
    flags = dict(query(case.database, WORKFLOWS))
    succeeds(case.run(lotgate, "swap"))
    off = flags | {"shipstation-upload": 0, "unified-shipstation-sync": 0}
    assert seen == {"stage": flags, "pause_ingestion": flags, "switch_tables": off, "check_switched": off}
    assert dict(query(case.database, WORKFLOWS)) == flags


# ---------------------------------------------------------------- asking


def on_a_terminal(arguments: list[str | Path], answer: str) -> Outcome:
    """Runs a command with a terminal for a person who types ``answer``."""
    person, terminal = pty.openpty()
    with subprocess.Popen(
        [*LOTGATE, *map(str, arguments)], stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True
    ) as process:
        os.close(terminal)
        os.write(person, answer.encode() + b"\n")
        out, _ = process.communicate(timeout=60)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(person, 4096):
            shown += part
    os.close(person)
    return Outcome(process.returncode, out, shown.decode())


def test_asking_before_anything_is_changed(case: SwapCase, lotgate: Cli) -> None:
    for command in ("swap", "rollback"):
        before = picture(case.database)
        outcome = on_a_terminal(case.arguments(command), "no")
        assert outcome.code == 1
        assert "[y/N]" in outcome.err
        assert str(case.database) in outcome.err
        assert "Nothing was changed" in outcome.err
        assert picture(case.database) == before
        outcome = on_a_terminal(case.arguments(command), "y")
        assert outcome.code == 0, outcome
        assert is_swapped(case) == (command == "swap")
    rebind(case)
    outcome = on_a_terminal(case.arguments("swap", "--yes"), "")
    assert outcome.code == 0, outcome
    assert "[y/N]" not in outcome.err
    assert_sound(case)


# ---------------------------------------------------------------- contract


def prepare_contract(case: SwapCase) -> None:
    write(case.database, "drop view dashboard_daily_units")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 1, "The retention has not passed"),
        (("--yes",), 1, "allowed from"),
        (("--force",), 2, "--confirm-name ora.db"),
        (("--force", "--yes"), 2, "--confirm-name ora.db"),
        (("--force", "--confirm-name", "other.db"), 1, "another one"),
    ],
)
def test_contract_before_the_retention(
    swapped: SwapCase, lotgate: Cli, options: tuple[str, ...], code: int, words: str
) -> None:
    prepare_contract(swapped)
    with unharmed(swapped):
        outcome = swapped.run(lotgate, "contract", *options)
        assert outcome.code == code
        assert words in outcome.err
        assert "legacy_shipped_items (477 rows)" in outcome.out


@pytest.mark.parametrize("way", ["force", "retention", "later"])
def test_contract(swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    prepare_contract(swapped)
    ledger = "select * from lotgate_row_ledger order by 1"
    values = "select id, ship_date, sku_id, lot_id, quantity_shipped, order_number from shipped_items"
    before, rows, flags = (
        query(swapped.database, ledger),
        query(swapped.database, values),
        query(swapped.database, WORKFLOWS),
    )
    options: tuple[str, ...] = ("--force", "--confirm-name", "ora.db")
    if way == "retention":
        monkeypatch.setenv("LOTGATE_RETENTION_DAYS", "0")
        options = ("--retention-days", "0")
    elif way == "later":
        earlier = (datetime.now(UTC) - timedelta(days=7, minutes=1)).isoformat(timespec="seconds")
        write(swapped.database, f"update lotgate_history set switched_at = '{earlier}'")
        options = ()
    succeeds(swapped.run(lotgate, "contract", *options))
    objects = {name for (name,) in query(swapped.database, "select name from sqlite_schema")}
    assert not objects & {"legacy_shipped_orders", "legacy_shipped_items", "lotgate_change_log"}
    assert [name for name in objects if name.startswith("lotgate_") and "idx" in name] == []
    columns = [
        name for (name,) in query(swapped.database, "select name from pragma_table_info('shipped_items')")
    ]
    assert not {"base_sku", "sku_lot"} & set(columns)
    indexes = dict(
        query(
            swapped.database,
            "select name, tbl_name from sqlite_schema where type = 'index' and sql is not null",
        )
    )
    assert (
        indexes.items()
        >= {
            "idx_shipped_orders_date": "shipped_orders",
            "uniq_shipped_items_key": "shipped_items",
            "idx_shipped_items_ship_date": "shipped_items",
            "idx_lots_status": "lots",
        }.items()
    )
    assert "idx_shipped_items_sku_date" not in indexes
    assert query(swapped.database, ledger) == before
    assert query(swapped.database, values) == rows
    assert query(swapped.database, WORKFLOWS) == flags
    history = query(swapped.database, "select kind, finished_at is not null from lotgate_history")
    assert history == [("swap", 1), ("contract", 1)]
    assert (
        query(swapped.database, "select * from sqlite_schema where type = 'trigger' and name like 'lotgate%'")
        == []
    )
    assert_sound(swapped)
    assert succeeds(swapped.run(lotgate, "status", "--json")).json["phase"] == "contracted"
    with unharmed(swapped):
        refused(swapped.run(lotgate, "contract", *options), 1, "nothing to contract")
        refused(swapped.run(lotgate, "rollback"), 1, "was contracted", "--restore-backup")
        refused(swapped.run(lotgate, "swap"), 1, "migrated already")
        refused(swapped.run(lotgate, "plan"), 1, "migrated already")


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("create view owned_view as select base_sku from shipped_items", "owned_view"),
        ("create view owned_view as select sku_lot as x from shipped_items", "owned_view"),
        ("create index owned_index on shipped_items (base_sku)", "owned_index"),
        ("create view owned_view as select * from legacy_shipped_items", "owned_view"),
        (
            "create trigger owned_trigger after insert on shipped_items begin select new.sku_lot; end",
            "owned_trigger",
        ),
        (
            "create trigger owned_trigger after insert on sync_watermark begin"
            " delete from legacy_shipped_items; end",
            "sync_watermark",
        ),
    ],
)
def test_contract_with_something_that_needs_a_legacy_column(
    swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, statement: str, name: str
) -> None:
    monkeypatch.setenv("LOTGATE_RETENTION_DAYS", "0")
    prepare_contract(swapped)
    write(swapped.database, statement)
    with unharmed(swapped):
        outcome = swapped.run(lotgate, "contract")
        refused(outcome, 1, "still needs a legacy column or table", name, "sku_id and lot_id")
    succeeds(swapped.run(lotgate, "rollback"))


@pytest.mark.parametrize("days", [1, 400])
def test_the_clock_was_set_back(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """The swap was in the future, as this machine's clock has it now."""
    later = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    with monkeypatch.context() as patched:
        patched.setattr(swap_module, "utc_now", lambda: later)
        succeeds(case.run(lotgate, "swap"))
    prepare_contract(case)
    for options in ((), ("--force", "--confirm-name", "ora.db")):
        with unharmed(case):
            refused(case.run(lotgate, "contract", *options), 1, "The clock says", "later events")
    assert succeeds(case.run(lotgate, "status", "--json")).json["is_lossless"] is True
    assert succeeds(case.run(lotgate, "backups", "--prune")).code == 0
    assert len(case.backups) == 2
    succeeds(case.run(lotgate, "rollback"))


# ---------------------------------------------------------------- not now, not here


def test_what_is_not_possible_on_a_migrated_database(swapped: SwapCase, lotgate: Cli, tmp_path: Path) -> None:
    with unharmed(swapped):
        for command in ("plan", "swap"):
            refused(swapped.run(lotgate, command), 1, "is migrated already", "lotgate status")
        work = tmp_path / "new work"
        outcome = lotgate(
            "build", "--database", swapped.database, "--work-dir", work, "--controls", swapped.controls
        )
        refused(outcome, 1, "migrated")
        assert not (work / "candidate.sqlite").exists()


def test_what_is_not_possible_on_a_legacy_database(case: SwapCase, lotgate: Cli) -> None:
    with unharmed(case):
        refused(case.run(lotgate, "rollback"), 1, "is not migrated", "nothing to roll back")
        refused(
            case.run(lotgate, "contract", "--force", "--confirm-name", "ora.db"), 1, "nothing to contract"
        )
        refused(
            case.run(lotgate, "rollback", "--restore-backup", case.folder / "none.sqlite"), 2, "no backup"
        )


def test_no_database(case: SwapCase, lotgate: Cli, tmp_path: Path) -> None:
    for command in ("plan", "swap", "rollback", "contract", "status"):
        none = tmp_path / "none.db"
        refused(lotgate(command, "--database", none, "--work-dir", case.work_dir), 2, str(none))
        text = tmp_path / "text.db"
        text.write_text("not a database, though it is long enough to be one" * 30)
        refused(lotgate(command, "--database", text, "--work-dir", case.work_dir), 2, "not a SQLite database")
        assert text.read_text().startswith("not a database")
    assert not (tmp_path / "none.db").exists()


def test_a_corrupt_database(case: SwapCase, lotgate: Cli) -> None:
    """A damaged page is found by the backup's check, before anything is staged."""
    damage(case.database, "weekly_shipped_history")
    refused(case.run(lotgate, "swap"), 1, "corrupt")
    assert not is_swapped(case)
    assert query(case.database, "select count(*) from sqlite_schema where name like 'lotgate_stage%'") == [
        (0,)
    ]
    assert query(case.database, "select count(*) from lotgate_state where key = 'operation'") == [(0,)]
    assert case.backups == []


def test_the_record_of_the_operation_was_changed_by_hand(case: SwapCase, lotgate: Cli) -> None:
    write(case.database, "insert into lotgate_state values ('operation', '{\"id\": 1, \"what\": 2}')")
    before = picture(case.database)
    for command in ("status", "swap", "rollback"):
        refused(case.run(lotgate, command), 1, "damaged", "lotgate_state")
    assert picture(case.database) == before


# ---------------------------------------------------------------- the plan


def test_the_plan_changes_nothing(case: SwapCase, lotgate: Cli) -> None:
    files = {path: path.stat().st_mtime_ns for path in case.work_dir.iterdir()}
    with unharmed(case):
        outcome = succeeds(case.run(lotgate, "plan", "--json"))
        text = succeeds(case.run(lotgate, "plan")).out
    now = {path: path.stat().st_mtime_ns for path in case.work_dir.iterdir()}
    assert {path.name for path in now.keys() - files.keys()} <= {".lotgate.lock", "rehearsal"}
    assert {path: now[path] for path in files} == files
    assert not (case.work_dir / "rehearsal").exists() or list((case.work_dir / "rehearsal").iterdir()) == []
    assert case.backups == []
    plan = outcome.json
    assert plan["obstacles"] == []
    rows = {step["table"]: step["rows"] for step in plan["staging"]}
    assert (rows["skus"], rows["lots"], rows["shipped_items"], rows["lotgate_row_ledger"]) == (
        5,
        10,
        467,
        477,
    )
    assert plan["pause"]["workflows"] == ["unified-shipstation-sync", "shipstation-upload", "xml-import"]
    assert plan["backup_folders"] == [str(folder) for folder in case.backup_folders]
    assert plan["recreated"] == ["view dashboard_daily_units"]
    assert plan["added_columns"] == ["packed_by_station"]
    assert plan["lock_budget_ms"] == 250
    assert plan["bytes_needed"] > 0
    assert plan["forecast"]["lock_ms"] > 0
    assert "carried over" in plan["rollback"]
    for statement in plan["cut_over"]:
        for line in statement.strip().splitlines():
            assert line.strip() in text
    for table in rows:
        assert f"{table}: {rows[table]} rows" in text


def test_the_swap_executes_the_plan_and_nothing_else(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = succeeds(case.run(lotgate, "plan", "--json")).json
    seen: list[str] = []
    real = sqlite3.connect

    def connect(database: Any, *arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = real(database, *arguments, **more)
        if "live/ora.db" in str(database):
            # what a trigger does is told as a comment
            connection.set_trace_callback(lambda sql: None if sql.startswith("--") else seen.append(sql))
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)
    succeeds(case.run(lotgate, "swap"))
    monkeypatch.undo()
    (first,) = (at for at, sql in enumerate(seen) if sql == plan["cut_over"][0])
    begin = max(at for at in range(first) if seen[at] == "begin immediate")
    commit = min(at for at in range(first, len(seen)) if seen[at] == "commit")
    transaction = [sql for sql in seen[begin + 1 : commit] if not is_read(sql)]
    planned = len(plan["cut_over"])
    assert transaction[:planned] == plan["cut_over"]
    rest = [re.split(r"[(]| set ", sql)[0].strip() for sql in transaction[planned:]]
    assert rest == [
        "create table if not exists lotgate_history",
        "insert into lotgate_history",
        "insert into lotgate_state",
    ]
    outside = [sql for sql in seen[:begin] + seen[commit:] if not is_read(sql)]
    creates = [statement for step in plan["staging"] for statement in step["create"]]
    copies = [
        re.escape(step["insert"]).replace(":after", r"-?\d+").replace(":upto", r"\d+")
        for step in plan["staging"]
    ]
    books = (
        r"(insert into|update|delete from|create table if not exists)"
        r" (lotgate_state|lotgate_history|workflow_controls)\b.*"
    )
    allowed = [*map(re.escape, creates), *copies, books]
    strange = [sql for sql in outside if not any(re.fullmatch(each, sql, re.DOTALL) for each in allowed)]
    assert strange == []
    assert [sql for sql in outside if sql in creates] == creates


def is_read(sql: str) -> bool:
    words = ("select", "pragma", "begin", "commit", "rollback", "attach", "detach", "explain")
    return sql.lstrip().lower().startswith(words)
