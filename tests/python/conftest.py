"""What several tests need: small legacy databases, the command line, proof that a folder was not touched."""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compiled_models import CompiledModels
from lotgate.legacy_schema import Shape, create_legacy_database

pytest_plugins = [
    "backup_cases",
    "browser",
    "data_docs_cases",
    "later_work",
    "reader_cases",
    "review_page_cases",
    "shipstation_fixtures",
    "swap_fault_cases",
    "sync_cases",
]

# what changes a command: settings, and a job of CI, whose page and log a test must not write to
SETTINGS = ("LOTGATE_", "GITHUB_")
LOTGATE = [sys.executable, "-c", "from lotgate.cli import main; main()"]

# Plain reads of a database, in a process of their own: closing the file would drop the locks of this one.
FINGERPRINT = """
import hashlib, json, os, sys
found = {}
for name in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], name)
    if os.path.isdir(path):
        found[name] = "folder"
    elif name.endswith("-shm"):
        found[name] = "shared memory"  # it is every reader's
    elif os.access(path, os.R_OK):
        with open(path, "rb") as file:
            found[name] = [hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mtime_ns]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def fingerprint(folder: Path) -> dict[str, Any]:
    """Every file of a folder with its content's hash and its time."""
    command = [sys.executable, "-I", "-S", "-c", FINGERPRINT, str(folder)]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def drop_privileges() -> None:
    """Makes permission bits count for root too, after the next exec (a ``preexec_fn``)."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "prctl")


def run_lotgate(
    *arguments: str | Path,
    cwd: Path | None = None,
    preexec: Callable[[], None] | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 60,
) -> Outcome:
    """The real command in a process of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}
    done = subprocess.run(
        [*LOTGATE, *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        cwd=cwd,
        preexec_fn=preexec,
        env=clean | (env or {}),
        timeout=timeout,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def fill(connection: sqlite3.Connection, orders: int = 20) -> None:
    """A few ordinary rows in a database of any shape but ``bare``; invented numbers."""
    connection.execute(
        "insert into inventory_current (sku, product_name, current_quantity) values ('17612', 'Brush', 10)"
    )
    for number in range(orders):
        order = f"{600005 + 10 * number}"
        connection.execute(
            "insert into shipped_orders (ship_date, order_number) values ('2025-09-15', ?)", (order,)
        )
        connection.execute(
            "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
            " values ('2025-09-15', '17612 - 250237', '17612', 2, ?)",
            (order,),
        )
    connection.commit()


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A WAL database in a folder of its own, cleanly closed, so without -wal and -shm."""
    folder = tmp_path / "live"
    folder.mkdir()
    path = folder / "ora.db"
    with closing(create_legacy_database(path, Shape.autumn)) as connection:
        fill(connection)
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where the work directory goes; it does not exist yet."""
    return tmp_path / "work"


@pytest.fixture
def lotgate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """The command line inside this process, from an empty folder and without settings."""
    from lotgate.cli import main

    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for key in list(os.environ):
        if key.startswith(SETTINGS):
            monkeypatch.delenv(key)

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        code = stopped.value.code
        assert isinstance(code, int)
        return Outcome(code, captured.out, captured.err)

    return run


HOLDER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement)
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture
def hold() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that open a database, run statements, and stay as they are until the test ends."""
    holders: list[subprocess.Popen[str]] = []

    def start(path: Path, *statements: str) -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), *statements],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


@pytest.fixture(scope="session")
def demo_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work directory of one demo run, built and audited by the command line; tests only read it.

    LOTGATE_TEST_DEMO names one that is there already, to save its time while a test is written.
    """
    if "LOTGATE_TEST_DEMO" in os.environ:
        return Path(os.environ["LOTGATE_TEST_DEMO"])
    work_dir = tmp_path_factory.mktemp("demo") / "work"
    done = subprocess.run(
        [*LOTGATE, "demo", "--no-swap", "--work-dir", str(work_dir)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (work_dir / "candidate.sqlite").exists(), done.stderr  # test_audit.py says what the gate must be
    return work_dir


@pytest.fixture(scope="session")
def compiled_models(demo_build: Path) -> CompiledModels:
    """The models of the demo's build, to be run on other databases without dbt."""
    return CompiledModels.of_build(demo_build / "candidate.sqlite", demo_build / "dbt")
