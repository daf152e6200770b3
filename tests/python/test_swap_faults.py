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
import shutil
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

import lotgate.live.swap as swap_module
from compiled_models import CompiledModels
from conftest import LOTGATE, Outcome, drop_privileges, fill, run_lotgate
from lotgate.build import hashed_tables
from lotgate.legacy_schema import MODEL_COLUMNS, Shape, create_legacy_database
from lotgate.live.after_checks import Finding
from lotgate.live.clock import utc_now
from lotgate.live.counter import install_counter
from lotgate.table_hashes import hash_tables, schema_sha256
from lotgate.verdict import read_verdict, write_verdict
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
    assert outcome.out == "" or code == 1
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
    if step == "verify_staged":  # it only reads; the next one fails
        assert case.backups
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
        assert home["recovered"] == ["A swap was interrupted after its cut-over; it was checked and finished."]
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
        if step == "pause_ingestion":  # it changes rows in their places; the cut-over then has no page
            assert outcome.code == 3
        refused(outcome, 3, "are free" if step == "take_backups" else "No space is left", "ree space")
    monkeypatch.setattr(swap_module, step, real)
    monkeypatch.undo()


def test_every_limit_on_file_sizes_ends_in_one_of_two_states(demo_build: Path, tmp_path: Path) -> None:
    """In a process of its own, with limits from too small for a backup to nearly enough."""
    made = copy_case(demo_build, tmp_path / "made")
    before = picture(made.database)
    size = made.database.stat().st_size
    found = set()
    for number, limit in enumerate((size // 2, size + 8_192, size + 120_000, size + 300_000, size + 600_000)):
        case = copy_case(demo_build, tmp_path / str(number))

        def small(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        outcome = case.run(run_cli(preexec=small), "swap")
        found.add(outcome.code)
        assert outcome.code in (0, 3), outcome
        if outcome.code == 3:
            assert re.search("No space|limit on file sizes|cannot be written", outcome.err), outcome.err
        home = succeeds(case.run(run_lotgate, "status", "--json")).json
        assert_sound(case)
        if home["phase"] == "legacy":
            assert outcome.code == 3
            assert picture(case.database) == before
        else:
            assert is_swapped(case)
    assert 3 in found


def run_cli(**settings: Any) -> Cli:
    return lambda *arguments: run_lotgate(*arguments, **settings)


@pytest.mark.parametrize("command", ["rollback", "contract"])
def test_disk_full_while_taking_back_or_contracting(
    swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Before the tables are touched, and after they were: the next command undoes, and finishes."""
    import lotgate.live.contract
    import lotgate.live.rollback

    write(swapped.database, "drop view dashboard_daily_units")
    module = lotgate.live.rollback if command == "rollback" else lotgate.live.contract
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
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=os.environ | settings, cwd=tmp_path) as first:
        try:
            wait_for(paused)
            during = picture(case.database)
            refused(case.run(lotgate, "swap"), 3, "work directory", "another run is in progress")
            refused(other("swap"), 3, "Another lotgate is at work", str(case.database))
            refused(other("rollback"), 3, "Another lotgate is at work")
            # the database is not migrated, which comes first
            assert other("contract", "--force", "--confirm-name", "ora.db").code in (1, 3)
            assert other("plan").code == 0
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
        "insert into configuration_params (category, parameter_name, value) values ('Key Products', 'x', 'y')",
        "update configuration_params set value = '7' || value where id = (select min(id) from configuration_params)",
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
            each.database, f"select name, sql from sqlite_schema where type = 'trigger' and tbl_name = '{table}'"
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
                each.run(lotgate, "swap"), 1, f"The table {table} is not what was audited", "goes around the triggers"
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


LATE = ["take_backups", "check_same_as_snapshot", "stage", "verify_staged", "pause_ingestion", "switch_tables", "switch"]


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
        write(case.work_dir / "candidate.sqlite", "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)")
    elif what == "the candidate's ledger":
        write(case.work_dir / "candidate.sqlite", "update audit_row_ledger set reason = 'x' where legacy_id = (select min(legacy_id) from audit_row_ledger)")
    elif what == "the candidate's index":
        write(case.work_dir / "candidate.sqlite", "drop index uniq_shipped_items_key")
    elif what == "the candidate's constraints, and its description":
        weaken(case)
    elif what == "a damaged candidate":
        with (case.work_dir / "candidate.sqlite").open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * 4096)
    elif what == "the snapshot":
        (case.work_dir / "legacy.sqlite").chmod(0o600)
        write(case.work_dir / "legacy.sqlite", "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)")
    elif what == "the controls":
        with (case.controls / "expected_units.csv").open("a") as file:
            file.write("2025-10-07,1,nobody\n")
    elif what == "build.json":
        case.work_dir.joinpath("build.json").write_text("{}")
    elif what == "the schema in build.json":
        edit_json(case.work_dir / "build.json", schema_sha256="0" * 64)
    elif what == "a damaged verdict":
        case.verdict.write_text(case.verdict.read_text()[:500])
    elif what == "a verdict of another version":
        edit_json(case.verdict, format=1)
    elif what == "a verdict painted open":
        checks = json.loads(case.verdict.read_text())["checks"]
        edit_json(case.verdict, checks=[checks[0] | {"result": "failed", "severity": "critical"}, *checks[1:]])
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
    from lotgate.verdict import count_checks

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
        ("the schema in build.json", 1, "the candidate's tables and constraints"),
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
        monkeypatch, "switch_tables", lambda: write(case.database, "delete from lotgate_stage_shipped_items where id in (select max(id) from lotgate_stage_shipped_items)")
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
    words = {"changed": "was changed", "no manifest": "has no manifest", "of another database": "another database"}
    if what == "changed":
        write(backup, "update shipped_items set quantity_shipped = 9 where id in (select min(id) from shipped_items)")
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
