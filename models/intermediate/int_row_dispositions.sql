with

items as (

    select * from {{ ref('int_shipped_items') }}

),

suspects as (

    select * from {{ ref('int_suspects') }}

),

twins as (

    select * from {{ ref('int_twins') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

claimed_items as (

    select
        legacy_id,
        ship_date,
        sum(quantity) as claimed_units
    from claims
    group by legacy_id, ship_date

),

evidence as (

    select
        items.legacy_id,

        -- what the row itself says
        items.failure,
        items.ship_date,
        items.is_day_covered = 1
        and coalesce(claimed_items.claimed_units, 0) <> items.quantity_shipped
            as is_unknown_to_shipstation,
        {{ is_days_later(
            'items.ship_date', 'substr(items.created_at, 1, 10)', var('late_import_days')
        ) }} as is_created_late,

        -- what stands beside it
        twins.twin_reason,
        twins.merged_into_id,

        -- what is known of its order
        suspects.legacy_id is not null as is_suspect,
        suspects.shipstation_day,
        suspects.does_owners_rule_apply = 1 as does_owners_rule_apply,
        suspects.true_ship_date,
        suspects.is_cancelled = 1 and suspects.has_sign_of_shipment = 0
            as is_cancelled_never_shipped,
        suspects.order_number is not null
        and suspects.is_created_in_window = 1
        and suspects.has_sign_of_newer_order = 0
            as is_historical_resync
    from items
    left join suspects on items.legacy_id = suspects.legacy_id
    left join twins on items.legacy_id = twins.legacy_id
    left join claimed_items
        on
            items.legacy_id = claimed_items.legacy_id
            and items.ship_date = claimed_items.ship_date

),

-- the rules in their order; the decision of a person (rule 2) comes in int_row_outcomes
judged as {{ computed_once() }} (

    select
        legacy_id,
        ship_date,
        true_ship_date,
        merged_into_id,
        case
            -- 1: a parse failure
            when failure is not null then failure
            -- 3 and 4: a second record of a line, or two that disagree
            when twin_reason is not null then twin_reason
            -- 5: the true day is known
            when is_suspect and shipstation_day is not null then 'shipstation_other_day'
            when is_suspect and does_owners_rule_apply then 'incident_correct_date'
            -- 6: cancelled, never shipped
            when is_suspect and is_cancelled_never_shipped then 'cancelled_never_shipped'
            -- 7: an old order, synced again
            when is_suspect and is_historical_resync then 'historical_resync'
            -- 8: a person must decide
            when is_suspect then 'unresolved_suspect'
            -- 9: nothing speaks against it
            when is_unknown_to_shipstation then 'unknown_to_shipstation'
            when is_created_late then 'late_import'
            else 'clean'
        end as reason
    from evidence

),

disposed as {{ computed_once() }} (

    select
        legacy_id,
        {{ disposition_of('reason') }} as disposition,
        reason,
        merged_into_id,
        true_ship_date
    from judged

)

select
    legacy_id,
    disposition,
    reason,
    case when disposition = 'merge' then merged_into_id end as merged_into_id,
    case when disposition = 'redate' then true_ship_date end as new_ship_date
from disposed
