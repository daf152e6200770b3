"""The gate: what closes it, what does not, and how a verdict is written down for CI."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from lotgate.ci_reports import as_junit, as_markdown
from lotgate.errors import GateClosed
from lotgate.table_hashes import TableHash
from lotgate.verdict import Check, Result, Severity, Verdict, count_checks, read_summary, write_verdict

PASSED = Check("skus.one", "skus", "Every SKU has a code.", "critical", "passed")
HOSTILE = "<script>alert(1)</script> | `x` [a](javascript:b) @all ]]> & \x00\x1b\ud800 \u202e"


def verdict(*checks: Check, counter: int | None = 7) -> Verdict:
    return Verdict(
        checks=checks,
        audited_at="2026-01-02T03:04:05+00:00",
        source="/srv/ora.db",
        snapshot_sha256="a" * 64,
        evidence_sha256="b" * 64,
        controls_sha256="c" * 64,
        register_sha256="d" * 64,
        tables=(TableHash("skus", 5, "e" * 64),),
        dbt_invocation_id="dbt-run",
        gx_run_id="gx-run",
        versions={"lotgate": "0.1.0"},
        change_counter=counter,
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
