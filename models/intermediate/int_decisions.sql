with

decisions as (

    select * from {{ ref('stg_controls__quarantine_decisions') }}

),

items as (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

parsed_items as (

    select * from {{ ref('int_shipped_items') }}

),

decided_items as (

    select * from {{ ref('int_shipped_items') }}

),

merge_items as (

    select * from {{ ref('int_shipped_items') }}

),

staying_items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

text_items as (

    select * from {{ ref('int_shipped_items') }}

),

dispositions as (

    select * from {{ ref('int_row_dispositions') }}

),

merge_dispositions as (

    select * from {{ ref('int_row_dispositions') }}

),

text_dispositions as (

    select * from {{ ref('int_row_dispositions') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

exact_claims as (

    select * from claims where is_exact = 1

),

merge_targets as (

    select
        decisions.legacy_id,
        siblings.legacy_id as target_id,
        row_number() over (
            partition by decisions.legacy_id
            order by
                case
                    when siblings.quantity_shipped = decided_items.quantity_shipped then 0 else 1
                end,
                case when exact_claims.legacy_id is not null then 0 else 1 end,
                case when merge_dispositions.disposition = 'keep' then 0 else 1 end,
                siblings.legacy_id
        ) as place
    from decisions
    inner join decided_items on decisions.legacy_id = decided_items.legacy_id
    inner join merge_items as siblings
        on
            decided_items.order_number = siblings.order_number
            and decided_items.sku_code = siblings.sku_code
            and decided_items.legacy_id <> siblings.legacy_id
    inner join merge_dispositions
        on
            siblings.legacy_id = merge_dispositions.legacy_id
            and merge_dispositions.disposition in ('keep', 'redate')
    left join exact_claims on siblings.legacy_id = exact_claims.legacy_id
    where decisions.decision = 'merge'

),

-- order and text are the candidate's key
decided_to_stay as (

    select
        decisions.legacy_id,
        staying_items.order_number,
        staying_items.shipstation_sku_raw
    from decisions
    inner join staying_items on decisions.legacy_id = staying_items.legacy_id
    where
        decisions.decision in ('keep', 'redate')
        and (
            staying_items.failure is null
            or (
                decisions.decision = 'redate'
                and staying_items.failure = 'invalid_ship_date'
                and staying_items.failure_beside_date is null
            )
        )

),

same_texts as (

    select
        decided_to_stay.legacy_id,
        min(siblings.legacy_id) as other_id
    from decided_to_stay
    inner join text_items as siblings
        on
            decided_to_stay.order_number = siblings.order_number
            and decided_to_stay.shipstation_sku_raw = siblings.shipstation_sku_raw
            and decided_to_stay.legacy_id <> siblings.legacy_id
    inner join text_dispositions on siblings.legacy_id = text_dispositions.legacy_id
    where
        text_dispositions.disposition in ('keep', 'redate')
        or (
            text_dispositions.disposition = 'quarantine'
            and siblings.legacy_id in (select decided_to_stay.legacy_id from decided_to_stay)
        )
    group by decided_to_stay.legacy_id

),

times_named as (

    select
        legacy_id,
        count(*) as times_named
    from decisions
    group by legacy_id

),

judged as (

    select
        decisions.legacy_id,
        decisions.decision,
        decisions.ship_date,
        merge_targets.target_id,
        case
            when times_named.times_named > 1
                then 'is decided ' || times_named.times_named || ' times: keep one line'
            when items.legacy_id is null
                then 'does not exist in shipped_items: take the line out'
            when
                coalesce(items.order_number, '') <> coalesce(decisions.order_number, '')
                or items.base_sku <> decisions.base_sku
                or items.sku_lot <> decisions.sku_lot
                -- as the whole number that it is, or as it is stored: 3 and 3.0
                or decisions.quantity_text not in (
                    coalesce(
                        {{ as_text('items.quantity_shipped') }},
                        {{ trim_blanks(as_text('items.legacy_quantity_shipped')) }},
                        ''
                    ),
                    coalesce({{ trim_blanks(as_text('items.legacy_quantity_shipped')) }}, '')
                )
                then
                    'no longer matches order_number, base_sku, sku_lot or quantity_shipped:'
                    || ' look at the row again and export the undecided rows anew'
            when dispositions.disposition <> 'quarantine'
                then
                    'is not quarantined (' || dispositions.disposition || ', '
                    || dispositions.reason || '): take the line out'
            when decisions.decision in ('hold', 'remove') then null
            when
                parsed_items.failure is not null
                and not (
                    decisions.decision = 'redate'
                    and parsed_items.failure = 'invalid_ship_date'
                    and parsed_items.failure_beside_date is null
                )
                then
                    'cannot be kept as it stands ('
                    || case
                        when
                            decisions.decision = 'redate'
                            and parsed_items.failure = 'invalid_ship_date'
                            then parsed_items.failure_beside_date
                        else parsed_items.failure
                    end
                    || '): explain its text in sku_variants.csv, correct the source, or hold it'
            when decisions.decision = 'merge' and merge_targets.target_id is null
                then 'has no row of the same order and SKU to merge into'
            when
                decisions.decision = 'redate'
                and {{ real_day("coalesce(decisions.ship_date, '')") }} is null
                then 'needs a ship_date that is a real day YYYY-MM-DD'
            when decisions.decision in ('keep', 'redate') and same_texts.other_id is not null
                then
                    'would stay beside row ' || same_texts.other_id
                    || ' of the same order and text: merge or remove one of them'
            when decisions.decision in ('keep', 'redate', 'merge') then null
            else 'has an unknown decision: use keep, redate, merge, remove or hold'
        end as problem
    from decisions
    inner join times_named on decisions.legacy_id = times_named.legacy_id
    left join items on decisions.legacy_id = items.legacy_id
    left join parsed_items on decisions.legacy_id = parsed_items.legacy_id
    left join dispositions on decisions.legacy_id = dispositions.legacy_id
    left join same_texts on decisions.legacy_id = same_texts.legacy_id
    left join merge_targets
        on decisions.legacy_id = merge_targets.legacy_id and merge_targets.place = 1

),

numbered as (

    select
        judged.*,
        row_number() over (
            order by legacy_id, decision, coalesce(ship_date, '')
        ) as decision_id
    from judged

)

select
    decision_id,
    legacy_id,
    decision,
    case when decision = 'redate' then ship_date end as new_ship_date,
    case when decision = 'merge' then target_id end as merged_into_id,
    problem
from numbered
