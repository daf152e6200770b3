-- depends_on: {{ ref('legacy_shipped_orders') }}
with

source as (

    select * from {{ source('legacy', 'shipped_orders') }}

),

renamed as (

    select
        -- ids
        id as header_id,
        {{ null_if_blank('order_number') }} as order_number,
        {{ as_text('order_number') }} as legacy_order_number,
        {{ as_text('shipstation_order_id') }} as shipstation_order_id,

        -- strings
        {{ as_text('customer_email') }} as customer_email,
        {{ as_text('shipping_carrier_code') }} as shipping_carrier_code,
        {{ as_text('shipping_carrier_id') }} as shipping_carrier_id,
        {{ as_text('shipping_service_code') }} as shipping_service_code,
        {{ as_text('shipping_service_name') }} as shipping_service_name,

        -- numerics
        cast(total_items as integer) as total_items,

        -- dates and times
        {{ stored_day('ship_date') }} as ship_date,
        {{ as_text('ship_date') }} as legacy_ship_date,
        {{ as_text('created_at') }} as created_at
    from source

)

select * from renamed
