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
from hypothesis import strategies as st

from reference import Result, Settings, evaluate
from reference.building import write_example
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from reference.scenario import (
    ORDER,
    DecisionLine,
    Example,
    FetchRow,
    Outcome,
    RecoveredLine,
    Row,
    ShipmentRow,
    shipment,
)

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
    check_conservation(example, result)


# What holds for any database


def check_conservation(example: Example, result: Result) -> None:
    """Every row has one disposition, nothing is lost, doubled or invented."""
    assert sorted(r.legacy_id for r in result.rows) == sorted(row.id for row in example.rows)
    by_id = {r.legacy_id: r for r in result.rows}
    sources = {row.id: row for row in example.rows}
    for row in result.rows:
        assert row.disposition in {"keep", "redate", "merge", "remove", "quarantine"}
        assert (row.merged_into_id is not None) == (row.disposition == "merge")
        assert (row.new_ship_date is not None) == (row.disposition == "redate")
        if row.merged_into_id is not None:
            target = by_id[row.merged_into_id]
            assert target.disposition in {"keep", "redate"}
            assert target.sku_code == row.sku_code
            theirs = {str(sources[n].order_number).strip() for n in (row.legacy_id, row.merged_into_id)}
            assert len(theirs) == 1
    # The units of the candidate by SKU and day are those of the rows that stay and of the recovered ones.
    expected: Counter[tuple[str | None, str]] = Counter()
    for row in result.rows:
        if row.disposition in {"keep", "redate"}:
            source = sources[row.legacy_id]
            day = str(source.ship_date).strip() if row.new_ship_date is None else row.new_ship_date
            expected[row.sku_code, day] += int(float(str(source.quantity)))
    for recovered in result.recovered:
        expected[recovered.sku_code, recovered.ship_date] += recovered.quantity
    units: Counter[tuple[str | None, str]] = Counter()
    for item in result.items:
        units[item.sku_code, item.ship_date] += item.quantity
    assert units == expected
    assert len({item.id for item in result.items}) == len(result.items)
    check_lines(result)


def check_lines(result: Result) -> None:
    """No counted line is claimed twice, or both recovered and claimed by a row that is still there."""
    there = {r.legacy_id for r in result.rows if r.disposition not in {"merge", "remove"}}
    claimed = [
        (n.shipment_id, n.sku, n.lot) for i in there if i in result.claims for n in result.claims[i].lines
    ]
    recovered = [(r.shipment_id, r.sku_code, r.lot_number) for r in result.recovered]
    assert len(set(claimed + recovered)) == len(claimed) + len(recovered)
    for legacy_id, claim in result.claims.items():
        released = {(n.shipment_id, n.sku, n.lot) for n in claim.lines}
        assert legacy_id in there or released <= set(recovered)


def check_shipstation_units(example: Example, result: Result) -> None:
    """Every unit that a complete fetch counted is recovered, or claimed by a row that is still there."""
    counted = sum(
        item.quantity or 0
        for shipped in example.shipments
        if not shipped.voided and "2025-10-05" <= shipped.ship_date <= "2025-10-09"
        for item in shipped.items
        if item.sku != "18255"
    )
    gone = {r.legacy_id for r in result.rows if r.disposition in {"merge", "remove"}}
    held = sum(n.quantity for i, claim in result.claims.items() if i not in gone for n in claim.lines)
    assert counted == held + sum(r.quantity for r in result.recovered)


_DAYS = ("2024-04-16", "2025-10-03", "2025-10-06", "2025-10-07")
_SKUS = ("17612", "17904")
_TEXTS = ("", "17612", "17612 - 250300", "17612-250300", "17612 - 250237", "250300")
_UGLY_TEXTS = (None, "nan", "17612-40", "99999", "17904 - 250240", 17612, "17612 - 250070\u00a0", b"\xff")
_ORDERS = (ORDER, ORDER, ORDER, "600115", None, f" {ORDER} ", "600125")
_CREATED = (
    "2025-10-02 20:53:06",
    "2025-10-06T16:20:00+00",
    "2025-10-10 20:16:11",
    "2024-04-01 10:00:00",
    None,
)


def _often(usual: tuple[object, ...], ugly: tuple[object, ...]) -> st.SearchStrategy[object]:
    return st.sampled_from(usual * 4 + ugly)


_quantities = _often((2, 6), (3, "6", 6.0, 0, "x", 1.5, None))
_rows = st.lists(
    st.builds(
        Row,
        id=st.just(0),
        sku_lot=_often(_TEXTS, _UGLY_TEXTS),
        base_sku=_often(("17612", "17612", ""), ("17904", "17612 - 250070", "17612 - 250300", "ABC")),
        quantity=_quantities,
        ship_date=_often(_DAYS, ("2025-02-30", "", " 2025-10-06 ")),
        created_at=st.sampled_from(_CREATED),
        order_number=st.sampled_from(_ORDERS),
        tracking_number=st.sampled_from((None, None, None, "9400000000000000000000")),
    ),
    min_size=1,
    max_size=7,
).map(lambda rows: tuple(replace(row, id=number) for number, row in enumerate(rows, start=1)))
_shipments = st.lists(
    st.builds(
        lambda day, text, units, order, voided: replace(
            shipment(0, day, (text, units), (text, 1), ("17904", units), order_number=order)
            if units == 5
            else shipment(0, day, (text, units), order_number=order),
            voided=voided,
        ),
        st.sampled_from((*_DAYS, "2025-10-09")),
        st.sampled_from(("17612 - 250300", "17612 - 250237", "17612", "17904 - 250240", "18255")),
        st.sampled_from((2, 6, 3, 5)),
        st.sampled_from((ORDER, ORDER, "600115", None, "600135")),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=4,
).map(lambda found: tuple(replace(s, shipment_id=900001 + n) for n, s in enumerate(found)))
_decisions = st.sampled_from(("hold", "keep", "redate", "merge", "remove"))


def _decide(rows: tuple[Row, ...], decisions: list[str]) -> tuple[DecisionLine, ...]:
    def text(value: object) -> str:
        return "" if value is None else str(value).strip()

    return tuple(
        DecisionLine(
            str(row.id),
            text(row.base_sku),
            text(row.sku_lot),
            text(row.quantity),
            decision,
            ship_date="2025-10-08",
            order_number=text(row.order_number),
        )
        for row, decision in zip(rows, decisions, strict=False)
    )


def _database(
    rows: tuple[Row, ...],
    shipments: tuple[ShipmentRow, ...],
    fetched: bool,
    header_day: str,
    inbox: tuple[str, str] | None,
    decisions: list[str],
) -> Example:
    return Example(
        "generated",
        rows=rows,
        outcomes=(),
        headers=((ORDER, header_day), ("600115", "2025-10-06"), ("600145", "2025-10-06")),
        inbox=None if inbox is None else ((ORDER, *inbox),),
        fetches=(FetchRow("2025-10-05", "2025-10-09"),) if fetched else (),
        shipments=shipments if fetched else (),
        decisions=_decide(rows, decisions),
    )


_databases = st.builds(
    _database,
    _rows,
    _shipments,
    st.booleans(),
    st.sampled_from((*_DAYS, "")),
    st.sampled_from((None, ("2025-10-02", "shipped"), ("2025-10-06", "Cancelled"), ("", "canceled"))),
    st.just([]) | st.lists(_decisions, max_size=7),
)


@given(_databases)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_database_is_conserved(example: Example) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(example, Path(folder))
        check_conservation(example, result)
        check_shipstation_units(example, result)
        # A decision changes its own row only, and only one that is quarantined without it.
        undecided = run(replace(example, decisions=()), Path(folder) / "undecided")
        for decided, base in zip(result.rows, undecided.rows, strict=True):
            assert decided.base_disposition == base.disposition == base.base_disposition
            if base.disposition != "quarantine":
                assert decided == base


@given(_databases)
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
