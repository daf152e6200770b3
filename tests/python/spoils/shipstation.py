"""What ShipStation says, and the comparison with it."""

from __future__ import annotations

from spoils.case import (
    CLEAN,
    EXACT,
    RECOVERED,
    Case,
    recovered_twice,
    sql,
)

SHIPSTATION = (
    Case(
        "a unit more in an item",
        sql(
            "update audit_shipstation_lines set quantity = quantity + 1 where rowid in"
            " (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')"
        ),
        {
            "shipstation_lines_add_up": 1,
            "daily_table_follows_from_balance": 1,
            "shipstation_days_follow": 1,
            "differences_are_listed": 1,
        },
    ),
    Case(
        "a counted line dropped",
        sql(
            f"delete from int_shipstation_lines where line_id = {EXACT}",
            f"delete from int_shipstation_claims where line_id = {EXACT}",
        ),
        {"shipstation_lines_add_up": 1},
    ),
    Case(
        "a line that nobody claims",
        sql(f"delete from int_shipstation_claims where line_id = {EXACT}"),
        {"counted_lines_are_in_candidate": 1, "shipstation_outcomes_follow": 1},
    ),
    Case(
        "a line that a row stands for, recovered",
        sql(
            "insert into int_shipstation_claims"
            " select lines.line_id, ledger.legacy_id, 5, 0, lines.ship_date, lines.quantity"
            " from int_recovered_lines as lines inner join audit_row_ledger as ledger"
            " on ledger.order_number = lines.order_number and ledger.sku_code = lines.sku_code"
            " and ledger.ship_date = lines.ship_date and ledger.disposition = 'keep' limit 1"
        ),
        {"counted_lines_are_in_candidate": 1},
    ),
    Case(
        "a claim on another order's line",
        sql(f"update int_shipstation_claims set legacy_id = {CLEAN} where line_id = {EXACT}"),
        {"claims_fit_their_rows": 1, "shipstation_outcomes_follow": 1},
    ),
    Case(
        "a claim with other units",
        sql(f"update int_shipstation_claims set quantity = quantity + 1 where line_id = {EXACT}"),
        {"claims_fit_their_rows": 1},
    ),
    Case(
        "an outcome edited",
        sql(
            "update audit_shipstation_lines set outcome = 'other_day' where rowid in"
            " (select min(rowid) from audit_shipstation_lines where outcome = 'same_day')"
        ),
        {"shipstation_outcomes_follow": 1},
    ),
    Case(
        "a line recovered twice",
        recovered_twice,
        {
            "recovered_lines_are_shipstations": 1,
            "recovered_lines_are_in_candidate": 1,
            "candidate_rows_follow_from_ledger": 1,
            "monthly_units_follow_from_ledger": 1,
            "daily_units_follow_from_ledger": 1,
            "balance_follows_from_ledger": 2,
        },
        ("318204220", "17612", "2025-10-06", "2", "2", "1"),
    ),
    Case(
        "a voided line recovered",
        sql(
            "update audit_shipstation_lines set outcome = 'voided' where rowid in"
            " (select min(rowid) from audit_shipstation_lines where outcome = 'recovered')"
        ),
        {
            "recovered_lines_are_shipstations": 1,
            "shipstation_lines_add_up": 1,
            "recovered_units_match_shipstation": 1,
            "daily_table_follows_from_balance": 1,
            "shipstation_days_follow": 1,
            "differences_are_listed": 1,
        },
        ("318204220", "18675", "2025-10-06", "1", "2", "(none)"),
    ),
    Case(
        "a recovered row with another text",
        sql(
            "update shipped_items set shipstation_sku_raw = shipstation_sku_raw || '?'"
            f" where id = {RECOVERED}"
        ),
        {"recovered_lines_are_in_candidate": 1},
        ("4658", "318204220", "17612", "2025-10-06", "1", "recovered, and not so in the candidate"),
    ),
    Case(
        "a row from elsewhere",
        sql(f"update shipped_items set shipstation_shipment_id = 5 where id = {CLEAN}"),
        {"recovered_lines_are_in_candidate": 1, "recovered_units_match_shipstation": 1},
        ("4101", "5", "17612", "2025-09-08", "15", "in the candidate, and not recovered"),
    ),
    Case(
        "a recovered row without its shipment",
        sql(f"update shipped_items set shipstation_shipment_id = null where id = {RECOVERED}"),
        {"recovered_units_match_shipstation": 1, "recovered_lines_are_in_candidate": 1},
        ("2025-10-06", "74", "75"),
    ),
    Case(
        "other units than ShipStation counts",
        sql(
            "update audit_daily_units set shipstation_units = 332 where ship_date = '2025-10-06'",
        ),
        {"daily_table_follows_from_balance": 1},
        ("2025-10-06", "223", "223", "331", "331", "332", "331"),
    ),
)

# ShipStation against the tables, by day and SKU and by order
COMPARISON = (
    Case(
        "other units of a SKU than ShipStation counts",
        sql(
            "update audit_shipstation_days set shipstation_units = 74 where sku_code = '18675'",
            "update audit_shipstation_days set shipstation_units = 36 where sku_code = '18795'",
        ),
        {"days_match_shipstation": 2, "shipstation_days_follow": 2},
        ("2025-10-06", "18675", "26", "36", "74"),
    ),
    Case(
        "a unit more in the candidate",
        sql(
            "update shipped_items set quantity_shipped = quantity_shipped + 1"
            " where id in (select max(id) from shipped_items where ship_date = '2025-10-06')"
        ),
        {
            "days_match_shipstation": 1,
            "daily_units_follow_from_ledger": 1,
            "monthly_units_follow_from_ledger": 1,
            "balance_follows_from_ledger": 2,
            "units_are_as_counted": 1,
            "recovered_lines_are_in_candidate": 1,
            "recovered_units_match_shipstation": 1,
            "stock_follows_from_snapshot": 2,
            "differences_are_listed": 1,
        },
    ),
    Case(
        "other legacy units in the comparison",
        sql("update audit_shipstation_days set legacy_units = 0 where sku_code = '17904'"),
        {"shipstation_days_follow": 1},
        ("2025-10-06", "17904", "0", "29", "38", "38", "38", "38"),
    ),
    Case(
        "a day and SKU of the comparison gone",
        sql("delete from audit_shipstation_days where sku_code = '17914'"),
        {"shipstation_days_follow": 1, "days_match_shipstation": 1},
        ("2025-10-06", "17914", "(none)", "23", "(none)", "45", "(none)", "45"),
    ),
    Case(
        "a day and SKU of the comparison twice",
        sql("insert into audit_shipstation_days select * from audit_shipstation_days where rowid = 1"),
        {"shipstation_days_follow": 1, "days_match_shipstation": 1},
    ),
    Case(
        "a day of the comparison invented",
        sql("insert into audit_shipstation_days values ('2025-10-07', '17612', 0, 0, 0)"),
        {"shipstation_days_follow": 1},
        ("2025-10-07", "17612", "0", "(none)", "0", "(none)", "0", "(none)"),
    ),
    Case(
        "a difference not listed",
        sql("delete from audit_shipstation_differences where order_number = '690015'"),
        {"differences_are_listed": 1},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is not listed"),
    ),
    Case(
        "a difference listed twice",
        sql(
            "insert into audit_shipstation_differences select * from audit_shipstation_differences"
            " where order_number = '690015'"
        ),
        {"differences_are_listed": 2},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is listed twice"),
    ),
    Case(
        "a difference with other units",
        sql(
            "update audit_shipstation_differences set candidate_units = 4 where order_number = '690015'",
        ),
        {"differences_are_listed": 1},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is listed with other units"),
    ),
    Case(
        "a difference of a cause that nobody knows",
        sql(
            "update audit_shipstation_differences set likely_cause = 'magic' where order_number = '690015'",
        ),
        {"differences_are_listed": 1},
        ("2025-10-06", "690015", "17612", "4", "10", "10", "is of no known cause"),
    ),
    Case(
        "a difference invented",
        sql(
            "update audit_shipstation_differences set order_number = '1' where order_number = '690015'",
        ),
        {"differences_are_listed": 2},
        ("2025-10-06", "1", "17612", "4", "10", "10", "is no difference"),
    ),
)
