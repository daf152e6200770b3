with

source as (

    select * from {{ ref('sku_variants') }}

),

renamed as (

    select
        {{ null_if_blank('raw_sku') }} as raw_sku,
        {{ null_if_blank('sku_code') }} as sku_code,
        {{ null_if_blank('lot_number') }} as lot_number
    from source

)

select * from renamed
