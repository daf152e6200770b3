"""The candidate that SQLite makes of a generated database: what other engines are compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lotgate.controls import load_controls, write_normalized
from lotgate.generator import generate
from lotgate.legacy_schema import Shape

__all__ = ["ROOT", "SqliteBuild", "build_with_sqlite", "lotgate"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class SqliteBuild:
    """A work directory with a candidate, its controls for another run, the seconds that it took."""

    work_dir: Path
    controls: Path
    seconds: float


def lotgate(*arguments: str | Path) -> None:
    """One command of lotgate, from this tree. Ends the program where it fails."""
    program = "import sys; from lotgate.cli import main; sys.argv[0] = 'lotgate'; sys.exit(main())"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"lotgate {arguments[0]} failed:\n{done.stdout}{done.stderr}")


def build_with_sqlite(folder: Path, rows: int, seed: int) -> SqliteBuild:
    """Generates a legacy database with evidence and controls in ``folder``, and builds it."""
    made = generate(folder / "generated", rows=rows, seed=seed, shape=Shape.late)
    work = folder / "work"
    work.mkdir(mode=0o700)
    if made.shipstation:
        shutil.copyfile(made.shipstation, work / "shipstation.sqlite")
    start = time.perf_counter()
    lotgate(
        "build", "--no-counter",
        "--database", made.database, "--work-dir", work, "--controls", made.controls,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    # dbt writes the SQL of a seed that has an absolute path over the seed itself: each run gets a copy
    controls = folder / "controls"
    controls.mkdir()
    write_normalized(load_controls(made.controls), controls)
    return SqliteBuild(work, controls, seconds)
