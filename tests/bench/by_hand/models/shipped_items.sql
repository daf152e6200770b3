with

items as (

    select
        *,
        case when trim(coalesce(sku_lot, '')) <> '' then trim(sku_lot) else trim(base_sku) end as raw
    from {{ source('legacy', 'shipped_items') }}

),

parsed as (

    select
        *,
        case when instr(raw, '-') > 1 then trim(substr(raw, 1, instr(raw, '-') - 1)) else raw end
            as sku_code,
        trim(substr(raw, instr(raw, '-') + 1)) as lot_number
    from items

)

select
    parsed.id,
    parsed.ship_date,
    parsed.raw as shipstation_sku_raw,
    skus.sku_id,
    lots.lot_id,
    parsed.quantity_shipped,
    parsed.order_number,
    parsed.tracking_number,
    parsed.created_at
from parsed
inner join {{ ref('skus') }} as skus on parsed.sku_code = skus.sku_code
left join {{ ref('lots') }} as lots
    on skus.sku_id = lots.sku_id and parsed.lot_number = lots.lot_number
where
    parsed.ship_date >= '0001'
    and length(cast(parsed.ship_date as blob)) = 10
    and date(parsed.ship_date, '+0 days') = parsed.ship_date
    and typeof(parsed.quantity_shipped) = 'integer'
    and parsed.quantity_shipped between 1 and 1000000
    and (
        parsed.order_number is null
        or parsed.order_number in (select order_number from {{ ref('shipped_orders') }})
    )
