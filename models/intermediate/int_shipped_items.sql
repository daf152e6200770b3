{{ config(indexes=[{'columns': ['order_number', 'sku_code']}]) }}

with

items as (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

sku_texts as (

    select * from {{ ref('int_sku_texts') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

fetches as (

    select * from {{ ref('stg_shipstation__fetches') }}

),

incidents as (

    select * from {{ ref('stg_controls__incidents') }}

),

joined as (

    select
        items.legacy_id,
        items.order_number,
        coalesce(orders.legacy_order_number, items.order_number) as header_order_number,
        items.tracking_number,
        sku_texts.shipstation_sku_raw,
        sku_texts.sku_code,
        sku_texts.lot_number,
        sku_texts.lot_position,
        {{ plausible_units('items.quantity_shipped') }} as quantity_shipped,
        items.ship_date,
        items.created_at,
        orders.order_date,
        sku_texts.failure as sku_failure,
        items.order_number is not null
        and orders.header_id is null
        and coalesce(orders.is_known_to_shipstation, 0) = 0
            as is_orphan,
        items.ship_date in (select incidents.wrong_ship_date from incidents) as is_on_wrong_date,
        {{ is_day_covered('items.ship_date') }} as is_day_covered
    from items
    inner join sku_texts
        on items.sku_lot = sku_texts.sku_lot and items.base_sku = sku_texts.base_sku
    left join orders on items.order_number = orders.order_number

),

judged as (

    select
        legacy_id,
        order_number,
        header_order_number,
        tracking_number,
        shipstation_sku_raw,
        sku_code,
        lot_number,
        lot_position,
        quantity_shipped,
        ship_date,
        created_at,
        order_date,
        case
            when sku_failure is not null then sku_failure
            when ship_date is null then 'invalid_ship_date'
            when quantity_shipped is null then 'invalid_quantity'
            when is_orphan then 'orphan_order'
        end as failure,
        -- a decision can repair a date, but nothing else
        case
            when quantity_shipped is null then 'invalid_quantity'
            when is_orphan then 'orphan_order'
        end as failure_beside_date,
        coalesce(is_on_wrong_date, false) as is_on_wrong_date,
        coalesce(is_on_wrong_date or ship_date < order_date, false) as is_date_doubtful,
        is_day_covered
    from joined

)

select * from judged
