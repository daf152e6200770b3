-- depends_on: {{ ref('legacy_orders_inbox') }}
with

source as (

    select * from {{ source('legacy', 'orders_inbox') }}

),

renamed as (

    select
        -- ids
        id as inbox_id,
        {{ null_if_blank('order_number') }} as order_number,

        -- strings
        lower({{ null_if_blank('status') }}) as status,

        -- dates and times
        {{ real_day('substr(' ~ trim_blanks(as_text('order_date')) ~ ', 1, 10)') }} as order_date
    from source

)

select * from renamed
