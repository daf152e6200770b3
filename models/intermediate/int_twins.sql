with

candidates as (

    select * from {{ ref('int_twin_candidates') }}

),

-- rule 3: the same order, SKU and lot, spelled differently
spelling_groups as (

    select
        order_number,
        sku_code,
        lot_position,
        lot_key,
        count(*) as items_in_group,
        min(quantity_shipped) = max(quantity_shipped) as is_one_quantity,
        sum(has_exact_claim) as exact_claims_in_group
    from candidates
    group by order_number, sku_code, lot_position, lot_key

),

ranked as (

    select
        candidates.*,
        spelling_groups.items_in_group,
        spelling_groups.is_one_quantity,
        spelling_groups.exact_claims_in_group,
        row_number() over (
            partition by
                candidates.order_number,
                candidates.sku_code,
                candidates.lot_position,
                candidates.lot_key
            order by
                candidates.stays desc,
                candidates.has_exact_claim desc,
                candidates.is_redated,
                candidates.legacy_id
        ) as place_in_group
    from candidates
    inner join spelling_groups
        on
            candidates.order_number = spelling_groups.order_number
            and candidates.sku_code = spelling_groups.sku_code
            and candidates.lot_position = spelling_groups.lot_position
            and candidates.lot_key = spelling_groups.lot_key

),

representatives as (

    select
        order_number,
        sku_code,
        lot_position,
        lot_key,
        legacy_id,
        stays,
        has_exact_claim
    from ranked
    where place_in_group = 1

),

respelled as (

    select
        ranked.*,
        representatives.legacy_id as representative_id,
        case
            when ranked.items_in_group = 1 then 'alone'
            when
                not ranked.is_one_quantity
                and not (
                    ranked.exact_claims_in_group = 1
                    and ranked.has_unclaimed_lines = 0
                    and representatives.has_exact_claim = 1
                    and representatives.stays = 1
                )
                then 'conflict'
            when ranked.place_in_group = 1 then 'alone'
            when representatives.stays = 1 then 'merge'
            else 'alone'
        end as by_spelling
    from ranked
    inner join representatives
        on
            ranked.order_number = representatives.order_number
            and ranked.sku_code = representatives.sku_code
            and ranked.lot_position = representatives.lot_position
            and ranked.lot_key = representatives.lot_key

),

-- rule 4: what stands beside a row of a lower position
lotted as (

    select
        order_number,
        sku_code,
        lot_key,
        legacy_id,
        quantity_shipped,
        by_spelling,
        is_one_quantity,
        has_exact_claim,
        stays = 1 and by_spelling = 'alone' as is_to_stay,
        row_number() over (
            partition by order_number, sku_code, quantity_shipped
            order by
                case when stays = 1 and by_spelling = 'alone' then 0 else 1 end,
                has_exact_claim desc,
                is_redated,
                legacy_id
        ) as place_in_quantity,
        row_number() over (
            partition by order_number, sku_code
            order by
                case when stays = 1 and by_spelling = 'alone' then 0 else 1 end,
                has_exact_claim desc,
                is_redated,
                legacy_id
        ) as place_in_sku
    from respelled
    where lot_position = highest_position

),

lotted_by_quantity as (

    select
        order_number,
        sku_code,
        quantity_shipped,
        max(case when place_in_quantity = 1 and is_to_stay then legacy_id end) as best_id,
        max(case when by_spelling = 'conflict' then 1 else 0 end) as has_conflict,
        max(case when by_spelling = 'merge' and not is_one_quantity then 1 else 0 end)
            as is_refuted
    from lotted
    group by order_number, sku_code, quantity_shipped

),

lotted_by_sku as (

    select
        order_number,
        sku_code,
        max(case when place_in_sku = 1 and is_to_stay then legacy_id end) as best_id,
        min(has_exact_claim) as has_only_exact_claims
    from lotted
    group by order_number, sku_code

),

lotted_by_lot as (

    select distinct
        order_number,
        sku_code,
        lot_key
    from lotted
    where is_to_stay

),

weighed as (

    select
        respelled.legacy_id,
        respelled.lot_position,
        respelled.by_spelling,
        respelled.representative_id,
        case
            when respelled.lot_position = respelled.highest_position then 'by spelling'
            when lotted_by_quantity.best_id is not null then 'into same quantity'
            when lotted_by_quantity.has_conflict = 1 then 'conflict'
            when lotted_by_quantity.is_refuted = 1 and respelled.has_exact_claim = 0
                then 'conflict'
            -- order and text are the candidate's key: only one row can stay
            when
                lotted_by_quantity.order_number is not null
                and lotted_by_lot.order_number is not null
                then 'conflict'
            when lotted_by_quantity.order_number is not null then 'by spelling'
            when respelled.has_exact_claim = 1 and lotted_by_lot.order_number is null
                then 'by spelling'
            when
                lotted_by_sku.has_only_exact_claims = 1
                and respelled.has_unclaimed_lines = 0
                and lotted_by_sku.best_id is not null
                then 'into other quantity'
            else 'conflict'
        end as beside_lotted,
        lotted_by_quantity.best_id as same_quantity_id,
        lotted_by_sku.best_id as other_quantity_id
    from respelled
    left join lotted_by_quantity
        on
            respelled.order_number = lotted_by_quantity.order_number
            and respelled.sku_code = lotted_by_quantity.sku_code
            and respelled.quantity_shipped = lotted_by_quantity.quantity_shipped
    left join lotted_by_lot
        on
            respelled.order_number = lotted_by_lot.order_number
            and respelled.sku_code = lotted_by_lot.sku_code
            and respelled.lot_key = lotted_by_lot.lot_key
    left join lotted_by_sku
        on
            respelled.order_number = lotted_by_sku.order_number
            and respelled.sku_code = lotted_by_sku.sku_code

),

-- a representative that merged away itself cannot take others in
settled as (

    select
        weighed.legacy_id,
        weighed.lot_position,
        weighed.by_spelling,
        weighed.representative_id,
        case
            when
                weighed.beside_lotted = 'by spelling'
                and weighed.by_spelling = 'merge'
                and representatives.beside_lotted <> 'by spelling'
                then 'conflict'
            else weighed.beside_lotted
        end as beside_lotted,
        weighed.same_quantity_id,
        weighed.other_quantity_id
    from weighed
    left join weighed as representatives
        on weighed.representative_id = representatives.legacy_id

),

decided as (

    select
        legacy_id,
        case
            when beside_lotted = 'conflict' then 'quantity_conflict'
            when beside_lotted like 'into%' and lot_position = 1 then 'lot_in_base_sku_twin'
            when beside_lotted like 'into%' then 'lotless_twin'
            when by_spelling = 'conflict' then 'quantity_conflict'
            when by_spelling = 'merge' then 'respelled_twin'
        end as twin_reason,
        case
            when beside_lotted = 'into same quantity' then same_quantity_id
            when beside_lotted = 'into other quantity' then other_quantity_id
            when beside_lotted = 'by spelling' and by_spelling = 'merge' then representative_id
        end as merged_into_id
    from settled

)

select
    legacy_id,
    twin_reason,
    merged_into_id
from decided
where twin_reason is not null
