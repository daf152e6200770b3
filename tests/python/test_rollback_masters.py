"""Later work on SKUs and lots whose master rows are not as the swap found them, and undoing a failed swap."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import lotgate.live.swap as swap_module
from conftest import Outcome
from lotgate.live.after_checks import Finding
from swap_cases import SwapCase, copy_case, query, write

Cli = Callable[..., Outcome]
WORKFLOWS = "select workflow_name, enabled from workflow_controls order by 1"
NOT_CARRIED = "select table_name, reason from lotgate_not_carried_over order by id"


@pytest.fixture
def case(demo_build: Path, tmp_path: Path) -> SwapCase:
    return copy_case(demo_build, tmp_path / "case")


@pytest.fixture
def swapped(case: SwapCase, lotgate: Cli) -> SwapCase:
    outcome = case.run(lotgate, "swap")
    assert outcome.code == 0, outcome.err
    return case


def rolled_back(case: SwapCase, lotgate: Cli) -> Outcome:
    outcome = case.run(lotgate, "rollback", "--json")
    assert outcome.code == 0, outcome.err
    return outcome


def test_a_sku_that_inventory_lacks_is_not_lost_in_silence(swapped: SwapCase, lotgate: Cli) -> None:
    write(
        swapped.database,
        "delete from inventory_current where sku = '17904'",
        "update skus set product_name = 'Bristles' where sku_code = '17904'",
    )
    status = swapped.run(lotgate, "status", "--json").json
    assert status["is_lossless"] is False
    result = rolled_back(swapped, lotgate).json
    assert result["not_carried"] == status["not_carried"]
    assert query(swapped.database, NOT_CARRIED) == [("skus", "inventory_current has no such row")]


def test_a_sku_that_was_added_to_both_is_one(swapped: SwapCase, lotgate: Cli) -> None:
    write(
        swapped.database,
        "insert into skus (sku_code, product_name, reorder_point) values ('20001', 'New', 7)",
        "insert into inventory_current (sku, product_name, reorder_point) values ('20001', 'old name', 1)",
    )
    assert swapped.run(lotgate, "status", "--json").json["is_lossless"] is True
    rolled_back(swapped, lotgate)
    found = query(
        swapped.database, "select product_name, reorder_point from inventory_current where sku = '20001'"
    )
    assert found == [("New", 7)]


def test_a_lot_that_no_master_has_goes_in_under_its_new_number(swapped: SwapCase, lotgate: Cli) -> None:
    (lot_id, number, sku) = query(
        swapped.database,
        "select l.lot_id, l.lot_number, s.sku_code from lots as l inner join skus as s using (sku_id)"
        " where not exists (select 1 from sku_lot as m where m.lot = l.lot_number and m.sku = s.sku_code)"
        " and not exists (select 1 from lot_inventory as m where m.lot = l.lot_number and m.sku = s.sku_code)"
        " limit 1",
    )[0]
    write(swapped.database, f"update lots set lot_number = '777001' where lot_id = {lot_id}")
    rolled_back(swapped, lotgate)
    lots = "select sku, lot from sku_lot where lot in ('777001', '{}')"
    assert query(swapped.database, lots.format(number)) == [(sku, "777001")]


def test_columns_of_legacy_readers_stay_true(swapped: SwapCase) -> None:
    """Also where somebody writes to them."""
    before = query(swapped.database, "select base_sku, sku_lot from shipped_items where id = 4101")
    write(swapped.database, "update shipped_items set base_sku = 'WRONG', sku_lot = '' where id = 4101")
    assert query(swapped.database, "select base_sku, sku_lot from shipped_items where id = 4101") == before


def test_a_failed_swap_stays_where_the_owner_refers_to_it(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renaming the new tables away would take the owner's foreign key with them."""
    flags = query(case.database, WORKFLOWS)

    def finds_something(connection: sqlite3.Connection, *_: object, **__: object) -> list[Finding]:
        with closing(sqlite3.connect(case.database)) as owner:
            owner.execute("create table returns (item integer references shipped_items (id))")
        return [Finding("rows of skus", "4 where 5 were audited")]

    monkeypatch.setattr(swap_module, "check_switched", finds_something)
    outcome = case.run(lotgate, "swap")
    assert outcome.code == 1
    assert "stay in place" in outcome.err
    assert query(case.database, WORKFLOWS) == flags
    ((ddl,),) = query(case.database, "select sql from sqlite_schema where name = 'returns'")
    assert "references shipped_items" in ddl
    monkeypatch.undo()
    found = case.run(lotgate, "status", "--json").json
    assert (found["phase"], found["under_way"]) == ("migrated", None)


def test_a_pause_that_fails_in_the_last_round_of_migrate(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ingestion is on again, and the answer to the pause command ran."""
    import lotgate.live.migrate as migrate_module
    from lotgate.live.preflight import SourceChanged

    flags = query(case.database, WORKFLOWS)

    def changed(*_: object, **__: object) -> None:
        raise SourceChanged("changed")

    monkeypatch.setattr(migrate_module, "_audited", changed)
    monkeypatch.setenv("LOTGATE_CATCH_UP_ROUNDS", "2")
    monkeypatch.setenv("LOTGATE_PAUSE_COMMAND", "exit 3")
    monkeypatch.setenv("LOTGATE_RESUME_COMMAND", f"touch '{tmp_path / 'resumed'}'")
    outcome = lotgate(
        "migrate", "--database", case.database, "--work-dir", case.work_dir, "--controls", case.controls
    )
    assert outcome.code == 3, outcome.err
    assert "pause_command failed with exit code 3" in outcome.err
    assert query(case.database, WORKFLOWS) == flags
    assert (tmp_path / "resumed").exists()
    state = dict(query(case.database, "select key, value from lotgate_state"))
    assert "operation" not in state, json.loads(state["operation"])


def test_a_workflow_that_the_database_does_not_know_is_told(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing error would leave an ingestion running."""
    monkeypatch.setenv("LOTGATE_PAUSE_WORKFLOWS", "xml-imprt,xml-import")
    planned = case.run(lotgate, "plan")
    assert "(not in workflow_controls: xml-imprt)" in planned.out
    swapped = case.run(lotgate, "swap")
    assert swapped.code == 0, swapped.err
    assert "Paused meanwhile, and on again: xml-import." in swapped.out
    assert "Not paused, since workflow_controls has none such: xml-imprt." in swapped.out
