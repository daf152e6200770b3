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

counted_items as (

    select
        shipments.shipment_id,
        shipments.shipstation_order_id,
        shipments.order_number,
        shipments.tracking_number,
        shipments.ship_date,
        shipments.created_at,
        sku_texts.sku_code,
        sku_texts.lot_number,
        sku_texts.shipstation_sku_raw,
        shipment_items.quantity,
        row_number() over (
            partition by shipments.shipment_id, sku_texts.sku_code, sku_texts.lot_number
            order by shipment_items.line_index
        ) as place_in_line
    from shipment_items
    inner join shipments on shipment_items.shipment_id = shipments.shipment_id
    inner join sku_texts
        on shipment_items.sku_text = sku_texts.sku_lot and sku_texts.base_sku = ''
    where
        shipments.not_counted_because is null
        and not shipment_items.is_adjustment
        and {{ plausible_units('shipment_items.quantity') }} is not null
        and sku_texts.failure is null

),

-- the items of one shipment with the same SKU and lot add up
lines as (

    select
        shipment_id,
        shipstation_order_id,
        order_number,
        tracking_number,
        ship_date,
        created_at,
        sku_code,
        lot_number,
        max(case when place_in_line = 1 then shipstation_sku_raw end) as shipstation_sku_raw,
        sum(quantity) as quantity
    from counted_items
    group by
        shipment_id,
        shipstation_order_id,
        order_number,
        tracking_number,
        ship_date,
        created_at,
        sku_code,
        lot_number

),

numbered as (

    select
        row_number() over (
            order by
                ship_date,
                coalesce(order_number, ''),
                shipment_id,
                sku_code,
                coalesce(lot_number, '')
        ) as line_id,
        lines.*
    from lines

)

select
    line_id,
    shipment_id,
    shipstation_order_id,
    order_number,
    tracking_number,
    ship_date,
    created_at,
    sku_code,
    lot_number,
    shipstation_sku_raw,
    quantity
from numbered
