"""Bad input for ``lotgate build``: clear message, right exit code, no candidate, the live file as it was.

What the snapshot refuses it refuses here too; ``test_bad_input.py`` has those cases in detail.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conftest import Outcome, drop_privileges, fill, fingerprint, run_lotgate
from lotgate.build import build_candidate
from lotgate.console import SilentReporter
from lotgate.evidence import create_evidence
from lotgate.generator import generate
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.workdir import open_work_dir
from test_bad_input import CASES, corrupt_index, duplicate_ids, needs_small_disk, not_utf8, on_small_disk
from test_build import (
    QUICK,
    apart_from_lotgate,
    leave_out_unit_tests,
    no_candidate,
    put_old_candidate,
    rows_of,
    work_dir_of_the_session,
    write_controls,
)

Cli = Callable[..., Outcome]
Hold = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return work_dir_of_the_session(tmp_path_factory)


@pytest.fixture
def controls(tmp_path: Path) -> Path:
    return write_controls(tmp_path / "controls")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_unit_tests(monkeypatch)


@pytest.mark.parametrize(
    ("damage", "code", "message", "hint"), CASES, ids=lambda c: getattr(c, "__name__", "")
)
def test_what_the_snapshot_refuses_leaves_no_candidate(
    lotgate: Cli,
    live: Path,
    tmp_path: Path,
    controls: Path,
    damage: Callable[[Path], None],
    code: int,
    message: str,
    hint: str,
) -> None:
    damage(live)
    # what only the copy shows is found after the counter was installed: it, and nothing else, is then there
    is_found_late = damage in (corrupt_index, duplicate_ids, not_utf8)
    content = apart_from_lotgate(live) if is_found_late else {}
    before = fingerprint(live.parent)
    work = tmp_path / "work"
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert outcome.err.count("Error: ") == 1
    assert message.format(path=live) in outcome.err
    assert hint in outcome.err
    assert "Traceback" not in outcome.err
    assert "secret" not in outcome.err
    assert outcome.code == code
    if is_found_late:
        assert apart_from_lotgate(live) == content
        assert set(fingerprint(live.parent)) == set(before)
    else:
        assert fingerprint(live.parent) == before
    assert not work.exists() or no_candidate(work)


@pytest.mark.parametrize(
    ("shape", "emptied", "rows"),
    [
        (Shape.autumn, ["shipped_items"], {"shipped_orders": 20, "skus": 1, "audit_row_ledger": 0}),
        (Shape.keyless, ["inventory_current"], {"skus": 0, "audit_row_ledger": 20, "audit_quarantine": 20}),
        (Shape.bare, ["inventory_current", "shipped_items", "shipped_orders"], {"audit_row_ledger": 0}),
    ],
    ids=["no items", "no skus", "nothing"],
)
def test_empty_tables_build(
    lotgate: Cli,
    tmp_path: Path,
    work: Path,
    controls: Path,
    quick: None,
    shape: Shape,
    emptied: list[str],
    rows: dict[str, int],
) -> None:
    path = tmp_path / "ora.db"
    with closing(create_legacy_database(path, shape)) as connection:
        if shape is not Shape.bare:
            fill(connection)
        for table in emptied:
            connection.execute(f"delete from {table}")
        connection.commit()
    outcome = lotgate("build", "--database", path, "--work-dir", work, "--controls", controls)
    assert outcome.code == 0, outcome.err
    assert "Units that are not explained: 0." in outcome.out
    for table, count in {"shipped_items": 0, **rows}.items():
        assert (table, *rows_of(work / "candidate.sqlite", f"select count(*) from {table}")) == (
            table,
            (count,),
        )


def test_duplicate_skus(lotgate: Cli, tmp_path: Path, work: Path, controls: Path, quick: None) -> None:
    """One SKU stands there twice, another with blanks around it the second time."""
    folder = tmp_path / "live"
    folder.mkdir()
    path = folder / "ora.db"
    with closing(create_legacy_database(path, Shape.keyless)) as connection:
        fill(connection)
        connection.executemany(
            "insert into inventory_current (sku, product_name) values (?, 'x')",
            [("17612",), ("17904",), ("\u00a017904\t",), ("17914",)],
        )
        connection.commit()
    put_old_candidate(work)
    before = fingerprint(folder)
    outcome = lotgate("build", "--database", path, "--work-dir", work, "--controls", controls, "--no-counter")
    assert outcome.code == 1
    assert "Error: The candidate does not hold" in outcome.err
    assert "check unique_stg_legacy__inventory_current_sku_code found 2 rows" in outcome.err
    assert str(work / "candidate.failed.sqlite") in outcome.err
    assert outcome.out == ""
    assert no_candidate(work)
    assert fingerprint(folder) == before


GOOD_DAY = "2025-09-15"
DAYS: list[Any] = [
    "2025-02-30", "10/06/2025", "", None, "2025-9-15", "20250915", "0000-01-01", "2025-09-15 00:00:00",
    "２０２５-09-15", "2025-09-15\0", 20250915, 45914.0, b"\xff", "nan",
]  # fmt: skip
QUANTITIES: list[Any] = [
    0, -1, 1.5, "x", "", None, "1.5", "3.0", "3 units", "+3", "٣", 1_000_001, 2**63 - 1, -(2**63), 1e300,
    -1e300, float("inf"), float("-inf"), "9" * 400, b"3", b"\xff",
]  # fmt: skip
SAME_AS_3: list[Any] = [3, 3.0, "3", " 3 "]


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Any, ...]]:
    """The rows of one build on a table without checks, by id: disposition, reason, units, order's date.

    One value in each row is not as it should be; the last ones still say a day and a number. Each row has an
    order of its own. The last order's header stands there twice, once with a blank, and some have no number.
    """
    values = [
        *((day, 3) for day in DAYS),
        *((GOOD_DAY, quantity) for quantity in QUANTITIES),
        *((GOOD_DAY, quantity) for quantity in SAME_AS_3),
        (f" {GOOD_DAY}\n", 1),
        (GOOD_DAY, 1_000_000),
    ]
    path = tmp_path_factory.mktemp("wild") / "ora.db"
    with closing(create_legacy_database(path, Shape.keyless)) as connection:
        connection.execute("insert into inventory_current (sku, product_name) values ('17612', 'Brush')")
        for number, (day, quantity) in enumerate(values, start=1):
            order = f"{600000 + number}"
            connection.execute(
                "insert into shipped_orders (id, ship_date, order_number) values (?, ?, ?)",
                (number, GOOD_DAY, order),
            )
            connection.execute(
                "insert into shipped_items"
                " (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
                " values (?, ?, '17612 - 250237', '17612', ?, ?, '2025-09-16 10:00:00')",
                (number, day, quantity, order),
            )
        last = len(values)
        connection.executemany(
            "insert into shipped_orders (id, ship_date, order_number) values (?, ?, ?)",
            [
                (1003, "2025-09-19", f"{600000 + last}\t"),
                (1004, None, None),
                (1005, None, None),
                (1006, None, " "),
            ],
        )
        connection.commit()
    before = fingerprint(path.parent)
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_out_unit_tests(monkeypatch)
        with open_work_dir(work_dir_of_the_session(tmp_path_factory), path) as work_dir:
            build_candidate(path, None, work_dir, lock_timeout=1, reporter=SilentReporter(), counter=False)
    assert fingerprint(path.parent) == before
    kept = path.with_name("candidate.sqlite")
    shutil.copyfile(work_dir.candidate, kept)
    assert rows_of(kept, "select count(*) from audit_unit_balance where residual <> 0") == [(0,)]
    found = rows_of(
        kept,
        "select ledger.legacy_id, ledger.disposition, ledger.reason, items.ship_date, items.quantity_shipped,"
        " orders.ship_date, typeof(ledger.quantity_shipped)"
        " from audit_row_ledger as ledger left join shipped_items as items on items.id = ledger.legacy_id"
        " left join shipped_orders as orders on orders.order_number = items.order_number",
    )
    assert len(found) == len(values)
    return {row[0]: row[1:] for row in found}


def test_dates_that_are_none_are_quarantined(wild: dict[int, tuple[Any, ...]]) -> None:
    for number, day in enumerate(DAYS, start=1):
        assert (day, *wild[number][:3]) == (day, "quarantine", "invalid_ship_date", None)


def test_quantities_that_are_none_are_quarantined(wild: dict[int, tuple[Any, ...]]) -> None:
    for number, quantity in enumerate(QUANTITIES, start=len(DAYS) + 1):
        assert (quantity, *wild[number][:4]) == (quantity, "quarantine", "invalid_quantity", None, None)


def test_values_that_say_a_day_or_a_number_are_kept(wild: dict[int, tuple[Any, ...]]) -> None:
    first = len(DAYS) + len(QUANTITIES) + 1
    expected = [*([3] * len(SAME_AS_3)), 1, 1_000_000]
    for number, quantity in enumerate(expected, start=first):
        assert wild[number][:4] == ("keep", "clean", GOOD_DAY, quantity)
    assert wild[first + 2][5] == "text"  # the ledger has it as it was stored


def test_of_headers_that_differ_in_blanks_the_exact_one_counts(wild: dict[int, tuple[Any, ...]]) -> None:
    assert wild[max(wild)][4] == GOOD_DAY


def test_order_headers_with_one_number(
    lotgate: Cli, tmp_path: Path, work: Path, controls: Path, quick: None
) -> None:
    """The candidate's key cannot hold both, and which one to drop is not for lotgate to guess."""
    folder = tmp_path / "live"
    folder.mkdir()
    path = folder / "ora.db"
    with closing(create_legacy_database(path, Shape.keyless)) as connection:
        fill(connection)
        connection.execute(
            "insert into shipped_orders (id, ship_date, order_number) values (99, '2025-09-17', '600005')"
        )
        connection.commit()
    put_old_candidate(work)
    before = fingerprint(folder)
    outcome = lotgate("build", "--database", path, "--work-dir", work, "--controls", controls, "--no-counter")
    assert outcome.code == 1
    assert "Error: The candidate does not hold" in outcome.err
    assert "Two rows of shipped_orders have exactly one order number." in outcome.err
    assert "Traceback" not in outcome.err
    assert no_candidate(work)
    assert fingerprint(folder) == before


ODD = 'two words, it\'s "quoted" 100%41 a#b c?mode=rwc ünï 日本 {{ x }} $HOME'


def test_paths_with_any_character(lotgate: Cli, live: Path, tmp_path: Path, quick: None) -> None:
    """The database, the work directory and the controls, all at once."""
    folder = tmp_path / ODD
    database = folder / f"live {ODD}" / f"{ODD}.db"
    database.parent.mkdir(parents=True)
    live.rename(database)
    controls = write_controls(
        folder / f"controls {ODD}",
        incidents=[
            "wrong_ship_date,correct_ship_date,created_from,created_to,note",
            "2024-04-16,,2025-10-06,2025-10-06,x",
        ],
        sku_variants=["raw_sku,sku_code,lot_number,note", "17612 - 250237,17612,250300,wrong label"],
    )
    work = folder / f"work {ODD}"
    content = apart_from_lotgate(database)
    outcome = lotgate("build", "--database", database, "--work-dir", work, "--controls", controls)
    assert outcome.code == 0, outcome.err
    assert "Error" not in outcome.err
    assert apart_from_lotgate(database) == content
    assert [path.name for path in database.parent.iterdir()] == [database.name]
    assert rows_of(database, "select value from lotgate_change_counter") == [(0,)]
    lots = "select distinct lot_number from shipped_items join lots using (lot_id)"
    assert rows_of(work / "candidate.sqlite", lots) == [("250300",)]
    assert {path.name for path in folder.iterdir()} == {f"live {ODD}", f"controls {ODD}", f"work {ODD}"}
    assert {path.name for path in work.iterdir()} == {
        ".lotgate.lock", "build.json", "candidate.sqlite", "controls", "dbt", "failures.sqlite",
        "legacy.sqlite", "shipstation.sqlite", "snapshot.json",
    }  # fmt: skip
    assert not any((tmp_path / "elsewhere").iterdir())


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose candidate is larger than its snapshot and than any of dbt's own files."""
    return generate(tmp_path_factory.mktemp("big"), rows=8_000, seed=3, nasty=0).database


def test_a_file_size_limit_while_dbt_runs(big: Path, work: Path, controls: Path) -> None:
    limit = big.stat().st_size * 5 // 4
    put_old_candidate(work)
    content = apart_from_lotgate(big)
    done = subprocess.run(
        [*QUICK, "build", "--database", big, "--work-dir", work, "--controls", controls],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False,
    )
    assert "Error: The candidate could not be written:" in done.stderr
    assert f"Hint: Look after space and permissions in {work}, and build again." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 3
    assert no_candidate(work)
    assert apart_from_lotgate(big) == content


def test_the_disk_fills_up_while_dbt_runs(big: Path, work: Path, controls: Path) -> None:
    """There is room for the snapshot, and not for all that dbt writes."""
    work.mkdir(exist_ok=True)
    parsed = work / "dbt" / "partial_parse.msgpack"
    kept = parsed.read_bytes() if parsed.exists() else None
    needs_small_disk(work)
    content = apart_from_lotgate(big)
    size = big.stat().st_size + 1_500_000
    command = [*QUICK, "build", "--database", str(big), "--work-dir", str(work), "--controls", str(controls)]
    listing = ["sh", "-c", '"$@"; code=$?; ls -A "$0" >&2; exit $code', str(work), *command]
    done = subprocess.run(on_small_disk(work, size, *listing), capture_output=True, text=True, check=False)
    assert "Error: dbt could not run: [Errno 28] No space left on device" in done.stderr
    assert f"Hint: Look after space and permissions in {work}, and build again." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 3
    left = done.stderr.splitlines()
    assert "legacy.sqlite" in left
    assert not {"candidate.sqlite", "candidate.unfinished.sqlite", "build.json"} & set(left)
    assert apart_from_lotgate(big) == content
    assert kept is None or parsed.read_bytes() == kept


def test_a_work_directory_that_cannot_be_written_to(live: Path, tmp_path: Path, controls: Path) -> None:
    work = tmp_path / "work"
    work.mkdir(mode=0o555)
    before = fingerprint(live.parent)
    outcome = run_lotgate(
        "build", "--database", live, "--work-dir", work, "--controls", controls, preexec=drop_privileges
    )
    assert f"The work directory {work} cannot be written to: Permission denied." in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before
    assert not any(work.iterdir())


def test_evidence_of_another_database(lotgate: Cli, live: Path, tmp_path: Path, controls: Path) -> None:
    work = tmp_path / "work"
    put_old_candidate(work)
    evidence = work / "shipstation.sqlite"
    create_evidence(evidence, tmp_path / "other.db")
    with closing(sqlite3.connect(evidence)) as connection:
        connection.execute(
            "insert into fetches values (1, '2025-10-06', '2025-10-06', '2025-10-08', 1, null)"
        )
        connection.commit()
    content = evidence.read_bytes()
    before = fingerprint(live.parent)
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert f"holds the ShipStation evidence of another database: {tmp_path / 'other.db'}." in outcome.err
    assert "Use another --work-dir" in outcome.err
    assert outcome.code == 2
    assert evidence.read_bytes() == content
    assert not no_candidate(work)  # nothing was touched: a wrong --database costs nothing
    assert fingerprint(live.parent) == before


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the build ended before it was looked at"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_build_and_a_kill_in_the_middle(
    lotgate: Cli, live: Path, work: Path, controls: Path, quick: None
) -> None:
    put_old_candidate(work)
    content = apart_from_lotgate(live)
    arguments = ["build", "--database", str(live), "--work-dir", str(work), "--controls", str(controls)]
    first = subprocess.Popen([*QUICK, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    unfinished = work / "candidate.unfinished.sqlite"
    try:
        wait_for(lambda: unfinished.exists() and unfinished.stat().st_size > 100_000, first)
        assert os.stat(unfinished).st_mode & 0o777 == 0o600  # noqa: PTH116
        second = lotgate(*arguments)
        assert first.poll() is None
        assert f"The work directory {work} is in use by process {first.pid}" in second.err
        assert second.code == 3
        assert unfinished.exists()
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert apart_from_lotgate(live) == content
    counted = rows_of(live, "select * from lotgate_change_counter")
    installed = fingerprint(live.parent)
    assert not (work / "candidate.sqlite").exists()
    assert not (work / "build.json").exists()

    again = lotgate(*arguments)
    assert again.code == 0, again.err
    assert fingerprint(live.parent) == installed  # it was there already
    assert rows_of(live, "select * from lotgate_change_counter") == counted
    assert rows_of(work / "candidate.sqlite", "select count(*) from shipped_items") == [(20,)]
    assert not [path.name for path in work.iterdir() if "unfinished" in path.name or "failed" in path.name]
