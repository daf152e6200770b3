with

source as (

    select * from {{ ref('incidents') }}

),

renamed as (

    select
        {{ null_if_blank('wrong_ship_date') }} as wrong_ship_date,
        {{ null_if_blank('correct_ship_date') }} as correct_ship_date,
        {{ timestamp_text('created_from') }} as created_from,
        {{ timestamp_text('created_to') }} as created_to
    from source

)

select * from renamed
