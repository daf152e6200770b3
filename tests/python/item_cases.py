"""Ways to spoil shipped_items and what explains it, one and more for every check of its suite.

Written for the demo's candidate. Row 4101 is an ordinary one: kept, with a lot, an order that is not in the
inbox, and no line of ShipStation. Row 4101 and 4104 have one SKU, lot and day, and other units.
"""

from __future__ import annotations

from target_cases import (
    CONTRACT,
    Case,
    Spoil,
    as_it_is,
    forced,
    in_turn,
    loosened,
    on_candidate,
    on_snapshot,
    redefined,
)

LEDGER = "kept_rows_are_as_the_ledger_says"
SNAPSHOT = "kept_rows_are_those_of_the_snapshot"
TEXT = "sku_texts_say_sku_and_lot"
SOURCE_TEXT = "sku_texts_are_those_of_the_snapshot"
RECOVERY = "recovered_rows_are_as_recovered"
LINES = "recovered_rows_are_shipstation_lines"
INVENTED = "no_row_is_invented"
KEY = "key_is_unique"
LOT_OF_SKU = "lot_belongs_to_sku"
BEFORE = "ship_dates_are_not_before_the_order"
INCIDENT = "ship_dates_are_not_of_an_incident"
QUANTITY = "quantities_are_plausible"
TWINS = "no_lotless_twins"

ROW = 4101
RECOVERED = 4658
UNITED = "id in (4101, 4104)"


def everywhere(column: str, value: str, *ids: int) -> Spoil:
    """One value of migrated rows in candidate, ledger and snapshot, so that all agree."""
    listed = ", ".join(map(str, ids))
    rest = ", units = quantity_shipped" if column == "quantity_shipped" else ""
    return in_turn(
        on_candidate(
            f"update shipped_items set {column} = {value} where id in ({listed})",
            f"update audit_row_ledger set {column} = {value} where legacy_id in ({listed})",
            *(
                [f"update audit_row_ledger set units = quantity_shipped where legacy_id in ({listed})"]
                if rest
                else []
            ),
        ),
        on_snapshot(f"update shipped_items set {column} = {value} where id in ({listed})"),
    )


def change(what: str, row: int = ROW) -> Spoil:
    return on_candidate(f"update shipped_items set {what} where id = {row}")


def unmerged(reason: str) -> Spoil:
    """A lotless twin that stays beside its lotted one, as a wrong rule would have it everywhere."""
    return in_turn(
        on_candidate(
            f"update audit_row_ledger set disposition = 'keep', reason = '{reason}', merged_into_id = null,"
            " ship_date = '2025-10-03' where legacy_id = 4407",
            "insert into shipped_items (id, ship_date, shipstation_sku_raw, sku_id, quantity_shipped,"
            " order_number, created_at)"
            " select legacy_id, ship_date, base_sku, 1, units, order_number, created_at"
            " from audit_row_ledger where legacy_id = 4407",
        ),
        on_snapshot("update shipped_items set ship_date = '2025-10-03' where id = 4407"),
    )


MISSING = tuple(
    Case(
        f"shipped_items.{check}",
        forced(
            "shipped_items",
            f"{column} {words} not null",
            f"{column} {words}",
            f"update shipped_items set {column} = null where id = {ROW}",
        ),
        also=also,
    )
    for check, column, words, also in (
        ("ship_date_is_given", "ship_date", "text", (LEDGER, SNAPSHOT)),
        ("sku_text_is_given", "shipstation_sku_raw", "text", (TEXT, SOURCE_TEXT)),
        ("sku_id_is_given", "sku_id", "integer", (LEDGER, TEXT, SOURCE_TEXT, "sku_exists", LOT_OF_SKU)),
        ("quantity_is_given", "quantity_shipped", "integer", (LEDGER, SNAPSHOT, QUANTITY)),
    )
)

KEYS = (
    Case(
        "shipped_items.id_is_given",
        loosened("shipped_items", f"update shipped_items set id = null where id = {ROW}"),
        also=(CONTRACT, LEDGER, SNAPSHOT, SOURCE_TEXT, INVENTED),
    ),
    Case(
        "shipped_items.id_is_unique",
        loosened("shipped_items", f"insert into shipped_items select * from shipped_items where id = {ROW}"),
        2,
        also=(CONTRACT, KEY),
    ),
    Case(
        "shipped_items.sku_exists",
        change("sku_id = 99"),
        also=(LOT_OF_SKU, LEDGER, TEXT, SOURCE_TEXT),
        shows="99",
    ),
    Case(
        "shipped_items.lot_exists",
        change("lot_id = 99"),
        also=(LOT_OF_SKU, LEDGER, TEXT, SOURCE_TEXT),
        shows="99",
    ),
    Case(
        f"shipped_items.{LOT_OF_SKU}",
        change("lot_id = 10"),
        also=(LEDGER, TEXT, SOURCE_TEXT),
        shows="10",
    ),
    Case(
        "shipped_items.order_exists",
        on_candidate("delete from shipped_orders where order_number = '686935'"),
        2,
        shows="686935",
    ),
    Case(
        "shipped_items.order_exists",
        change("order_number = '999999'"),
        also=(LEDGER, SNAPSHOT),
        shows="999999",
    ),
    Case(
        f"shipped_items.{KEY}",
        on_candidate(
            "drop index uniq_shipped_items_key",
            "insert into shipped_items"
            " (ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped, order_number)"
            " select ship_date, shipstation_sku_raw, sku_id, lot_id, 1, order_number from shipped_items"
            f" where id = {ROW}",
        ),
        also=(CONTRACT, SNAPSHOT, SOURCE_TEXT, INVENTED),
        shows="686935",
    ),
    Case(
        "shipped_items.shipment_belongs_to_one_order",
        on_candidate(
            f"update shipped_items set order_number = '690015' where id = {RECOVERED}",
            f"update int_recovered_lines set header_order_number = '690015' where candidate_id = {RECOVERED}",
            "update audit_shipstation_lines set order_number = '690015' where shipment_id = 318204220"
            " and sku_code = '17612'",
        ),
        shows="318204220",
    ),
    Case(
        "shipped_items.order_number_is_the_one_that_counts",
        in_turn(
            on_candidate(
                "insert into shipped_orders (order_number) values (' 686935')",
                f"update shipped_items set order_number = ' 686935' where id = {ROW}",
            ),
            on_snapshot(
                "insert into shipped_orders (ship_date, order_number) values ('2025-09-08', ' 686935')"
            ),
        ),
        shows=" 686935",
    ),
)

ROWS = (
    Case(
        f"shipped_items.{LEDGER}",
        on_candidate(f"delete from shipped_items where id = {ROW}"),
        shows="not in the candidate",
    ),
    *(
        Case(f"shipped_items.{LEDGER}", step, count, also, shows)
        for step, count, also, shows in (
            (
                change("quantity_shipped = quantity_shipped + 1"),
                1,
                (SNAPSHOT,),
                "different: quantity_shipped",
            ),
            (change("ship_date = '2025-09-09'"), 1, (SNAPSHOT,), "different: ship_date"),
            (change("created_at = null"), 1, (SNAPSHOT,), "different: created_at"),
            (change("order_number = null"), 1, (SNAPSHOT, "rows_have_an_order"), "different: order_number"),
            (change("sku_id = 2"), 1, (LOT_OF_SKU, TEXT, SOURCE_TEXT), "different: sku"),
            (change("lot_id = null"), 1, (TEXT, SOURCE_TEXT), "different: lot"),
            (
                change("lot_id = 3, shipstation_sku_raw = '17612 - 250300'"),
                1,
                (SOURCE_TEXT,),
                "different: lot",
            ),
            (
                change("shipstation_shipment_id = 5"),
                1,
                (LINES,),
                "different: shipstation_shipment_id",
            ),
            # a unit moved from one row to another of the same SKU, lot and day: no total changes
            (
                on_candidate(
                    f"update shipped_items set quantity_shipped = quantity_shipped - 1 where id = {ROW}",
                    "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = 4104",
                ),
                2,
                (SNAPSHOT,),
                "different: quantity_shipped",
            ),
            # the two rows swap their units
            (
                on_candidate(
                    "update shipped_items set quantity_shipped ="
                    f" (select sum(quantity_shipped) from shipped_items where {UNITED}) - quantity_shipped"
                    f" where {UNITED}"
                ),
                2,
                (SNAPSHOT,),
                "different: quantity_shipped",
            ),
            # two rows swap their ids
            (
                on_candidate(
                    "update shipped_items set id = -1 where id = 4101",
                    "update shipped_items set id = 4101 where id = 4104",
                    "update shipped_items set id = 4104 where id = -1",
                ),
                2,
                (SNAPSHOT,),
                "different: quantity_shipped, order_number, created_at",
            ),
            # what the ledger says is changed instead
            (
                on_candidate(f"update audit_row_ledger set units = 7 where legacy_id = {ROW}"),
                1,
                (),
                "different: quantity_shipped",
            ),
            (
                on_candidate(
                    f"update audit_row_ledger set candidate_lot_number = '250300' where legacy_id = {ROW}"
                ),
                1,
                (),
                "different: lot",
            ),
        )
    ),
    *(
        Case(
            f"shipped_items.{SNAPSHOT}",
            on_snapshot(f"update shipped_items set {what} where id = {ROW}"),
            shows=f"different: {column}",
        )
        for what, column in (
            ("tracking_number = 'DEMO0'", "tracking_number"),
            ("quantity_shipped = 14", "quantity_shipped"),
            ("order_number = '999999'", "order_number"),
            ("created_at = '2025-09-09 00:15:01'", "created_at"),
            ("ship_date = '2025-09-09'", "ship_date"),
        )
    ),
    Case(f"shipped_items.{SNAPSHOT}", change("tracking_number = null"), shows="different: tracking_number"),
    Case(
        f"shipped_items.{SNAPSHOT}",
        on_snapshot(f"delete from shipped_items where id = {ROW}"),
        also=(SOURCE_TEXT,),
        shows="not in the snapshot",
    ),
    Case(
        f"shipped_items.{INVENTED}",
        on_candidate(
            "insert into shipped_items"
            " (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
            " values ('2025-10-06', '17612', 1, 1, '686935')"
        ),
        also=(SNAPSHOT, SOURCE_TEXT),
        shows="686935",
    ),
    Case(
        f"shipped_items.{INVENTED}",
        on_candidate(
            f"update audit_row_ledger set disposition = 'quarantine', reason = 'held' where legacy_id = {ROW}"
        ),
        shows="686935",
    ),
    *(
        Case(
            f"shipped_items.{RECOVERY}",
            on_candidate(
                f"update int_recovered_lines set {column} = {value} where candidate_id = {RECOVERED}"
            ),
            shows=f"different: {shown}",
        )
        for column, value, shown in (
            ("ship_date", "'2025-10-07'", "ship_date"),
            ("shipstation_sku_raw", "'17612'", "shipstation_sku_raw"),
            ("sku_code", "'17904'", "sku"),
            ("lot_number", "null", "lot"),
            ("quantity", "2", "quantity_shipped"),
            ("header_order_number", "null", "order_number"),
            ("tracking_number", "null", "tracking_number"),
            ("shipment_id", "1", "shipstation_shipment_id"),
            ("created_at", "null", "created_at"),
        )
    ),
    Case(
        f"shipped_items.{RECOVERY}",
        on_candidate(f"delete from shipped_items where id = {RECOVERED}"),
        also=(LINES,),
        shows="not in the candidate",
    ),
    Case(
        f"shipped_items.{RECOVERY}",
        on_candidate(
            f"update shipped_items set id = 4100 where id = {RECOVERED}",
            f"update int_recovered_lines set candidate_id = 4100 where candidate_id = {RECOVERED}",
        ),
        shows="different: id, which a legacy row has had",
    ),
    *(
        Case(
            f"shipped_items.{LINES}",
            on_candidate(
                f"update audit_shipstation_lines set {what}"
                " where shipment_id = 318204220 and sku_code = '17612'"
            ),
            count,
            shows=shown,
        )
        for what, count, shown in (
            ("quantity = 2", 1, "different: quantity_shipped"),
            ("ship_date = '2025-10-07'", 1, "different: ship_date"),
            ("order_number = '690015'", 1, "different: order_number"),
            ("sku_text = '17612'", 1, "different: shipstation_sku_raw"),
            ("lot_number = '250237'", 2, "not a line that ShipStation has"),
            ("outcome = 'voided'", 1, "not a line that ShipStation has"),
        )
    ),
    Case(
        f"shipped_items.{LINES}",
        on_candidate(
            "insert into audit_shipstation_lines"
            " (shipment_id, line_index, order_number, ship_date, sku_text, sku_code, quantity, outcome)"
            " values (5, 0, '686935', '2025-10-06', '17612', '17612', 1, 'recovered')"
        ),
        shows="not in the candidate",
    ),
)

DATES = (
    *(
        Case("shipped_items.ship_dates_are_real_days", everywhere("ship_date", f"'{day}'", ROW), shows=day)
        for day in ("2025-02-29", "2025-04-31", "2025-9-08", "2025-00-10", "2025-09-08x")
    ),
    *(
        Case(
            f"shipped_items.{check}",
            on_candidate(
                f"update audit_row_ledger set new_ship_date = '{day}' where legacy_id = 4451",
                f"update shipped_items set ship_date = '{day}' where id = 4451",
            ),
            also=also,
            shows=day,
        )
        for check, day, also in (
            ("ship_dates_are_not_too_early", "2014-12-31", ("ship_dates_before_the_order_are_few",)),
            ("ship_dates_are_past", "2999-01-01", ()),
        )
    ),
    *(
        Case(
            "shipped_items.legacy_ship_dates_are_in_the_window",
            everywhere("ship_date", f"'{day}'", ROW),
            shows=day,
        )
        for day in ("2014-12-31", "2999-01-01")
    ),
    Case(
        "shipped_items.legacy_ship_dates_are_in_the_window",
        as_it_is,
        16,
        parameters={"earliest_ship_date": "2025-09-09"},
    ),
    Case(
        f"shipped_items.{BEFORE}",
        on_snapshot(
            "update orders_inbox set order_date = '2025-12-01 10:00:00' where order_number = '689165'"
        ),
        2,
        shows="2025-12-01",
    ),
    Case(
        f"shipped_items.{BEFORE}",
        on_snapshot("insert into orders_inbox (order_number, order_date) values (' 686935', '2025-09-09')"),
        2,
        shows="2025-09-09",
    ),
    # a row that a person decided, once it is no longer the day that was decided
    Case(
        f"shipped_items.{BEFORE}",
        change("ship_date = '2025-09-01'", 4186),
        also=(LEDGER, SNAPSHOT),
        shows="4186",
    ),
    Case(
        "shipped_items.ship_dates_before_the_order_are_few",
        on_snapshot("update orders_inbox set order_date = '2025-12-01' where order_number = '690015'"),
        3,
        shows="690015",
    ),
    Case(
        f"shipped_items.{INCIDENT}",
        on_candidate("insert into incidents (wrong_ship_date) values (' 2025-09-16')"),
        12,
        shows="2025-09-16",
    ),
    Case(
        "shipped_items.ship_dates_of_an_incident_are_few",
        on_candidate("insert into incidents (wrong_ship_date) values ('2025-10-06')"),
        110,
        shows="2025-10-06",
    ),
    Case(
        "shipped_items.no_ship_date_is_constant",
        in_turn(
            everywhere("created_at", "'2025-11-0' || (1 + 4101 % 7) || ' 10:00:00'", 4101),
            everywhere("created_at", "'2025-11-10T10:00:00'", 4104),
            everywhere("created_at", "'2025-11-12'", 4105),
        ),
        shows="2025-09-08",
    ),
)

OTHERS = (
    Case(f"shipped_items.{QUANTITY}", everywhere("quantity_shipped", "1000001", ROW), shows="1000001"),
    Case(f"shipped_items.{QUANTITY}", everywhere("quantity_shipped", "0", ROW), shows="0"),
    Case(f"shipped_items.{QUANTITY}", everywhere("quantity_shipped", "-3", ROW), shows="-3"),
    Case(f"shipped_items.{QUANTITY}", as_it_is, 284, parameters={"max_quantity": 1}),
    Case(
        f"shipped_items.{TEXT}",
        change("shipstation_sku_raw = '17612 - 250300'"),
        also=(SOURCE_TEXT,),
        shows="17612 - 250300",
    ),
    Case(
        f"shipped_items.{TEXT}", change("shipstation_sku_raw = 'brush'"), also=(SOURCE_TEXT,), shows="brush"
    ),
    Case(
        f"shipped_items.{TEXT}",
        on_candidate("insert into sku_variants values ('17904 - 250318', '17904', '250240', null)"),
        shows="17904 - 250318",
    ),
    *(
        Case(
            f"shipped_items.{SOURCE_TEXT}",
            on_snapshot(f"update shipped_items set {what} where id = {ROW}"),
            shows=shown,
        )
        for what, shown in (
            ("sku_lot = '17612-250237'", "a text that neither the legacy row nor ShipStation has"),
            ("sku_lot = '', base_sku = '17904'", "another SKU than the legacy text says"),
            ("sku_lot = 'brush'", "the legacy text cannot be read: unparseable_sku"),
            ("base_sku = '17904'", "the legacy text cannot be read: sku_conflict"),
        )
    ),
    Case(
        f"shipped_items.{SOURCE_TEXT}",
        on_candidate(
            "update shipped_items set shipstation_sku_raw = '17612 - 250300', lot_id = 3 where id = 4101",
            "update audit_row_ledger set candidate_lot_number = '250300' where legacy_id = 4101",
            "insert into audit_shipstation_lines (shipment_id, line_index, sku_text, outcome, legacy_id)"
            " values (5, 0, '17612 - 250300', 'same_day', 4101)",
        ),
        shows="the lot in sku_lot was replaced",
    ),
    Case(
        f"shipped_items.{SOURCE_TEXT}",
        on_candidate(
            "update lots set lot_number = '250238' where lot_id = 2",
            "update audit_row_ledger set candidate_lot_number = '250238'"
            " where candidate_lot_number = '250237'",
        ),
        90,
        also=(TEXT,),
        shows="another lot than the legacy text says",
    ),
    Case(f"shipped_items.{TWINS}", unmerged("clean"), shows="689595"),
    Case("shipped_items.lotless_twins_are_few", unmerged("decided"), shows="689595"),
    Case(
        "shipped_items.merged_rows_share_their_day",
        on_candidate("update audit_row_ledger set ship_date = '2025-10-06' where legacy_id = 4407"),
        shows="4407",
    ),
    Case("shipped_items.rows_have_an_order", everywhere("order_number", "null", ROW), shows=str(ROW)),
    Case(
        "shipped_items.rows_are_known_to_shipstation",
        on_candidate(
            f"update audit_row_ledger set reason = 'unknown_to_shipstation' where legacy_id = {ROW}"
        ),
        shows=str(ROW),
    ),
    Case(
        "shipped_items.rows_are_imported_in_time",
        on_candidate(f"update audit_row_ledger set reason = 'late_import' where legacy_id = {ROW}"),
        3,
        shows=str(ROW),
    ),
    Case(
        "shipped_items.columns_are_exact",
        on_candidate("alter table shipped_items add column note text"),
        None,
        also=(CONTRACT,),
    ),
)

CONTRACTS = tuple(
    Case(f"shipped_items.{CONTRACT}", step, count, shows=shown)
    for step, count, shown in (
        (redefined("shipped_items", (" strict", "")), 3, "not strict, 2 checks"),
        (redefined("shipped_items", (" autoincrement", "")), 1, "column id"),
        (
            redefined("shipped_items", (" check (quantity_shipped > 0)", "")),
            3,
            "a row with quantity_shipped 0",
        ),
        (
            redefined("shipped_items", (" then 29 else 28 end ", " then 29 else 29 end ")),
            1,
            "a row with ship_date '2025-02-29'",
        ),
        (redefined("shipped_items", (' references "skus" (sku_id)', "")), 1, "foreign key sku_id"),
        (redefined("shipped_items", (' references "lots" (lot_id)', "")), 1, "foreign key lot_id"),
        (
            redefined("shipped_items", (' references "shipped_orders" (order_number)', "")),
            1,
            "foreign key order_number",
        ),
        (
            redefined("shipped_items", ("shipstation_sku_raw text not null", "shipstation_sku_raw text")),
            2,
            "column shipstation_sku_raw",
        ),
        (on_candidate("drop index idx_shipped_items_ship_date"), 1, "index idx_shipped_items_ship_date"),
        (redefined("shipped_items", ("order_number text", "order_number text collate nocase")), 1, "table"),
        (
            on_candidate(
                "drop index uniq_shipped_items_key",
                "create index uniq_shipped_items_key on shipped_items"
                " (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0))",
            ),
            1,
            "index uniq_shipped_items_key",
        ),
        (
            on_candidate(
                "drop index uniq_shipped_items_key",
                "create unique index uniq_shipped_items_key on shipped_items"
                " (order_number, shipstation_sku_raw, shipstation_shipment_id)",
            ),
            1,
            "index uniq_shipped_items_key",
        ),
    )
)

SHIPPED_ITEMS = (*MISSING, *KEYS, *ROWS, *DATES, *OTHERS, *CONTRACTS)
