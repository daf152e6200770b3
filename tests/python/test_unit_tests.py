"""The unit tests beside a build: their results are the build's, and without them there is none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lotgate.dbt_run import DbtNode, DbtRun
from lotgate.errors import EnvironmentFailed
from lotgate.unit_tests import start_unit_tests, with_unit_tests
from lotgate.workdir import WorkDir


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


def test_they_end_with_the_build_and_leave_no_database(
    work: WorkDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.unit_tests.PROGRAM", "import time; time.sleep(600)")
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), start_unit_tests(work):
        raise KeyboardInterrupt
    assert time.monotonic() - begin < 60
    assert list(work.path.rglob("*.sqlite*")) == []
