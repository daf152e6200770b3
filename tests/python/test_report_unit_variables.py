"""An owner may change a variable of the project: dbt's unit tests have their own, and stay green."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from suites import EXPECTATIONS

PROJECT = EXPECTATIONS.parent

OTHERS = {
    "max_quantity": 500,
    "min_lot_digits": 4,
    "earliest_ship_date": "2016-01-01",
    "same_shipment_days": 3,
    "late_import_days": 20,
    "likely_incident_created_days": 5,
    "discovered_lot_status": "inactive",
    "expected_sku_count": 7,
    "stock_baseline_date": "2025-09-25",
    "report_date": "2025-10-12",
    "average_weeks": 4,
    "report_weeks": 30,
    "order_charge_cents": 1,
    "unit_charge_cents": 2,
    "pallet_day_charge_cents": 3,
    "stale_after_days": 9,
}
"""Another legal value of each variable."""


def dbt(work: Path, scratch: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """dbt on a copy of a built candidate, whose columns the unit tests' fixtures are typed by."""
    for name in ("candidate", "legacy", "shipstation"):
        shutil.copyfile(work / f"{name}.sqlite", scratch / f"{name}.sqlite")
    places = {
        "LOTGATE_DBT_DIR": scratch,
        "LOTGATE_CANDIDATE_DB": scratch / "candidate.sqlite",
        "LOTGATE_LEGACY_DB": scratch / "legacy.sqlite",
        "LOTGATE_SHIPSTATION_DB": scratch / "shipstation.sqlite",
        "LOTGATE_FAILURES_DB": scratch / "failures.sqlite",
    }
    program = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    options = ["--profiles-dir", str(PROJECT), "--no-use-colors"]
    options += ["--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")]
    return subprocess.run(
        [*program, *arguments, *options],
        cwd=PROJECT,
        env={**os.environ, **{name: str(path) for name, path in places.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_variable_is_changed() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert {name for name, value in project["vars"].items() if OTHERS.get(name, value) != value} == set(
        project["vars"]
    )


def test_unit_tests_do_not_read_an_owners_variables(demo_build: Path, tmp_path: Path) -> None:
    done = dbt(demo_build, tmp_path, "test", "--select", "test_type:unit", "--vars", json.dumps(OTHERS))
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    assert len(results) > 70
    assert {result["status"] for result in results} == {"pass"}


def test_a_report_date_that_is_no_day_is_said(demo_build: Path, tmp_path: Path) -> None:
    for text in ("9999-12-31", "2025-02-30", "today"):
        done = dbt(
            demo_build,
            tmp_path,
            *("compile", "--select", "report_period", "--vars", json.dumps({"report_date": text})),
        )
        assert done.returncode != 0
        assert f"report_date '{text}' is no day" in done.stdout
