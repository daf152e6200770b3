"""The committed GX suites on another engine: each check's result there beside the one on SQLite."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import yaml
from sqlite_build import ROOT

from lotgate.audit import _parameters, read_inputs
from lotgate.gx_run import CHECKPOINT, _match, _quiet, _results, open_context, run_suites
from lotgate.gx_suites import read_suites
from lotgate.verdict import Check
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
    parameters = _parameters(read_inputs(work_dir), ROOT)
    here = {
        check.id: check for check in run_suites(ROOT / "expectations", work_dir, parameters).checks
        if check.suite != "files"
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        expectations = Path(name) / "expectations"
        shutil.copytree(ROOT / "expectations", expectations)
        _swap_data_sources(expectations / "great_expectations.yml")
        for source, schema in SCHEMAS.items():
            os.environ[f"LOTGATE_GX_URL_{source.upper()}"] = f"{url}&options=-csearch_path%3D{schema}"
        with open_context(expectations, work_dir) as context, _quiet():
            outcome = context.checkpoints.get(CHECKPOINT).run(expectation_parameters=parameters)
        found = _results(outcome)
        there = [_match(check, found.get(check.id, [])) for check in read_suites(expectations)]
    counts = Counter(_outcome(check, here[check.id]) for check in there)
    print("GX checks: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    reasons = Counter(_reason(check) for check in there if check.result in ("errored", "not_run"))
    for reason, count in reasons.most_common():
        print(f"  {count:>4}  {reason}")
    for check in there:
        if _outcome(check, here[check.id]) == "otherwise":
            print(f"  {check.id}: {here[check.id].result} on SQLite, {check.result}: {check.detail[:160]}")


def _swap_data_sources(file: Path) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, source in content["fluent_datasources"].items():
        source["type"] = "postgres"
        source["connection_string"] = f"${{LOTGATE_GX_URL_{name.upper()}}}"
        for asset in source["assets"].values():
            asset["schema_name"] = SCHEMAS[name]
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def _outcome(check: Check, on_sqlite: Check) -> str:
    if check.result in ("errored", "not_run"):
        return check.result
    return "as on SQLite" if check.result == on_sqlite.result else "otherwise"


def _reason(check: Check) -> str:
    """The first of SQLite's own words that the engine stumbled over; its message where it is another."""
    for words, reason in REASONS.items():
        if re.search(words, check.detail):
            return reason
    return re.sub(r"\s+", " ", check.detail).strip()[:150]
