{{ config(
    indexes=[
        {'columns': ['sku_id']},
        {'columns': ['status']},
        {'columns': ['received_date']},
    ],
) }}

with

all_lots as (

    select * from {{ ref('int_lots') }}

),

skus as (

    select * from {{ ref('skus') }}

),

numbered as (

    select
        row_number() over (order by skus.sku_code, all_lots.lot_number) as lot_id,
        all_lots.lot_number,
        skus.sku_id,
        all_lots.received_date,
        all_lots.initial_qty,
        all_lots.manual_adjustment,
        all_lots.status,
        all_lots.created_at
    from all_lots
    inner join skus on all_lots.sku_code = skus.sku_code
    where all_lots.left_out_because is null

),

final as (

    select
        lot_id,
        lot_number,
        sku_id,
        received_date,
        initial_qty,
        manual_adjustment,
        status,
        created_at
    from numbered
    order by lot_id

)

select * from final
