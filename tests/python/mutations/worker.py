"""Audits of spoiled work directories in worker processes: one takes a second, and there are many.

A worker imports GX and the plugin once, and has its own copy of the folder ``expectations``, made anew for
each audit at the same path: an audit refuses expectations that were loaded from elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from compiled_models import CompiledModels
from lotgate.errors import LotgateError
from lotgate.gx_run import GxRun, run_suites
from lotgate.verdict import Verdict
from mutations import ALL, Tampering
from mutations.bench import PROJECT, Bench

# nothing but lotgate is imported: no expectation is known before the audit opens its folder
ALONE = """
import json, sys
from pathlib import Path
from lotgate.audit import examine, read_inputs
from lotgate.console import SilentReporter
from lotgate.errors import LotgateError
from lotgate.workdir import WorkDir
work, expectations = WorkDir(Path(sys.argv[1])), Path(sys.argv[2])
try:
    found = examine(work, read_inputs(work), reporter=SilentReporter(), expectations=expectations)
except LotgateError as error:
    print(json.dumps({"error": type(error).__name__, "message": error.message}))
else:
    verdict = found.verdict()
    print(json.dumps({
        "is_open": verdict.is_open,
        "closing": {check.id: check.result for check in verdict.reasons},
        "findings": [check.id for check in verdict.warnings],
    }))
"""


@dataclass(frozen=True)
class Paths:
    """What a worker reads, and the folder in which it may write.

    ``good`` is the demo's work directory, ``expectations`` a folder whose register was accepted.
    """

    good: Path
    expectations: Path
    scratch: Path


@dataclass(frozen=True)
class Outcome:
    """What an audit found. ``closing`` are the checks that close the gate, with their results.

    ``findings`` are the failed checks that do not. ``file_problems`` are what the hashes of the build tell
    before they are renewed. ``error`` and ``message`` are those of an exception.
    """

    is_open: bool = False
    closing: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    file_problems: frozenset[str] = frozenset()
    error: str = ""
    message: str = ""
    seconds: float = 0.0


def audit_case(name: str, paths: Paths) -> Outcome:
    """Spoils a copy of the good work directory as the case says, and audits it."""
    case = ALL[name]
    started = time.monotonic()
    home = _home(paths)
    bench = Bench.copy_of(paths.good, home / "bench", _fresh_expectations(home, paths), _models(paths.good))
    file_problems: frozenset[str] = frozenset()
    case.spoil(bench)
    if not isinstance(case, Tampering):
        file_problems = frozenset(bench.file_problems())
        bench.renew_hashes()
    if isinstance(case, Tampering) and case.alone:
        found = audit_alone(bench.work_dir.path, bench.expectations)
    elif isinstance(case, Tampering) and not case.reads_suites:
        with mock.patch("lotgate.audit.run_suites", return_value=_good_suites(paths)):
            found = _audit(bench)
    else:
        found = _audit(bench)
    shutil.rmtree(home / "bench")
    return Outcome(**found, file_problems=file_problems, seconds=time.monotonic() - started)


def audit_unspoiled(work: Path, paths: Paths) -> Outcome:
    """Audits a copy of a good work directory."""
    home = _home(paths)
    bench = Bench.copy_of(work, home / "bench", _fresh_expectations(home, paths), None)
    found = _audit(bench)
    shutil.rmtree(home / "bench")
    return Outcome(**found)


def audit_alone(work: Path, expectations: Path) -> dict[str, Any]:
    """The same in a new process."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LOTGATE_")}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(work), str(expectations)],
        capture_output=True,
        text=True,
        env=clean | {"PYTHONPATH": str(PROJECT / "scripts")},
        check=True,
    )
    return dict(json.loads(done.stdout))


def _audit(bench: Bench) -> dict[str, Any]:
    try:
        return _found(bench.audit())
    except LotgateError as error:
        return {"error": type(error).__name__, "message": error.message}


def _found(verdict: Verdict) -> dict[str, Any]:
    return {
        "is_open": verdict.is_open,
        "closing": {check.id: check.result for check in verdict.reasons},
        "findings": tuple(check.id for check in verdict.warnings),
    }


def _home(paths: Paths) -> Path:
    return paths.scratch / str(os.getpid())


def _fresh_expectations(home: Path, paths: Paths) -> Path:
    shutil.rmtree(home / "expectations", ignore_errors=True)
    return Path(shutil.copytree(paths.expectations, home / "expectations"))


@cache
def _models(good: Path) -> CompiledModels:
    return CompiledModels.of_build(good / "candidate.sqlite", good / "dbt")


@cache
def _good_suites(paths: Paths) -> GxRun:
    """What the suites find in the good work directory."""
    home = _home(paths)
    bench = Bench.copy_of(paths.good, home / "good", _fresh_expectations(home, paths), None)
    runs: list[GxRun] = []

    def run(*arguments: Any) -> GxRun:
        runs.append(run_suites(*arguments))
        return runs[-1]

    with mock.patch("lotgate.audit.run_suites", run):
        bench.audit()
    shutil.rmtree(home / "good")
    return runs[0]
