-- depends_on: {{ ref('shipstation_shipment_items') }}
with

source as (

    select * from {{ source('shipstation', 'shipment_items') }}

),

renamed as (

    select
        -- ids
        shipment_id,
        line_index,

        -- strings
        {{ null_if_blank('sku') }} as sku_text,

        -- numerics
        {{ whole_number('quantity') }} as quantity,

        -- booleans
        coalesce(adjustment, 0) = 1
        or coalesce(lower({{ null_if_blank('line_item_key') }}), '') = 'discount'
            as is_adjustment
    from source

)

select * from renamed
