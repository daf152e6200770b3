"""docs/expectations.md is carried out: the expectation of the page is added, runs, fails, is registered."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lotgate.gx_run import run_suites
from lotgate.gx_suites import read_suites
from lotgate.register import Register, compare, present_register, read_register, write_register
from lotgate.verdict import Check
from lotgate.workdir import WorkDir
from pages import ROOT, read_page
from suites import copy_of, parameters_of

PAGE = read_page(ROOT / "docs" / "expectations.md")
SUITE, NAME = "lots", "lot_numbers_are_short"


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the suites with the page's expectation in the file that the page names."""
    (block,) = (block for block in PAGE.blocks if block.language == "json")
    assert f"`expectations/suites/{SUITE}.json`" in PAGE.text
    expectations = tmp_path_factory.mktemp("expectations") / "expectations"
    shutil.copytree(ROOT / "expectations", expectations)
    file = expectations / "suites" / f"{SUITE}.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    content["expectations"].append(json.loads(block.text))
    file.write_text(json.dumps(content), encoding="utf-8")
    return expectations


def audited(expectations: Path, work: Path, to: Path) -> dict[str, Check]:
    copy_of(work, to)
    run = run_suites(expectations, WorkDir(to), parameters_of(to))
    return {check.id: check for check in run.checks}


def test_the_audit_runs_it_and_it_can_fail(added: Path, demo_build: Path, tmp_path: Path) -> None:
    assert f"{SUITE}.{NAME}" in PAGE.text
    found = audited(added, demo_build, tmp_path / "good")[f"{SUITE}.{NAME}"]
    assert (found.result, found.severity) == ("passed", "warning")
    broken = copy_of(demo_build, tmp_path / "spoiled")
    (statement,) = (
        line.split('"')[1] for b in PAGE.blocks for line in b.text.splitlines() if "update lots" in line
    )
    with closing(sqlite3.connect(broken / "candidate.sqlite")) as connection:
        assert connection.execute(statement).rowcount == 1
        connection.commit()
    failed = audited(added, broken, tmp_path / "broken")[f"{SUITE}.{NAME}"]
    assert (failed.result, failed.severity) == ("failed", "warning")
    assert not failed.closes_gate


def test_the_register_wants_it_once_it_was_accepted(added: Path) -> None:
    committed = read_register(ROOT / "expectations")
    present = present_register(ROOT, added, read_suites(added), [])
    assert f"{SUITE}.{NAME}" in present.gx.keys() - committed.gx.keys()  # what `lotgate checks` says
    accepted = Register(gx=present.gx, dbt=committed.dbt, code=present.code)
    write_register(accepted, added)
    required = read_register(added)
    assert all(check.result == "passed" for check in compare(required, accepted))
    without = {key: value for key, value in present.gx.items() if not key.endswith(NAME)}
    (missed,) = (c for c in compare(required, replace(accepted, gx=without)) if c.result != "passed")
    assert missed.id == f"register.gx.{SUITE}.{NAME}"
    assert missed.closes_gate
