with

decisions as (

    select * from {{ ref('int_decisions') }}

),

final as (

    select
        decision_id,
        legacy_id,
        decision,
        new_ship_date,
        merged_into_id,
        problem
    from decisions

)

select * from final
order by decision_id
