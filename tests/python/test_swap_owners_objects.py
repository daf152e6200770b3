"""Triggers, views, indexes and columns of the owner: kept, or refused by name."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from swap_cases import SwapCase, assert_sound, picture, query, rebind, unharmed, write
from swap_fault_cases import (
    Cli,
    refused,
    succeeds,
)


def owned(case: SwapCase, *statements: str) -> None:
    """What the owner had in the database when it was audited."""
    write(case.database, *statements)
    rebind(case)


def obstructed(case: SwapCase, lotgate: Cli, *words: str) -> None:
    """The plan lists it, the swap refuses with the same words, and nothing is touched."""
    with unharmed(case):
        plan = case.run(lotgate, "plan", "--json")
        assert plan.code == 1, plan
        listed = " ".join(plan.json["obstacles"])
        swap = case.run(lotgate, "swap")
        refused(swap, 1, "cannot be swapped as it is", *words)
        for word in words:
            assert word in listed
    assert case.backups == []


def test_foreign_key_violations_in_untouched_tables_stay(case: SwapCase, lotgate: Cli) -> None:
    broken = "select * from pragma_foreign_key_check('order_items_inbox')"
    owned(case, "insert into order_items_inbox (order_inbox_id, sku, quantity) values (999999, '17612', 1)")
    violations = query(case.database, broken)
    assert len(violations) == 1
    for command in ("swap", "rollback"):
        succeeds(case.run(lotgate, command))
        assert query(case.database, broken) == violations
        assert_sound(case)


def test_triggers_and_views_of_the_owner_survive(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        "create table packing_log (what text)",
        "create trigger owned_insert after insert on shipped_items begin"
        " insert into packing_log values (new.order_number || ' ' || new.quantity_shipped); end",
        "create trigger owned_header before delete on shipped_orders begin"
        " insert into packing_log values ('gone ' || old.order_number); end",
        "create view owned_stations as select id, packed_by_station, base_sku from shipped_items",
        "create trigger owned_view instead of update on owned_stations begin"
        " update shipped_items set packed_by_station = new.packed_by_station where id = old.id; end",
        "create view owned_of_view as select count(*) as n from owned_stations",
        "create view owned_broken as select some from no_such_table",
        "update shipped_items set packed_by_station = 'S' || (id % 3)",
        "create view owned_joined as select o.label_printer, i.quantity_shipped from shipped_orders as o"
        " inner join shipped_items as i on i.order_number = o.order_number",
    )
    names = (
        "select name, sql from sqlite_schema"
        " where type in ('view', 'trigger') and name not like 'lotgate%' order by 1"
    )
    before, legacy = query(case.database, names), picture(case.database, own=False)
    assert len(before) == 8  # with dashboard_daily_units
    succeeds(case.run(lotgate, "swap"))
    assert query(case.database, names) == before
    (kept,) = query(case.database, "select count(*) from owned_stations where packed_by_station is not null")[
        0
    ]
    (legacy_kept,) = query(
        case.database, "select count(*) from legacy_shipped_items where packed_by_station is not null"
    )[0]
    assert 0 < kept <= legacy_kept
    assert query(case.database, "select n from owned_of_view") == [(467,)]
    assert query(case.database, "select count(*) from owned_joined")[0][0] > 400
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        query(case.database, "select * from owned_broken")
    write(
        case.database,
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-12', '990005')",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        " select '2025-10-12', '17612', sku_id, 4, '990005' from skus where sku_code = '17612'",
        "update owned_stations set packed_by_station = 'Z9' where id = (select max(id) from shipped_items)",
        "delete from shipped_orders where order_number = '990005'",
    )
    assert query(case.database, "select what from packing_log") == [("990005 4",), ("gone 990005",)]
    assert query(case.database, "select count(*) from owned_stations where packed_by_station = 'Z9'") == [
        (1,)
    ]
    assert query(case.database, "select base_sku from owned_stations where packed_by_station = 'Z9'") == [
        ("17612",)
    ]
    write(
        case.database, "delete from shipped_items where packed_by_station = 'Z9'", "delete from packing_log"
    )
    succeeds(case.run(lotgate, "rollback"))
    assert picture(case.database, own=False) == legacy
    assert_sound(case)


def test_triggers_of_the_owner_are_not_fired_by_staging_or_renaming(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        "create table packing_log (what text)",
        *(
            f"create trigger owned_{table}_{event} after {event} on {table} begin"
            f" insert into packing_log values ('{table} {event}'); end"
            for table in ("shipped_items", "shipped_orders")
            for event in ("insert", "update", "delete")
        ),
    )
    for command in ("swap", "rollback"):
        succeeds(case.run(lotgate, command))
        assert query(case.database, "select * from packing_log") == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "create trigger owned_ship after update on orders_inbox begin insert into shipped_items"
            " (ship_date, base_sku, quantity_shipped, order_number)"
            " values ('2025-10-12', '17612', 1, new.order_number); end",
            "the trigger owned_ship adds rows to shipped_items",
        ),
        (
            "create trigger owned_conflict after insert on sync_watermark begin insert into shipped_items"
            " (ship_date, base_sku, quantity_shipped, order_number) values ('2025-10-12', '17612', 1, '1')"
            " on conflict (order_number, base_sku, sku_lot) do nothing; end",
            "the trigger owned_conflict adds rows to shipped_items",
        ),
        (
            "create trigger owned_trim after insert on shipped_items begin"
            " update shipped_items set sku_lot = trim(sku_lot) where id = new.id; end",
            "the trigger owned_trim sets shipped_items.sku_lot",
        ),
        (
            "create trigger owned_stock after insert on shipped_items begin update inventory_current"
            " set current_quantity = current_quantity - 1 where sku = NEW . [base_sku]; end",
            "the trigger owned_stock reads new.base_sku",
        ),
    ],
)
def test_triggers_that_would_do_something_else(
    case: SwapCase, lotgate: Cli, statement: str, words: str
) -> None:
    owned(case, statement)
    obstructed(case, lotgate, words)


def test_what_would_not_work_any_more_is_refused_by_name(case: SwapCase, lotgate: Cli) -> None:
    """A view that names a legacy index, which goes into the archive with its table."""
    owned(
        case, "create view owned_hint as select id from shipped_items indexed by idx_shipped_items_sku_date"
    )
    for command in ("plan", "swap"):
        with unharmed(case):
            refused(case.run(lotgate, command), 1, "would not work any more", "view owned_hint", "drop them")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "create table owned_scans (id integer primary key, item integer references shipped_items (id))",
            "owned_scans has a foreign key to shipped_items (item)",
        ),
        (
            "create table owned_labels (number text primary key references shipped_orders (order_number))",
            "owned_labels has a foreign key to shipped_orders (number)",
        ),
        ("create table skus (id integer primary key)", "table skus already"),
        ("create table lots (id integer primary key)", "table lots already"),
        ("create view lots as select 1 as one", "view lots already"),
        (
            "create table legacy_shipped_orders (id integer primary key)",
            "table legacy_shipped_orders already",
        ),
        ("create table Lotgate_Stage_Skus (id integer primary key)", "already: rename it"),
        ("create table lotgate_row_ledger (id integer primary key)", "table lotgate_row_ledger already"),
        ("create index lotgate_idx__x on workflows (name)", "index lotgate_idx__x already"),
    ],
)
def test_obstacles_of_the_owner(case: SwapCase, lotgate: Cli, statement: str, words: str) -> None:
    owned(case, statement)
    obstructed(case, lotgate, words)


def test_both_names_are_taken(case: SwapCase, lotgate: Cli) -> None:
    owned(case, "create table skus (id integer primary key)", "create table lots (id integer primary key)")
    obstructed(case, lotgate, "table skus already", "table lots already")


def test_an_index_of_the_owner_has_a_name_of_ours(case: SwapCase, lotgate: Cli) -> None:
    """It stays the owner's, through the contract, too."""
    owned(case, "create index idx_lots_status on workflows (status)", "drop view dashboard_daily_units")
    mine = "select tbl_name, sql from sqlite_schema where name = 'idx_lots_status'"
    before = query(case.database, mine)
    succeeds(case.run(lotgate, "swap"))
    assert query(case.database, mine) == before
    succeeds(case.run(lotgate, "rollback"))
    assert query(case.database, mine) == before
    rebind(case)
    succeeds(case.run(lotgate, "swap"))
    succeeds(case.run(lotgate, "contract", "--force", "--confirm-name", "ora.db"))
    assert query(case.database, mine) == before
    assert query(
        case.database,
        "select count(*) from sqlite_schema where tbl_name = 'lots' and sql like '%index%(status)%'",
    ) == [(1,)]
    assert_sound(case)


def test_a_column_that_cannot_be_filled(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        "alter table shipped_orders add column box text not null default ''",
        "update shipped_orders set box = 'A'",
    )
    with closing(sqlite3.connect(case.database)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_schema set sql = replace(sql, 'not null default ''''', 'not null')"
            " where name = 'shipped_orders'"
        )
        connection.commit()
    rebind(case)
    obstructed(case, lotgate, "shipped_orders.box must not be empty and has no default", "headers are added")


def test_columns_of_the_owner_are_kept(case: SwapCase, lotgate: Cli) -> None:
    owned(
        case,
        'alter table shipped_items add column "Odd ""name""" text',
        "alter table shipped_items add column weight real not null default 1.5",
        "alter table shipped_items add column payload blob",
        "alter table shipped_orders add column shelf integer default 7",
        'update shipped_items set "Odd ""name""" = \'é \' || id, weight = id / 3.0, payload = randomblob(5)',
        "update shipped_orders set shelf = id where id % 2",
    )
    legacy = picture(case.database, own=False)
    succeeds(case.run(lotgate, "swap"))
    columns = '"Odd ""name""", weight, payload, packed_by_station'
    assert query(
        case.database,
        f"select count(*) from (select id, {columns} from shipped_items where id in (select id from"
        f" legacy_shipped_items) except select id, {columns} from legacy_shipped_items)",
    ) == [(0,)]
    assert (
        query(case.database, "select count(*) from shipped_items where typeof(payload) = 'blob'")[0][0] > 400
    )
    assert query(
        case.database,
        "select count(*) from shipped_orders as n inner join legacy_shipped_orders as o using (id)"
        " where n.shelf is not o.shelf or n.label_printer is not o.label_printer",
    ) == [(0,)]
    (recovered,) = query(
        case.database, "select count(*) from shipped_items where weight is null or weight = 1.5"
    )[0]
    assert recovered >= 15
    succeeds(case.run(lotgate, "rollback"))
    assert picture(case.database, own=False) == legacy


def test_no_workflow_controls(case: SwapCase, lotgate: Cli) -> None:
    owned(case, "drop table workflow_controls")
    result = succeeds(case.run(lotgate, "swap", "--json")).json
    assert result["paused"] == []
    succeeds(case.run(lotgate, "rollback"))
    assert_sound(case)
