with

changes as (

    select * from {{ ref('int_order_header_changes') }}

),

final as (

    select
        header_id,
        header_order_number as order_number,
        change,
        reason,
        old_ship_date,
        new_ship_date,
        legacy_items,
        candidate_items
    from changes

)

select * from final
order by header_id
