"""``lotgate check`` and ``lotgate controls``: one command for CI, and what it leaves where a build fails.

What an audited candidate looks like to CI is in test_workflows.py, where a whole job runs.
"""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Outcome, fingerprint, run_lotgate
from lotgate.commands.github import workflow_command
from lotgate.workdir import WorkDir
from test_build import leave_out_unit_tests

Cli = Callable[..., Outcome]
ROOT = Path(__file__).resolve().parents[2]
PARTS = ("dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "tests/dbt", "expectations")
DECISIONS = (
    "legacy_id,order_number,base_sku,sku_lot,quantity_shipped,decision,ship_date,"
    "reason,decided_by,decided_on\n"
)
HOSTILE = "::set-output name=a::b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of controls."""
    made = tmp_path / "controls"
    made.mkdir()
    return made


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of a job."""
    file = tmp_path / "page.md"
    file.write_text("before\n")
    return file


def github(page: Path) -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page), "GITHUB_WORKSPACE": str(page.parent)}


def cases(work: Path) -> dict[str, ET.Element]:
    root = ET.parse(WorkDir(work).junit).getroot()
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def commands(text: str) -> list[str]:
    """What GitHub's runner would obey in this log, in its words: nothing between a stop and its token."""
    found: list[str] = []
    token = None
    for line in text.splitlines():
        if token is not None:
            if line == f"::{token}::":
                token = None
        elif line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line.lstrip().startswith("::") or "##[" in line:
            found.append(line)
    assert token is None, "the fence stays shut"
    return found


def test_controls_that_mean_nothing(live: Path, work: Path, folder: Path, page: Path) -> None:
    """Told beside the line, on the page, in JUnit and in JSON; and what the file says is no command."""
    (folder / "expected_units.csv").write_text(
        f"ship_date,expected_units,source\n2025-10-06,##[warning]{HOSTILE},x\n2025-10-07,1,a\n2025-10-07,1,a\n"
    )
    (folder / f"\n{HOSTILE}.csv").write_text("")
    before = fingerprint(live.parent)
    done = run_lotgate(
        "check", "--database", live, "--work-dir", work, "--controls", folder, "--json", env=github(page)
    )
    assert done.code == 2
    assert fingerprint(live.parent) == before
    error = done.json["error"]
    assert [(problem["line"], problem["column"]) for problem in error["problems"]] == [
        (None, None),
        (2, "expected_units"),
        (4, None),
    ]
    assert set(error["reports"]) == {"junit", "summary"}
    obeyed = commands(done.err)
    assert [line.split(" ", 1)[0] for line in obeyed] == ["::error"] * 3
    place = "file=controls/expected_units.csv,line=2,title=lotgate%3A controls"
    assert obeyed[1].startswith(f"::error {place}::expected_units.csv, line 2,")
    assert "%0A%3A%3Aset-output" in obeyed[0].split(",title=")[0]
    failures = [case.find("failure") for case in cases(work).values()]
    assert len(failures) == 3
    assert all(failure is not None for failure in failures)
    shown = page.read_text()
    assert shown.startswith("before\n## lotgate: there is no verdict\n")
    assert "expected&#95;units.csv, line 4" in shown
    assert not re.search(r"[`\[<](?!code|/code|br>)", shown.split("###")[0])


def test_the_error_names_the_reports(live: Path, work: Path, folder: Path) -> None:
    (folder / "incident.csv").write_text("")
    done = run_lotgate("check", "--database", live, "--work-dir", work, "--controls", folder)
    assert done.code == 2
    assert f"What failed: {WorkDir(work).junit} and {WorkDir(work).summary}." in done.err
    assert "::" not in done.err  # nobody reads commands here


def test_an_older_audit_is_not_taken_for_this_one(live: Path, work: Path, folder: Path) -> None:
    found = WorkDir(work)
    (work / "review").mkdir(parents=True)
    (work / "gx").mkdir()
    for file in (found.review / "index.html", found.junit, found.verdict):
        file.write_text("an older one")
    (folder / "incident.csv").write_text("")
    done = run_lotgate("check", "--database", live, "--work-dir", work, "--controls", folder)
    assert done.code == 2
    assert not found.verdict.exists()
    assert not found.review.exists()
    assert "incident.csv" in found.junit.read_text()
    assert {file.name: file.stat().st_mode & 0o777 for file in found.gx.iterdir()} == {
        "junit.xml": 0o600,
        "summary.md": 0o600,
    }


def test_a_database_that_is_not_there(work: Path, tmp_path: Path, page: Path) -> None:
    done = run_lotgate("check", "--database", tmp_path / "no.db", "--work-dir", work, env=github(page))
    assert done.code == 2
    assert [line.split("::")[1] for line in commands(done.err)] == ["error title=lotgate"]
    assert "There is no database" in page.read_text()
    assert not work.exists()


def test_a_database_that_is_none(work: Path, tmp_path: Path, page: Path) -> None:
    file = tmp_path / "of its own" / "ora.db"
    file.parent.mkdir()
    file.write_text("this is a text, and no database, however long it may be" * 20)
    done = run_lotgate("check", "--database", file, "--work-dir", work, env=github(page))
    assert done.code == 2
    (case,) = cases(work).values()
    assert case.find("error") is not None
    assert "is not a SQLite database" in page.read_text()


def test_a_decision_that_cannot_be_applied(
    lotgate: Cli, monkeypatch: pytest.MonkeyPatch, live: Path, work: Path, folder: Path
) -> None:
    """A test of dbt's says so: it is a failed case; what was not tried is neither failed nor passed."""
    leave_out_unit_tests(monkeypatch)
    (folder / "quarantine_decisions.csv").write_text(
        f"{DECISIONS}999999,600005,17612,,1,remove,,no such row,owner,2025-10-20\n"
    )
    before = fingerprint(live.parent)
    done = lotgate("check", "--database", live, "--work-dir", work, "--controls", folder)
    assert done.code == 2
    assert "quarantine_decisions.csv cannot be applied" in done.err
    assert fingerprint(live.parent) == before
    found = cases(work)
    assert found["dbt.assert_decisions_can_be_applied"].find("failure") is not None
    tags = {name: {child.tag for child in case} - {"properties"} for name, case in found.items()}
    assert [name for name, found in tags.items() if found & {"failure", "error"}] == [
        "dbt.assert_decisions_can_be_applied"
    ]
    assert tags["dbt_models.stg_legacy__shipped_items"] == set()
    assert {*map(frozenset, (found for name, found in tags.items() if name.startswith("dbt_unit.")))} == {
        frozenset({"skipped"})
    }
    assert not WorkDir(work).verdict.exists()


def test_a_unit_test_that_fails_is_shown_with_what_differs(
    live: Path, work: Path, folder: Path, page: Path, tmp_path: Path
) -> None:
    """In a copy of the project, whose own tests then are the ones that run."""
    project = tmp_path / "project"
    for part in PARTS:
        source = ROOT / part
        (project / part).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, project / part)
    tests = project / "models" / "marts" / "_skus__unit_tests.yml"
    text = tests.read_text(encoding="utf-8")
    assert text.count('product_name: "First name"') == 1
    tests.write_text(text.replace('product_name: "First name"', 'product_name: "987654"'), encoding="utf-8")
    done = run_lotgate(
        *("check", "--database", live, "--work-dir", work, "--controls", folder),
        cwd=project,
        env=github(page),
        timeout=600,  # a whole build, with every unit test
    )
    assert done.code == 1, done.err
    failed = {key: case for key, case in cases(work).items() if case.find("failure") is not None}
    assert list(failed) == ["dbt_unit.skus.blank_product_name_is_taken_from_the_parameters"]
    shown = failed.popitem()[1].findtext("failure") or ""
    assert "actual differs from expected" in shown
    assert "987654" in shown
    shown = page.read_text()
    assert shown.startswith("before\n## lotgate: there is no verdict\n")
    assert "### What failed" in shown
    assert "blank&#95;product&#95;name&#95;is&#95;taken" in shown
    assert len(commands(done.err)) == 1


def test_only_with_counter_is_anything_written(
    lotgate: Cli, monkeypatch: pytest.MonkeyPatch, live: Path, work: Path, folder: Path
) -> None:
    asked: list[bool] = []

    def no_build(*arguments: object, counter: bool, **more: object) -> None:
        from lotgate.errors import GateClosed

        asked.append(counter)
        raise GateClosed("Far enough.")

    monkeypatch.setattr("lotgate.check.build_candidate", no_build)
    named = ("check", "--database", live, "--work-dir", work, "--controls", folder)
    for options in ((), ("--no-counter",), ("--counter",)):
        assert lotgate(*named, *options).code == 1
    assert asked == [False, False, True]


def test_a_page_that_cannot_be_written_is_said_before_any_work(
    live: Path, work: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "no" / "page.md"
    done = run_lotgate("check", "--database", live, "--work-dir", work, env=github(nowhere))
    assert done.code == 3
    assert "GITHUB_STEP_SUMMARY names" in done.err
    assert not work.exists()


@pytest.mark.parametrize(
    ("properties", "message", "line"),
    [
        ({}, "plain", "::error::plain"),
        ({"file": "a:b,c%d\r\n"}, "x", "::error file=a%3Ab%2Cc%25d%0D%0A::x"),
        (
            {"line": 3, "title": "t"},
            "50%\n::error::more\r",
            "::error line=3,title=t::50%25%0A::error::more%0D",
        ),
    ],
)
def test_a_command_is_one_line_whatever_it_says(
    properties: dict[str, str | int], message: str, line: str
) -> None:
    assert workflow_command("error", properties, message) == line


def test_the_controls_alone(lotgate: Cli, folder: Path) -> None:
    (folder / "expected_units.csv").write_text("ship_date,expected_units,source\n2025-10-06,331,count\n")
    done = lotgate("controls", "--controls", folder)
    assert (done.code, done.out, done.err) == (0, "No problems in 1 control file.\n", "")
    done = lotgate("controls", "--controls", folder, "--json")
    assert done.json == {"files": [str(folder / "expected_units.csv")]}
    (folder / "expected_units.csv").write_text("ship_date,expected_units,source\n2025-10-06,x,count\n")
    done = lotgate("controls", "--controls", folder)
    assert done.code == 2
    assert f"The controls in {folder} have 1 problem:\n  expected_units.csv, line 2, column" in done.err


def test_control_files_of_several_folders(lotgate: Cli, tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sku_variants.csv").write_text("x\n")
        files.append(tmp_path / name / "sku_variants.csv")
    (tmp_path / "one" / "incidents.csv").write_text("not asked for\n")
    done = lotgate("controls", *files, "--json")
    assert done.code == 2
    found = {problem["file"] for problem in done.json["error"]["problems"]}
    assert found == {"one/sku_variants.csv", "two/sku_variants.csv"}
    missing = lotgate("controls", tmp_path / "one" / "none.csv")
    assert (missing.code, "There is no file" in missing.err) == (2, True)
