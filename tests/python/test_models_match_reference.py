"""The SQL models against the plain-Python reference: the same outcome for every row, whatever the data.

The two were written apart from each other. Examples are those of the rules; random databases are small and
nasty, made to hit the places where rules meet.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from compiled_models import CompiledModels
from reference import evaluate
from reference.building import write_example
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from reference.scenario import Example
from reference.strategies import DATABASES


def outcomes(
    models: CompiledModels, legacy: Path, evidence: Path | None, controls: Path
) -> dict[str, object]:
    """What the models say, in the reference's words."""
    with models.run(legacy, evidence, controls) as candidate:

        def rows(sql: str) -> list[tuple[object, ...]]:
            return candidate.execute(sql).fetchall()

        return {
            "rows": rows(
                "select ledger.legacy_id, ledger.disposition, ledger.reason, ledger.merged_into_id,"
                " ledger.new_ship_date, ledger.sku_code, ledger.lot_number, base.disposition"
                " from audit_row_ledger as ledger join int_row_dispositions as base using (legacy_id)"
                " order by 1"
            ),
            "items": rows(
                "select i.id, i.ship_date, i.shipstation_sku_raw, s.sku_code, l.lot_number,"
                " i.quantity_shipped, i.order_number, i.shipstation_shipment_id"
                " from shipped_items i join skus s using (sku_id) left join lots l using (lot_id) order by 1"
            ),
            "headers": rows(
                "select order_number, change, old_ship_date, new_ship_date"
                " from audit_order_header_changes order by 1"
            ),
            "lots": rows(
                "select sku_code, lot_number, status, is_discovered from audit_lots"
                " where left_out_because is null order by 1, 2"
            ),
            "skus": rows("select sku_code, product_name, pallet_count, reorder_point from skus order by 1"),
            "refused decisions": rows(
                "select cast(legacy_id as text) from audit_decisions where problem is not null order by 1"
            ),
            "residual": rows(
                "select sku_code, ship_date, residual from audit_unit_balance where residual <> 0"
            ),
        }


def expected(legacy: Path, evidence: Path | None, controls: Path) -> dict[str, object]:
    """What the reference says."""
    result = evaluate(legacy, evidence=evidence, controls=controls)
    return {
        "rows": [
            (
                row.legacy_id,
                row.disposition,
                row.reason,
                row.merged_into_id,
                row.new_ship_date,
                row.sku_code,
                row.lot_number,
                row.base_disposition,
            )
            for row in result.rows
        ],
        "items": [
            (
                item.id,
                item.ship_date,
                item.shipstation_sku_raw,
                item.sku_code,
                item.lot_number,
                item.quantity,
                item.order_number,
                item.shipment_id,
            )
            for item in result.items
        ],
        "headers": [
            (change.order_number, change.change, change.old_ship_date, change.new_ship_date)
            for change in result.header_changes
        ],
        "lots": [(lot.sku_code, lot.lot_number, lot.status, int(lot.discovered)) for lot in result.lots],
        "skus": [
            (sku.sku_code, sku.product_name, sku.pallet_count, sku.reorder_point) for sku in result.skus
        ],
        "refused decisions": sorted((problem.legacy_id,) for problem in result.decision_problems),
        "residual": [],
    }


def assert_same(models: CompiledModels, legacy: Path, evidence: Path | None, controls: Path) -> None:
    by_models = outcomes(models, legacy, evidence, controls)
    by_reference = expected(legacy, evidence, controls)
    for subject, rows in by_reference.items():
        assert by_models[subject] == rows, subject


def _names(examples: Sequence[Example]) -> list[str]:
    return [example.name for example in examples]


@pytest.mark.parametrize("example", EXAMPLES, ids=_names(EXAMPLES))
def test_models_work_the_examples_through(
    example: Example, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    files = write_example(example, tmp_path / "example")
    assert_same(compiled_models, files.legacy, files.evidence, files.controls)


@pytest.mark.parametrize("example", CORNER_CASES, ids=_names(CORNER_CASES))
def test_models_agree_in_the_corners(
    example: Example, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    files = write_example(example, tmp_path / "example")
    assert_same(compiled_models, files.legacy, files.evidence, files.controls)


@given(example=DATABASES)
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_models_agree_on_any_database(example: Example, compiled_models: CompiledModels) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write_example(example, Path(folder))
        assert_same(compiled_models, files.legacy, files.evidence, files.controls)
