with

items as {{ read_in_place() }} (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

shipment_items as (

    select * from {{ ref('stg_shipstation__shipment_items') }}

),

variants as (

    select * from {{ ref('stg_controls__sku_variants') }}

),

inventory as (

    select * from {{ ref('stg_legacy__inventory_current') }}

),

known_skus as (

    select distinct sku_code from inventory where sku_code is not null

),

-- a legacy table has millions of rows and a few hundred texts: each pair is read once
pairs as (

    select
        sku_lot,
        base_sku
    from items
    union
    select
        sku_text as sku_lot,
        '' as base_sku
    from shipment_items
    where sku_text is not null

),

texts as (

    select sku_lot as sku_text from pairs
    union
    select base_sku as sku_text from pairs

),

described as (

    select
        texts.sku_text,
        {{ describe_sku_text() }},
        known_skus.sku_code is not null as is_known_sku
    from texts
    left join variants on texts.sku_text = variants.raw_sku
    left join known_skus on texts.sku_text = known_skus.sku_code

),

paired as (

    select
        pairs.sku_lot,
        pairs.base_sku,
        upper_text.text_sku as sku_lot_sku,
        upper_text.text_lot as sku_lot_lot,
        base_text.text_sku as base_sku_sku,
        base_text.text_lot as base_sku_lot,
        case
            when pairs.sku_lot = '' and pairs.base_sku = '' then 'nothing'
            when pairs.sku_lot = '' and base_text.text_sku is null then 'nothing'
            when pairs.sku_lot = '' then 'base_sku alone'
            when upper_text.text_sku is null then 'nothing'
            when
                upper_text.text_lot is not null
                and (pairs.base_sku = '' or base_text.text_sku = upper_text.text_sku)
                then 'sku_lot'
            when upper_text.text_lot is not null then 'conflict'
            when pairs.base_sku = '' then 'sku_lot'
            when base_text.text_sku is null then 'conflict'
            when base_text.text_sku = upper_text.text_sku and base_text.text_lot is not null
                then 'base_sku alone'
            when base_text.text_sku = upper_text.text_sku then 'sku_lot'
            when upper_text.is_bare_number and not upper_text.is_known_sku then 'bare lot'
            else 'conflict'
        end as reading
    from pairs
    inner join described as upper_text on pairs.sku_lot = upper_text.sku_text
    inner join described as base_text on pairs.base_sku = base_text.sku_text

),

resolved as (

    select
        sku_lot,
        base_sku,
        reading,
        case reading
            when 'base_sku alone' then base_sku
            when 'bare lot' then base_sku_sku || ' - ' || sku_lot_sku
            else coalesce(nullif(sku_lot, ''), nullif(base_sku, ''))
        end as shipstation_sku_raw,
        case reading
            when 'sku_lot' then sku_lot_sku
            when 'base_sku alone' then base_sku_sku
            when 'bare lot' then base_sku_sku
        end as sku_code,
        case reading
            when 'sku_lot' then sku_lot_lot
            when 'base_sku alone' then base_sku_lot
            when 'bare lot' then sku_lot_sku
        end as lot_number
    from paired

),

judged as (

    select
        resolved.sku_lot,
        resolved.base_sku,
        resolved.shipstation_sku_raw,
        resolved.sku_code,
        resolved.lot_number,
        case
            when resolved.lot_number is null then 0
            when resolved.reading = 'base_sku alone' then 1
            else 2
        end as lot_position,
        case
            when resolved.reading = 'nothing' then 'unparseable_sku'
            when resolved.reading = 'conflict' then 'sku_conflict'
            when known_skus.sku_code is null then 'unknown_sku'
            when
                not {{ is_digits('resolved.lot_number') }}
                or length(resolved.lot_number) < {{ var('min_lot_digits') }}
                then 'implausible_lot'
        end as failure
    from resolved
    left join known_skus on resolved.sku_code = known_skus.sku_code

),

-- what could not be used is shown as it was written, not as it would have been put together
final as (

    select
        sku_lot,
        base_sku,
        case
            when failure is null then shipstation_sku_raw
            else coalesce(nullif(sku_lot, ''), nullif(base_sku, ''))
        end as shipstation_sku_raw,
        sku_code,
        lot_number,
        lot_position,
        failure
    from judged

)

select * from final
