"""Spoiled descriptions: what ``build.json`` says of the candidate and of dbt's tests."""

from __future__ import annotations

from typing import Any

from mutations.bench import Bench, Edit
from mutations.model import Tampering

_UNIT = "unit_test.lotgate.int_row_dispositions.rules_apply_in_their_order"
_TEST = "test.lotgate.assert_units_are_as_the_owner_expects"
_OTHER = "0" * 64


def _build(name: str, edit: Edit, *by: str) -> Tampering:
    return Tampering(name, lambda bench: bench.edit_build(edit), by, reads_suites=False)


def _test(name: str, *by: str, test: str = _TEST, **values: Any) -> Tampering:
    """One test of dbt's with another result, or another definition."""

    def edit(build: dict[str, Any]) -> None:
        (check,) = (one for one in build["checks"] if one["unique_id"] == test)
        assert {key: check[key] for key in values} != values
        check.update(values)

    return _build(name, edit, *by)


def _without(test: str) -> Edit:
    def edit(build: dict[str, Any]) -> None:
        kept = [one for one in build["checks"] if one["unique_id"] != test]
        assert len(kept) < len(build["checks"])
        build["checks"] = kept

    return edit


def _without_hash(table: str) -> Edit:
    return lambda build: build.update(hashes=[one for one in build["hashes"] if one["table"] != table])


def _file(name: str, file: str, text: str | None, error: str, message: str) -> Tampering:
    def do(bench: Bench) -> None:
        path = bench.work_dir.path / file
        path.unlink()
        if text is not None:
            path.write_text(text)

    return Tampering(name, do, error=error, message=message)


DBT = (
    _build("a dbt test switched off", _without(_TEST), f"register.dbt.{_TEST}"),
    _build("a unit test switched off", _without(_UNIT), f"register.dbt.{_UNIT}"),
    _build(
        "every dbt test switched off",
        lambda build: build.update(checks=[]),
        f"register.dbt.{_TEST}",
        f"register.dbt.{_UNIT}",
    ),
    _test("a dbt test that failed", "dbt.assert_units_are_as_the_owner_expects", status="fail", failures=3),
    _test("a dbt test that could not run", "dbt.assert_units_are_as_the_owner_expects", status="error"),
    _test("a dbt test that was skipped", "dbt.assert_units_are_as_the_owner_expects", status="skipped"),
    _test("a dbt test that did not run", "dbt.assert_units_are_as_the_owner_expects", status="missing"),
    _test("a dbt test with an unheard-of result", "dbt.assert_units_are_as_the_owner_expects", status="fine"),
    _test(
        "a unit test that failed",
        "dbt_unit.int_row_dispositions.rules_apply_in_their_order",
        test=_UNIT,
        status="fail",
        failures=1,
    ),
    _test("a dbt test that was changed", f"register.dbt.{_TEST}", fingerprint=_OTHER),
    _test("a dbt test under another name", f"register.dbt.{_TEST}", unique_id="test.lotgate.other"),
    _test("a dbt test whose severity was lowered", f"register.dbt.{_TEST}", severity="warning"),
)

HASHES = (
    _build(
        "a target table that was not hashed",
        _without_hash("shipped_items"),
        "files.table_shipped_items",
        "files.target_tables_are_hashed",
    ),
    _build(
        "an explaining table that was not hashed", _without_hash("audit_stock"), "files.table_audit_stock"
    ),
    _build(
        "no table hashed",
        lambda build: build.update(hashes=[]),
        "files.table_skus",
        "files.target_tables_are_hashed",
    ),
    _build(
        "a hash of a table that is not there",
        lambda build: build["hashes"].append({"table": "notes", "rows": 0, "sha256": _OTHER}),
        "files.table_notes",
    ),
    _build(
        "another hash of a table",
        lambda build: build["hashes"][0].update(sha256=_OTHER),
        "files.table_audit_daily_units",
    ),
    _build(
        "another number of rows",
        lambda build: build["hashes"][0].update(rows=1),
        "files.table_audit_daily_units",
    ),
    _build(
        "another hash of the schema",
        lambda build: build.update(schema_sha256=_OTHER),
        "files.candidate_schema",
    ),
    _build(
        "a candidate of another snapshot",
        lambda build: build.update(snapshot_sha256=_OTHER),
        "files.snapshot",
    ),
    _build(
        "a candidate of other evidence", lambda build: build.update(evidence_sha256=_OTHER), "files.evidence"
    ),
    _build(
        "a candidate of other controls", lambda build: build.update(controls_sha256=_OTHER), "files.controls"
    ),
    _build(
        "a candidate of another project", lambda build: build.update(project_sha256=_OTHER), "files.project"
    ),
)

FILES = (
    _file("a description that was cut off", "build.json", '{"candidate": ', "GateClosed", "damaged"),
    _file("no description", "build.json", None, "GateClosed", "missing"),
    _file("no description of the snapshot", "snapshot.json", None, "GateClosed", "missing"),
    _file("no candidate", "candidate.sqlite", None, "UsageError", "no candidate"),
    _file("a candidate that is no database", "candidate.sqlite", "nothing", "UsageError", "candidate"),
    _file("no snapshot", "legacy.sqlite", None, "UsageError", "legacy"),
)

DESCRIPTIONS = (*DBT, *HASHES, *FILES)
