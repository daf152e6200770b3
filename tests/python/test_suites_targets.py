"""The suites of the promoted tables: good candidates pass, and each check sees its subject broken."""

from __future__ import annotations

import inspect
import json
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from compiled_models import CompiledModels
from item_cases import SHIPPED_ITEMS
from lotgate.generator import Shape, generate
from reference.building import write_example
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from reference.scenario import Example
from reference.strategies import DATABASES
from suites import Found, checks_of, copy_of, failed, parameters_of, run_suite, spoil, suites_context
from target_cases import LOTS, SHIPPED_ORDERS, SKUS, Case

SUITES = ("skus", "lots", "shipped_orders", "shipped_items")
CASES = (*SKUS, *LOTS, *SHIPPED_ORDERS, *SHIPPED_ITEMS)
# what the demo's candidate shows, and may
DEMO_FINDINGS = {
    "lots.lots_are_known": 3,
    "lots.one_lot_is_active": 3,
    "shipped_orders.shipstation_order_belongs_to_one_order": 1,
    "shipped_items.rows_are_imported_in_time": 2,
    "shipped_items.ship_dates_before_the_order_are_few": 1,
}
SHOWN_COLUMNS = {
    *("id", "sku_id", "sku_code", "lot_id", "lot_number", "order_number", "ship_date", "quantity_shipped"),
    *("legacy_id", "merged_into_id", "header_id", "lotless_id", "lotted_id", "shipment_id", "units"),
    *("status", "expected_status", "active_lots", "lines", "received_units", "shipped_units"),
    *("received_date", "order_date", "day_that_stays", "late_rows", "created_days", "change", "problem"),
    *("part", "expected", "found", "rows_with_it", "shipstation_order_id", "shipstation_shipment_id"),
    "order_number values",
    *("shipstation_sku_raw", "text"),  # where the check is about the text
}
# tables with a row for each SKU or lot, of which there are few, may be read through for each of their rows
SMALL_TABLES = {"expected", "present", "masters"}


@pytest.fixture(scope="module")
def good(demo_build: Path) -> dict[str, dict[str, Found]]:
    """What every suite finds in the demo's own candidate."""
    return {suite: run_suite(demo_build, suite) for suite in SUITES}


def test_a_good_candidate_passes(good: dict[str, dict[str, Found]]) -> None:
    found = {f"{suite}.{name}": one for suite, checks in good.items() for name, one in checks.items()}
    assert failed(found) == DEMO_FINDINGS
    assert {found[name].severity for name in DEMO_FINDINGS} == {"warning", "info"}
    assert not [name for name, one in found.items() if one.error]


def test_every_check_has_a_case() -> None:
    assert {case.check for case in CASES} == {
        f"{suite}.{name}" for suite in SUITES for name in checks_of(suite)
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.check)
def test_a_check_sees_its_subject_broken(
    case: Case, good: dict[str, dict[str, Found]], demo_build: Path, tmp_path: Path
) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    case.spoil(work)
    found = run_suite(work, case.suite, **case.parameters)
    assert {name: one.error for name, one in found.items() if one.error} == {}
    before, after = failed(good[case.suite]), failed(found)
    changed = {name for name in after if name not in before or after[name] != before[name]}
    assert changed == {case.name, *case.also}
    assert after[case.name] == case.count
    shown = {value for one in found.values() for row in one.rows for value in row}
    assert not case.shows or case.shows in {value for row in found[case.name].rows for value in row}
    assert {column for one in found.values() for column in one.columns} <= SHOWN_COLUMNS
    assert "someone" not in shown  # the e-mail of a case


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_says_what_it_checks(suite: str) -> None:
    import lotgate_expectations
    from great_expectations.expectations.registry import get_expectation_impl

    ours = Path(inspect.getfile(lotgate_expectations)).parent
    for name, check in checks_of(suite).items():
        assert list(check) == ["type", "description", "severity", "kwargs", "meta"], name
        assert check["severity"] in ("critical", "warning", "info"), name
        assert check["description"].endswith("."), name
        kind = get_expectation_impl(check["type"])
        if Path(inspect.getfile(kind)).parent == ours:
            text = inspect.getdoc(kind) or ""
            assert text.startswith("Expect "), kind
            assert "Example:" in text, kind
            assert "Source:" in text, kind
            assert all(f"    {field}: " in text for field in check["kwargs"]), kind


@pytest.mark.parametrize("suite", SUITES)
def test_no_query_reads_a_big_table_for_each_row_of_another(suite: str, demo_build: Path) -> None:
    from great_expectations.expectations.registry import get_expectation_impl
    from lotgate_expectations.once import SharedTable
    from lotgate_expectations.rows import NoRowsExpectation

    parameters = parameters_of(demo_build)

    def value(field: Any) -> Any:
        return parameters[field["$PARAMETER"]] if isinstance(field, dict) and "$PARAMETER" in field else field

    with closing(
        sqlite3.connect(f"{(demo_build / 'candidate.sqlite').as_uri()}?mode=ro", uri=True)
    ) as connection:
        connection.execute("attach ? as legacy", (f"{(demo_build / 'legacy.sqlite').as_uri()}?mode=ro",))
        made: set[SharedTable] = set()
        for name, check in checks_of(suite).items():
            kind = get_expectation_impl(check["type"])
            if not issubclass(kind, NoRowsExpectation):
                continue
            for table in kind.shared:
                if table not in made:
                    made.add(table)
                    for statement in table.statements:
                        connection.execute(statement)
            query = kind(**{field: value(of) for field, of in check["kwargs"].items()}).query()
            plan = [row[3] for row in connection.execute(f"explain query plan {query}")]
            again = [step for step in plan if step.startswith("SCAN") and "LEFT-JOIN" in step]
            assert {step.split()[1] for step in again} <= SMALL_TABLES, name


@pytest.mark.parametrize(
    ("suite", "check", "parameters"),
    [
        ("shipped_items", "ship_dates_are_past", {"snapshot_day": "2025-1-1"}),
        ("shipped_items", "ship_dates_are_not_too_early", {"earliest_ship_date": ""}),
    ],
)
def test_a_parameter_that_means_nothing_is_an_error(
    suite: str, check: str, parameters: dict[str, Any], demo_build: Path
) -> None:
    found = run_suite(demo_build, suite, [check], **parameters)[check]
    assert not found.success
    assert found.error


def test_a_missing_table_is_not_looked_up_in_the_snapshot(demo_build: Path, tmp_path: Path) -> None:
    work = copy_of(demo_build, tmp_path / "work")
    spoil(work, "drop table shipped_items")
    found = run_suite(work, "shipped_orders")
    needing = {"changes_have_grounds", "dates_are_plausible", "removed_headers_have_no_lines"}
    assert {name for name, one in found.items() if one.error} == needing
    assert all("shipped_items" in (found[name].error or "") for name in needing)


def test_the_snapshot_is_attached_for_one_query_only(demo_build: Path) -> None:
    from lotgate_expectations.attaching import attached

    def files(connection: Any) -> set[str]:
        cursor = connection.connection.cursor()
        return {row[1] for row in cursor.execute("pragma database_list")}

    with suites_context(demo_build) as context:
        engine = context.data_sources.get("candidate").get_execution_engine()
        with attached(engine, ("legacy",)) as connection:
            assert files(connection) == {"main", "legacy"}
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                connection.connection.cursor().execute("delete from legacy.shipped_items")
        with engine.get_connection() as connection:
            assert files(connection) == {"main"}
        with pytest.raises(ZeroDivisionError), attached(engine, ("legacy",)):
            raise ZeroDivisionError
        with engine.get_connection() as connection:
            assert files(connection) == {"main"}
        with pytest.raises(KeyError), attached(engine, ("no such source",)):
            pass


def test_what_is_shown_is_short_and_escaped() -> None:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from lotgate_expectations import rendering

    rows = [("<script>alert(1)</script>", None, b"\xff", "x" * 500)] * 30
    result = rendering.found(("a<b", "none", "bytes", "long"), rows, len(rows))
    validation = ExpectationValidationResult(
        success=result["success"],
        expectation_config=ExpectationConfiguration(type="expect_no_invented_rows", kwargs={}),
        result=result["result"],
    )
    assert rendering.observed_value(validation) == "30 rows"
    (table,) = rendering.unexpected_table(validation) or []
    content = table.to_json_dict()
    assert content["header_row"] == ["a&lt;b", "none", "bytes", "long"]
    assert len(content["table"]) == rendering.SHOWN_ROWS
    assert content["table"][0] == [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "(none)",
        "\\xff",
        "x" * rendering.SHOWN_CHARACTERS + "…",
    ]


def candidate_of(
    models: CompiledModels, legacy: Path, evidence: Path | None, controls: Path | None, work: Path
) -> bool:
    """Makes a work directory with the candidate of a legacy database; False where no build would be done."""
    work.mkdir()
    with models.run(legacy, evidence, controls) as connection:
        if connection.execute("select 1 from audit_decisions where problem is not null").fetchone():
            return False
        connection.execute("vacuum main into ?", (str(work / "candidate.sqlite"),))
        connection.execute("vacuum legacy into ?", (str(work / "legacy.sqlite"),))
    snapshot = {"taken_at": "2026-01-01T00:00:00+00:00", "tables": []}
    (work / "snapshot.json").write_text(json.dumps(snapshot), encoding="ascii")
    return True


def assert_no_critical_findings(work: Path, suites: Sequence[str] = SUITES) -> dict[str, int | None]:
    """Every critical check holds and every check can be carried out; what the others found."""
    with closing(sqlite3.connect(work / "candidate.sqlite")) as connection:
        (skus,) = connection.execute("select count(*) from skus").fetchone()
    noticed = {}
    for suite in suites:
        found = run_suite(work, suite, expected_sku_count=skus)
        assert {name: one.error for name, one in found.items() if one.error} == {}
        wrong = {name: found[name].rows for name in failed(found, "critical")}
        # days that nobody can have meant are there on purpose, and close the gate until they are corrected
        wrong.pop("legacy_ship_dates_are_in_the_window", None)
        assert wrong == {}, suite
        noticed |= {name: count for name, count in failed(found).items() if count}
    return noticed


@pytest.mark.parametrize("shape", list(Shape))
def test_what_the_rules_allow_is_no_critical_finding(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=1_200, seed=29, shape=shape)
    work = tmp_path / "work"
    assert candidate_of(compiled_models, made.database, made.shipstation, made.controls, work)
    noticed = assert_no_critical_findings(work)
    # the exceptions are there, and shown
    assert {
        "merged_rows_share_their_day",
        "rows_are_imported_in_time",
        "rows_are_known_to_shipstation",
        "rows_have_an_order",
        "ship_dates_of_an_incident_are_few",
    } <= set(noticed)


@pytest.mark.parametrize(
    "example",
    [one for one in (*EXAMPLES, *CORNER_CASES) if one.fetches or one.decisions or one.variants],
    ids=lambda one: one.name,
)
def test_no_example_of_the_rules_is_a_critical_finding(
    example: Example, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    files = write_example(example, tmp_path / "example")
    work = tmp_path / "work"
    if candidate_of(compiled_models, files.legacy, files.evidence, files.controls, work):
        assert_no_critical_findings(work, SUITES[1:])  # the SKUs are always the same


@given(example=DATABASES)
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_no_random_database_is_a_critical_finding(example: Example, compiled_models: CompiledModels) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write_example(example, Path(folder, "example"))
        work = Path(folder, "work")
        if candidate_of(compiled_models, files.legacy, files.evidence, files.controls, work):
            assert_no_critical_findings(work, SUITES[1:])
