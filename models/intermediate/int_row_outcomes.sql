with

dispositions as (

    select * from {{ ref('int_row_dispositions') }}

),

decisions as (

    select * from {{ ref('int_decisions') }}

),

decided as (

    select
        legacy_id,
        max(decision) as decision,
        max(new_ship_date) as new_ship_date,
        max(merged_into_id) as merged_into_id
    from decisions
    where problem is null
    group by legacy_id

),

-- a decision changes its own row and no other
outcomes as (

    select
        dispositions.legacy_id,
        case
            when decided.decision is null then dispositions.disposition
            when decided.decision = 'hold' then 'quarantine'
            else decided.decision
        end as disposition,
        case
            when decided.decision is null then dispositions.reason
            when decided.decision = 'hold' then 'held'
            else 'decided'
        end as reason,
        dispositions.disposition as base_disposition,
        dispositions.reason as base_reason,
        coalesce(decided.merged_into_id, dispositions.merged_into_id) as merged_into_id,
        coalesce(decided.new_ship_date, dispositions.new_ship_date) as new_ship_date
    from dispositions
    left join decided on dispositions.legacy_id = decided.legacy_id

)

select * from outcomes
