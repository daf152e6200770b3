"""Expectations that hold every row of shipped_items against what explains it: ledger, snapshot, evidence.

Totals can agree while rows do not: a unit moved from one row to another, two lots swapped. So rows are
compared, column by column, in both directions.
"""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.comparing import is_same, is_same_number, is_same_text, problem
from lotgate_expectations.expressions import trimmed, trimmed_or_null
from lotgate_expectations.rows import NoRowsExpectation

_WITH_SKU_AND_LOT = """
    left join skus on skus.sku_id = items.sku_id
    left join lots on lots.lot_id = items.lot_id
"""


class ExpectKeptRowsToFollowTheLedger(NoRowsExpectation):
    """Expect every row that the ledger keeps or redates in shipped_items, as the ledger says.

    Compared by id: ship date (the ledger's new one, else the legacy one), SKU, lot, units, order number and
    created_at; a migrated row has no shipment id. Unexpected is a row that is missing or different; shown are
    its id and what is wrong with it.

    Example:
        {}

    Source: docs/rules.md section 6 (shipped_items).
    """

    def query(self) -> str:
        different = problem(
            {
                "ship_date": is_same(
                    "items.ship_date", f"coalesce(ledger.new_ship_date, {trimmed('ledger.ship_date')})"
                ),
                "sku": is_same("skus.sku_code", "ledger.sku_code"),
                "lot": is_same("lots.lot_number", "ledger.candidate_lot_number"),
                "quantity_shipped": is_same("items.quantity_shipped", "ledger.units"),
                "order_number": is_same_text("items.order_number", "ledger.order_number"),
                "created_at": is_same("items.created_at", "cast(ledger.created_at as text)"),
                "shipstation_shipment_id": "items.shipstation_shipment_id is null",
            },
            missing="items.id is null",
        )
        return f"""
            select id, problem
            from (
                select ledger.legacy_id as id, {different} as problem
                from audit_row_ledger as ledger
                left join shipped_items as items on items.id = ledger.legacy_id
                {_WITH_SKU_AND_LOT}
                where ledger.disposition in ('keep', 'redate')
            )
            where problem <> ''
            order by id
        """


class ExpectRecoveredRowsToFollowTheRecovery(NoRowsExpectation):
    """Expect every line that was recovered from ShipStation in shipped_items, as the recovery says.

    The recovered lines are in int_recovered_lines. Compared by id: every column. Unexpected is a row that is
    missing or different, and one whose id a legacy row has had; shown are its id and what is wrong with it.

    Example:
        {}

    Source: docs/rules.md sections 3 and 6 (recovered lines).
    """

    def query(self) -> str:
        different = problem(
            {
                "id, which a legacy row has had": "lines.candidate_id > highest.id",
                "ship_date": is_same("items.ship_date", "lines.ship_date"),
                "shipstation_sku_raw": is_same("items.shipstation_sku_raw", "lines.shipstation_sku_raw"),
                "sku": is_same("skus.sku_code", "lines.sku_code"),
                "lot": is_same("lots.lot_number", "lines.lot_number"),
                "quantity_shipped": is_same("items.quantity_shipped", "lines.quantity"),
                "order_number": is_same("items.order_number", "lines.header_order_number"),
                "tracking_number": is_same("items.tracking_number", "lines.tracking_number"),
                "shipstation_shipment_id": is_same("items.shipstation_shipment_id", "lines.shipment_id"),
                "created_at": is_same("items.created_at", "lines.created_at"),
            },
            missing="items.id is null",
        )
        return f"""
            select id, problem
            from (
                select lines.candidate_id as id, {different} as problem
                from int_recovered_lines as lines
                cross join (select coalesce(max(legacy_id), 0) as id from audit_row_ledger) as highest
                left join shipped_items as items on items.id = lines.candidate_id
                {_WITH_SKU_AND_LOT}
            )
            where problem <> ''
            order by id
        """


class ExpectRecoveredRowsToBeShipstationLines(NoRowsExpectation):
    """Expect the recovered rows to be ShipStation's lines that no legacy row stands for, with their units.

    ShipStation's items are in audit_shipstation_lines; those with the outcome ``recovered`` of one shipment,
    SKU and lot are one line, whose text is that of its first item. Compared are order, day, text and units.
    Unexpected is a line without its row, a row without its line, and a difference; shown are the shipment,
    the SKU and what is wrong.

    Example:
        {}

    Source: docs/rules.md section 3 (a counted line): parcels add up, a voided shipment has no row.
    """

    def query(self) -> str:
        different = problem(
            {
                "order_number": is_same_text("found.order_number", "lines.order_number"),
                "ship_date": is_same("found.ship_date", "lines.ship_date"),
                "shipstation_sku_raw": is_same_text("found.shipstation_sku_raw", "lines.sku_text"),
                "quantity_shipped": is_same("found.quantity_shipped", "lines.units"),
            },
            missing="found.shipment_id is null",
        )
        same_line = """
            found.shipment_id = lines.shipment_id
            and found.sku_code = lines.sku_code
            and found.lot_number is lines.lot_number
        """
        # SQLite takes the other columns of a group from the row that has the minimum
        return f"""
            with lines as materialized (
                select
                    shipment_id,
                    sku_code,
                    lot_number,
                    min(line_index) as first_line_index,
                    order_number,
                    ship_date,
                    sku_text,
                    sum(quantity) as units
                from audit_shipstation_lines
                where outcome = 'recovered'
                group by shipment_id, sku_code, lot_number
            ),
            found as materialized (
                select
                    items.shipstation_shipment_id as shipment_id,
                    skus.sku_code,
                    lots.lot_number,
                    items.order_number,
                    items.ship_date,
                    items.shipstation_sku_raw,
                    items.quantity_shipped
                from shipped_items as items
                {_WITH_SKU_AND_LOT}
                where items.shipstation_shipment_id is not null
            )
            select shipment_id, sku_code, problem
            from (
                select lines.shipment_id, lines.sku_code, {different} as problem
                from lines
                left join found on {same_line}
                union all
                select found.shipment_id, found.sku_code, 'not a line that ShipStation has'
                from found
                left join lines on {same_line}
                where lines.shipment_id is null
            )
            where problem <> ''
            order by shipment_id, sku_code
        """


class ExpectNoInventedRows(NoRowsExpectation):
    """Expect every row of shipped_items to be a row that the ledger keeps or redates, or a recovered line.

    Unexpected is any other row; shown are its id, order, day and units.

    Example:
        {}

    Source: docs/rules.md section 6 (shipped_items).
    """

    def query(self) -> str:
        return """
            select items.id, items.order_number, items.ship_date, items.quantity_shipped
            from shipped_items as items
            left join audit_row_ledger as ledger
                on ledger.legacy_id = items.id and ledger.disposition in ('keep', 'redate')
            left join int_recovered_lines as lines on lines.candidate_id = items.id
            where ledger.legacy_id is null and lines.candidate_id is null
            order by items.id
        """


class ExpectKeptRowsToMatchTheSnapshot(NoRowsExpectation):
    """Expect every migrated row of shipped_items to say what the snapshot's row of that id says.

    Compared are units, order number, tracking number and created_at, and the ship date unless the ledger
    redates the row. Texts are trimmed where the rules trim them. What the SKU text says is checked elsewhere.
    Unexpected is a row that the snapshot has not, or that differs; shown are its id and what is wrong.

    Example:
        {}

    Source: docs/rules.md sections 1 and 6.
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        redated = """
            exists (
                select 1 from audit_row_ledger as ledger
                where ledger.legacy_id = items.id
                    and ledger.disposition = 'redate' and ledger.new_ship_date = items.ship_date
            )
        """
        different = problem(
            {
                "ship_date": f"({is_same_text('items.ship_date', 'source.ship_date')} or {redated})",
                "quantity_shipped": is_same_number("items.quantity_shipped", "source.quantity_shipped"),
                "order_number": is_same_text("items.order_number", "source.order_number"),
                "tracking_number": is_same_text("items.tracking_number", "source.tracking_number"),
                "created_at": is_same("items.created_at", "cast(source.created_at as text)"),
            },
            missing="source.id is null",
            missing_text="not in the snapshot",
        )
        return f"""
            select id, problem
            from (
                select items.id, {different} as problem
                from main.shipped_items as items
                left join legacy.shipped_items as source on source.id = items.id
                where items.shipstation_shipment_id is null
            )
            where problem <> ''
            order by id
        """


class ExpectOrderNumbersToBeThoseThatCount(NoRowsExpectation):
    """Expect a line to name the header that counts, where several headers have one number but for blanks.

    It is the one whose text is exactly the trimmed number, else the one with the lowest id. Unexpected is a
    line that names another; shown are its id and its order number.

    Example:
        {}

    Source: docs/rules.md section 1 (order numbers).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return f"""
            with headers as materialized (
                select
                    id,
                    cast(order_number as text) as written,
                    {trimmed_or_null("order_number")} as order_number
                from legacy.shipped_orders
                where order_number is not null
            ),
            numbered as materialized (
                select
                    order_number,
                    written,
                    row_number() over (
                        partition by order_number order by written <> order_number, id
                    ) as place
                from headers
                -- only where a header has blanks can there be several
                where order_number in (
                    select spelled.order_number from headers as spelled
                    where spelled.written <> spelled.order_number
                )
            )
            select items.id, items.order_number
            from numbered
            cross join main.shipped_items as items on items.order_number = numbered.written
            where numbered.place > 1
            order by items.id
        """
