"""The reference implementation of the rules: the worked examples, and what holds for any database."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from reference import Result, Settings, evaluate
from reference.building import write_example
from reference.checks import check_conservation, check_lines, check_shipstation_units, check_texts
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from reference.scenario import (
    ORDER,
    Example,
    Outcome,
    RecoveredLine,
    Row,
)
from reference.strategies import DATABASES

ALL_EXAMPLES = (*EXAMPLES, *CORNER_CASES)


def run(example: Example, folder: Path, variables: Settings | None = None) -> Result:
    files = write_example(example, folder)
    return evaluate(files.legacy, evidence=files.evidence, controls=files.controls, settings=variables)


# The worked examples


def test_examples_are_told_apart_by_their_names() -> None:
    assert [name for name, times in Counter(e.name for e in ALL_EXAMPLES).items() if times > 1] == []


def test_every_worked_example_has_its_number() -> None:
    assert {int(example.name[:2]) for example in EXAMPLES} == set(range(1, 26))


@pytest.mark.parametrize("example", ALL_EXAMPLES, ids=lambda example: example.name)
def test_every_example_says_what_becomes_of_each_row(example: Example) -> None:
    """Read without any implementation: a forgotten expectation is no expectation."""
    assert sorted(o.legacy_id for o in example.outcomes) == sorted(row.id for row in example.rows)
    staying = {o.legacy_id for o in example.outcomes if o.disposition in {"keep", "redate"}}
    for outcome in example.outcomes:
        assert (outcome.merged_into_id in staying) == (outcome.disposition == "merge")
        assert (outcome.new_ship_date is not None) == (outcome.disposition == "redate")
    assert {legacy_id for legacy_id, _, _ in example.candidate} <= staying
    shipped = {s.shipment_id for s in example.shipments}
    first_id = max((row.id for row in example.rows), default=0) + 1
    assert [r.id for r in example.recovered] == [first_id + n for n in range(len(example.recovered))]
    assert {r.shipment_id for r in example.recovered} <= shipped
    # A header whose rows all leave goes, too, and an order that only ShipStation knew comes in.
    rows_that_stay = {str(row.order_number).strip() for row in example.rows if row.id in staying}
    there = rows_that_stay | {str(r.order_number).strip() for r in example.recovered}
    had = {str(row.order_number).strip() for row in example.rows}
    headers = {str(number).strip() for number, _ in example.headers}
    assert {str(n).strip() for n, change, _, _ in example.header_changes if change == "taken_out"} == (
        headers & had - there
    )
    assert {n for n, change, _, _ in example.header_changes if change == "added"} == (
        there - headers - {"", "None"}
    )


@pytest.mark.parametrize("example", ALL_EXAMPLES, ids=lambda example: example.name)
def test_example(example: Example, tmp_path: Path) -> None:
    result = run(example, tmp_path)
    outcomes = {
        Outcome(r.legacy_id, r.disposition, r.reason, r.merged_into_id, r.new_ship_date) for r in result.rows
    }
    assert outcomes == set(example.outcomes)
    assert [
        RecoveredLine(*(getattr(r, name) for name in RecoveredLine.__slots__)) for r in result.recovered
    ] == list(example.recovered)
    changes = {(c.order_number, c.change, c.old_ship_date, c.new_ship_date) for c in result.header_changes}
    assert changes == set(example.header_changes)
    assert {(p.legacy_id, p.problem) for p in result.decision_problems} == set(example.problems)
    if example.lots is not None:
        assert [(n.sku_code, n.lot_number, n.status, n.discovered) for n in result.lots] == list(example.lots)
    by_id = {row.legacy_id: row for row in result.rows}
    items = {item.id: item for item in result.items}
    for legacy_id, raw, sku, lot in example.parsed:
        assert (by_id[legacy_id].sku_code, by_id[legacy_id].lot_number) == (sku, lot)
        assert raw is None or items[legacy_id].shipstation_sku_raw == raw
    for legacy_id, text, candidate_lot in example.candidate:
        item = items[legacy_id]
        assert (item.shipstation_sku_raw, item.lot_number) == (text, candidate_lot)
    values = {
        (n.sku_code, n.lot_number, n.received_date, n.initial_qty, n.manual_adjustment, n.created_at)
        for n in result.lots
    }
    assert set(example.lot_values) <= values
    check_conservation(example, result)
    check_lines(result)
    check_texts(example, result)


# What holds for any database


@given(DATABASES)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_database_is_conserved(example: Example) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(example, Path(folder))
        check_conservation(example, result)
        check_lines(result)
        check_shipstation_units(example, result)
        check_texts(example, result)
        # A decision changes its own row only, and only one that is quarantined without it. (Another row's
        # text and lot in the candidate may depend on who else stays.)
        undecided = run(replace(example, decisions=()), Path(folder) / "undecided")
        for decided, base in zip(result.rows, undecided.rows, strict=True):
            assert decided.base_disposition == base.disposition == base.base_disposition
            if base.disposition != "quarantine":
                assert replace(decided, candidate_lot_number=None) == replace(base, candidate_lot_number=None)


@given(DATABASES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_other_orders_never_matter(example: Example) -> None:
    alone = replace(example, rows=tuple(row for row in example.rows if row.order_number != "600115"))
    with tempfile.TemporaryDirectory() as folder:
        together = {row.legacy_id: row for row in run(example, Path(folder) / "all").rows}
        for row in run(alone, Path(folder) / "alone").rows:
            assert row == together[row.legacy_id]


def test_a_bare_legacy_database_is_enough(tmp_path: Path) -> None:
    """Only the required columns, no evidence, no controls folder."""

    path = tmp_path / "legacy.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            create table inventory_current (SKU text, product_name text);
            create table shipped_orders (id integer primary key, ship_date text, order_number text);
            create table shipped_items (
                id integer primary key, ship_date text, sku_lot text, base_sku text,
                quantity_shipped integer, order_number text, created_at text
            );
            insert into inventory_current values ('17612', 'None');
            insert into shipped_orders values (1, '2025-10-06', '600105');
            insert into shipped_items
            values (7, '2025-10-06', '', '17612', 2, '600105', '2025-10-06 20:00:00');
            """
        )
    result = evaluate(path, evidence=tmp_path / "none.sqlite", controls=tmp_path / "none")
    assert [(r.legacy_id, r.disposition, r.reason) for r in result.rows] == [(7, "keep", "clean")]
    assert [(s.sku_code, s.product_name, s.pallet_count, s.reorder_point) for s in result.skus] == [
        ("17612", "17612", None, 50)
    ]


def test_names_pallets_and_reorder_points_of_skus(tmp_path: Path) -> None:
    example = Example(
        "skus",
        rows=(),
        outcomes=(),
        parameters=(
            ("Key Products", "None", " ", "17612"),
            ("Key Products", " Rinse ", "None", "17612"),
            ("Key Products", "Later", " ", "17612"),
            ("Product Names", "ignored", "Not this", "17612"),
            ("Product Names", "fallback", "Paste", "17904"),
            ("Product Names", "Brush", "nan", "17914"),
            ("PalletConfig", "PalletCount", " 48 ", "17612"),
            ("PalletConfig", "PalletCount", "81", "17612"),
            ("PalletConfig", "PalletCount", "80.0", "17904"),
            ("PalletConfig", "Other", "80", "17914"),
        ),
        skus=("17612", "17904", "17914", "18675"),
    )
    assert [(s.sku_code, s.product_name, s.pallet_count) for s in run(example, tmp_path).skus] == [
        ("17612", "Rinse", 48),
        ("17904", "Paste", None),
        ("17914", "Brush", None),
        ("18675", "18675", None),
    ]


def test_the_variables_are_followed(tmp_path: Path) -> None:
    rows = (
        Row(1, "17612 - 1100", "17612", 6, "2025-10-06", "2025-10-16 08:00:00"),
        Row(2, "17904 - 250240", "17904", 7, "2025-10-06", "2025-10-15 08:00:00"),
    )
    example = Example("variables", rows=rows, outcomes=(), headers=((ORDER, "2025-10-06"),), master_lots=())
    variables = Settings(
        max_quantity=6, late_import_days=10, discovered_lot_status="inactive", min_lot_digits=4
    )
    result = run(example, tmp_path, variables)
    assert [row.reason for row in result.rows] == ["late_import", "invalid_quantity"]
    assert [(n.lot_number, n.status) for n in result.lots] == [("1100", "inactive")]
