with

headers as (

    select * from {{ ref('stg_legacy__shipped_orders') }}

),

changes as (

    select * from {{ ref('int_order_header_changes') }}

),

remaining as (

    select
        headers.header_id as id,
        coalesce(changes.new_ship_date, headers.legacy_ship_date) as ship_date,
        headers.legacy_order_number as order_number,
        headers.customer_email,
        headers.total_items,
        headers.shipstation_order_id,
        headers.created_at,
        headers.shipping_carrier_code,
        headers.shipping_carrier_id,
        headers.shipping_service_code,
        headers.shipping_service_name
    from headers
    left join changes on headers.header_id = changes.header_id and changes.change <> 'added'
    where changes.change is null or changes.change <> 'taken_out'

),

added as (

    select
        header_id as id,
        new_ship_date as ship_date,
        header_order_number as order_number,
        null as customer_email,
        0 as total_items,
        {{ as_text('shipstation_order_id') }} as shipstation_order_id,
        created_at,
        null as shipping_carrier_code,
        null as shipping_carrier_id,
        null as shipping_service_code,
        null as shipping_service_name
    from changes
    where change = 'added'

),

united as (

    select * from remaining
    union all
    select * from added

),

final as (

    select
        id,
        ship_date,
        order_number,
        customer_email,
        total_items,
        shipstation_order_id,
        created_at,
        shipping_carrier_code,
        shipping_carrier_id,
        shipping_service_code,
        shipping_service_name
    from united
    order by id

)

select * from final
