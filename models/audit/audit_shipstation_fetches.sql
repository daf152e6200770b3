with

fetches as (

    select * from {{ ref('stg_shipstation__fetches') }}

),

final as (

    select
        fetch_id,
        ship_date_from,
        ship_date_to,
        fetched_on,
        is_complete,
        incomplete_because
    from fetches

)

select * from final
order by fetch_id
