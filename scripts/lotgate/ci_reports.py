"""A verdict for CI: JUnit with one case per check, and Markdown for the job's page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import groupby

from lotgate.verdict import Check, Verdict

__all__ = ["as_junit", "as_markdown"]

SHOWN_CHECKS = 50
LEGACY_HEALTH = "legacy_health"
ACTIVE_IN_MARKDOWN = re.compile(r"[&<>|`\\*_\[\](){}!~@#:]")
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(verdict: Verdict) -> str:
    """JUnit XML as CI systems read it: a suite per suite, a case per check, named by its description.

    A check that closes the gate is a failure or, where it could not be carried out, an error. A warning that
    found something passes here, with what it found in ``system-out``, since CI shall not fail by it.
    """
    root = ET.Element("testsuites", name="lotgate audit", tests=str(len(verdict.checks)))
    totals = {"failures": 0, "errors": 0}
    by_suite = sorted(verdict.checks, key=lambda check: check.suite)
    for suite, checks in groupby(by_suite, key=lambda check: check.suite):
        element = ET.SubElement(root, "testsuite", name=suite)
        counts = {"tests": 0, "failures": 0, "errors": 0}
        for check in checks:
            counts["tests"] += 1
            kind = _add_case(element, check)
            if kind:
                counts[kind] += 1
        for name, count in counts.items():
            element.set(name, str(count))
        for name in totals:
            totals[name] += counts[name]
    for name, count in totals.items():
        root.set(name, str(count))
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


def _add_case(suite: ET.Element, check: Check) -> str | None:
    case = ET.SubElement(
        suite, "testcase", classname=f"lotgate.{_text(check.suite)}", name=_text(check.id), time="0"
    )
    properties = ET.SubElement(case, "properties")
    ET.SubElement(properties, "property", name="severity", value=check.severity)
    ET.SubElement(properties, "property", name="description", value=_text(check.description))
    message = _text(check.detail or check.description)
    if check.result in ("errored", "not_run"):
        ET.SubElement(case, "error", type=check.result, message=message).text = _text(check.description)
        return "errors"
    if check.closes_gate:
        ET.SubElement(case, "failure", type=check.severity, message=message).text = _text(check.description)
        return "failures"
    if check.result == "failed":
        ET.SubElement(case, "system-out").text = f"{check.severity}: {message}"
    return None


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
