"""What is compared: the limit, the plan's loop, dbt and GX by hand, and lotgate.

Every function runs its commands one by one on a copy of one database, measures each, and says what came out,
so that the results can be compared as well as the times.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from account import CREDENTIALS, NOW, simulator, write_account
from databases import Place, open_verdict
from measuring import LOTGATE, Run, measure, total

__all__ = ["BUILD_AND_AUDIT", "BY_HAND", "LIMIT", "LOOP", "Results", "by_hand", "limit", "loop", "lotgate"]

HERE = Path(__file__).resolve().parent
DBT = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")
LIMIT = "limit: plain script"
LOOP = "plan: loop with its checks"
BY_HAND = "by hand: dbt and GX"
BUILD_AND_AUDIT = "lotgate build + audit"
EXPECTED_TO_CLOSE = {
    "reconciliation.no_row_is_undecided",
    "shipped_items.legacy_ship_dates_are_in_the_window",
}
"""What the generator puts into every large database on purpose."""
EXPECTED_OF_VERIFY = {"5 no suspicious dates"}
"""The same rows, where they are kept: somebody decided so, or they are what their order says."""


@dataclass
class Results:
    """What one turn took, line by line, and what came out of it."""

    runs: dict[str, Run] = field(default_factory=dict)
    limit: tuple[int, int] = (0, 0)
    """Rows and units of shipped_items; so of the others."""
    limit_doubles: tuple[int, int] = (0, 0)
    """Those of them that the plan's key takes for second records."""
    loop: dict[str, Any] = field(default_factory=dict)
    by_hand: tuple[int, int] = (0, 0)
    by_hand_failed: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    synced: tuple[int, int] = (0, 0)
    """Units of the labels, and those that were written."""


def limit(place: Place, schema: Path, results: Results) -> None:
    """The plain script, and the plain ways to copy the live file."""
    folder = _empty(place.folder / "limit")
    target = folder / "script.sqlite"
    command = [sys.executable, HERE / "plain_script.py", place.database, schema, target]
    results.runs[LIMIT] = measure(command, folders=[folder]).run
    results.limit = rows_and_units(target)
    with closing(sqlite3.connect(target)) as connection:
        results.limit_doubles = connection.execute(
            "select count(*), coalesce(sum(quantity_shipped), 0) from shipped_items"
            " where order_number is not null and id not in (select min(id) from shipped_items"
            " where order_number is not null group by order_number, shipstation_sku_raw)"
        ).fetchone()
    target.unlink()
    for name, how in (("limit: file copy, fsync", "copy"), ("limit: SQLite's online backup", "online")):
        command = [sys.executable, HERE / "copying.py", how, place.database, folder]
        results.runs[name] = measure(command, folders=[folder]).run
    shutil.rmtree(folder)


def loop(place: Place, schema: Path, results: Results) -> None:
    folder = _empty(place.folder / "loop")
    command = [sys.executable, HERE / "plan_loop.py", place.database, schema, folder / "loop.sqlite"]
    done = measure([*command, place.controls], folders=[folder])
    results.runs[LOOP] = done.run
    results.loop = json.loads(done.out)
    shutil.rmtree(folder)


def by_hand(place: Place, results: Results) -> None:
    folder, project = _empty(place.folder / "by_hand"), HERE / "by_hand"
    target = folder / "by_hand.sqlite"
    dbt = measure(
        [*DBT, "build", "--project-dir", project, "--profiles-dir", project, "--target-path", folder / "dbt",
         "--log-path", folder / "logs"],
        folders=[folder],
        extra={
            "BENCH_FOLDER": str(folder),
            "BENCH_TARGET": str(target),
            "BENCH_LEGACY": str(place.database).replace("'", "''"),
        },
    ).run  # fmt: skip
    checked = measure([sys.executable, project / "expectations.py", target], folders=[folder])
    results.runs["by hand: dbt, stock tables"] = dbt
    results.runs["by hand: GX, stock checks"] = checked.run
    results.runs[BY_HAND] = total([dbt, checked.run])
    results.by_hand = rows_and_units(target)
    results.by_hand_failed = json.loads(checked.out)["failed"]
    shutil.rmtree(folder)


def lotgate(place: Place, results: Results, *, labels: int, window: float, and_swap: bool) -> None:
    """Every step of a migration, on the place's own live database; the gate is opened after the audit."""
    runs, folders = results.runs, place.folders

    def run(name: str, *arguments: str | Path, allowed: tuple[int, ...] = (0,), **extra: str) -> str:
        options = place.options()
        if name == "rollback":  # the one that needs no controls
            options = options[:-2]
        command = [*LOTGATE, *arguments, *options]
        done = measure(command, folders=folders, allowed=allowed, extra=extra)
        runs[f"lotgate {name}"] = done.run
        return done.out

    run("doctor", "doctor")
    run("snapshot", "snapshot")
    copies = _empty(place.folder / "backups")
    command = [sys.executable, HERE / "copying.py", "backup", place.database, copies]
    runs["lotgate's two verified backups"] = measure(command, folders=[copies]).run
    shutil.rmtree(copies)
    run("build", "build")
    content = json.loads(place.work.build_json.read_text(encoding="utf-8"))
    results.hashes = {entry["table"]: entry["sha256"] for entry in content["hashes"]}
    run("audit", "audit", allowed=(0, 1))
    _stop_where_it_is_closed_otherwise(place)
    runs[BUILD_AND_AUDIT] = total([runs["lotgate build"], runs["lotgate audit"]])
    open_verdict(place.work)
    run("plan", "plan")
    if not and_swap:
        return
    run("swap", "swap", "--yes")
    verified = json.loads(run("verify", "verify", "--json", allowed=(0, 1)))
    _stop_where_it_does_not_hold(verified)
    account = place.folder / "account"
    shutil.rmtree(account, ignore_errors=True)
    before = rows_and_units(place.database)[1]
    units = write_account(account, labels, days=1)
    with simulator(account, window, place.folder / "requests.log") as url:
        since = f"{NOW - timedelta(days=1):%Y-%m-%d}"
        run("sync", "sync", "shipments", "--since", since, LOTGATE_SHIPSTATION_URL=url, **CREDENTIALS)
    results.synced = (units, rows_and_units(place.database)[1] - before)
    run("rollback", "rollback", "--yes")


def rows_and_units(database: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(database)) as connection:
        found: tuple[int, int] = connection.execute(
            "select count(*), coalesce(sum(quantity_shipped), 0) from shipped_items"
        ).fetchone()
    return found


def _stop_where_it_is_closed_otherwise(place: Place) -> None:
    verdict = json.loads(place.work.verdict.read_text(encoding="utf-8"))
    closing_it = {
        check["id"]
        for check in verdict["checks"]
        if check["severity"] == "critical" and check["result"] != "passed"
    }
    if not closing_it <= EXPECTED_TO_CLOSE or verdict["counts"]["errored"]:
        sys.exit(f"the audit is closed by {', '.join(sorted(closing_it))}")


def _stop_where_it_does_not_hold(verified: Any) -> None:
    wrong = {finding["name"]: finding["problem"] for finding in verified["findings"] if finding["problem"]}
    if not wrong.keys() <= EXPECTED_OF_VERIFY:
        sys.exit(f"the swapped database does not hold: {wrong}")


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder
