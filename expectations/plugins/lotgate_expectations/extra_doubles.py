"""Expectations that nothing is counted twice: by two rows of one line, or by a row and a line beside it."""

from __future__ import annotations

from typing import ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.expressions import trimmed, trimmed_or_null
from lotgate_expectations.rows import NoRowsExpectation


class ExpectRespelledRowsToBeMerged(NoRowsExpectation):
    """Expect no two migrated rows of one order, SKU and lot, however their texts are written.

    The lot is the one that the legacy row names; rows without a lot count as one. Where a person decided one
    of the rows, both may stay. Unexpected is any other group of rows; shown are the order, the SKU, the lot,
    the lowest and the highest id, and the number of rows.

    Example:
        {}

    Source: docs/rules.md section 4, rule 3.
    """

    def query(self) -> str:
        return """
            with several as materialized (
                select order_number, sku_id from main.shipped_items
                where order_number is not null and shipstation_shipment_id is null
                group by order_number, sku_id
                having count(*) > 1
            )
            select
                items.order_number,
                ledger.sku_code,
                ledger.lot_number,
                min(items.id) as first_id,
                max(items.id) as last_id,
                count(*) as row_count
            from several
            -- by the index of order numbers: a SKU has a fifth of all rows
            cross join main.shipped_items as items
                on items.order_number = several.order_number and +items.sku_id = several.sku_id
            inner join audit_row_ledger as ledger on ledger.legacy_id = items.id
            where items.shipstation_shipment_id is null
            group by items.order_number, ledger.sku_code, ledger.lot_number
            having count(*) > 1 and max(ledger.reason = 'decided') = 0
            order by min(items.id)
        """


class ExpectRecoveredLinesToHaveNoRow(NoRowsExpectation):
    """Expect no line to be recovered beside a row that could stand for it.

    Such a row stays, claims no line of ShipStation, and has the line's order, SKU and units, on the line's
    day or at most so many days from it; and no other row ever claimed the line. Its units would be counted
    twice. Shown are the recovered line's id, the row's id, the order and the units.

    Args:
        same_shipment_days: A row and a line further apart than this are not one.

    Example:
        {"same_shipment_days": {"$PARAMETER": "same_shipment_days"}}

    Source: docs/rules.md section 3 (passes 1 to 4).
    """

    same_shipment_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("same_shipment_days",)

    def query(self) -> str:
        return f"""
            with lines as materialized (
                select candidate_id, order_number, header_order_number, sku_code, quantity, ship_date
                from int_recovered_lines
                where line_id not in (select line_id from int_shipstation_claims)
            ),
            rows_of_orders as materialized (
                select lines.candidate_id, items.id
                from lines
                inner join main.shipped_items as items on items.order_number is lines.header_order_number
                where items.shipstation_shipment_id is null and items.quantity_shipped = lines.quantity
                    and items.id not in (select legacy_id from int_shipstation_claims)
            )
            select lines.candidate_id, ledger.legacy_id, lines.order_number, lines.quantity
            from rows_of_orders
            inner join lines on lines.candidate_id = rows_of_orders.candidate_id
            inner join audit_row_ledger as ledger on ledger.legacy_id = rows_of_orders.id
            where ledger.sku_code = lines.sku_code
                and {trimmed_or_null("ledger.order_number")} is lines.order_number
                and abs(julianday({trimmed("ledger.ship_date")}) - julianday(lines.ship_date))
                    <= {int(self.same_shipment_days):d}
            order by lines.candidate_id, ledger.legacy_id
        """
