-- depends_on: {{ ref('shipstation_fetches') }}
with

source as (

    select * from {{ source('shipstation', 'fetches') }}

),

renamed as (

    select
        -- ids
        fetch_id,

        -- strings
        {{ null_if_blank('incomplete_because') }} as incomplete_because,

        -- booleans
        complete as is_complete,

        -- dates and times
        ship_date_from,
        ship_date_to,
        substr(fetched_at, 1, 10) as fetched_on
    from source

)

select * from renamed
