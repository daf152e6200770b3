"""Contract: when it is allowed, what it drops, what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import lotgate.live.swap as swap_module
from swap_cases import SwapCase, assert_sound, query, unharmed, write
from swap_fault_cases import (
    WORKFLOWS,
    Cli,
    prepare_contract,
    refused,
    succeeds,
)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 1, "The retention has not passed"),
        (("--yes",), 1, "allowed from"),
        (("--force",), 2, "--confirm-name ora.db"),
        (("--force", "--yes"), 2, "--confirm-name ora.db"),
        (("--force", "--confirm-name", "other.db"), 1, "another one"),
    ],
)
def test_contract_before_the_retention(
    swapped: SwapCase, lotgate: Cli, options: tuple[str, ...], code: int, words: str
) -> None:
    prepare_contract(swapped)
    with unharmed(swapped):
        outcome = swapped.run(lotgate, "contract", *options)
        assert outcome.code == code
        assert words in outcome.err
        assert "legacy_shipped_items (477 rows)" in outcome.out


@pytest.mark.parametrize("way", ["force", "retention", "later"])
def test_contract(swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    prepare_contract(swapped)
    ledger = "select * from lotgate_row_ledger order by 1"
    values = "select id, ship_date, sku_id, lot_id, quantity_shipped, order_number from shipped_items"
    before, rows, flags = (
        query(swapped.database, ledger),
        query(swapped.database, values),
        query(swapped.database, WORKFLOWS),
    )
    options: tuple[str, ...] = ("--force", "--confirm-name", "ora.db")
    if way == "retention":
        monkeypatch.setenv("LOTGATE_RETENTION_DAYS", "0")
        options = ("--retention-days", "0")
    elif way == "later":
        earlier = (datetime.now(UTC) - timedelta(days=7, minutes=1)).isoformat(timespec="seconds")
        write(swapped.database, f"update lotgate_history set switched_at = '{earlier}'")
        options = ()
    succeeds(swapped.run(lotgate, "contract", *options))
    objects = {name for (name,) in query(swapped.database, "select name from sqlite_schema")}
    assert not objects & {"legacy_shipped_orders", "legacy_shipped_items", "lotgate_change_log"}
    assert [name for name in objects if name.startswith("lotgate_") and "idx" in name] == []
    columns = [
        name for (name,) in query(swapped.database, "select name from pragma_table_info('shipped_items')")
    ]
    assert not {"base_sku", "sku_lot"} & set(columns)
    indexes = dict(
        query(
            swapped.database,
            "select name, tbl_name from sqlite_schema where type = 'index' and sql is not null",
        )
    )
    assert (
        indexes.items()
        >= {
            "idx_shipped_orders_date": "shipped_orders",
            "uniq_shipped_items_key": "shipped_items",
            "idx_shipped_items_ship_date": "shipped_items",
            "idx_lots_status": "lots",
        }.items()
    )
    assert "idx_shipped_items_sku_date" not in indexes
    assert query(swapped.database, ledger) == before
    assert query(swapped.database, values) == rows
    assert query(swapped.database, WORKFLOWS) == flags
    history = query(swapped.database, "select kind, finished_at is not null from lotgate_history")
    assert history == [("swap", 1), ("contract", 1)]
    assert (
        query(swapped.database, "select * from sqlite_schema where type = 'trigger' and name like 'lotgate%'")
        == []
    )
    assert_sound(swapped)
    assert succeeds(swapped.run(lotgate, "status", "--json")).json["phase"] == "contracted"
    with unharmed(swapped):
        refused(swapped.run(lotgate, "contract", *options), 1, "nothing to contract")
        refused(swapped.run(lotgate, "rollback"), 1, "was contracted", "--restore-backup")
        refused(swapped.run(lotgate, "swap"), 1, "migrated already")
        refused(swapped.run(lotgate, "plan"), 1, "migrated already")


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("create view owned_view as select base_sku from shipped_items", "owned_view"),
        ("create view owned_view as select sku_lot as x from shipped_items", "owned_view"),
        ("create index owned_index on shipped_items (base_sku)", "owned_index"),
        ("create view owned_view as select * from legacy_shipped_items", "owned_view"),
        (
            "create trigger owned_trigger after insert on shipped_items begin select new.sku_lot; end",
            "owned_trigger",
        ),
        (
            "create trigger owned_trigger after insert on sync_watermark begin"
            " delete from legacy_shipped_items; end",
            "sync_watermark",
        ),
    ],
)
def test_contract_with_something_that_needs_a_legacy_column(
    swapped: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, statement: str, name: str
) -> None:
    monkeypatch.setenv("LOTGATE_RETENTION_DAYS", "0")
    prepare_contract(swapped)
    write(swapped.database, statement)
    with unharmed(swapped):
        outcome = swapped.run(lotgate, "contract")
        refused(outcome, 1, "still needs a legacy column or table", name, "sku_id and lot_id")
    succeeds(swapped.run(lotgate, "rollback"))


@pytest.mark.parametrize("days", [1, 400])
def test_the_clock_was_set_back(
    case: SwapCase, lotgate: Cli, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """The swap was in the future, as this machine's clock has it now."""
    later = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    with monkeypatch.context() as patched:
        patched.setattr(swap_module, "utc_now", lambda: later)
        succeeds(case.run(lotgate, "swap"))
    prepare_contract(case)
    for options in ((), ("--force", "--confirm-name", "ora.db")):
        with unharmed(case):
            refused(case.run(lotgate, "contract", *options), 1, "The clock says", "later events")
    assert succeeds(case.run(lotgate, "status", "--json")).json["is_lossless"] is True
    assert succeeds(case.run(lotgate, "backups", "--prune")).code == 0
    assert len(case.backups) == 2
    succeeds(case.run(lotgate, "rollback"))


def test_a_shorter_retention_does_not_go_around_the_name(swapped: SwapCase, lotgate: Cli) -> None:
    prepare_contract(swapped)
    with unharmed(swapped):
        outcome = swapped.run(lotgate, "contract", "--retention-days", "0", "--yes")
        refused(outcome, 2, "--retention-days 0 is shorter", "--force")


def test_contract_spares_tables_with_names_like_the_archive(swapped: SwapCase, lotgate: Cli) -> None:
    prepare_contract(swapped)
    write(swapped.database, "create table legacy_shipped_items_export (a)")
    write(swapped.database, "insert into legacy_shipped_items_export values (1)")
    succeeds(swapped.run(lotgate, "contract", "--force", "--confirm-name", "ora.db"))
    assert query(swapped.database, "select a from legacy_shipped_items_export") == [(1,)]
