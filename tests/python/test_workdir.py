"""The work directory, its lock, and the evidence database in it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Outcome, fingerprint
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.evidence import EvidenceSummary, create_evidence, ensure_evidence
from lotgate.workdir import WorkDir, open_work_dir, write_private

Cli = Callable[..., Outcome]

HOLD_LOCK = """
import sys
from pathlib import Path
from lotgate.workdir import open_work_dir
with open_work_dir(Path(sys.argv[1]), Path(sys.argv[2])):
    print("ready", flush=True)
    sys.stdin.read()
"""


def hold_lock(work: Path, live: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(work), str(live)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_another_run_in_progress_is_refused_until_it_ends_however_it_ends(
    lotgate: Cli, live: Path, work: Path
) -> None:
    process = hold_lock(work, live)
    before = fingerprint(live.parent)
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert f"The work directory {work} is in use by process {process.pid}: another run" in outcome.err
    assert "use another --work-dir" in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0


def test_the_lock_is_free_after_an_error(live: Path, work: Path) -> None:
    with pytest.raises(GateClosed), open_work_dir(work, live):
        raise GateClosed("no")
    with open_work_dir(work, live):
        pass


def test_it_is_created_for_its_owner_only(live: Path, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with open_work_dir(tmp_path / "a" / "b", live) as work:
            assert stat.S_IMODE(work.path.stat().st_mode) == 0o700
            assert [stat.S_IMODE(path.stat().st_mode) for path in work.path.iterdir()] == [0o600]
    finally:
        os.umask(old)


def test_an_existing_one_keeps_its_mode(live: Path, work: Path) -> None:
    work.mkdir()
    work.chmod(0o755)
    with open_work_dir(work, live):
        assert stat.S_IMODE(work.stat().st_mode) == 0o755


def own_folder(live: Path, work: Path) -> Path:
    return live.parent


def own_folder_by_link(live: Path, work: Path) -> Path:
    work.symlink_to(live.parent)
    return work


def own_folder_with_dots(live: Path, work: Path) -> Path:
    return live.parent / ".." / live.parent.name


def database_itself(live: Path, work: Path) -> Path:
    return live


def hard_link_inside(live: Path, work: Path) -> Path:
    work.mkdir()
    (work / "candidate.sqlite").hardlink_to(live)
    return work


def symbolic_link_inside(live: Path, work: Path) -> Path:
    work.mkdir()
    (work / "legacy.sqlite").symlink_to(live)
    return work


def above_in_dbt(live: Path, work: Path) -> Path:
    work.mkdir()
    (work / "dbt").symlink_to(live.parent)
    return work


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (own_folder, "is the live database's own folder"),
        (own_folder_by_link, "is the live database's own folder"),
        (own_folder_with_dots, "is the live database's own folder"),
        (database_itself, "is the live database itself"),
        (hard_link_inside, "candidate.sqlite in the work directory is the live database itself"),
        (symbolic_link_inside, "legacy.sqlite in the work directory is the live database itself"),
        (above_in_dbt, "which lotgate empties"),
    ],
)
def test_a_work_directory_that_endangers_the_live_database_is_refused(
    lotgate: Cli, live: Path, work: Path, place: Callable[[Path, Path], Path], message: str
) -> None:
    folder = place(live, work)
    before = fingerprint(live.parent)
    outcome = lotgate("snapshot", "--database", live, "--work-dir", folder)
    assert message in outcome.err
    assert "Hint: " in outcome.err
    assert outcome.code == 2
    assert fingerprint(live.parent) == before


def test_the_snapshot_itself_is_no_live_database_of_its_work_directory(
    lotgate: Cli, live: Path, work: Path
) -> None:
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0
    outcome = lotgate("snapshot", "--database", work / "legacy.sqlite", "--work-dir", work)
    assert "is the live database's own folder" in outcome.err
    assert outcome.code == 2


def test_a_database_below_the_work_directory_but_out_of_the_way_is_fine(live: Path) -> None:
    with open_work_dir(live.parent.parent, live):
        pass


def test_a_file_in_its_place_is_a_usage_error(lotgate: Cli, live: Path, work: Path) -> None:
    work.write_text("")
    for folder in (work, work / "deeper"):
        outcome = lotgate("snapshot", "--database", live, "--work-dir", folder)
        assert f"The work directory {folder} is not a folder." in outcome.err
        assert outcome.code == 2


def test_a_failed_write_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    with (
        pytest.raises(EnvironmentFailed, match=r"x\.json cannot be written: No space left"),
        write_private(path),
    ):
        raise OSError(28, "No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_paths() -> None:
    work = WorkDir(Path("/w"))
    assert work.legacy == Path("/w/legacy.sqlite")
    assert work.candidate == Path("/w/candidate.sqlite")
    assert work.shipstation == Path("/w/shipstation.sqlite")
    assert work.snapshot_json == Path("/w/snapshot.json")
    assert work.controls == Path("/w/controls")
    assert work.dbt == Path("/w/dbt")


# evidence


NOTHING = EvidenceSummary(fetches=0, complete_fetches=0, shipments=0, items=0, days_covered=0)


def fetch(path: Path, *windows: tuple[str, str, int]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "insert into fetches (ship_date_from, ship_date_to, fetched_at, complete)"
            " values (?, ?, '2025-10-20 10:00:00', ?)",
            windows,
        )
        connection.execute("insert into shipments (shipment_id, is_return_label, voided) values (1, 0, 0)")
        connection.executemany(
            "insert into shipment_items (shipment_id, line_index, adjustment) values (1, ?, 0)", [(0,), (1,)]
        )
        connection.commit()


def test_missing_evidence_is_created_empty_and_private(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    assert ensure_evidence(path, tmp_path / "ora.db") == NOTHING
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_evidence_is_counted_and_overlapping_windows_count_once(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    create_evidence(path, tmp_path / "ora.db")
    fetch(
        path,
        ("2025-02-27", "2025-03-02", 1),
        ("2025-03-01", "2025-03-03", 1),
        ("2025-03-05", "2025-03-05", 1),
        ("2025-06-01", "2025-06-30", 0),
        ("2025-07-02", "2025-07-01", 1),
    )
    before = fingerprint(tmp_path)
    summary = ensure_evidence(path, tmp_path / "ora.db")
    assert summary == EvidenceSummary(fetches=5, complete_fetches=4, shipments=1, items=2, days_covered=6)
    assert fingerprint(tmp_path) == before


def test_another_databases_evidence_is_refused_and_kept(lotgate: Cli, live: Path, work: Path) -> None:
    work.mkdir()
    path = work / "shipstation.sqlite"
    create_evidence(path, live.with_name("other.db"))
    fetch(path, ("2025-10-06", "2025-10-06", 1))
    before = fingerprint(work)
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert f"holds the ShipStation evidence of another database: {live.with_name('other.db')}" in outcome.err
    assert "Use another --work-dir" in outcome.err
    assert "move that file away" in outcome.err
    assert outcome.code == 2
    assert {name: mark for name, mark in fingerprint(work).items() if name != ".lotgate.lock"} == before


def test_another_databases_empty_evidence_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    create_evidence(path, tmp_path / "wrong.db")
    assert ensure_evidence(path, tmp_path / "ora.db") == NOTHING
    fetch(path, ("2025-10-06", "2025-10-06", 1))
    with pytest.raises(UsageError, match=r"another database: .*/ora\.db"):
        ensure_evidence(path, tmp_path / "wrong.db")


def test_the_same_database_by_another_name_is_the_same(live: Path, tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    create_evidence(path, live)
    fetch(path, ("2025-10-06", "2025-10-06", 1))
    link = tmp_path / "link.db"
    link.symlink_to(live)
    assert ensure_evidence(path, link).fetches == 1


def test_a_file_without_the_marker_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table fetches (fetch_id text)")
        connection.execute("insert into fetches values ('1')")
        connection.commit()
    assert ensure_evidence(path, tmp_path / "ora.db") == NOTHING
    path.write_bytes(b"")
    assert ensure_evidence(path, tmp_path / "ora.db") == NOTHING


def test_what_is_no_evidence_at_all_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    path.write_text("somebody's notes" * 100)
    with pytest.raises(UsageError, match="is not a SQLite database") as caught:
        ensure_evidence(path, tmp_path / "ora.db")
    assert caught.value.hint == "Move that file away and fetch the evidence again."
    assert path.read_text() == "somebody's notes" * 100
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        ensure_evidence(folder, tmp_path / "ora.db")


def test_evidence_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    create_evidence(path, tmp_path / "ora.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update lotgate_evidence set value = '3' where key = 'format'")
        connection.commit()
    with pytest.raises(UsageError, match="evidence of format 3; this version reads format 2"):
        ensure_evidence(path, tmp_path / "ora.db")


def test_evidence_of_the_first_format_is_refused_where_something_was_fetched(tmp_path: Path) -> None:
    path = tmp_path / "shipstation.sqlite"
    create_evidence(path, tmp_path / "ora.db")
    as_first_format(path)
    assert ensure_evidence(path, tmp_path / "ora.db") == NOTHING
    fetch(path, ("2025-10-06", "2025-10-06", 1))  # it was made anew, in this version's format
    as_first_format(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="evidence of format 1; this version reads format 2") as caught:
        ensure_evidence(path, tmp_path / "ora.db")
    assert caught.value.hint == "Move it away and fetch the evidence again with `lotgate recover`."
    assert path.read_bytes() == before


def as_first_format(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update lotgate_evidence set value = '1' where key = 'format'")
        connection.execute("alter table fetches drop column incomplete_because")
        connection.commit()
