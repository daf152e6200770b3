with

texts as (

    select distinct
        trim(substr(sku_lot, 1, instr(sku_lot, '-') - 1)) as sku_code,
        trim(substr(sku_lot, instr(sku_lot, '-') + 1)) as lot_number
    from {{ source('legacy', 'shipped_items') }}
    where instr(sku_lot, '-') > 1

)

select
    row_number() over (order by skus.sku_id, texts.lot_number) as lot_id,
    texts.lot_number,
    skus.sku_id
from texts
inner join {{ ref('skus') }} as skus on texts.sku_code = skus.sku_code
where texts.lot_number <> ''
