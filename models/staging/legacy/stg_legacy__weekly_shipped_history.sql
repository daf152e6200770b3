-- depends_on: {{ ref('legacy_weekly_shipped_history') }}
with

source as (

    select * from {{ source('legacy', 'weekly_shipped_history') }}

),

renamed as (

    select
        -- ids
        id as history_id,
        {{ null_if_blank('sku') }} as sku_code,

        -- numerics
        {{ whole_number('quantity_shipped') }} as quantity_shipped,

        -- dates and times
        {{ stored_day('start_date') }} as start_date,
        {{ stored_day('end_date') }} as end_date
    from source

)

select * from renamed
