"""The committed GX suites on another engine: each check's result there beside the one on SQLite."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from sqlite_build import ROOT

from lotgate.audit import read_inputs, suite_parameters
from lotgate.gx_part import open_context
from lotgate.gx_run import run_suites
from lotgate.workdir import WorkDir

__all__ = ["print_suites"]

REASONS = {
    "text_factory": "reading.py: the driver's text_factory",
    r"near .attach": "attaching.py: ATTACH",
    r"LINE.*char\(": "expressions.py: char()",
    r"LINE.*glob": "GLOB",
    r"LINE.*(sqlite_master|pragma)": "sqlite_master, PRAGMA",
    r"must have an alias": "a subquery in FROM without an alias",
    r"syntax error at or near": "IS and IS NOT between values",
    r"function \w+\(.*does not exist": "a function of SQLite's",
}
"""What SQLite alone understands, by what PostgreSQL's message shows."""

SCHEMAS = {"candidate": "main", "legacy": "legacy"}


def print_suites(work_path: Path, url: str) -> None:
    """Runs every suite on SQLite and at ``url``, and prints what became of each check."""
    work_dir = WorkDir(work_path)
    parameters = suite_parameters(read_inputs(work_dir), ROOT)
    here = {
        check.id: check.result for check in run_suites(ROOT / "expectations", work_dir, parameters).checks
    }
    there = _run(work_dir, parameters, url)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for check, (result, message) in there.items():
        if result == "errored":
            outcome = "errored"
            reasons[_reason(message)] += 1
        elif result == here.get(check):
            outcome = "as on SQLite"
        else:
            outcome = "otherwise"
            print(f"  {check}: {here.get(check)} on SQLite, {result} here")
        counts[outcome] += 1
    print("GX checks: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    for reason, count in reasons.most_common():
        print(f"  {count:>4}  {reason}")


def _run(work_dir: WorkDir, parameters: dict[str, Any], url: str) -> dict[str, tuple[str, str]]:
    """Each check's result at ``url``, and the message of one that ended in an error."""
    with tempfile.TemporaryDirectory() as name:
        expectations = Path(name) / "expectations"
        shutil.copytree(ROOT / "expectations", expectations)
        _swap_data_sources(expectations / "great_expectations.yml")
        for source, schema in SCHEMAS.items():
            os.environ[f"LOTGATE_GX_URL_{source.upper()}"] = f"{url}&options=-csearch_path%3D{schema}"
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
        with open_context(expectations, work_dir) as context, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = context.checkpoints.get("audit").run(expectation_parameters=parameters)
    found = {}
    for validation in outcome.run_results.values():
        for result in validation.results:
            check = f"{validation.suite_name}.{(result.expectation_config.meta or {}).get('check')}"
            message = _message(result.exception_info or {})
            found[check] = ("errored" if message else "passed" if result.success else "failed", message)
    return found


def _message(info: dict[str, Any]) -> str:
    """What a check raised; GX keeps it flat, or keyed by metric."""
    for entry in (info, *info.values()):
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return " ".join(str(entry.get("exception_message")).split())[:500]
    return ""


def _swap_data_sources(file: Path) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, source in content["fluent_datasources"].items():
        source["type"] = "postgres"
        source["connection_string"] = f"${{LOTGATE_GX_URL_{name.upper()}}}"
        for asset in source["assets"].values():
            asset["schema_name"] = SCHEMAS[name]
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def _reason(message: str) -> str:
    """The first of SQLite's own words that the engine stumbled over; its message where it is another."""
    for words, reason in REASONS.items():
        if re.search(words, message):
            return reason
    return message[:150]
