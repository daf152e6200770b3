with

shipments as (

    select * from {{ ref('int_shipstation_shipments') }}

),

shipment_items as (

    select * from {{ ref('stg_shipstation__shipment_items') }}

),

sku_texts as (

    select * from {{ ref('int_sku_texts') }}

),

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

final as (

    select
        shipment_items.shipment_id,
        shipment_items.line_index,
        shipments.order_number,
        shipments.ship_date,
        shipment_items.sku_text,
        sku_texts.sku_code,
        sku_texts.lot_number,
        shipment_items.quantity,
        shipments.units_from,
        case
            when shipments.not_counted_because is not null then shipments.not_counted_because
            when shipment_items.sku_text is null then 'no_sku'
            when shipment_items.is_adjustment then 'adjustment'
            when {{ plausible_units('shipment_items.quantity') }} is null then 'no_units'
            when sku_texts.failure is not null then sku_texts.failure
            when recovered_lines.line_id is not null then 'recovered'
            when claims.pass in (1, 2) then 'same_day'
            when claims.pass in (3, 4) then 'other_day'
            when claims.pass = 5 then 'other_quantity'
        end as outcome,
        case when recovered_lines.line_id is null then claims.legacy_id end as legacy_id
    from shipment_items
    inner join shipments on shipment_items.shipment_id = shipments.shipment_id
    left join sku_texts
        on shipment_items.sku_text = sku_texts.sku_lot and sku_texts.base_sku = ''
    left join lines
        on
            shipment_items.shipment_id = lines.shipment_id
            and sku_texts.sku_code = lines.sku_code
            and coalesce(sku_texts.lot_number, '') = coalesce(lines.lot_number, '')
    left join claims on lines.line_id = claims.line_id
    left join recovered_lines on lines.line_id = recovered_lines.line_id

)

select * from final
order by shipment_id, line_index
