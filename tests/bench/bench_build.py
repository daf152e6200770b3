"""`lotgate build` and `audit` beside a hand-written script for the plain normalization, in one run.

Usage: python tests/bench/bench_build.py [--rows 100000 --rows 1000000] [--repeat 3]

Prints medians and ratios. The script (plain_normalization.sql) fills the same constrained tables with the
same indexes, and runs foreign_key_check and integrity_check; it has no twins, no evidence, no ledger and no
proof. The audit's peak memory is that of its largest process.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from lotgate.generator import generate
from lotgate.legacy_schema import Shape

TABLES = ("skus", "lots", "shipped_orders", "shipped_items")
EXPECTED_TO_CLOSE = {
    "reconciliation.no_row_is_undecided",
    "shipped_items.legacy_ship_dates_are_in_the_window",
}
"""What the generator puts into every large database on purpose."""
SCRIPT = Path(__file__).with_name("plain_normalization.sql")
LOTGATE = Path(sys.executable).with_name("lotgate")


@dataclass(frozen=True)
class Run:
    """Wall and CPU time in seconds, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def measured(command: Sequence[str | Path], allowed: tuple[int, ...] = (0,)) -> Run:
    """Runs a command and measures it; it must end with an allowed exit code."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(list(map(str, command)), stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if child.returncode not in allowed:
            output.seek(0)
            sys.exit(f"{command[0]} failed:\n{output.read().decode()}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def build(database: Path, folder: Path) -> tuple[Run, Path, dict[str, str]]:
    """One `lotgate build` with fresh work directory, and the hashes of its tables."""
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    evidence = database.parent / "shipstation.sqlite"
    if evidence.exists():
        shutil.copyfile(evidence, work / "shipstation.sqlite")
    run = measured(
        [LOTGATE, "build", "--database", database, "--work-dir", work,
         "--controls", database.parent / "controls"]
    )  # fmt: skip
    content = json.loads((work / "build.json").read_text(encoding="utf-8"))
    return run, work / "candidate.sqlite", {entry["table"]: entry["sha256"] for entry in content["hashes"]}


def audit(work: Path) -> Run:
    """One `lotgate audit`; generated databases have undecided rows, which close the gate (exit code 1)."""
    run = measured([LOTGATE, "audit", "--work-dir", work], allowed=(0, 1))
    verdict = json.loads((work / "verdict.json").read_text(encoding="utf-8"))
    closing = [check["id"] for check in verdict["checks"] if check["severity"] == "critical"
               and check["result"] != "passed"]  # fmt: skip
    if not set(closing) <= EXPECTED_TO_CLOSE or verdict["counts"]["errored"]:
        sys.exit(f"the audit is closed by {closing}")
    return run


def schema(candidate: Path, target: Path) -> None:
    """The candidate's tables and indexes as a JSON file, for the script."""
    with closing(sqlite3.connect(candidate)) as connection:
        found = {
            kind: [
                sql
                for table in TABLES
                for (sql,) in connection.execute(
                    "select sql from sqlite_schema where type = ? and tbl_name = ? and sql is not null",
                    (kind, table),
                )
            ]
            for kind in ("table", "index")
        }
    target.write_text(json.dumps(found), encoding="utf-8")


def run_script(database: Path, schema_file: Path, target: Path) -> None:
    """The plain script, run in a process of its own (`--script`)."""
    target.unlink(missing_ok=True)
    ddl = json.loads(schema_file.read_text(encoding="utf-8"))
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        for setting in (
            "journal_mode = memory",
            "synchronous = off",
            "cache_size = -131072",
            "temp_store = memory",
        ):
            connection.execute(f"pragma {setting}")
        connection.execute("attach ? as legacy", (str(database),))
        connection.execute("begin")
        for statement in ddl["table"]:
            connection.execute(statement)
        for statement in SCRIPT.read_text(encoding="utf-8").split(";"):
            if statement.strip():
                connection.execute(statement)
        for statement in ddl["index"]:
            # the script keeps the twins that the rules merge, so that the key is an index only
            connection.execute(statement.replace("CREATE UNIQUE INDEX", "CREATE INDEX"))
        connection.execute("commit")
        if connection.execute("pragma main.foreign_key_check").fetchone():
            sys.exit("the script broke a foreign key")
        if connection.execute("pragma main.integrity_check").fetchall() != [("ok",)]:
            sys.exit("the script's database is damaged")


def medians(runs: Sequence[Run]) -> Run:
    return Run(*(statistics.median(getattr(run, name) for run in runs) for name in ("wall", "cpu", "memory")))


@click.command()
@click.option("--rows", multiple=True, type=int, default=(100_000, 1_000_000), show_default=True)
@click.option("--repeat", type=int, default=3, show_default=True)
@click.option("--script", nargs=3, type=Path, hidden=True)
def main(rows: tuple[int, ...], repeat: int, script: tuple[Path, Path, Path] | None) -> None:
    """Compare `lotgate build` with the plain script at several sizes."""
    if script:
        run_script(*script)
        return
    print(f"{'rows':>9}  {'what':<14} {'wall s':>8} {'cpu s':>8} {'memory MB':>10} {'ratio':>6}")
    results: dict[int, Run] = {}
    for count in rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            database = folder / "legacy" / "ora.db"
            generate(database.parent, rows=count, seed=1, shape=Shape.late)
            by_lotgate: list[Run] = []
            by_script: list[Run] = []
            audits: list[Run] = []
            hashes: list[dict[str, str]] = []
            for _ in range(repeat):
                run, candidate, found = build(database, folder)
                by_lotgate.append(run)
                hashes.append(found)
                audits.append(audit(candidate.parent))
                schema(candidate, folder / "schema.json")
                arguments = ["--script", database, folder / "schema.json", folder / "script.sqlite"]
                by_script.append(measured([sys.executable, __file__, *arguments]))
            if any(found != hashes[0] for found in hashes):
                sys.exit("two builds of one database gave different hashes")
            plain, ours = medians(by_script), medians(by_lotgate)
            results[count] = ours
            audited = medians(audits)
            for what, run in (("plain script", plain), ("lotgate build", ours), ("lotgate audit", audited)):
                print(
                    f"{count:>9}  {what:<14} {run.wall:>8.1f} {run.cpu:>8.1f} {run.memory:>10.0f}"
                    f" {run.wall / plain.wall:>6.2f}",
                    flush=True,
                )
            print(f"{count:>9}  audit / build: {audited.wall / ours.wall:.2f}", flush=True)
    sizes = sorted(results)
    for small, large in itertools.pairwise(sizes):
        growth = results[large].wall / results[small].wall
        print(f"lotgate build, {small} to {large} rows ({large / small:.0f}-fold): {growth:.1f}-fold time")
    print(f"Every size: {repeat} builds with identical table hashes.")


if __name__ == "__main__":
    main()
