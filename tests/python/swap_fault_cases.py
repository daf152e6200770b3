"""What the tests of faults share: the demo before and after its swap, and what a refusal looks like.

After each fault the message says what is wrong, the exit code is the one of docs/design.md, section 3, the
live database is as it was to the last value, and the next try does what it should.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lotgate.live.swap as swap_module
from conftest import Outcome
from swap_cases import SwapCase, copy_case, query, write

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


def prepare_contract(case: SwapCase) -> None:
    write(case.database, "drop view dashboard_daily_units")
