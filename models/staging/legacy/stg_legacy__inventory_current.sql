-- depends_on: {{ ref('legacy_inventory_current') }}
with

source as (

    select * from {{ source('legacy', 'inventory_current') }}

),

renamed as (

    select
        -- ids
        id as inventory_id,
        {{ null_if_blank('sku') }} as sku_code,

        -- strings
        {{ null_if_blank('product_name') }} as product_name,

        -- numerics
        {{ whole_number('current_quantity') }} as current_quantity,
        {{ whole_number('reorder_point') }} as reorder_point,
        {{ whole_number('weekly_avg_cents') }} as weekly_avg_cents,

        -- dates and times
        {{ utc_time('last_updated') }} as last_updated
    from source

)

select * from renamed
