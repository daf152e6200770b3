-- depends_on: {{ ref('legacy_sku_lot') }}
with

source as (

    select * from {{ source('legacy', 'sku_lot') }}

),

renamed as (

    select
        -- ids
        id as sku_lot_id,
        {{ null_if_blank('sku') }} as sku_code,
        {{ null_if_blank('lot') }} as lot_number,

        -- booleans
        case when active = 1 then 1 when active is not null then 0 end as is_active,

        -- dates and times
        {{ timestamp_text('created_at') }} as created_at
    from source

)

select * from renamed
