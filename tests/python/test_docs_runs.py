"""The pages' follow-ups to the demo are run, word by word, as somebody would who reads them."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pages import ROOT, Block, read_page

RUN = "run: "
SQLITE = """#!{python}
import sqlite3, sys
statement = sys.argv[2]
if statement == ".schema":
    statement = "select sql || ';' from sqlite_schema where sql is not null"
for row in sqlite3.connect(sys.argv[1]).execute(statement):
    print(*row, sep="|")
"""
"""For machines without the sqlite3 program: enough for what the pages ask of it."""


def marked(page: str, mark: str) -> list[Block]:
    return [block for block in read_page(ROOT / page).blocks if block.mark == RUN + mark]


@pytest.fixture
def clone(demo_build: Path, tmp_path: Path) -> Path:
    """A folder that looks as a clone does after `make demo`: its target is the demo's, and swapped."""
    folder = tmp_path / "clone"
    folder.mkdir()
    shutil.copytree(demo_build, folder / "target", ignore=shutil.ignore_patterns("*.lock"))
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "seeds").symlink_to(ROOT / "seeds")
    (folder / "bin").mkdir()
    if shutil.which("sqlite3") is None:
        shim = folder / "bin" / "sqlite3"
        shim.write_text(SQLITE.format(python=sys.executable))
        shim.chmod(0o755)
    with closing(sqlite3.connect(folder / "target" / "shipstation.sqlite")) as connection:
        connection.execute(
            "update lotgate_evidence set value = ? where value like '%/ora.db'",
            (str(folder.resolve() / "target" / "demo" / "ora.db"),),
        )
        connection.commit()
    shell(folder, ".venv/bin/lotgate swap --database target/demo/ora.db --controls seeds/controls")
    return folder


def environment(folder: Path) -> dict[str, str]:
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("LOTGATE_", "SHIPSTATION_"))
    }
    return clean | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def shell(folder: Path, text: str) -> list[str]:
    """Runs the lines as one script that stops at the first failure; what each printed is in the output."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout.splitlines()


def units(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "target" / "demo" / "ora.db")) as connection:
        found: int = connection.execute(
            "select sum(quantity_shipped) from shipped_items where ship_date = '2025-10-06'"
        ).fetchone()[0]
    return found


def test_what_the_readme_says_after_the_demo(clone: Path) -> None:
    followed, looked = marked("README.md", "demo")
    back, where, again = followed.text.splitlines()
    assert units(clone) == 331
    shell(clone, back)
    assert units(clone) == 223
    assert "legacy" in "\n".join(shell(clone, where))
    assert any(line.startswith("Swapped: ") for line in shell(clone, again))
    assert units(clone) == 331
    ledger, *schema = (shell(clone, line) for line in looked.text.splitlines())
    assert len(ledger) == 10
    assert any("create table" in line.lower() for line in schema[0])


@contextmanager
def simulator(folder: Path, command: str) -> Iterator[str]:
    """The simulator as the page starts it; its address."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_what_the_page_says_about_trying_sync(clone: Path) -> None:
    (start,), (tried,) = marked("docs/sync.md", "simulator"), marked("docs/sync.md", "sync")
    assert "http://127.0.0.1:PORT" in tried.text
    with simulator(clone, start.text) as address:
        printed = shell(clone, tried.text.replace("http://127.0.0.1:PORT", address))
    assert printed
    with closing(sqlite3.connect(clone / "target" / "demo" / "ora.db")) as connection:
        outcomes = connection.execute("select service, outcome from lotgate_sync_runs").fetchall()
    assert outcomes == [("shipments", "done")]
    assert units(clone) == 331


def test_every_mark_is_run_here() -> None:
    marks = {
        (path.name, block.mark)
        for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        for block in read_page(path).blocks
        if block.mark.startswith(RUN)
    }
    assert marks == {
        ("README.md", "run: demo"),
        ("sync.md", "run: simulator"),
        ("sync.md", "run: sync"),
    }
