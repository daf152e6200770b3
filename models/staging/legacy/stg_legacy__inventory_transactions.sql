-- depends_on: {{ ref('legacy_inventory_transactions') }}
with

source as (

    select * from {{ source('legacy', 'inventory_transactions') }}

),

renamed as (

    select
        -- ids
        id as transaction_id,
        {{ null_if_blank('sku') }} as sku_code,

        -- strings
        lower({{ null_if_blank('transaction_type') }}) as transaction_type,

        -- numerics
        {{ whole_number('quantity') }} as quantity,

        -- dates and times
        {{ real_day('substr(' ~ trim_blanks(as_text('date')) ~ ', 1, 10)') }} as transaction_date
    from source

)

select * from renamed
