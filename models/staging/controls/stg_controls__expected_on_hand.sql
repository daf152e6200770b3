with

source as (

    select * from {{ ref('expected_on_hand') }}

),

renamed as (

    select
        {{ null_if_blank('sku_code') }} as sku_code,
        {{ null_if_blank('as_of_date') }} as as_of_date,
        cast(expected_quantity as integer) as expected_quantity
    from source

)

select * from renamed
