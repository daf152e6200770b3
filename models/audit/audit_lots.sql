with

lots as (

    select * from {{ ref('int_lots') }}

),

final as (

    select
        sku_code,
        lot_number,
        status,
        is_in_lot_inventory,
        is_in_sku_lot,
        is_shipped,
        is_discovered,
        left_out_because
    from lots

)

select * from final
order by sku_code, lot_number
