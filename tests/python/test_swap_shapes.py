"""Every shape of database, empty and filled, and odd paths: a swap and its way back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from compiled_models import CompiledModels
from conftest import fill
from lotgate.build import hashed_tables
from lotgate.controls import load_controls
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.live.clock import utc_now
from lotgate.live.counter import install_counter
from lotgate.table_hashes import hash_tables, schema_sha256
from lotgate.verdict import read_verdict, write_verdict
from swap_cases import SwapCase, assert_sound, picture, query, write
from swap_fault_cases import (
    Cli,
    is_swapped,
    succeeds,
)


@pytest.mark.parametrize("rows", [0, 20])
@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_of_database(
    demo_build: Path, compiled_models: CompiledModels, tmp_path: Path, lotgate: Cli, shape: Shape, rows: int
) -> None:
    case = build_shape(
        demo_build, compiled_models, tmp_path / f'it\'s a "{shape}" % 100? #1', shape, rows, lotgate
    )
    legacy = picture(case.database, own=False)
    assert succeeds(case.run(lotgate, "plan", "--json")).json["obstacles"] == []
    result = succeeds(case.run(lotgate, "swap", "--json")).json
    assert result["rows"]["shipped_items"] == rows
    assert is_swapped(case)
    expected = [("17612", "17612 - 250237", 2)] * rows
    assert query(case.database, "select base_sku, sku_lot, quantity_shipped from shipped_items") == expected
    assert query(case.database, "select count(*) from lotgate_row_ledger") == [(rows,)]
    write(
        case.database,
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-12', '990005')",
        "insert or ignore into skus (sku_code, product_name) values ('17612', 'Brush')",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        " select '2025-10-12', '17612', sku_id, 4, '990005' from skus where sku_code = '17612'",
    )
    assert succeeds(case.run(lotgate, "status", "--json")).json["phase"] == "migrated"
    assert succeeds(case.run(lotgate, "rollback", "--json")).json["inserted"] >= 2
    found = picture(case.database, own=False)
    changed = {name for name in found if found[name] != legacy.get(name)}
    assert {"table shipped_orders", "table shipped_items"} <= changed
    assert changed <= {"table shipped_orders", "table shipped_items", "table inventory_current"}
    assert {name: sql for name, (sql, _) in found.items()} == {name: sql for name, (sql, _) in legacy.items()}
    assert query(
        case.database,
        "select base_sku, sku_lot, quantity_shipped from shipped_items where order_number = '990005'",
    ) == [("17612", "", 4)]
    assert_sound(case)


def build_shape(
    demo: Path, compiled: CompiledModels, folder: Path, shape: Shape, rows: int, lotgate: Cli
) -> SwapCase:
    """A small database of a shape with a candidate from the compiled models, and an open verdict for it."""
    case = SwapCase(folder)
    case.database.parent.mkdir(parents=True)
    case.controls.mkdir()
    with closing(create_legacy_database(case.database, shape)) as connection:
        if rows and shape is not Shape.bare:
            fill(connection, rows)
        elif rows:
            fill_bare(connection, rows)
    install_counter(case.database, now=utc_now())
    snapshot = succeeds(
        lotgate("snapshot", "--database", case.database, "--work-dir", case.work_dir, "--json")
    ).json
    with compiled.run(case.work_dir / "legacy.sqlite", None, case.controls) as connection:
        connection.execute("vacuum main into ?", (str(case.work_dir / "candidate.sqlite"),))
    candidate = case.work_dir / "candidate.sqlite"
    verdict = read_verdict(demo / "verdict.json")
    counter = install_counter(case.database, now=utc_now())
    content = json.loads((case.work_dir / "snapshot.json").read_text())
    assert content["change_counter"] == {"value": counter.value, "stamp": counter.stamp}
    renewed = replace(
        verdict,
        source=str(case.database),
        snapshot_sha256=snapshot["sha256"],
        controls_sha256=load_controls(case.controls).sha256,
        schema_fingerprint=content["schema_fingerprint"],
        database_id=content["database_id"],
        change_counter=counter,
        candidate_schema_sha256=schema_sha256(candidate),
        tables=hash_tables(candidate, hashed_tables(candidate)),
    )
    write_verdict(renewed, case.verdict)
    build = json.loads((demo / "build.json").read_text())
    build |= {"schema_sha256": schema_sha256(candidate), "controls_folder": str(case.controls)}
    (case.work_dir / "build.json").write_text(json.dumps(build))
    return case


def fill_bare(connection: sqlite3.Connection, rows: int) -> None:
    """Nothing but the required columns, of which no one has a default."""
    connection.execute("insert into inventory_current (sku, product_name) values ('17612', 'Brush')")
    for number in range(rows):
        order = f"{600005 + 10 * number}"
        connection.execute("insert into shipped_orders values (?, '2025-09-15', ?)", (number + 1, order))
        connection.execute(
            "insert into shipped_items (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number,"
            " created_at) values (?, '2025-09-15', '17612 - 250237', '17612', 2, ?, '2025-09-15 10:00:00')",
            (number + 1, order),
        )
    connection.commit()
