"""The register: a check that is deleted, weakened or switched off is missed; the suites' files are strict."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lotgate.dbt_checks import read_definitions
from lotgate.errors import UsageError
from lotgate.gx_suites import read_suites
from lotgate.register import Register, compare, present_register, read_register, write_register

PROJECT = Path(__file__).resolve().parents[2]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def expectations(tmp_path: Path) -> Path:
    """A copy of the committed suites that may be spoiled."""
    return Path(shutil.copytree(PROJECT / "expectations", tmp_path / "expectations"))


def edit(file: Path, change: Change) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def find(content: dict[str, Any], severity: str = "critical") -> dict[str, Any]:
    return next(entry for entry in content["expectations"] if entry["severity"] == severity)


def register_of(expectations: Path) -> Register:
    committed = read_register(PROJECT / "expectations")
    present = present_register(PROJECT, expectations, read_suites(expectations), [])
    return Register(gx=present.gx, dbt=committed.dbt, code=present.code)


def problems(expectations: Path) -> list[tuple[str, str]]:
    checks = compare(read_register(PROJECT / "expectations"), register_of(expectations))
    return [(check.id, check.result) for check in checks if check.result != "passed"]


def test_the_committed_checks_are_those_of_the_register(expectations: Path) -> None:
    assert problems(expectations) == []
    found = compare(read_register(expectations), register_of(expectations))
    assert {check.id for check in found} == {"register.gx", "register.dbt", "register.code"}


def test_a_deleted_expectation_is_missed(expectations: Path) -> None:
    names: list[str] = []

    def delete(content: dict[str, Any]) -> None:
        names.append(content["expectations"].pop(1)["meta"]["check"])

    edit(expectations / "suites" / "skus.json", delete)
    assert problems(expectations) == [(f"register.gx.skus.{names[0]}", "not_run")]


def test_a_deleted_suite_is_missed(expectations: Path) -> None:
    count = len(json.loads((expectations / "suites" / "lots.json").read_text())["expectations"])
    (expectations / "suites" / "lots.json").unlink()
    assert len(problems(expectations)) == count > 5


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.update(severity="warning"),
        lambda entry: entry["kwargs"].update(mostly=0.5),
        lambda entry: entry.update(type="expect_column_to_exist"),
    ],
    ids=["severity", "kwargs", "type"],
)
def test_a_weakened_expectation_is_found(expectations: Path, change: Change) -> None:
    edit(expectations / "suites" / "skus.json", lambda content: change(find(content)))
    assert [result for _, result in problems(expectations)] == ["failed"]


def test_another_sentence_is_no_other_check(expectations: Path) -> None:
    edit(expectations / "suites" / "skus.json", lambda content: find(content).update(description="Other."))
    assert problems(expectations) == []


def test_changed_code_of_an_expectation_is_found(expectations: Path) -> None:
    module = expectations / "plugins" / "lotgate_expectations" / "rows.py"
    module.write_text(module.read_text() + "\n# changed\n")
    assert problems(expectations) == [
        ("register.code.expectations/plugins/lotgate_expectations/rows.py", "failed")
    ]


def test_a_new_check_is_welcome(expectations: Path) -> None:
    def add(content: dict[str, Any]) -> None:
        new = json.loads(json.dumps(find(content)))
        new["meta"]["check"] = "something_new"
        content["expectations"].append(new)

    edit(expectations / "suites" / "skus.json", add)
    assert problems(expectations) == []


def test_an_empty_register_demands_nothing_and_closes_the_gate(expectations: Path) -> None:
    write_register(Register({}, {}, {}), expectations)
    found = compare(read_register(expectations), register_of(expectations))
    assert [check.closes_gate for check in found] == [True, True, True]


def test_a_register_can_be_written_and_read(expectations: Path) -> None:
    register = register_of(expectations)
    assert write_register(register, expectations) == expectations / "register.json"
    assert read_register(expectations) == register
    assert read_register(expectations).sha256 == register.sha256


@pytest.mark.parametrize("text", ["", "{", "[]", '{"gx": 1}', '{"gx": {"a": 1}, "dbt": {}, "code": {}}'])
def test_a_broken_register_is_refused(expectations: Path, text: str) -> None:
    (expectations / "register.json").write_text(text)
    with pytest.raises(UsageError, match=r"register\.json"):
        read_register(expectations)
    (expectations / "register.json").unlink()
    with pytest.raises(UsageError, match="no register"):
        read_register(expectations)


BROKEN_SUITES = {
    "not JSON": ("{", "not valid JSON"),
    "not an object": ("[]", "not a JSON object"),
    "of another name": ('{"name": "lots", "expectations": []}', "not the suite skus"),
    "without a list": ('{"name": "skus"}', "not the suite skus"),
    "not UTF-8": (b"\xff\xfe", "not valid JSON"),
}


@pytest.mark.parametrize("case", BROKEN_SUITES)
def test_a_file_that_is_no_suite_is_refused(expectations: Path, case: str) -> None:
    content, message = BROKEN_SUITES[case]
    (expectations / "suites" / "skus.json").write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    with pytest.raises(UsageError, match=message) as error:
        read_suites(expectations)
    assert "skus.json" in error.value.message
    assert error.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.pop("type"), "has no type"),
        (lambda entry: entry.pop("meta"), "has no name"),
        (lambda entry: entry["meta"].update(check="a b"), "has no name"),
        (lambda entry: entry.update(description=" "), "has no description"),
        (lambda entry: entry.update(severity="fatal"), "has no severity"),
        (lambda entry: entry.pop("severity"), "has no severity"),
    ],
)
def test_an_expectation_says_what_it_is(expectations: Path, change: Change, message: str) -> None:
    edit(expectations / "suites" / "skus.json", lambda content: change(content["expectations"][0]))
    with pytest.raises(UsageError, match=message):
        read_suites(expectations)


def test_two_expectations_of_one_name_are_refused(expectations: Path) -> None:
    edit(
        expectations / "suites" / "skus.json",
        lambda content: content["expectations"].append(content["expectations"][0]),
    )
    with pytest.raises(UsageError, match="two expectations are named"):
        read_suites(expectations)
    with pytest.raises(UsageError, match="no suites"):
        read_suites(expectations / "plugins")


def manifest(tmp_path: Path, **config: Any) -> Path:
    test = {
        "resource_type": "test",
        "unique_id": "test.lotgate.a",
        "name": "a",
        "description": "",
        "raw_code": "select 1",
        "config": {"enabled": True, "severity": "ERROR"} | config,
        "refs": [],
    }
    unit = {
        "unique_id": "unit_test.lotgate.m.b",
        "name": "b",
        "description": "Says  what.",
        "model": "m",
        "given": [{"input": "ref('x')", "rows": [{"a": 1}]}],
        "expect": {"rows": [{"a": 1}]},
        "overrides": None,
        "config": {"enabled": True},
    }
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"nodes": {"a": test}, "unit_tests": {"b": unit}}))
    return file


@pytest.mark.parametrize(
    "config", [{"severity": "WARN"}, {"where": "1 = 0"}, {"limit": 0}, {"error_if": ">10"}], ids=str
)
def test_a_weakened_dbt_test_has_another_fingerprint(tmp_path: Path, config: dict[str, Any]) -> None:
    before = read_definitions(manifest(tmp_path))
    after = read_definitions(manifest(tmp_path, **config))
    assert before["test.lotgate.a"].severity == "critical"
    assert before["test.lotgate.a"].fingerprint != after["test.lotgate.a"].fingerprint
    unit = "unit_test.lotgate.m.b"
    assert before[unit] == after[unit]
    assert before[unit].description == "Says what."
    if "severity" in config:
        assert after["test.lotgate.a"].severity == "warning"
