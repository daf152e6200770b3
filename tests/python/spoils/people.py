"""What waits for a person, and the tables of the snapshot."""

from __future__ import annotations

from spoils.case import (
    CLEAN,
    HELD,
    RESYNC,
    Case,
    source,
    sql,
)

PEOPLE = (
    Case(
        "a quarantined row not listed",
        sql(f"delete from audit_quarantine where legacy_id = {HELD}"),
        {"quarantine_is_the_ledgers": 1},
        ("4141", "not listed"),
    ),
    Case(
        "a kept row listed",
        sql(f"insert into audit_quarantine (legacy_id) values ({CLEAN})"),
        {"quarantine_is_the_ledgers": 1},
        ("4101", "listed and not in quarantine"),
    ),
    Case(
        "a quarantined row listed twice",
        sql(f"insert into audit_quarantine select * from audit_quarantine where legacy_id = {HELD}"),
        {"quarantine_is_the_ledgers": 1},
        ("4141", "listed more than once"),
    ),
    Case(
        "a quarantined row listed as decided",
        sql(f"update audit_quarantine set is_undecided = 1 where legacy_id = {HELD}"),
        {"quarantine_is_the_ledgers": 1},
        ("4141", "listed otherwise"),
    ),
    Case(
        "a row that nobody decided",
        sql(
            f"delete from quarantine_decisions where legacy_id = {HELD}",
            f"update audit_quarantine set reason = 'unparseable_sku', is_undecided = 1"
            f" where legacy_id = {HELD}",
            f"update audit_row_ledger set reason = 'unparseable_sku' where legacy_id = {HELD}",
        ),
        {"no_row_is_undecided": 1, "no_row_is_held": 4},
        ("4141", "687335", "2025-09-10", "1", "unparseable_sku"),
    ),
    Case(
        "one row more held",
        sql(
            f"insert into quarantine_decisions (legacy_id, decision, order_number, base_sku, sku_lot,"
            f" quantity_shipped) select legacy_id, 'hold', order_number, base_sku, sku_lot, quantity_shipped"
            f" from audit_row_ledger where legacy_id = {RESYNC}",
            f"update audit_row_ledger set disposition = 'quarantine', reason = 'held'"
            f" where legacy_id = {RESYNC}",
        ),
        {"no_row_is_held": 6, "quarantine_is_the_ledgers": 1, "balance_follows_from_ledger": 2},
    ),
    Case(
        "an incident that nobody named",
        sql("delete from incidents"),
        {"no_likely_incident": 1},
        ("2024-04-16", "27", "107", "4"),
    ),
)

TABLES = (
    Case(
        "an emptied order not listed",
        sql(
            "delete from audit_order_header_changes where header_id in"
            " (select min(header_id) from audit_order_header_changes where change = 'taken_out')"
        ),
        {"emptied_orders_are_taken_out": 1, "headers_add_up": 1},
    ),
    Case(
        "a header lost",
        sql("delete from shipped_orders where id in (select min(id) from shipped_orders)"),
        {"headers_add_up": 1},
        ("293", "5", "7", "294"),
    ),
    Case(
        "a SKU invented",
        sql("insert into skus (sku_code, product_name) values ('17913', 'Something')"),
        {"skus_are_those_of_the_inventory": 1, "stock_follows_from_snapshot": 1},
        ("17913", "0", "1"),
    ),
    Case(
        "a SKU of the inventory missing",
        source("update inventory_current set sku = '17913' where sku = '18795'"),
        {
            "skus_are_those_of_the_inventory": 2,
            "unreadable_rows_are_quarantined": 62,
            "stock_follows_from_snapshot": 1,
        },
        ("17913", "1", "0"),
    ),
    Case(
        "a table forgotten",
        source("drop table workflows"),
        {"tables_are_those_of_the_live_database": 1},
        ("workflows", "7", "(none)"),
    ),
    Case(
        "rows of a table that is carried over lost",
        source("delete from workflows where id = 1"),
        {"tables_are_those_of_the_live_database": 1},
        ("workflows", "7", "6"),
    ),
    Case(
        "a table invented",
        source("create table surprise (id integer)"),
        {"tables_are_those_of_the_live_database": 1},
        ("surprise", "(none)", "0"),
    ),
    Case(
        "no snapshot, but another database",
        source("drop table lotgate_snapshot"),
        {"tables_are_those_of_the_live_database": 1},
        ("lotgate_snapshot", "(none)", "(none)"),
    ),
    Case(
        "a table that is to stay as it is, in the candidate",
        sql("create table Workflows (id integer)"),
        {"untouched_tables_stay_out": 1},
        ("Workflows", "carried over"),
    ),
)
