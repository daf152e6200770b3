"""A process beside a command ends with it, and ends quietly when it has done its work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import lotgate
from lotgate.child_process import start_child

BEGIN = "from lotgate.child_process import end_with_parent; end_with_parent(); "


def test_it_ends_when_its_parent_lets_go() -> None:
    with start_child(["-c", BEGIN + "import time; time.sleep(600)"]) as child:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1)
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(60) == 1


def test_it_runs_this_lotgate_and_ends_by_itself() -> None:
    program = BEGIN + "import lotgate; print(lotgate.__file__)"
    with start_child(["-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.read().decode().strip() == lotgate.__file__
        assert child.stderr.read() == b""
        assert child.wait(60) == 0


@pytest.mark.parametrize("module", ["dbt_docs", "gx_beside", "unit_tests"])
def test_every_process_of_ours_promises_it_before_it_begins(module: str) -> None:
    program = f"import os, lotgate.{module} as ours; ours.end_with_parent = lambda: os._exit(42); ours.main()"
    with start_child(["-c", program]) as child:
        assert child.stdin is not None
        child.stdin.write(b"{}\n")
        child.stdin.flush()
        assert child.wait(60) == 42


def test_no_other_module_starts_processes() -> None:
    """But the owner's own commands, which may well go on."""
    package = Path(lotgate.__file__).parent
    found = {path.name for path in package.rglob("*.py") if "Popen(" in path.read_text(encoding="utf-8")}
    assert found == {"child_process.py", "ingestion.py"}
