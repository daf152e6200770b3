{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

merged_items as (

    select * from {{ ref('int_shipped_items') }}

),

target_items as (

    select * from {{ ref('int_shipped_items') }}

),

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

merge_outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

items as (

    select * from {{ ref('int_shipped_items') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

-- what is removed or held has no say; an undecided row has, lest its units come twice
own_claims as (

    select claims.line_id
    from claims
    inner join outcomes on claims.legacy_id = outcomes.legacy_id
    where outcomes.disposition not in ('merge', 'remove') and outcomes.reason <> 'held'

),

-- a merged row and its target are one line: the claim of the one is the claim of the other
handed_on as (

    select
        claims.line_id,
        first_value(claims.legacy_id) over (
            partition by merge_outcomes.merged_into_id
            order by claims.pass, claims.legacy_id
        ) as heir_id,
        claims.legacy_id
    from claims
    inner join merge_outcomes on claims.legacy_id = merge_outcomes.legacy_id
    inner join merged_items on claims.legacy_id = merged_items.legacy_id
    inner join target_items
        on
            merge_outcomes.merged_into_id = target_items.legacy_id
            and merged_items.quantity_shipped = target_items.quantity_shipped
    where
        merge_outcomes.disposition = 'merge'
        and merge_outcomes.merged_into_id not in (select claims.legacy_id from claims)

),

standing_claims as (

    select line_id from own_claims
    union all
    select line_id from handed_on where legacy_id = heir_id

),

highest as (

    select coalesce(max(legacy_id), 0) as highest_id from items

),

recovered as (

    select
        lines.*,
        coalesce(orders.legacy_order_number, lines.order_number) as header_order_number,
        row_number() over (order by lines.line_id) as place
    from lines
    left join orders on lines.order_number = orders.order_number
    where lines.line_id not in (select standing_claims.line_id from standing_claims)

)

select
    highest.highest_id + recovered.place as candidate_id,
    recovered.line_id,
    recovered.shipment_id,
    recovered.shipstation_order_id,
    recovered.order_number,
    recovered.header_order_number,
    recovered.tracking_number,
    recovered.ship_date,
    recovered.created_at,
    recovered.sku_code,
    recovered.lot_number,
    recovered.shipstation_sku_raw,
    recovered.quantity
from recovered
cross join highest
