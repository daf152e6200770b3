"""Expectations that order headers add up: none is lost, none stays without a reason.

Source: docs/rules.md section 6, "shipped_orders".
"""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.expressions import trimmed_or_null
from lotgate_expectations.rows import NoRowsExpectation


class ExpectEmptiedOrdersToBeTakenOut(NoRowsExpectation):
    """Expect the header of every order whose last item leaves to be listed as taken out.

    Such an order has legacy rows, and no row that stays or was recovered. Unexpected is one that has a header
    which is not listed; shown are the header and its order number.

    Source: docs/rules.md section 6 (taken_out).
    """

    def query(self) -> str:
        return f"""
            with leaving as (
                select distinct {trimmed_or_null("order_number")} as number
                from audit_row_ledger
                where disposition in ('merge', 'remove', 'quarantine')
            ),
            staying as (
                select {trimmed_or_null("order_number")} as number
                from audit_row_ledger
                where disposition in ('keep', 'redate')
                union all
                select order_number from int_recovered_lines
            )
            select orders.header_id, orders.order_number
            from leaving
            inner join int_orders as orders on leaving.number = orders.order_number
            where
                orders.header_id is not null
                and leaving.number not in (select number from staying where number is not null)
                and orders.header_id not in (
                    select header_id from audit_order_header_changes
                    where change = 'taken_out' and header_id is not null
                )
            order by orders.header_id
        """


class ExpectHeadersToAddUp(NoRowsExpectation):
    """Expect the candidate to have the snapshot's headers less those taken out plus those added.

    Unexpected is one row with the four counts.

    Source: docs/rules.md section 6 (shipped_orders).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return """
            with counted as (
                select
                    (select count(*) from legacy.shipped_orders) as legacy_headers,
                    (select count(*) from audit_order_header_changes where change = 'taken_out') as taken_out,
                    (select count(*) from audit_order_header_changes where change = 'added') as added,
                    (select count(*) from main.shipped_orders) as candidate_headers
            )
            select * from counted where legacy_headers - taken_out + added <> candidate_headers
        """
