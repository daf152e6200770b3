"""The suite ``reconciliation``: a good candidate passes, and each check sees its subject broken.

Every check has a case that spoils a copy of the demo's candidate, or of its snapshot, in one respect. The
case names all checks that fail then, with what they count, and the first row that the check shows.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from compiled_models import CompiledModels
from lotgate.generator import generate
from lotgate.legacy_schema import Shape
from reference.building import write_example
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from spoils.case import (
    Case,
)
from spoils.ledger import LEDGER, OWNER, UNITS
from spoils.people import PEOPLE, TABLES
from spoils.shipstation import COMPARISON, SHIPSTATION
from suite_candidates import build, hold_all_undecided
from suites import checks_of, copy_of, failed, run_suite, spoil, unconstrained

SUITE = "reconciliation"
DEMO_FINDINGS: dict[str, int | None] = {"no_row_is_held": 5}
# what rows wait for, what a shipment may rightly differ in, and what was only noticed
NOT_A_FAULT = {"days_match_shipstation", "no_row_is_held", "no_likely_incident", "redates_move_the_day"}
SEVERITIES = {
    "warning": {"days_match_shipstation", "no_likely_incident", "redates_move_the_day"},
    "info": {"no_row_is_held"},
}
# checks of GX's own, which show a count and no rows
STOCK = {
    *("legacy_ids_are_unique", "legacy_ids_are_given", "ledger_has_its_columns"),
    *("dispositions_are_known", "dispositions_are_given", "evidence_is_given"),
}

CASES = (*LEDGER, *UNITS, *OWNER, *SHIPSTATION, *COMPARISON, *PEOPLE, *TABLES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_spoiled_is_found(case: Case, demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    case.spoil(work)
    found = run_suite(work, SUITE, **case.parameters)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found) == DEMO_FINDINGS | dict(case.found)
    shown = found[case.check]
    if case.check not in STOCK:
        assert shown.columns
        assert len(shown.rows) == min(shown.count or 0, 20)
        assert all(len(row) == len(shown.columns) for row in shown.rows)
    if case.row:
        assert shown.rows[0] == case.row


def test_every_check_is_spoiled_at_least_once() -> None:
    assert {case.check for case in CASES} == set(checks_of(SUITE))


def test_severities_are_as_agreed() -> None:
    checks = checks_of(SUITE)
    for severity in ("warning", "info"):
        assert {name for name, check in checks.items() if check["severity"] == severity} == SEVERITIES[
            severity
        ]
    assert {check["severity"] for check in checks.values()} == {"critical", "warning", "info"}


def test_the_demo_is_good(demo_build: Path, tmp_path: Path) -> None:
    found = run_suite(copy_of(demo_build, tmp_path / "work"), SUITE)
    assert failed(found) == DEMO_FINDINGS


@pytest.mark.parametrize("shape", list(Shape))
def test_good_candidates_of_every_shape_pass(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=600, seed=40 + len(shape), shape=shape, nasty=0.3)
    work = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "work")
    found = run_suite(work, SUITE)
    undecided = found["no_row_is_undecided"].count
    assert undecided
    assert failed(found, "critical") == {"no_row_is_undecided": undecided}
    # once a person has looked at them, nothing is left
    assert hold_all_undecided(work, made.controls) == undecided
    decided = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "decided")
    held = found["no_row_is_held"].count or 0
    found = run_suite(decided, SUITE)
    assert failed(found, "critical") == {}
    assert found["no_row_is_held"].count == held + undecided


RULES = [*EXAMPLES, *CORNER_CASES]


@pytest.mark.parametrize("part", range(4))
def test_the_corners_of_the_rules_are_no_faults(
    part: int, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    """The worked examples and the corner cases, but for those whose decisions cannot be applied."""
    looked_at = 0
    for number, example in enumerate(RULES[part::4]):
        files = write_example(example, tmp_path / f"files{number}")
        work = build(
            compiled_models, files.legacy, files.evidence, files.controls, tmp_path / f"work{number}"
        )
        with closing(sqlite3.connect(work / "candidate.sqlite")) as candidate:
            refused = candidate.execute("select count(*) from audit_decisions where problem is not null")
            if refused.fetchone()[0]:
                continue
        looked_at += 1
        faults = failed(run_suite(work, SUITE), "critical")
        assert faults.keys() <= {"no_row_is_undecided"}, example.name
    assert looked_at > 20


def test_parameters_are_needed(demo_build: Path, tmp_path: Path) -> None:
    """A parameter that says nothing is an error, never a pass."""
    work = copy_of(demo_build, tmp_path / "work")
    found = run_suite(work, SUITE, ["tables_are_those_of_the_live_database"], legacy_tables="{}")
    assert found["tables_are_those_of_the_live_database"].error


def test_a_table_that_the_snapshot_added_is_no_surprise(demo_build: Path, tmp_path: Path) -> None:
    """An optional table that the models read may be there, empty, without being in the live database."""
    work = copy_of(demo_build, tmp_path / "work")
    snapshot = json.loads((work / "snapshot.json").read_text(encoding="utf-8"))
    tables = {table["name"]: table["rows"] for table in snapshot["tables"] if table["rows"] is not None}
    del tables["lot_inventory"]
    check = "tables_are_those_of_the_live_database"
    full = run_suite(work, SUITE, [check], legacy_tables=json.dumps(tables))[check]
    assert full.rows == (("lot_inventory", "(none)", "5"),)
    spoil(work, "delete from lot_inventory", database="legacy.sqlite")
    assert run_suite(work, SUITE, [check], legacy_tables=json.dumps(tables))[check].success


def test_texts_that_are_no_utf8_are_compared_all_the_same(demo_build: Path, tmp_path: Path) -> None:
    """A BLOB may hold anything; the ledger has it as the legacy row has it."""
    work = copy_of(demo_build, tmp_path / "work")
    for database in ("candidate.sqlite", "legacy.sqlite"):
        with closing(sqlite3.connect(work / database)) as connection:
            table, key = (
                ("audit_row_ledger", "legacy_id") if "candidate" in database else ("shipped_items", "id")
            )
            if table == "shipped_items":
                unconstrained(work, table, database)
            connection.execute(f"update {table} set created_at = cast(x'ff' as blob) where {key} = 4101")
            connection.commit()
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found) == DEMO_FINDINGS
