"""Expectations about the lines recovered from ShipStation: none lost, none twice, none that a row stands for.

Source: docs/rules.md sections 3 and 6.
"""

from __future__ import annotations

from lotgate_expectations.expressions import trimmed, trimmed_or_null
from lotgate_expectations.rows import NoRowsExpectation

COUNTED = "('recovered', 'same_day', 'other_day', 'other_quantity')"
"""The outcomes of ShipStation's lines that count."""


class ExpectRecoveredLinesToBeInCandidate(NoRowsExpectation):
    """Expect every recovered line to be one row of the candidate, and no row to come from elsewhere.

    The row has the line's id, day, SKU, lot, units, text and shipment. Unexpected is a line without such a
    row, and
    a row with a shipment's id, or with an id above every legacy row's, that is no recovered line. Source:
    docs/rules.md section 6.
    """

    def query(self) -> str:
        return """
            with recovered as materialized (
                select int_recovered_lines.*, count(*) over (partition by candidate_id) as times
                from int_recovered_lines
            ),
            highest as (select coalesce(max(legacy_id), 0) as legacy_id from audit_row_ledger)
            select
                recovered.candidate_id as id,
                recovered.shipment_id,
                recovered.sku_code,
                recovered.ship_date,
                recovered.quantity as units,
                'recovered, and not so in the candidate' as problem
            from recovered
            left join shipped_items as items on recovered.candidate_id = items.id
            left join skus on items.sku_id = skus.sku_id
            left join lots on items.lot_id = lots.lot_id and items.sku_id = lots.sku_id
            where not coalesce(
                recovered.times = 1
                and recovered.candidate_id > (select legacy_id from highest)
                and items.shipstation_shipment_id is recovered.shipment_id
                and items.ship_date is recovered.ship_date
                and skus.sku_code is recovered.sku_code
                and lots.lot_number is recovered.lot_number
                and items.quantity_shipped is recovered.quantity
                and items.shipstation_sku_raw is recovered.shipstation_sku_raw
                and items.order_number is recovered.header_order_number
                and items.tracking_number is recovered.tracking_number,
                0
            )
            union all
            select
                items.id,
                items.shipstation_shipment_id,
                skus.sku_code,
                items.ship_date,
                items.quantity_shipped,
                'in the candidate, and not recovered'
            from shipped_items as items
            left join skus on items.sku_id = skus.sku_id
            where
                (
                    items.id > (select legacy_id from highest)
                    or items.shipstation_shipment_id is not null
                )
                and items.id not in (select candidate_id from int_recovered_lines)
            order by 1
        """


class ExpectRecoveredLinesToBeShipStations(NoRowsExpectation):
    """Expect every recovered line to be one that ShipStation counts, recovered once, with all its units.

    ShipStation's items are added up anew by shipment, SKU and lot, from audit_shipstation_lines. Unexpected
    is a shipment's line that is recovered more than once, with other units, or without being one; and an item
    with the outcome ``recovered`` that is in no recovered line. Source: docs/rules.md section 3.
    """

    def query(self) -> str:
        return """
            with counted as materialized (
                select shipment_id, sku_code, coalesce(lot_number, '') as lot, ship_date,
                    sum(quantity) as units
                from audit_shipstation_lines
                where outcome = 'recovered'
                group by shipment_id, sku_code, coalesce(lot_number, ''), ship_date
            ),
            recovered as materialized (
                select shipment_id, sku_code, coalesce(lot_number, '') as lot, ship_date,
                    sum(quantity) as units, count(*) as times, count(distinct line_id) as lines
                from int_recovered_lines
                group by shipment_id, sku_code, coalesce(lot_number, ''), ship_date
            )
            select
                recovered.shipment_id,
                recovered.sku_code,
                recovered.ship_date,
                recovered.times,
                recovered.units,
                counted.units as shipstation_units
            from recovered
            left join counted using (shipment_id, sku_code, lot, ship_date)
            where recovered.times <> 1 or recovered.units is not counted.units
            union all
            select counted.shipment_id, counted.sku_code, counted.ship_date, 0, 0, counted.units
            from counted
            left join recovered using (shipment_id, sku_code, lot, ship_date)
            where recovered.shipment_id is null
            order by 1, 2, 3
        """


class ExpectCountedLinesToBeClaimedOrRecovered(NoRowsExpectation):
    """Expect every line that ShipStation counts to be in the candidate once: as a legacy row, or recovered.

    A legacy row stands for the lines that it claims while it is kept, redated or undecided. A removed or held
    row does not. A merged row does, where the row that it merges into has the same units and claims nothing
    itself, and it is the first of those that merge there. Unexpected is a line that nothing stands for and
    that was not recovered (its units are lost), and one that a row stands for and that was recovered (its
    units are there twice). Source: docs/rules.md section 3.
    """

    def query(self) -> str:
        return """
            with claims as materialized (
                select claims.line_id, claims.legacy_id, claims.pass, ledger.disposition, ledger.reason,
                    ledger.merged_into_id, ledger.units
                from int_shipstation_claims as claims
                left join audit_row_ledger as ledger on claims.legacy_id = ledger.legacy_id
            ),
            merged as materialized (
                select
                    claims.line_id,
                    claims.legacy_id,
                    first_value(claims.legacy_id) over (
                        partition by claims.merged_into_id order by claims.pass, claims.legacy_id
                    ) as first_id
                from claims
                inner join audit_row_ledger as target on claims.merged_into_id = target.legacy_id
                where
                    claims.disposition = 'merge'
                    and claims.units = target.units
                    and claims.merged_into_id not in (select legacy_id from int_shipstation_claims)
            ),
            standing as materialized (
                select line_id from claims
                where disposition in ('keep', 'redate') or (disposition = 'quarantine' and reason <> 'held')
                union
                select line_id from merged where legacy_id = first_id
            )
            select
                lines.shipment_id,
                lines.sku_code,
                lines.ship_date,
                lines.quantity as units,
                case
                    when standing.line_id is null then 'no row stands for it, and it is not recovered'
                    else 'a row stands for it, and it is recovered too'
                end as problem
            from int_shipstation_lines as lines
            left join standing on lines.line_id = standing.line_id
            left join int_recovered_lines as recovered on lines.line_id = recovered.line_id
            where (standing.line_id is null) = (recovered.line_id is null)
            order by lines.ship_date, lines.shipment_id, lines.sku_code
        """


class ExpectShipStationLinesToAddUp(NoRowsExpectation):
    """Expect the lines that the rules worked with to have the units of the items that ShipStation returned.

    int_shipstation_lines are added up anew from audit_shipstation_lines, by shipment, SKU and lot. Unexpected
    is a line with other units, or one that only one of the two has. Source: docs/rules.md section 3.
    """

    def query(self) -> str:
        return f"""
            with counted as materialized (
                select shipment_id, sku_code, coalesce(lot_number, '') as lot, ship_date,
                    sum(quantity) as units
                from audit_shipstation_lines
                where outcome in {COUNTED}
                group by shipment_id, sku_code, coalesce(lot_number, ''), ship_date
            ),
            lines as materialized (
                select shipment_id, sku_code, coalesce(lot_number, '') as lot, ship_date,
                    sum(quantity) as units, count(*) as times
                from int_shipstation_lines
                group by shipment_id, sku_code, coalesce(lot_number, ''), ship_date
            )
            select lines.shipment_id, lines.sku_code, lines.ship_date, lines.units,
                counted.units as shipstation_units
            from lines
            left join counted using (shipment_id, sku_code, lot, ship_date)
            where lines.times <> 1 or lines.units is not counted.units
            union all
            select counted.shipment_id, counted.sku_code, counted.ship_date, null, counted.units
            from counted
            left join lines using (shipment_id, sku_code, lot, ship_date)
            where lines.shipment_id is null
            order by 1, 2, 3
        """


class ExpectRecoveredUnitsToMatchShipStation(NoRowsExpectation):
    """Expect the units recovered on a day to be those of ShipStation's lines that no legacy row stands for.

    The candidate's rows that carry a shipment's id are summed by day, and so are the items with the outcome
    ``recovered``. Unexpected is a day on which the two differ; both figures are shown. Source: docs/rules.md
    section 6.
    """

    def query(self) -> str:
        return """
            with figures as (
                select ship_date, sum(quantity_shipped) as candidate_units, 0 as shipstation_units
                from shipped_items where shipstation_shipment_id is not null group by ship_date
                union all
                select ship_date, 0, sum(quantity)
                from audit_shipstation_lines where outcome = 'recovered' group by ship_date
            )
            select
                ship_date,
                sum(candidate_units) as candidate_units,
                sum(shipstation_units) as shipstation_units
            from figures
            group by ship_date
            having sum(candidate_units) <> sum(shipstation_units)
            order by ship_date
        """


class ExpectClaimsToFitTheirRows(NoRowsExpectation):
    """Expect every claim of a legacy row on a ShipStation line to be one that the two allow.

    Row and line have the same SKU and order. An exact claim (pass 1 to 4) has the same units, and a row has
    at most one; passes 1, 2 and 5 have the same day, 3 and 4 another one; pass 1 has the same lot. The claim
    repeats the line's day and units. Unexpected is any other claim; shown are the row, the line's shipment,
    and what is wrong. Source: docs/rules.md section 3, the table of passes.
    """

    def query(self) -> str:
        return f"""
            with exact as materialized (
                select legacy_id, count(*) as claims
                from int_shipstation_claims where is_exact = 1 group by legacy_id
            ),
            judged as (
                select
                    claims.legacy_id,
                    lines.shipment_id,
                    lines.sku_code,
                    claims.pass,
                    case
                        when lines.line_id is null then 'claims no line'
                        when ledger.legacy_id is null then 'is claimed by no row'
                        when lines.ship_date is not claims.ship_date
                            or lines.quantity is not claims.quantity then 'is not as the line is'
                        when claims.pass not between 1 and 5
                            or claims.is_exact is not (claims.pass < 5) then 'is of no known pass'
                        when ledger.sku_code is not lines.sku_code then 'is of another SKU'
                        when {trimmed_or_null("ledger.order_number")} is not lines.order_number
                            then 'is of another order'
                        when claims.is_exact = 1 and ledger.units is not lines.quantity
                            then 'is of other units'
                        when claims.pass = 1 and ledger.lot_number is not lines.lot_number
                            then 'is of another lot'
                        when claims.pass in (1, 2, 5)
                            and {trimmed("ledger.ship_date")} is not lines.ship_date then 'is of another day'
                        when claims.pass in (3, 4)
                            and {trimmed("ledger.ship_date")} is lines.ship_date then 'is of the same day'
                        when exact.claims > 1 then 'is one of several of the row'
                    end as problem
                from int_shipstation_claims as claims
                left join int_shipstation_lines as lines on claims.line_id = lines.line_id
                left join audit_row_ledger as ledger on claims.legacy_id = ledger.legacy_id
                left join exact on claims.legacy_id = exact.legacy_id and claims.is_exact = 1
            )
            select legacy_id, shipment_id, sku_code, pass, problem
            from judged
            where problem is not null
            order by legacy_id, shipment_id
        """


class ExpectOutcomesToFollowFromClaims(NoRowsExpectation):
    """Expect ShipStation's items to have the outcome that the claim or the recovery of their line gives.

    ``same_day``, ``other_day`` and ``other_quantity`` name the legacy row that claims the line, ``recovered``
    names none. Unexpected is an item of a line with another outcome or another row; shown are the item, its
    outcome and the one that it should have. Source: models/audit/audit_shipstation_lines.yml.
    """

    def query(self) -> str:
        return """
            with fates as materialized (
                select
                    lines.shipment_id,
                    lines.sku_code,
                    coalesce(lines.lot_number, '') as lot,
                    case
                        when recovered.line_id is not null then 'recovered'
                        when claims.pass in (1, 2) then 'same_day'
                        when claims.pass in (3, 4) then 'other_day'
                        when claims.pass = 5 then 'other_quantity'
                    end as outcome,
                    case when recovered.line_id is null then claims.legacy_id end as legacy_id
                from int_shipstation_lines as lines
                left join int_shipstation_claims as claims on lines.line_id = claims.line_id
                left join int_recovered_lines as recovered on lines.line_id = recovered.line_id
            )
            select
                items.shipment_id,
                items.line_index,
                items.outcome,
                fates.outcome as should_be
            from fates
            inner join audit_shipstation_lines as items
                on
                    fates.shipment_id = items.shipment_id
                    and fates.sku_code = items.sku_code
                    and fates.lot = coalesce(items.lot_number, '')
            where
                items.outcome in ('recovered', 'same_day', 'other_day', 'other_quantity')
                and (items.outcome is not fates.outcome or items.legacy_id is not fates.legacy_id)
            order by items.shipment_id, items.line_index
        """
