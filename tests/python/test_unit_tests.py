"""The unit tests beside a build: their results are the build's, and without them there is none."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lotgate.dbt_run import DbtNode, DbtRun
from lotgate.errors import EnvironmentFailed
from lotgate.unit_tests import start_unit_tests, with_unit_tests
from lotgate.workdir import WorkDir
from plain_dbt import copy_project


def node(kind: str, name: str, status: str = "pass") -> DbtNode:
    return DbtNode(f"{kind}.lotgate.{name}", name, kind, status, "", None, 0.1, "")


MODEL, DATA_TEST = node("model", "m", "success"), node("test", "t")
BUILD = DbtRun("the build", True, (MODEL, DATA_TEST))


@pytest.fixture
def work(tmp_path: Path) -> WorkDir:
    return WorkDir(tmp_path)


def test_their_results_are_the_builds() -> None:
    tests = DbtRun("theirs", True, (node("unit_test", "u"),))
    assert with_unit_tests(BUILD, lambda: tests) == DbtRun("the build", True, (*BUILD.nodes, *tests.nodes))


def test_one_that_fails_fails_the_build() -> None:
    tests = DbtRun("theirs", False, (node("unit_test", "u", "fail"), node("unit_test", "v", "skipped")))
    run = with_unit_tests(BUILD, lambda: tests)
    assert not run.success
    assert run.with_status("fail", "skipped") == tests.nodes


def test_a_model_that_cannot_be_made_for_them_fails_the_build_and_is_told_once() -> None:
    broken = node("model", "m", "error")
    tests = DbtRun("theirs", False, (broken, node("unit_test", "u", "skipped")))
    assert with_unit_tests(BUILD, lambda: tests).with_status("error") == (broken,)
    failed = DbtRun("the build", False, (broken,))
    assert with_unit_tests(failed, lambda: tests).with_status("error") == (broken,)


def test_without_results_there_is_no_build(work: WorkDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", "import sys; sys.exit('No room.')")
    with (
        start_unit_tests(work) as results,
        pytest.raises(EnvironmentFailed, match=r"could not run: No room\."),
    ):
        with_unit_tests(BUILD, results)


def test_a_build_that_failed_says_so_whatever_became_of_them(
    work: WorkDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", "raise SystemExit(1)")
    failed = DbtRun("the build", False, BUILD.nodes)
    with start_unit_tests(work) as results:
        assert with_unit_tests(failed, results) == failed


@pytest.mark.parametrize("written", ["", "[]", '{"nodes": []}', '{"nodes": [{}], "success": true}'])
def test_damaged_results_are_none(work: WorkDir, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    program = f"import sys, pathlib; (pathlib.Path(sys.argv[1]) / 'results.json').write_text({written!r})"
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", program)
    with start_unit_tests(work) as results, pytest.raises(EnvironmentFailed):
        results()


def test_results_of_an_earlier_build_are_none(work: WorkDir, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = work.dbt / "unit_tests" / "results.json"
    earlier.parent.mkdir(parents=True)
    earlier.write_text('{"nodes": [], "success": true, "invocation_id": "earlier"}', encoding="ascii")
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", "")
    with start_unit_tests(work) as results, pytest.raises(EnvironmentFailed):
        results()


GOOD = """
import json, pathlib, sys
node = dict(unique_id="unit_test.lotgate.u", name="u", resource_type="unit_test", status="pass",
            message="", failures=None, seconds=0.1, description="")
content = dict(nodes=[node], success=True, invocation_id="first")
(pathlib.Path(sys.argv[1]) / "results.json").write_text(json.dumps(content))
"""


def ran(work: WorkDir, program: str, monkeypatch: pytest.MonkeyPatch) -> DbtRun:
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", program)
    with start_unit_tests(work) as results:
        return results()


def test_what_passed_is_not_run_again(work: WorkDir, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ran(work, GOOD, monkeypatch)
    assert ran(work, "raise SystemExit('it ran again')", monkeypatch) == first
    other = WorkDir(work.path / "other")
    other.dbt.mkdir(parents=True)
    with pytest.raises(EnvironmentFailed, match="it ran again"):
        ran(other, "raise SystemExit('it ran again')", monkeypatch)


@pytest.mark.parametrize(
    "what", ["project", "code", "package", "damaged", "without tests", "too deep", "one missing"]
)
def test_but_for_the_very_same_state(work: WorkDir, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    ran(work, GOOD, monkeypatch)
    passed = work.dbt / "unit_tests" / "passed.json"
    if what == "project":
        monkeypatch.setattr("lotgate.unit_tests.project_sha256", lambda _: "another")
    elif what == "code":
        code = work.path / "code"
        code.mkdir()
        (code / "unit_tests.py").touch()
        monkeypatch.setattr("lotgate.unit_tests.__file__", str(code / "unit_tests.py"))
    elif what == "package":
        monkeypatch.setattr("importlib.metadata.distributions", lambda: ())
    elif what == "without tests":
        passed.write_text(json.dumps(json.loads(passed.read_text()) | {"nodes": []}))
    elif what == "too deep":
        passed.write_text("[" * 200_000)
    elif what == "damaged":
        passed.write_bytes(passed.read_bytes()[:-5])
    else:
        passed.unlink()
    with pytest.raises(EnvironmentFailed, match="it ran again"):
        ran(work, "raise SystemExit('it ran again')", monkeypatch)


@pytest.mark.parametrize(
    "file",
    [
        "profiles.yml",
        "packages.yml",
        "dbt_packages/one/macros/trim.sql",
        "seeds/legacy/_legacy__seeds.yml",
        "models/marts/skus.sql",
        "models/marts/more.yaml",
        "tests/dbt/fixtures/rows.csv",
    ],
)
def test_nor_where_a_file_of_the_project_changed(
    work: WorkDir, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    project = copy_project(work.path / "project")
    monkeypatch.setattr("lotgate.unit_tests.find_project", lambda: project)
    first = ran(work, GOOD, monkeypatch)
    assert ran(work, "raise SystemExit('it ran again')", monkeypatch) == first
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    with (project / file).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(EnvironmentFailed, match="it ran again"):
        ran(work, "raise SystemExit('it ran again')", monkeypatch)


def test_what_passed_while_the_project_changed_is_not_kept(
    work: WorkDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter(["before", "after", "before"])
    monkeypatch.setattr("lotgate.unit_tests._state", lambda: next(states))
    ran(work, GOOD, monkeypatch)
    with pytest.raises(EnvironmentFailed, match="it ran again"):
        ran(work, "raise SystemExit('it ran again')", monkeypatch)


@pytest.mark.parametrize("spoiled", ['"fail"', '"skipped"', '"error"'])
def test_what_did_not_pass_is_run_again(work: WorkDir, monkeypatch: pytest.MonkeyPatch, spoiled: str) -> None:
    ran(work, GOOD.replace('"pass"', spoiled), monkeypatch)
    with pytest.raises(EnvironmentFailed, match="it ran again"):
        ran(work, "raise SystemExit('it ran again')", monkeypatch)


def test_they_end_with_the_build_and_leave_no_database(
    work: WorkDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", "import time; time.sleep(600)")
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), start_unit_tests(work):
        raise KeyboardInterrupt
    assert time.monotonic() - begin < 60
    assert list(work.path.rglob("*.sqlite*")) == []
