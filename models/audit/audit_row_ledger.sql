{{ config(
    indexes=[
        {'columns': ['legacy_id'], 'unique': true},
        {'columns': ['disposition', 'reason']},
    ],
) }}

with

legacy_items as (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

items as (

    select * from {{ ref('int_shipped_items') }}

),

target_items as (

    select * from {{ ref('int_shipped_items') }}

),

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

suspects as (

    select * from {{ ref('int_suspects') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

shipstation_texts as (

    select * from {{ ref('int_shipstation_texts') }}

),

claim_texts as (

    select
        legacy_id,
        'ShipStation has ' || sum(quantity) || ' on ' || min(ship_date)
        || case when min(is_exact) = 0 then ' (another quantity)' else '' end as claim_text
    from claims
    group by legacy_id

),

explained as (

    select
        legacy_items.legacy_id,
        legacy_items.legacy_ship_date as ship_date,
        legacy_items.legacy_base_sku as base_sku,
        legacy_items.legacy_sku_lot as sku_lot,
        legacy_items.legacy_quantity_shipped as quantity_shipped,
        legacy_items.legacy_order_number as order_number,
        legacy_items.legacy_created_at as created_at,
        items.sku_code,
        items.lot_number,
        items.quantity_shipped as units,
        outcomes.disposition,
        outcomes.reason,
        outcomes.base_reason,
        coalesce(
            nullif(
                substr(
                    case
                        when items.order_number is null then '; no order number'
                        else ''
                    end
                    || coalesce('; order date ' || items.order_date, '')
                    || case
                        when suspects.legacy_id is null then ''
                        else
                            case
                                when items.is_on_wrong_date = 1
                                    then '; on the wrong date of an incident'
                                else ''
                            end
                            || case
                                when suspects.is_created_in_window = 1
                                    then ', created inside its window'
                                else ''
                            end
                            || coalesce('; inbox says ' || suspects.inbox_status, '')
                            || case
                                when suspects.has_other_item_on_correct_date = 1
                                    then '; another row on ' || suspects.correct_ship_date
                                else ''
                            end
                            || case
                                when suspects.is_header_on_correct_date = 1
                                    then '; header on ' || suspects.correct_ship_date
                                else ''
                            end
                            || case
                                when suspects.is_known_to_shipstation = 1
                                    then '; ShipStation knows the order'
                                else ''
                            end
                    end
                    || coalesce('; ' || claim_texts.claim_text, '')
                    || case
                        when outcomes.disposition = 'merge'
                            then
                                '; the line is row ' || targets.legacy_id
                                || coalesce(' of ' || targets.ship_date, '')
                                || coalesce(
                                    ' (' || targets.quantity_shipped || ' x ' || targets.sku_code
                                    || coalesce(' - ' || targets.lot_number, '') || ')',
                                    ''
                                )
                                || case
                                    when targets.lot_number <> items.lot_number
                                        then
                                            '; lot conflict: ' || items.lot_number
                                            || ' here, ' || targets.lot_number || ' there'
                                    else ''
                                end
                                || case
                                    when targets.quantity_shipped <> items.quantity_shipped
                                        then
                                            '; units differ: ' || items.quantity_shipped
                                            || ' here, ' || targets.quantity_shipped || ' there'
                                    else ''
                                end
                        else ''
                    end
                    || coalesce(
                        '; ShipStation writes ' || shipstation_texts.shipstation_sku_raw, ''
                    )
                    || case
                        when outcomes.base_reason <> outcomes.reason
                            then '; without the decision: ' || outcomes.base_reason
                        else ''
                    end,
                    3
                ),
                ''
            ),
            case
                when outcomes.disposition = 'quarantine' then 'only the row itself'
                else 'nothing speaks against it'
            end
        ) as evidence,
        outcomes.merged_into_id,
        outcomes.new_ship_date,
        case
            when outcomes.disposition not in ('keep', 'redate') then null
            when shipstation_texts.legacy_id is null then items.lot_number
            else shipstation_texts.lot_number
        end as candidate_lot_number
    from legacy_items
    inner join items on legacy_items.legacy_id = items.legacy_id
    inner join outcomes on legacy_items.legacy_id = outcomes.legacy_id
    left join suspects on legacy_items.legacy_id = suspects.legacy_id
    left join shipstation_texts on legacy_items.legacy_id = shipstation_texts.legacy_id
    left join claim_texts on legacy_items.legacy_id = claim_texts.legacy_id
    left join target_items as targets on outcomes.merged_into_id = targets.legacy_id

),

final as (

    select
        legacy_id,
        ship_date,
        base_sku,
        sku_lot,
        quantity_shipped,
        order_number,
        created_at,
        sku_code,
        lot_number,
        units,
        disposition,
        reason,
        evidence,
        merged_into_id,
        new_ship_date,
        candidate_lot_number
    from explained

)

select * from final
