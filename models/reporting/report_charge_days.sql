with recursive

period as (

    select * from {{ ref('report_period') }}

),

orders as (

    select * from {{ ref('shipped_orders') }}

),

balance as (

    select * from {{ ref('audit_unit_balance') }}

),

stock as (

    select * from {{ ref('report_daily_stock') }}

),

skus as (

    select * from {{ ref('skus') }}

),

days as (

    select
        case
            when
                first_recorded_date
                < {{ days_after('as_of_date', -7 * var('report_weeks')) }}
                then {{ days_after('as_of_date', -7 * var('report_weeks')) }}
            else first_recorded_date
        end as charge_date,
        last_full_date
    from period
    where first_recorded_date <= last_full_date
    union all
    select
        {{ days_after('charge_date', 1) }} as charge_date,
        last_full_date
    from days
    where charge_date < last_full_date

),

-- an order is charged once, on the day of its header
daily_orders as (

    select
        ship_date,
        count(distinct order_number) as orders
    from orders
    group by ship_date

),

daily_units as (

    select
        ship_date,
        sum(candidate_units) as units
    from balance
    group by ship_date

),

daily_pallets as (

    select
        stock_date,
        sum(pallets) as pallets,
        count(pallets) as skus_counted
    from stock
    group by stock_date

),

sku_count as (

    select count(*) as skus
    from skus

),

joined as (

    select
        days.charge_date,
        coalesce(daily_orders.orders, 0) as orders,
        coalesce(daily_units.units, 0) as units,
        daily_pallets.pallets,
        sku_count.skus - coalesce(daily_pallets.skus_counted, 0) as skus_without_pallets
    from days
    cross join sku_count
    left join daily_orders on days.charge_date = daily_orders.ship_date
    left join daily_units on days.charge_date = daily_units.ship_date
    left join daily_pallets on days.charge_date = daily_pallets.stock_date

),

charged as (

    select
        charge_date,
        orders,
        units,
        pallets,
        skus_without_pallets,
        orders * {{ var('order_charge_cents') }} as order_cents,
        units * {{ var('unit_charge_cents') }} as unit_cents,
        pallets * {{ var('pallet_day_charge_cents') }} as pallet_cents
    from joined

),

final as (

    select
        charge_date,
        orders,
        units,
        pallets,
        skus_without_pallets,
        order_cents,
        unit_cents,
        pallet_cents,
        order_cents + unit_cents + pallet_cents as total_cents
    from charged

)

select * from final
order by charge_date
