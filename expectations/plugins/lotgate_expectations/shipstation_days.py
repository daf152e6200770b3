"""Expectations that compare days with ShipStation: what the tables of the comparison say, and what differs.

Source: docs/rules.md sections 3 and 7.
"""

from __future__ import annotations

from lotgate_expectations.expressions import is_real_day, trimmed_or_null
from lotgate_expectations.rows import NoRowsExpectation

COUNTED = "('recovered', 'same_day', 'other_day', 'other_quantity')"
"""The outcomes of ShipStation's lines that count."""

CAUSES = (
    "('missing', 'voided_later', 'other_day', 'other_lot', 'double', 'parcel_overwritten',"
    " 'other_quantity', 'unreadable', 'unknown_to_shipstation')"
)


def is_covered(day: str) -> str:
    """SQL for a day that a complete fetch covers, from the candidate's own list of fetches."""
    return (
        "exists (select 1 from audit_shipstation_fetches as fetches where fetches.is_complete = 1"
        f" and {day} between fetches.ship_date_from and fetches.ship_date_to"
        f" and {day} <= fetches.fetched_on)"
    )


class ExpectDaysToMatchShipStation(NoRowsExpectation):
    """Expect the candidate's units of a SKU on a covered day to be those that ShipStation counts.

    A difference can be right: a voided label, a shipment on another day, a line that cannot be read.
    Unexpected is a day and SKU with other units; the legacy rows' and both figures are shown. The candidate
    is counted anew. Source: docs/rules.md sections 3 and 7.
    """

    def query(self) -> str:
        return f"""
            with candidate as materialized (
                select items.ship_date, skus.sku_code, sum(items.quantity_shipped) as units
                from shipped_items as items
                left join skus on items.sku_id = skus.sku_id
                where {is_covered("items.ship_date")}
                group by items.ship_date, skus.sku_code
            ),
            counted as (
                select ship_date, sku_code, legacy_units, 0 as candidate_units, shipstation_units
                from audit_shipstation_days
                union all
                select ship_date, sku_code, 0, units, 0 from candidate
            ),
            days as (
                select
                    ship_date,
                    sku_code,
                    sum(legacy_units) as legacy_units,
                    sum(candidate_units) as candidate_units,
                    sum(shipstation_units) as shipstation_units
                from counted
                group by ship_date, sku_code
            )
            select ship_date, sku_code, legacy_units, candidate_units, shipstation_units
            from days
            where candidate_units <> shipstation_units
            order by ship_date, sku_code
        """


class ExpectShipStationDaysToFollow(NoRowsExpectation):
    """Expect audit_shipstation_days to be what the balance and ShipStation's items add up to on covered days.

    Unexpected is a day and SKU with another figure, one that is missing, there twice or there for nothing.
    Source: models/audit/audit_shipstation_days.yml.
    """

    def query(self) -> str:
        return f"""
            with figures as (
                select
                    balance.ship_date,
                    balance.sku_code,
                    balance.legacy_units,
                    0 as shipstation_units,
                    balance.candidate_units
                from audit_unit_balance as balance
                where {is_real_day("balance.ship_date")} and {is_covered("balance.ship_date")}
                union all
                select ship_date, sku_code, 0, quantity, 0
                from audit_shipstation_lines where outcome in {COUNTED}
            ),
            expected as materialized (
                select
                    ship_date,
                    sku_code,
                    sum(legacy_units) as legacy_units,
                    sum(shipstation_units) as shipstation_units,
                    sum(candidate_units) as candidate_units
                from figures
                group by ship_date, sku_code
                having sum(legacy_units) <> 0 or sum(shipstation_units) <> 0 or sum(candidate_units) <> 0
            ),
            stored as materialized (
                select
                    ship_date,
                    sku_code,
                    sum(legacy_units) as legacy_units,
                    sum(shipstation_units) as shipstation_units,
                    sum(candidate_units) as candidate_units,
                    count(*) as times
                from audit_shipstation_days
                group by ship_date, sku_code
            )
            select
                expected.ship_date,
                expected.sku_code,
                stored.legacy_units,
                expected.legacy_units as counted_legacy_units,
                stored.shipstation_units,
                expected.shipstation_units as counted_shipstation_units,
                stored.candidate_units,
                expected.candidate_units as counted_candidate_units
            from expected
            left join stored
                on expected.ship_date = stored.ship_date and expected.sku_code = stored.sku_code
            where
                stored.times is not 1
                or stored.legacy_units is not expected.legacy_units
                or stored.shipstation_units is not expected.shipstation_units
                or stored.candidate_units is not expected.candidate_units
            union all
            select
                stored.ship_date, stored.sku_code, stored.legacy_units, null, stored.shipstation_units, null,
                stored.candidate_units, null
            from stored
            left join expected
                on stored.ship_date = expected.ship_date and stored.sku_code = expected.sku_code
            where expected.ship_date is null
            order by 1, 2
        """


class ExpectDifferencesToShipStationToBeListed(NoRowsExpectation):
    """Expect audit_shipstation_differences to list every order, SKU and covered day whose units differ.

    Ledger, ShipStation's items and candidate are added up anew. Unexpected is a difference that is not
    listed, one that is listed and is none, one with other figures, and one of no known cause. Source:
    docs/rules.md section 7.
    """

    def query(self) -> str:
        return f"""
            with sides as (
                select
                    items.ship_date,
                    coalesce(items.order_number, '') as order_key,
                    coalesce(ledger.sku_code, '') as sku_code,
                    coalesce(ledger.lot_number, '') as lot,
                    ledger.units as legacy_units,
                    0 as shipstation_units
                from audit_row_ledger as ledger
                inner join int_shipped_items as items on ledger.legacy_id = items.legacy_id
                where ledger.units is not null and {is_covered("items.ship_date")}
                union all
                select
                    ship_date, coalesce(order_number, ''), sku_code, coalesce(lot_number, ''), 0, quantity
                from audit_shipstation_lines where outcome in {COUNTED}
            ),
            lots as (
                select
                    ship_date,
                    order_key,
                    sku_code,
                    sum(legacy_units) as legacy_units,
                    sum(shipstation_units) as shipstation_units
                from sides
                group by ship_date, order_key, sku_code, lot
            ),
            expected as materialized (
                select
                    ship_date,
                    order_key,
                    sku_code,
                    sum(legacy_units) as legacy_units,
                    sum(shipstation_units) as shipstation_units
                from lots
                group by ship_date, order_key, sku_code
                having sum(legacy_units <> shipstation_units) > 0
            ),
            candidate as materialized (
                select
                    items.ship_date,
                    coalesce({trimmed_or_null("items.order_number")}, '') as order_key,
                    skus.sku_code,
                    sum(items.quantity_shipped) as units
                from shipped_items as items
                inner join skus on items.sku_id = skus.sku_id
                where items.ship_date in (select ship_date from expected)
                group by 1, 2, 3
            ),
            stored as materialized (
                select
                    differences.*,
                    coalesce(order_number, '') as order_key,
                    count(*) over (partition by ship_date, order_number, sku_code) as times
                from audit_shipstation_differences as differences
            )
            select
                expected.ship_date,
                nullif(expected.order_key, '') as order_number,
                expected.sku_code,
                expected.legacy_units,
                expected.shipstation_units,
                coalesce(candidate.units, 0) as candidate_units,
                case
                    when stored.times is null then 'is not listed'
                    when stored.times > 1 then 'is listed twice'
                    when stored.likely_cause is null or stored.likely_cause not in {CAUSES}
                        then 'is of no known cause'
                    else 'is listed with other units'
                end as problem
            from expected
            left join stored
                on
                    expected.ship_date = stored.ship_date
                    and expected.order_key = stored.order_key
                    and expected.sku_code = stored.sku_code
            left join candidate
                on
                    expected.ship_date = candidate.ship_date
                    and expected.order_key = candidate.order_key
                    and expected.sku_code = candidate.sku_code
            where
                stored.times is not 1
                or stored.legacy_units is not expected.legacy_units
                or stored.shipstation_units is not expected.shipstation_units
                or stored.candidate_units is not coalesce(candidate.units, 0)
                or stored.likely_cause is null
                or stored.likely_cause not in {CAUSES}
            union all
            select
                stored.ship_date, stored.order_number, stored.sku_code, stored.legacy_units,
                stored.shipstation_units, stored.candidate_units, 'is no difference'
            from stored
            left join expected
                on
                    stored.ship_date = expected.ship_date
                    and stored.order_key = expected.order_key
                    and stored.sku_code = expected.sku_code
            where expected.ship_date is null
            order by 1, 2, 3
        """
