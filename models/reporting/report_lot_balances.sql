with

lots as (

    select * from {{ ref('lots') }}

),

skus as (

    select * from {{ ref('skus') }}

),

items as (

    select * from {{ ref('shipped_items') }}

),

shipped as (

    select
        lot_id,
        sum(quantity_shipped) as shipped_units,
        sum(
            case
                when ship_date > '{{ var("stock_baseline_date") }}' then quantity_shipped else 0
            end
        ) as shipped_since_baseline,
        max(ship_date) as last_ship_date
    from items
    where lot_id is not null
    group by lot_id

),

counted as (

    select
        lots.lot_id,
        skus.sku_code,
        lots.lot_number,
        lots.status,
        lots.received_date,
        lots.initial_qty + coalesce(lots.manual_adjustment, 0) as available_units,
        coalesce(shipped.shipped_units, 0) as shipped_units,
        coalesce(shipped.shipped_since_baseline, 0) as shipped_since_baseline,
        shipped.last_ship_date
    from lots
    inner join skus on lots.sku_id = skus.sku_id
    left join shipped on lots.lot_id = shipped.lot_id

),

final as (

    select
        lot_id,
        sku_code,
        lot_number,
        status,
        received_date,
        available_units,
        shipped_units,
        shipped_since_baseline,
        available_units - shipped_since_baseline as left_units,
        case
            when available_units is null then 'unknown'
            when shipped_since_baseline > available_units then 'overdrawn'
            else 'covered'
        end as balance,
        last_ship_date
    from counted

)

select * from final
order by lot_id
