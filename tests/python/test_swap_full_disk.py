"""A disk that is full, or that cannot be written to, at any step of swap, rollback and contract."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lotgate.live.contract as contract_module
import lotgate.live.rollback as rollback_module
import lotgate.live.swap as swap_module
from conftest import drop_privileges, run_lotgate
from swap_cases import SwapCase, assert_sound, copy_case, picture, query, unharmed, write
from swap_fault_cases import (
    WORKFLOWS,
    Cli,
    before_calling,
    is_swapped,
    refused,
    succeeds,
)


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
            monkeypatch.setattr("lotgate.live.backup_files.free_bytes", lambda folder: 10)
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
