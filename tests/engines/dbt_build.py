"""`dbt build` on another engine: what became of each node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlite_build import ROOT

__all__ = ["DbtBuild", "dbt_build"]

KINDS = ("seed", "model", "test", "unit_test")


@dataclass(frozen=True)
class DbtBuild:
    """Counts by kind and status, what did not go well with dbt's message, and wall seconds."""

    counts: Mapping[tuple[str, str], int]
    problems: tuple[tuple[str, str], ...]
    seconds: float

    def line(self, kind: str) -> str:
        """Such as '44 success' or '198 pass, 4 warn'."""
        found = {status: count for (of, status), count in self.counts.items() if of == kind}
        return ", ".join(f"{count} {status}" for status, count in sorted(found.items())) or "none"


def dbt_build(
    target: str,
    folder: Path,
    controls: Path,
    environment: Mapping[str, str],
    *,
    unit_tests: bool = True,
) -> DbtBuild:
    """Builds everything but the demo's seeds, with the controls of ``controls``."""
    without = [] if unit_tests else ["--exclude-resource-type", "unit_test"]
    output = folder / f"dbt-{target}"
    dbt = Path(sys.executable).with_name("dbt")
    wanted = {"LOTGATE_CONTROL_SEEDS": str(controls), "DBT_VERSION_CHECK": "false", **environment}
    start = time.perf_counter()
    done = subprocess.run(
        [dbt, "--quiet", "--no-use-colors", "build", "--target", target, "--project-dir", ROOT,
         "--profiles-dir", ROOT, "--target-path", output, "--log-path", output / "logs",
         "--exclude", "path:seeds/legacy", "path:seeds/shipstation", *without],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | wanted,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    file = output / "run_results.json"
    if not file.exists():
        sys.exit(f"dbt gave no results:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    counts: Counter[tuple[str, str]] = Counter()
    problems = []
    for result in results:
        kind, _, name = result["unique_id"].split(".", 2)
        counts[kind, result["status"]] += 1
        if result["status"] in ("error", "fail", "runtime error"):
            message = " ".join((result["message"] or "").split())[:300]
            problems.append((name.removeprefix("lotgate."), f"{result['status']}: {message}"))
    return DbtBuild(counts, tuple(problems), seconds)
