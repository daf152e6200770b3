with

candidate_items as (

    select * from {{ ref('shipped_items') }}

),

skus as (

    select * from {{ ref('skus') }}

),

lots as (

    select * from {{ ref('lots') }}

),

texts as (

    select * from {{ ref('int_sku_texts') }}

),

spelled as (

    select
        shipstation_sku_raw,
        min(sku_code) as sku_code,
        min(coalesce(lot_number, '')) as lot_number,
        max(coalesce(lot_number, '')) as other_lot_number
    from texts
    where failure is null
    group by shipstation_sku_raw

)

select
    candidate_items.id,
    candidate_items.shipstation_sku_raw
from candidate_items
left join spelled on candidate_items.shipstation_sku_raw = spelled.shipstation_sku_raw
left join skus on candidate_items.sku_id = skus.sku_id
left join lots
    on candidate_items.lot_id = lots.lot_id and candidate_items.sku_id = lots.sku_id
where
    spelled.sku_code is null
    or spelled.sku_code <> skus.sku_code
    or coalesce(lots.lot_number, '') not in (spelled.lot_number, spelled.other_lot_number)
