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

voided_items as (

    select
        shipments.shipment_id,
        shipments.order_number,
        shipments.ship_date,
        sku_texts.sku_code,
        sku_texts.lot_number,
        shipment_items.quantity
    from shipment_items
    inner join shipments on shipment_items.shipment_id = shipments.shipment_id
    inner join sku_texts
        on shipment_items.sku_text = sku_texts.sku_lot and sku_texts.base_sku = ''
    where
        shipments.not_counted_because = 'voided'
        and not shipment_items.is_adjustment
        and {{ plausible_units('shipment_items.quantity') }} is not null
        and sku_texts.failure is null

),

lines as (

    select
        shipment_id,
        order_number,
        ship_date,
        sku_code,
        lot_number,
        sum(quantity) as quantity
    from voided_items
    group by shipment_id, order_number, ship_date, sku_code, lot_number

)

select * from lines
