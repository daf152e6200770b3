"""Killed at every step, the database is old or new, and the next command brings it home (``kills`` does it).

``LOTGATE_KILLS`` says how many kills; ``make kills`` asks for all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ORPHAN = """
import os, signal, sys, time
from pathlib import Path
from kills.processes import Running, be_the_reaper, wait_for

case = Path(sys.argv[1])
for suffix in ("report", "output"):
    case.with_name(f"{case.name}.{suffix}").touch()
be_the_reaper()
command = os.fork()
if not command:
    os.setsid()
    if not os.fork():
        time.sleep(0.3)
        os.setsid()
        time.sleep(0.3)
        case.touch()
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
wait_for(Running(command, frozenset()), case)
sys.exit(0 if case.exists() else 1)
"""

KILLS = int(os.environ.get("LOTGATE_KILLS") or 360)


@pytest.fixture(scope="module")
def campaign(demo_build: Path) -> dict[str, Any]:
    """One campaign, in a process of its own: it forks, and this one may have threads and open databases."""
    done = subprocess.run(
        [sys.executable, "-m", "kills", str(demo_build), str(KILLS), "--json"],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=300 + 5 * KILLS,
    )
    assert done.stdout, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_an_orphan_that_leaves_its_process_group_is_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ORPHAN, str(tmp_path / "case")]
    assert subprocess.run(command, cwd=HERE, timeout=60, check=False).returncode == 0


def test_the_next_command_brings_every_killed_one_home(campaign: dict[str, Any]) -> None:
    total = sum(sum(found.values()) for found in campaign["kills"].values())
    print(f"{total} kills in {campaign['cases']} cases, {campaign['seconds']:.0f} s")
    for what, found in sorted(campaign["kills"].items()):
        print(f"  {what}: {sum(found.values())} {found}")
    shown = "\n".join(json.dumps(problem) for problem in campaign["problems"][:10])
    assert not campaign["problems"], f"{len(campaign['problems'])} cases with problems\n{shown}"


def test_it_was_killed_often_enough_and_everywhere(campaign: dict[str, Any]) -> None:
    kills = campaign["kills"]
    assert campaign["total"] >= min(KILLS * 0.85, 2000), campaign["total"]
    for command in ("swap", "rollback", "restore", "unrestore", "contract"):
        assert sum(kills[command].values()) > 15, command
        assert kills[command]["sql commit"], command
        assert kills[command]["file command"], command
        assert any(what.endswith(f" after {command}") for what in kills), command
    assert kills["swap"]["file rename"]
    for command in ("swap", "rollback", "restore", "contract"):
        assert kills[f"{command} under load"], command


def test_readers_and_writers_went_on(campaign: dict[str, Any]) -> None:
    print("  ".join(f"{name} {value:g}" for name, value in campaign["load"].items()))
    assert campaign["load"]["writes"] > 100
    assert campaign["load"]["reads"] > 50
