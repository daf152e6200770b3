"""Carries out the jobs of a workflow file here: its `run:` steps in bash, its uploads as a list of files.

Only what the workflows of this project use is understood. An expression that a test gave no value is an
error, not the empty text that GitHub would take it for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
NO_API = "http://127.0.0.1:9"
KEPT = ("HOME", "LANG", "PYTHONPATH", "TMPDIR")


@dataclass
class Job:
    """What a job did: the steps that ran with their exit codes, the page, the log, the uploaded files."""

    codes: dict[str, int] = field(default_factory=dict)
    page: str = ""
    out: str = ""
    err: str = ""
    uploads: dict[str, bytes] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        return [name for name, code in self.codes.items() if code]


def read_workflow(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def run_job(
    workflow: Path, name: str, repository: Path, temp: Path, values: Mapping[str, str], api: str = NO_API
) -> Job:
    """Runs job ``name`` in ``repository``. ``values`` has what each expression of the job means.

    ``api`` is the address of what answers as GitHub's API; by default nothing does.
    """
    known = {**values, "runner.temp": str(temp), "always()": "true"}
    temp.mkdir(exist_ok=True)
    page = temp.parent / f"page of {temp.name}.md"
    page.touch()
    base = {key: os.environ[key] for key in KEPT if key in os.environ} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": api,
        "GITHUB_REPOSITORY": "owner/validation",
        "GITHUB_STEP_SUMMARY": str(page),
        "GITHUB_WORKSPACE": str(repository),
        "RUNNER_TEMP": str(temp),
        # lotgate is there already, and a test installs nothing
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    done = Job()
    for step in read_workflow(workflow)["jobs"][name]["steps"]:
        condition = step.get("if")
        if not (_truth(condition, known) if condition else not done.failed):
            continue
        if condition and condition != "always()" and done.failed:
            continue
        if "run" in step:
            _run(step, done, repository, base, known)
        elif step["uses"].startswith("actions/upload-artifact@"):
            done.uploads |= _uploaded(_filled(step["with"]["path"], known), temp)
    done.page = page.read_text(encoding="utf-8")
    return done


def _run(
    step: dict[str, Any], done: Job, repository: Path, base: dict[str, str], known: Mapping[str, str]
) -> None:
    script = Path(base["RUNNER_TEMP"]).parent / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    finished = subprocess.run(
        ["bash", "-e", script],
        cwd=repository,
        env=base | {key: _filled(str(value), known) for key, value in step.get("env", {}).items()},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    done.codes[step["name"]] = finished.returncode
    done.out += finished.stdout
    done.err += finished.stderr


def _filled(text: str, known: Mapping[str, str]) -> str:
    return EXPRESSION.sub(lambda found: known[found[1]], text)


def _truth(condition: str, known: Mapping[str, str]) -> bool:
    return known[condition] == "true"


def _uploaded(patterns: str, temp: Path) -> dict[str, bytes]:
    """The files that the action's `path` names, read as it reads it: folders whole, and `!` leaves out."""
    found: set[Path] = set()
    for line in patterns.splitlines():
        pattern = line.removeprefix("!").rstrip("/")
        assert pattern.startswith(f"{temp}/"), pattern
        matches = set(temp.glob(pattern.removeprefix(f"{temp}/")))
        files = {file for match in matches for file in [match, *match.rglob("*")] if file.is_file()}
        found = found - files if line.startswith("!") else found | files
    return {str(file.relative_to(temp)): file.read_bytes() for file in sorted(found)}
