-- depends_on: {{ ref('legacy_lot_inventory') }}
with

source as (

    select * from {{ source('legacy', 'lot_inventory') }}

),

renamed as (

    select
        -- ids
        id as lot_inventory_id,
        {{ null_if_blank('sku') }} as sku_code,
        {{ null_if_blank('lot') }} as lot_number,

        -- strings
        lower({{ null_if_blank('status') }}) as status,

        -- numerics
        {{ whole_number('initial_qty') }} as initial_qty,
        {{ whole_number('manual_adjustment') }} as manual_adjustment,

        -- dates and times
        {{ real_day('substr(' ~ trim_blanks(as_text('received_date')) ~ ', 1, 10)') }}
            as received_date,
        {{ timestamp_text('created_at') }} as created_at
    from source

)

select * from renamed
