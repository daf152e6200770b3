"""What CI shows: JUnit with one case per check, and Markdown for the job's page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from itertools import groupby

from lotgate.errors import LotgateError
from lotgate.verdict import Check, Verdict

__all__ = ["as_junit", "as_markdown", "failure_as_junit", "failure_as_markdown"]

SHOWN_CHECKS = 50
LEGACY_HEALTH = "legacy_health"
ACTIVE_IN_MARKDOWN = re.compile(r"[&<>|`\\*_\[\](){}!~@#:]")
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(verdict: Verdict) -> str:
    """JUnit XML as CI systems read it: a suite per suite, a case per check, named by its description.

    A check that closes the gate is a failure or, where it could not be carried out, an error. A warning that
    found something passes here, with what it found in ``system-out``, since CI shall not fail by it.
    """
    return _junit("lotgate audit", verdict.checks)


def failure_as_junit(checks: Iterable[Check], messages: Mapping[str, str]) -> str:
    """JUnit XML of a build that did not hold: what failed is a failure, and what waited for it is skipped.

    ``messages`` has the whole text of a check by its id, where there is more to read than ``Check.detail``.
    """
    return _junit("lotgate build", tuple(checks), messages=messages, stopped=True)


def failure_as_markdown(error: LotgateError, checks: Iterable[Check]) -> str:
    """Why there is no verdict, as GitHub's Markdown: the error, what to do next, and what failed."""
    found = tuple(checks)
    failed = tuple(check for check in found if check.closes_gate and check.result != "not_run")
    skipped = sum(check.result == "not_run" for check in found)
    lines = ["## lotgate: there is no verdict", "", *_paragraphs(error.message), ""]
    if error.hint:
        lines += [*_paragraphs(error.hint), ""]
    lines += _table("What failed", failed)
    if skipped:
        lines.append(f"{skipped} more were not tried, since they build on what failed.")
    return "\n".join(lines).rstrip() + "\n"


def _junit(
    name: str, checks: tuple[Check, ...], *, messages: Mapping[str, str] | None = None, stopped: bool = False
) -> str:
    root = ET.Element("testsuites", name=name, tests=str(len(checks)))
    totals = {"failures": 0, "errors": 0, "skipped": 0} if stopped else {"failures": 0, "errors": 0}
    by_suite = sorted(checks, key=lambda check: check.suite)
    for suite, members in groupby(by_suite, key=lambda check: check.suite):
        element = ET.SubElement(root, "testsuite", name=suite)
        counts = {"tests": 0} | dict.fromkeys(totals, 0)
        for check in members:
            counts["tests"] += 1
            kind = _add_case(element, check, (messages or {}).get(check.id), stopped)
            if kind:
                counts[kind] += 1
        for kind, count in counts.items():
            element.set(kind, str(count))
        for kind in totals:
            totals[kind] += counts[kind]
    for kind, count in totals.items():
        root.set(kind, str(count))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def as_markdown(verdict: Verdict) -> str:
    """The verdict, its reasons and the warnings as GitHub's Markdown."""
    counts = verdict.counts
    lines = [
        f"## lotgate audit: the gate is {'open' if verdict.is_open else 'closed'}",
        "",
        f"{counts['checks']} checks: {counts['passed']} passed, {counts['failed']} failed,"
        f" {counts['errored']} could not be carried out, {counts['not_run']} did not run.",
        "",
        *_table("Why it is closed", verdict.reasons),
        *_table("Findings", tuple(check for check in verdict.warnings if check.suite != LEGACY_HEALTH)),
        *_table(
            "In the legacy data before",
            tuple(check for check in verdict.warnings if check.suite == LEGACY_HEALTH),
        ),
        f"Snapshot `{verdict.snapshot_sha256[:12]}`, audited {verdict.audited_at},"
        f" lotgate {verdict.versions.get('lotgate', '')}.",
    ]
    return "\n".join(lines) + "\n"


def _add_case(suite: ET.Element, check: Check, text: str | None, stopped: bool) -> str | None:
    case = ET.SubElement(
        suite, "testcase", classname=f"lotgate.{_text(check.suite)}", name=_text(check.id), time="0"
    )
    properties = ET.SubElement(case, "properties")
    ET.SubElement(properties, "property", name="severity", value=check.severity)
    ET.SubElement(properties, "property", name="description", value=_text(check.description))
    message = _text(check.detail or check.description)
    body = _text(text or check.description)
    if check.result == "not_run" and stopped:
        ET.SubElement(case, "skipped", message=message)
        return "skipped"
    if check.result in ("errored", "not_run"):
        ET.SubElement(case, "error", type=check.result, message=message).text = body
        return "errors"
    if check.closes_gate:
        ET.SubElement(case, "failure", type=check.severity, message=message).text = body
        return "failures"
    if check.result == "failed":
        ET.SubElement(case, "system-out").text = f"{check.severity}: {message}"
    return None


def _paragraphs(text: str) -> list[str]:
    """Lines that stay lines, and are no markup."""
    return ["<br>".join(_cell(line) for line in text.splitlines())]


def _table(title: str, checks: tuple[Check, ...]) -> list[str]:
    if not checks:
        return []
    rows = [
        f"| <code>{_cell(check.id)}</code> | {check.severity} | {_cell(check.description)}"
        f" | {_cell(check.detail)} |"
        for check in checks[:SHOWN_CHECKS]
    ]
    more = [f"| and {len(checks) - SHOWN_CHECKS} more | | | |"] if len(checks) > SHOWN_CHECKS else []
    return [
        f"### {title}",
        "",
        "| check | severity | what should hold | found |",
        "|---|---|---|---|",
        *rows,
        *more,
        "",
    ]


def _cell(text: str) -> str:
    """Text that stays in its cell and is no markup: no link, no image, no mention, no HTML."""
    return ACTIVE_IN_MARKDOWN.sub(lambda found: f"&#{ord(found.group())};", " ".join(text.split()))


def _text(text: str) -> str:
    """Text that XML allows."""
    return NOT_IN_XML.sub("\ufffd", text)
