-- depends_on: {{ ref('shipstation_shipments') }}
with

source as (

    select * from {{ source('shipstation', 'shipments') }}

),

renamed as (

    select
        -- ids
        shipment_id,
        order_id as shipstation_order_id,
        {{ null_if_blank('order_number') }} as order_number,

        -- strings
        {{ null_if_blank('tracking_number') }} as tracking_number,
        case when shipment_id < 0 then 'order' else 'label' end as units_from,

        -- booleans
        is_return_label,
        voided as is_voided,

        -- dates and times
        {{ stored_day('ship_date') }} as ship_date,
        {{ timestamp_text('create_date') }} as created_at
    from source

)

select * from renamed
