with

source as (

    select * from {{ ref('expected_units') }}

),

renamed as (

    select
        {{ null_if_blank('ship_date') }} as ship_date,
        cast(expected_units as integer) as expected_units
    from source

)

select * from renamed
