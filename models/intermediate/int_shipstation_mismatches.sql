{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

claimed_items as (

    select * from {{ ref('int_shipped_items') }}

),

sibling_items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

sibling_lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

sibling_claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

voided_lines as (

    select * from {{ ref('int_shipstation_voided_lines') }}

),

row_claims as (

    select
        legacy_id,
        min(pass) as pass,
        min(ship_date) as line_ship_date,
        min(line_id) as line_id
    from claims
    group by legacy_id

),

covered_items as (

    select
        items.legacy_id,
        items.order_number,
        items.ship_date,
        items.sku_code,
        items.lot_number,
        items.quantity_shipped as units,
        items.is_date_doubtful,
        coalesce(items.failure, '') in (
            'unparseable_sku', 'sku_conflict', 'unknown_sku', 'implausible_lot'
        ) as is_unreadable,
        row_claims.pass,
        row_claims.line_ship_date,
        lines.shipment_id
    from items
    left join row_claims on items.legacy_id = row_claims.legacy_id
    left join lines on row_claims.line_id = lines.line_id
    where items.is_day_covered = 1 and items.quantity_shipped is not null

),

unmatched_items as (

    select * from covered_items where pass is null or pass <> 1

),

-- the label of exactly this row first; another lot, or a day nearby, may be the same label too
voided_labels as (

    select
        unmatched_items.legacy_id,
        min(case
            when
                voided_lines.ship_date = unmatched_items.ship_date
                and coalesce(voided_lines.lot_number, '') = coalesce(unmatched_items.lot_number, '')
                then voided_lines.shipment_id
        end) as exact_shipment_id,
        min(voided_lines.shipment_id) as shipment_id
    from unmatched_items
    inner join voided_lines
        on
            unmatched_items.order_number = voided_lines.order_number
            and unmatched_items.sku_code = voided_lines.sku_code
            and unmatched_items.units = voided_lines.quantity
    where
        unmatched_items.is_date_doubtful = 1
        or {{ are_days_near(
            'unmatched_items.ship_date', 'voided_lines.ship_date', var('same_shipment_days')
        ) }}
    group by unmatched_items.legacy_id

),

-- ShipStation has one line where the legacy table has two rows
second_records as (

    select unmatched_items.legacy_id
    from unmatched_items
    inner join outcomes on unmatched_items.legacy_id = outcomes.legacy_id
    where unmatched_items.pass is null and outcomes.disposition = 'merge'
    union
    select unmatched_items.legacy_id
    from unmatched_items
    inner join sibling_items
        on
            unmatched_items.order_number = sibling_items.order_number
            and unmatched_items.sku_code = sibling_items.sku_code
            and unmatched_items.units = sibling_items.quantity_shipped
    inner join sibling_claims
        on sibling_items.legacy_id = sibling_claims.legacy_id and sibling_claims.is_exact = 1
    where unmatched_items.pass is null

),

judged_items as (

    select
        covered_items.legacy_id,
        covered_items.order_number,
        covered_items.ship_date,
        covered_items.sku_code,
        covered_items.lot_number,
        covered_items.units,
        case
            when covered_items.pass = 1 then null
            when covered_items.is_unreadable then 'unreadable'
            when covered_items.pass = 2 then 'other_lot'
            when voided_labels.exact_shipment_id is not null then 'voided_later'
            when covered_items.pass in (3, 4) then 'other_day'
            when covered_items.pass = 5 and voided_labels.legacy_id is not null then 'voided_later'
            when covered_items.pass = 5 then 'other_quantity'
            when second_records.legacy_id is not null then 'double'
            when voided_labels.legacy_id is not null then 'voided_later'
            else 'unknown_to_shipstation'
        end as likely_cause,
        coalesce(
            voided_labels.exact_shipment_id,
            covered_items.shipment_id,
            voided_labels.shipment_id
        ) as shipment_id,
        case when covered_items.pass in (3, 4) then covered_items.line_ship_date end
            as other_ship_date
    from covered_items
    left join voided_labels on covered_items.legacy_id = voided_labels.legacy_id
    left join second_records on covered_items.legacy_id = second_records.legacy_id

),

-- the legacy key has no shipment in it: a later parcel takes the place of an earlier one
overwritten_lines as (

    select distinct lines.line_id
    from lines
    inner join sibling_lines
        on
            lines.order_number = sibling_lines.order_number
            and lines.sku_code = sibling_lines.sku_code
            and coalesce(lines.lot_number, '') = coalesce(sibling_lines.lot_number, '')
    inner join sibling_claims
        on sibling_lines.line_id = sibling_claims.line_id and sibling_claims.is_exact = 1
    where lines.line_id not in (select claims.line_id from claims)

),

judged_lines as (

    select
        lines.line_id,
        claims.legacy_id,
        lines.order_number,
        lines.ship_date,
        lines.sku_code,
        lines.lot_number,
        lines.quantity as units,
        case
            when claims.pass = 1 then null
            when claims.pass = 2 then 'other_lot'
            when claims.pass in (3, 4) then 'other_day'
            when claims.pass = 5 and judged_items.likely_cause = 'voided_later' then 'voided_later'
            when claims.pass = 5 then 'other_quantity'
            when overwritten_lines.line_id is not null then 'parcel_overwritten'
            else 'missing'
        end as likely_cause,
        lines.shipment_id,
        case when claims.pass in (3, 4) then claimed_items.ship_date end as other_ship_date
    from lines
    left join claims on lines.line_id = claims.line_id
    left join claimed_items on claims.legacy_id = claimed_items.legacy_id
    left join judged_items on claims.legacy_id = judged_items.legacy_id
    left join overwritten_lines on lines.line_id = overwritten_lines.line_id

),

sides as (

    select
        'legacy' as side,
        legacy_id as entry_id,
        legacy_id,
        shipment_id,
        order_number,
        ship_date,
        sku_code,
        lot_number,
        units,
        likely_cause,
        other_ship_date
    from judged_items
    union all
    select
        'shipstation' as side,
        line_id as entry_id,
        legacy_id,
        shipment_id,
        order_number,
        ship_date,
        sku_code,
        lot_number,
        units,
        likely_cause,
        other_ship_date
    from judged_lines

)

select * from sides
