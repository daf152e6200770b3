"""The source changed after its audit, or during the swap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lotgate.legacy_schema import MODEL_COLUMNS
from swap_cases import SwapCase, assert_sound, copy_case, picture, query, unharmed, write
from swap_fault_cases import (
    WORKFLOWS,
    Cli,
    before_calling,
    is_swapped,
    refused,
)

CHANGES = {
    "inventory_current": (
        "insert into inventory_current (sku, product_name) values ('19001', 'Test paste')",
        "update inventory_current set product_name = product_name || '!' where id = 1",
    ),
    "lot_inventory": (
        "insert into lot_inventory (sku, lot, received_date) values ('17612', '259999', '2025-10-01')",
        "update lot_inventory set initial_qty = initial_qty + 1 where id = 1",
    ),
    "sku_lot": (
        "insert into sku_lot (sku, lot) values ('17612', '259999')",
        "update sku_lot set active = 1 - active where id = 1",
    ),
    "shipped_orders": (
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-12', '990005')",
        "update shipped_orders set ship_date = '2025-10-12' where id = (select min(id) from shipped_orders)",
    ),
    "shipped_items": (
        "insert into shipped_items (ship_date, base_sku, quantity_shipped, order_number)"
        " select '2025-10-12', '17612', 1, min(order_number) from shipped_orders",
        "update shipped_items set quantity_shipped = quantity_shipped + 1"
        " where id = (select min(id) from shipped_items)",
    ),
    "orders_inbox": (
        "insert into orders_inbox (order_number, order_date) values ('990005', '2025-10-12')",
        "update orders_inbox set status = 'cancelled', order_date = '2025-10-12'"
        " where id = (select min(id) from orders_inbox)",
    ),
    "configuration_params": (
        "insert into configuration_params (category, parameter_name, value) values ('Keys', 'x', 'y')",
        "update configuration_params set value = '7' || value"
        " where id = (select min(id) from configuration_params)",
    ),
    "inventory_transactions": (
        "insert into inventory_transactions (date, sku, quantity, transaction_type)"
        " values ('2025-10-12', '17612', 3, 'Receive')",
        "update inventory_transactions set quantity = quantity + 1 where id = 1",
    ),
}


def statements_for(table: str) -> tuple[str, str, str]:
    return (*CHANGES[table], f"delete from {table} where id = (select max(id) from {table})")


@pytest.mark.parametrize("table", sorted(MODEL_COLUMNS))
def test_data_changed_after_the_audit(case: SwapCase, lotgate: Cli, table: str) -> None:
    for number, statement in enumerate(statements_for(table), 1):
        write(case.database, statement)
        with unharmed(case):
            words = [f"{number} change", "Pause ingestion", "lotgate migrate"]
            if table in ("shipped_items", "shipped_orders"):
                words.append(", of order")
            refused(case.run(lotgate, "swap"), 1, "changed after the audit", *words)
    assert case.backups == []


@pytest.mark.parametrize("table", sorted(MODEL_COLUMNS))
def test_a_writer_that_switched_triggers_off(
    case: SwapCase, lotgate: Cli, table: str, demo_build: Path, tmp_path: Path
) -> None:
    """The counter says that nothing changed; comparing a backup with the snapshot finds it all the same."""
    for number, statement in enumerate(statements_for(table)):
        each = copy_case(demo_build, tmp_path / str(number))
        triggers = query(
            each.database,
            f"select name, sql from sqlite_schema where type = 'trigger' and tbl_name = '{table}'",
        )
        assert triggers
        write(
            each.database,
            *(f'drop trigger "{name}"' for name, _ in triggers),
            statement,
            *(sql for _, sql in triggers),
        )
        with unharmed(each):
            refused(
                each.run(lotgate, "swap"),
                1,
                f"The table {table} is not what was audited",
                "goes around the triggers",
            )


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("alter table shipped_items add column note text", "change-counter"),
        ("alter table shipped_orders add column note text", "change-counter"),
        ("alter table weekly_shipped_history add column note text", "schema"),
        ("alter table lot_inventory add column note text", "schema"),
        ("create index owned_index on shipped_items (tracking_number)", "schema"),
        ("drop index idx_shipped_items_date", "schema"),
        ("create view owned_view as select * from shipped_items", "schema"),
        ("drop view dashboard_daily_units", "schema"),
        ("create table owned_table (id integer primary key)", "schema"),
        ("create trigger owned_trigger after insert on shipped_items begin select 1; end", "schema"),
        ("drop trigger lotgate_count_shipped_items_update", "change-counter"),
        ("drop table lotgate_change_counter", "change-counter"),
    ],
)
def test_schema_changed_after_the_audit(case: SwapCase, lotgate: Cli, statement: str, words: str) -> None:
    write(case.database, statement)
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), 1, words, "Build and audit again")
    assert case.backups == []


LATE = [
    "take_backups",
    "check_same_as_snapshot",
    "stage",
    "verify_staged",
    "pause_ingestion",
    "switch_tables",
    "switch",
]


@pytest.mark.parametrize("step", LATE)
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (CHANGES["shipped_items"][0], "changed after the audit: 1 change, of order"),
        (CHANGES["sku_lot"][1], "changed after the audit: 1 change"),
        ("create view owned_view as select * from shipped_items", "The schema of"),
        ("alter table shipped_items add column note text", ""),
    ],
)
def test_source_changed_during_the_swap(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, step: str, statement: str, words: str
) -> None:
    """Just before each step, up to the cut-over's transaction itself."""
    after: list[Any] = []

    def change() -> None:
        write(case.database, statement)
        after.append(picture(case.database, own=False))

    flags = query(case.database, WORKFLOWS)
    before_calling(monkeypatch, step, change)
    refused(case.run(lotgate, "swap"), 1, words)
    assert len(after) == 1
    found = picture(case.database, own=False)
    found["table workflow_controls"] = after[0]["table workflow_controls"]  # paused at that moment
    assert found == after[0]
    assert query(case.database, WORKFLOWS) == flags
    assert_sound(case)
    assert not is_swapped(case)
