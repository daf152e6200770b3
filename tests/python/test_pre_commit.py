"""The hook for the controls' CSV files, run by the real pre-commit in a real git repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "ci"
PROGRAMS = Path(sys.executable).parent
UNITS = "ship_date,expected_units,source\n"

Commit = Callable[[dict[str, bytes]], subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example as an owner has it, committed, with pre-commit installed as git's hook."""
    folder = tmp_path / "an owner's repository"
    shutil.copytree(EXAMPLE, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "as copied")
    installed = run(folder, [PROGRAMS / "pre-commit", "install"])
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.fixture
def commit(repository: Path) -> Commit:
    """Writes these files into ``controls/``, and tries to commit them."""

    def write(files: dict[str, bytes]) -> subprocess.CompletedProcess[str]:
        for name, content in files.items():
            (repository / "controls" / name).write_bytes(content)
        git(repository, "add", *(f"controls/{name}" for name in files))
        return run(repository, ["git", "commit", "--message", "a change"])

    return write


def run(folder: Path, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """In an environment in which git and pre-commit find nothing of this machine's user."""
    kept = {key: os.environ[key] for key in ("LANG", "PYTHONPATH") if key in os.environ}
    return subprocess.run(
        command,
        cwd=folder,
        env=kept
        | {
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder.parent),
            "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            **{f"GIT_{who}_NAME": "owner" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "owner@example.com" for who in ("AUTHOR", "COMMITTER")},
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def git(folder: Path, *arguments: str) -> str:
    done = run(folder, ["git", *arguments])
    assert done.returncode == 0, done.stderr
    return done.stdout


def commits(folder: Path) -> int:
    return len(git(folder, "log", "--oneline").splitlines())


def test_a_good_change_passes(repository: Path, commit: Commit) -> None:
    done = commit({"expected_units.csv": f"{UNITS}2025-10-06,331,count\n".encode()})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "controls of lotgate" in done.stdout + done.stderr
    assert "Passed" in done.stdout + done.stderr
    assert commits(repository) == 2


def test_what_spreadsheets_save_passes(repository: Path, commit: Commit) -> None:
    """A byte order mark and Windows' line ends mean nothing."""
    text = f"{UNITS}2025-10-06,331,count\n".replace("\n", "\r\n")
    assert commit({"expected_units.csv": b"\xef\xbb\xbf" + text.encode()}).returncode == 0
    assert commits(repository) == 2


BAD = [
    (f"{UNITS}2025-10-06,1,a\n2025-10-06,2,b\n".encode(), "line 3: the same ship_date as line 2; keep one"),
    (b"ship_date,units,source\n", "line 1: unknown column 'units'; the header is ship_date,expected_units"),
    (
        b"\xef\xbb\xbfship_date;expected_units;source\r\n2025-10-06;331;count\r\n",
        "line 1: its fields are divided by semicolons; save the file with commas: the header is ship_date,",
    ),
    (UNITS.encode() + b"2025-10-06,331,caf\xe9\n", "line 2: not UTF-8 text; save the file as CSV in UTF-8"),
    (
        f"{UNITS}2025-10-06,331,count\n06.10.2025,331,count\n".encode(),
        "line 3, column ship_date: '06.10.2025': is not a real day; write a day as YYYY-MM-DD",
    ),
    (
        f"{UNITS}2025-10-06,331\n".encode(),
        "line 2: has 2 fields where the header has 3; put texts with commas",
    ),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=[text.split(";")[0] for _, text in BAD])
def test_a_bad_file_is_refused(repository: Path, commit: Commit, content: bytes, message: str) -> None:
    done = commit({"expected_units.csv": content})
    said = done.stdout + done.stderr
    assert done.returncode == 1  # git's own
    assert "- exit code: 2" in said
    assert f"expected_units.csv, {message}" in said
    assert "Traceback" not in said
    assert commits(repository) == 1


def test_a_file_that_is_no_control_is_refused(repository: Path, commit: Commit) -> None:
    done = commit({"incident.CSV": b"x\n", "notes.txt": b"as you like\n"})
    said = done.stdout + done.stderr
    assert "incident.CSV: no such control (a typing error?); the files are incidents.csv, expected_" in said
    assert "notes.txt" not in said
    assert commits(repository) == 1


def test_all_files_of_a_commit_are_told_and_no_others(repository: Path, commit: Commit) -> None:
    """What lies beside them and is not committed is nobody's business yet."""
    (repository / "controls" / "sku_variants.csv").write_text("not yet\n")
    (repository / "controls" / "draft.csv").write_text("not yet\n")
    bad = {"expected_units.csv": b"a\n", "expected_on_hand.csv": b"b\n"}
    said = commit(bad).stderr
    assert {name: name in said for name in (*bad, "draft.csv")} == dict.fromkeys(bad, True) | {
        "draft.csv": False
    }
    assert "sku_variants.csv" not in said
    for name in bad:
        git(repository, "checkout", "--quiet", "HEAD", "--", f"controls/{name}")
    good = commit({"expected_units.csv": f"{UNITS}2025-10-06,331,count\n".encode()})
    assert good.returncode == 0, good.stderr


def test_a_commit_without_controls_asks_nothing(repository: Path) -> None:
    (repository / "README.md").write_text("another text\n")
    git(repository, "add", "README.md")
    done = run(repository, ["git", "commit", "--message", "a text"])
    assert done.returncode == 0
    assert "Skipped" in done.stdout + done.stderr


def test_the_hook_for_other_repositories_is_the_same() -> None:
    (published,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (local,) = yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (hook,) = local["hooks"]
    assert {key: hook[key] for key in ("id", "name", "entry", "require_serial")} == {
        key: published[key] for key in ("id", "name", "entry", "require_serial")
    }
    assert (hook["language"], published["language"]) == ("system", "python")
    for files in (hook["files"], published["files"]):
        assert re.search(files, "controls/Incidents.CSV")
        assert not re.search(files, "controls/more/incidents.csv")
        assert not re.search(files, "my_controls/notes.txt")


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("validate-manifest", ROOT / ".pre-commit-hooks.yaml"),
        ("validate-config", EXAMPLE / ".pre-commit-config.yaml"),
    ],
)
def test_pre_commit_would_take_it(tmp_path: Path, command: str, file: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    done = run(folder, [PROGRAMS / "pre-commit", command, file])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()
