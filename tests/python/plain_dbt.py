"""Plain dbt in a copy of the project, as somebody who knows dbt and not lotgate would use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROJECT_PARTS = (
    "macros",
    "models",
    "seeds",
    "tests/dbt",
    "dbt_project.yml",
    "profiles.yml",
    "selectors.yml",
)
DBT = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors"]


@dataclass(frozen=True)
class Said:
    """What a dbt command answered."""

    code: int
    out: str


def copy_project(folder: Path) -> Path:
    """A clone of the dbt project as git would make it: nothing that was ever built in it."""
    for part in PROJECT_PARTS:
        source, copy = PROJECT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copyfile(source, copy)
    return folder


def run_command(command: list[str], project: Path) -> Said:
    """A command in the folder of a project, with nothing in the environment that lotgate would set."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LOTGATE_", "DBT_"))}
    done = subprocess.run(
        command,
        cwd=project,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return Said(done.returncode, done.stdout)


def dbt(project: Path, *arguments: str) -> Said:
    """Plain dbt in the folder of a project."""
    return run_command([*DBT, *arguments], project)
