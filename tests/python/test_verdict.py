"""The gate: what closes it, what does not, and how a verdict is written down for CI."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lotgate.ci_reports import as_junit, as_markdown
from lotgate.errors import GateClosed
from lotgate.live.counter import Counter
from lotgate.table_hashes import TableHash
from lotgate.verdict import (
    FORMAT,
    Check,
    Result,
    Severity,
    Verdict,
    count_checks,
    read_summary,
    read_verdict,
    write_verdict,
)

PASSED = Check("skus.one", "skus", "Every SKU has a code.", "critical", "passed")
HOSTILE = "<script>alert(1)</script> | `x` [a](javascript:b) @all ]]> & \x00\x1b\ud800 \u202e"

COUNTED = Counter(7, -(2**63))


def verdict(*checks: Check, counter: Counter | None = COUNTED) -> Verdict:
    return Verdict(
        checks=checks,
        audited_at="2026-01-02T03:04:05+00:00",
        source="/srv/ora.db",
        snapshot_sha256="a" * 64,
        evidence_sha256="b" * 64,
        controls_sha256="c" * 64,
        project_sha256="0" * 64,
        register_sha256="d" * 64,
        candidate_schema_sha256="9" * 64,
        schema_fingerprint="f" * 64,
        tables=(TableHash("skus", 5, "e" * 64),),
        dbt_invocation_id="dbt-run",
        gx_run_id="gx-run",
        versions={"lotgate": "0.1.0"},
        change_counter=counter,
        database_id="1" * 32,
        counts=count_checks(checks),
    )


CLOSING: list[tuple[Severity, Result, bool]] = [
    ("critical", "passed", False),
    ("critical", "failed", True),
    ("critical", "errored", True),
    ("critical", "not_run", True),
    ("warning", "passed", False),
    ("warning", "failed", False),
    ("warning", "errored", True),
    ("warning", "not_run", True),
    ("info", "failed", False),
    ("info", "errored", True),
    ("info", "not_run", True),
]


@pytest.mark.parametrize(("severity", "result", "closed"), CLOSING)
def test_what_closes_the_gate(severity: Severity, result: Result, closed: bool) -> None:
    check = Check("lots.one", "lots", "A lot has a number.", severity, result, "3 rows", 3)
    found = verdict(PASSED, check)
    assert found.is_open is not closed
    assert found.reasons == ((check,) if closed else ())
    assert found.warnings == ((check,) if result == "failed" and not closed else ())
    content = found.as_json()
    assert content["verdict"] == ("closed" if closed else "open")
    assert content["reasons"] == (["lots.one: 3 rows"] if closed else [])
    assert content["counts"] == {"checks": 2, "passed": 1, "failed": 0, "errored": 0, "not_run": 0} | (
        {"passed": 2} if result == "passed" else {result: 1}
    )


def test_without_checks_the_gate_is_closed() -> None:
    assert not verdict().is_open


def test_what_cannot_be_swapped() -> None:
    assert verdict(PASSED).cannot_be_swapped_because is None
    assert "change-counter" in str(verdict(PASSED, counter=None).cannot_be_swapped_because)
    nameless = replace(verdict(PASSED), database_id=None)
    assert "no id of its own" in str(nameless.cannot_be_swapped_because)
    failed = replace(PASSED, result="failed")
    assert verdict(failed).cannot_be_swapped_because == "The gate is closed."


def test_a_verdict_is_written_whole_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    write_verdict(verdict(PASSED), file)
    assert file.stat().st_mode & 0o777 == 0o600
    content = json.loads(file.read_text())
    assert content["hashes"]["tables"] == {"skus": "e" * 64}
    assert content["hashes"]["controls"] == "c" * 64
    assert content["runs"] == {"dbt": "dbt-run", "gx": "gx-run"}
    assert content["checks"][0]["id"] == "skus.one"
    assert read_summary(file)["verdict"] == "open"
    file.write_text(file.read_text()[:50])
    with pytest.raises(GateClosed, match="damaged"):
        read_summary(file)


NOTICED = Check("lots.one", "lots", "One active lot.", "warning", "failed", "2 rows", 2)
CLOSES = Check("skus.two", "skus", "No blank names.", "critical", "failed", "1 row: sku 17612", 1)


@pytest.mark.parametrize("checks", [(), (PASSED,), (PASSED, NOTICED), (PASSED, NOTICED, CLOSES)])
@pytest.mark.parametrize("counter", [None, Counter(0, 0), Counter(2**40, 2**63 - 1), Counter(1, -(2**63))])
def test_a_verdict_that_is_read_is_the_one_that_was_written(
    tmp_path: Path, checks: tuple[Check, ...], counter: Counter | None
) -> None:
    written = verdict(*checks, counter=counter)
    write_verdict(written, tmp_path / "verdict.json")
    assert read_verdict(tmp_path / "verdict.json") == written


def edit(content: dict[str, Any], *path: str | int, value: object) -> None:
    place: Any = content
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value


DAMAGE: dict[str, Callable[[dict[str, Any]], object]] = {
    "says open": lambda c: edit(c, "verdict", value="open"),
    "has no reasons": lambda c: edit(c, "reasons", value=[]),
    "can be swapped": lambda c: edit(c, "cannot_be_swapped_because", value=None),
    "the check passed": lambda c: edit(c, "checks", 2, "result", value="passed"),
    "the check is a warning": lambda c: edit(c, "checks", 2, "severity", value="warning"),
    "the check is gone": lambda c: c["checks"].pop(2),
    "a check twice": lambda c: c["checks"].append(c["checks"][0]),
    "a count is wrong": lambda c: edit(c, "counts", "passed", value=2),
    "no counts": lambda c: edit(c, "counts", value={}),
    "a check of no known result": lambda c: edit(c, "checks", 0, "result", value="fine"),
    "a text for a number": lambda c: edit(c, "change_counter", "value", value="7"),
    "half a counter": lambda c: c["change_counter"].pop("stamp"),
    "a number for a hash": lambda c: edit(c, "hashes", "snapshot", value=1),
    "no hash": lambda c: c["hashes"].pop("project"),
    "no rows": lambda c: edit(c, "rows", value={}),
    "more rows": lambda c: edit(c, "rows", "gone", value=1),
    "no fingerprint": lambda c: c.pop("schema_fingerprint"),
    "something more": lambda c: edit(c, "note", value="swap it all the same"),
    "no object": lambda c: edit(c, "hashes", value=[]),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_verdict_that_contradicts_itself_is_not_believed(tmp_path: Path, name: str) -> None:
    file = tmp_path / "verdict.json"
    write_verdict(verdict(PASSED, NOTICED, CLOSES), file)
    assert not read_verdict(file).is_open
    content = json.loads(file.read_text())
    DAMAGE[name](content)
    file.write_text(json.dumps(content))
    with pytest.raises(GateClosed, match=r"is damaged|contradicts itself") as refused:
        read_verdict(file)
    assert "lotgate audit" in str(refused.value.hint)


def test_a_verdict_that_is_missing_cut_off_or_of_another_format(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    with pytest.raises(GateClosed, match="There is no verdict"):
        read_verdict(file)
    write_verdict(verdict(PASSED), file)
    content = file.read_text()
    for text in ("", "[]", "{}", "null", content[:-20], content.replace("open", "o\u00e9en", 1)):
        file.write_text(text)
        with pytest.raises(GateClosed, match="damaged"):
            read_verdict(file)
    file.write_text(content.replace(f'"format": {FORMAT}', '"format": 1'))
    with pytest.raises(GateClosed, match="another version of lotgate \\(format 1, not 2\\)"):
        read_verdict(file)


def test_junit_has_a_case_for_each_check() -> None:
    checks = (
        PASSED,
        Check("skus.two", "skus", "No blank names.", "critical", "failed", "1 row: sku 17612", 1),
        Check("lots.one", "lots", "One active lot.", "warning", "failed", "2 rows", 2),
        Check("lots.two", "lots", "Lots are known.", "info", "errored", "no such table"),
        Check("lots.three", "lots", "Never ran.", "critical", "not_run", "It did not run."),
    )
    root = ET.fromstring(as_junit(verdict(*checks)))
    assert root.attrib["tests"] == "5"
    assert (root.attrib["failures"], root.attrib["errors"]) == ("1", "2")
    suites = {suite.attrib["name"]: suite.attrib for suite in root}
    assert suites["skus"] == {"name": "skus", "tests": "2", "failures": "1", "errors": "0"}
    assert suites["lots"] == {"name": "lots", "tests": "3", "failures": "0", "errors": "2"}
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert set(cases) == {check.id for check in checks}
    assert len({(c.attrib["classname"], c.attrib["name"]) for c in cases.values()}) == 5
    failure = cases["skus.two"].find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "critical", "message": "1 row: sku 17612"}
    assert cases["lots.one"].find("failure") is None
    assert cases["lots.one"].findtext("system-out") == "warning: 2 rows"
    assert [case.find("error") is not None for case in (cases["lots.two"], cases["lots.three"])] == [True] * 2


def test_reports_show_hostile_text_as_text() -> None:
    check = Check("skus.two", "skus", HOSTILE, "critical", "failed", HOSTILE, 1)
    root = ET.fromstring(as_junit(verdict(check)))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("<script>alert(1)</script> | `x`")
    markdown = as_markdown(verdict(check))
    row = next(line for line in markdown.splitlines() if "script" in line)
    assert row.count("|") == 5
    cells = row.split("|")[3:5]
    assert not any(re.search(r"[<>`\[\]()@]", cell) for cell in cells)


def test_markdown_says_what_closes_the_gate_and_what_warns() -> None:
    failed = Check("skus.two", "skus", "No blank names.", "critical", "failed", "1 row", 1)
    warning = Check("lots.one", "lots", "One active lot.", "warning", "failed", "2 rows", 2)
    text = as_markdown(verdict(PASSED, failed, warning))
    assert "the gate is closed" in text
    assert text.index("Why it is closed") < text.index("skus&#46;two" if "&#46;" in text else "skus.two")
    assert "3 checks: 1 passed, 2 failed, 0 could not be carried out, 0 did not run." in text
    assert "### Findings" in text
    assert "Why it is closed" not in as_markdown(verdict(PASSED, warning))
    many = [replace(failed, id=f"skus.n{number}") for number in range(70)]
    assert "and 20 more" in as_markdown(verdict(*many))
