"""``lotgate build`` on generated databases: every row gets what it should get by construction.

The generator knows the answer for each row that it writes; ``expected.sqlite`` holds the answers. One large
database is also put to the plain-Python reference, so that three independent voices agree row by row.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import LOTGATE, Outcome, fingerprint
from lotgate.generator import Generated, Shape, generate
from reference import evaluate
from test_build import apart_from_lotgate, leave_out_unit_tests, work_dir_of_the_session

Cli = Callable[..., Outcome]
Row = tuple[Any, ...]

ROWS = 2_000
LARGE = 24_000

EXPECTED = (
    "select legacy_id, disposition, reason, merged_into_id, new_ship_date from expected_rows order by 1"
)
LEDGER = (
    "select legacy_id, disposition, reason, merged_into_id, new_ship_date from audit_row_ledger order by 1"
)
EXPECTED_RECOVERED = (
    "select order_number, ship_date, sku_code, lot_number, quantity, shipment_id from expected_recovered"
)
# an order number is written as the header has it, which may be with blanks
RECOVERED = """
select orders.order_number, items.ship_date, skus.sku_code, lots.lot_number, items.quantity_shipped,
    items.shipstation_shipment_id
from shipped_items as items
join skus using (sku_id)
left join lots using (lot_id)
left join (select distinct order_number, header_order_number from int_recovered_lines) as orders
    on items.order_number = orders.header_order_number
where items.shipstation_shipment_id is not null
"""
ITEMS = """
select items.id, items.ship_date, items.shipstation_sku_raw, skus.sku_code, lots.lot_number,
    items.quantity_shipped, items.order_number, items.shipstation_shipment_id
from shipped_items as items join skus using (sku_id) left join lots using (lot_id)
order by items.id
"""


def read(database: Path, sql: str) -> list[Row]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=repr)


def put_evidence(made: Generated, work: Path) -> None:
    assert made.shipstation
    work.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(made.shipstation, work / "shipstation.sqlite")


def assert_as_expected(made: Generated, candidate: Path) -> None:
    expected = read(made.expected, EXPECTED)
    assert len(expected) == made.rows
    found = read(candidate, LEDGER)
    different = [(one, other) for one, other in zip(expected, found, strict=True) if one != other]
    assert different == []
    recovered = read(made.expected, EXPECTED_RECOVERED)
    assert len(recovered) == made.recovered > 0
    assert in_order(read(candidate, RECOVERED)) == in_order(recovered)
    stay = sum(row[1] in ("keep", "redate") for row in expected)
    assert read(candidate, "select count(*) from shipped_items") == [(stay + made.recovered,)]


@pytest.mark.parametrize("shape", list(Shape))
def test_every_row_gets_what_it_should(
    lotgate: Cli,
    shape: Shape,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_out_unit_tests(monkeypatch)
    made = generate(tmp_path / "made", rows=ROWS, seed=20251006 + len(shape), shape=shape)
    work = work_dir_of_the_session(tmp_path_factory)
    put_evidence(made, work)
    before, content = fingerprint(made.directory), apart_from_lotgate(made.database)
    outcome = lotgate(
        "build", "--database", made.database, "--work-dir", work, "--controls", made.controls, "--json"
    )
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    after = fingerprint(made.directory)
    assert after.pop(made.database.name) != before.pop(made.database.name)  # the counter, and nothing else
    assert after == before
    assert apart_from_lotgate(made.database) == content
    assert_as_expected(made, work / "candidate.sqlite")
    figures = outcome.json["figures"]
    assert (figures["legacy_rows"], figures["residual"]) == (made.rows, 0)
    counted = {
        (line["disposition"], line["reason"]): line["rows"]
        for line in figures["rows"]
        if line["disposition"] != "recovered"
    }
    assert counted == made.reasons
    assert outcome.json["build"]["evidence"]["shipments"] > 0


@dataclass(frozen=True)
class LargeBuild:
    """A generated database, the candidate that the real command built from it, and what that printed."""

    made: Generated
    candidate: Path
    outcome: Outcome


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> LargeBuild:
    """In a process of its own, with all of dbt's tests."""
    folder = tmp_path_factory.mktemp("large")
    made = generate(folder / "made", rows=LARGE, seed=6, shape=Shape.late, nasty=0.3)
    work = folder / "work"
    put_evidence(made, work)
    done = subprocess.run(
        [
            *LOTGATE, "build", "--json", "--database", made.database, "--work-dir", work,
            "--controls", made.controls,
        ],
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("LOTGATE_")},
        check=False,
    )  # fmt: skip
    return LargeBuild(made, work / "candidate.sqlite", Outcome(done.returncode, done.stdout, done.stderr))


def test_json_is_one_document_and_nothing_else(large: LargeBuild) -> None:
    assert large.outcome.code == 0, large.outcome.err
    assert large.outcome.err == ""
    content, end = json.JSONDecoder().raw_decode(large.outcome.out)
    assert large.outcome.out[end:] == "\n"
    assert list(content) == ["snapshot", "build", "figures"]
    assert content["figures"]["residual"] == 0
    assert len(content["build"]["checks"]) > 200
    assert content["build"]["candidate"] == str(large.candidate)


def test_models_reference_and_generator_agree_row_by_row(large: LargeBuild) -> None:
    made, candidate = large.made, large.candidate
    assert made.rows >= LARGE
    assert_as_expected(made, candidate)
    assert read(candidate, "select count(*) from audit_unit_balance where residual <> 0") == [(0,)]

    reference = evaluate(made.database, evidence=made.shipstation, controls=made.controls)
    rows = [
        (row.legacy_id, row.disposition, row.reason, row.merged_into_id, row.new_ship_date)
        for row in reference.rows
    ]
    assert rows == read(made.expected, EXPECTED)
    parsed = [
        (row.legacy_id, row.sku_code, row.lot_number, row.candidate_lot_number) for row in reference.rows
    ]
    columns = "legacy_id, sku_code, lot_number, candidate_lot_number"
    assert parsed == read(candidate, f"select {columns} from audit_row_ledger order by 1")
    items = [
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
        for item in reference.items
    ]
    assert items == read(candidate, ITEMS)
    changes = [
        (change.order_number, change.change, change.old_ship_date, change.new_ship_date)
        for change in reference.header_changes
    ]
    assert changes
    columns = "order_number, change, old_ship_date, new_ship_date"
    assert changes == read(candidate, f"select {columns} from audit_order_header_changes order by 1")
