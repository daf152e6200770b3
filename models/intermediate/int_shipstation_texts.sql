{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

sibling_outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

sibling_items as (

    select * from {{ ref('int_shipped_items') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

-- a lot in sku_lot is what the packer wrote: ShipStation's text replaces it only where they agree
known_texts as (

    select
        items.legacy_id,
        items.order_number,
        items.shipstation_sku_raw as legacy_text,
        lines.shipstation_sku_raw,
        lines.lot_number
    from claims
    inner join lines on claims.line_id = lines.line_id
    inner join items on claims.legacy_id = items.legacy_id
    inner join outcomes on claims.legacy_id = outcomes.legacy_id
    where
        claims.is_exact = 1
        and outcomes.disposition in ('keep', 'redate')
        and (items.lot_position < 2 or items.lot_number = lines.lot_number)

),

-- two rows of an order must not end with the same text: order and text are the candidate's key
texts_in_use as (

    select
        known_texts.legacy_id,
        siblings.legacy_id as other_id
    from known_texts
    inner join sibling_items as siblings
        on
            known_texts.order_number = siblings.order_number
            and known_texts.shipstation_sku_raw = siblings.shipstation_sku_raw
            and known_texts.legacy_id <> siblings.legacy_id
    inner join sibling_outcomes
        on
            siblings.legacy_id = sibling_outcomes.legacy_id
            and sibling_outcomes.disposition in ('keep', 'redate')
    union all
    select
        known_texts.legacy_id,
        siblings.legacy_id as other_id
    from known_texts
    inner join known_texts as siblings
        on
            known_texts.order_number = siblings.order_number
            and known_texts.shipstation_sku_raw = siblings.shipstation_sku_raw
            and known_texts.legacy_id <> siblings.legacy_id

)

select
    legacy_id,
    shipstation_sku_raw,
    lot_number
from known_texts
where
    shipstation_sku_raw <> legacy_text
    and legacy_id not in (select texts_in_use.legacy_id from texts_in_use)
