with recursive

period as (

    select * from {{ ref('report_period') }}

),

skus as (

    select * from {{ ref('skus') }}

),

baselines as (

    select * from {{ ref('int_stock_baselines') }}

),

movements as (

    select * from {{ ref('int_stock_movements') }}

),

balance as (

    select * from {{ ref('audit_unit_balance') }}

),

first_days as (

    select
        as_of_date,
        case
            when
                {{ days_after('as_of_date', -7 * var('report_weeks')) }}
                > '{{ var("stock_baseline_date") }}'
                then {{ days_after('as_of_date', -7 * var('report_weeks')) }}
            else '{{ var("stock_baseline_date") }}'
        end as first_date
    from period

),

days as (

    select
        first_date as stock_date,
        as_of_date
    from first_days
    where first_date <= as_of_date
    union all
    select
        {{ days_after('stock_date', 1) }} as stock_date,
        as_of_date
    from days
    where stock_date < as_of_date

),

changes as (

    select
        sku_code,
        movement_date as change_date,
        moved_units,
        0 as shipped_units
    from movements
    where movement_date > '{{ var("stock_baseline_date") }}'
    union all
    select
        sku_code,
        ship_date as change_date,
        0 as moved_units,
        candidate_units as shipped_units
    from balance
    where ship_date > '{{ var("stock_baseline_date") }}' and {{ is_real_day('ship_date') }}

),

-- what happened before the first day counts on it
daily_changes as (

    select
        changes.sku_code,
        case
            when changes.change_date < first_days.first_date then first_days.first_date
            else changes.change_date
        end as stock_date,
        sum(changes.moved_units) as moved_units,
        sum(changes.shipped_units) as shipped_units
    from changes
    cross join first_days
    group by
        changes.sku_code,
        case
            when changes.change_date < first_days.first_date then first_days.first_date
            else changes.change_date
        end

),

running as (

    select
        skus.sku_code,
        days.stock_date,
        baselines.baseline_units,
        sum(coalesce(daily_changes.moved_units, 0)) over (
            partition by skus.sku_code order by days.stock_date
        ) as moved_units,
        sum(coalesce(daily_changes.shipped_units, 0)) over (
            partition by skus.sku_code order by days.stock_date
        ) as shipped_units,
        skus.pallet_count
    from days
    cross join skus
    inner join baselines on skus.sku_code = baselines.sku_code
    left join daily_changes
        on skus.sku_code = daily_changes.sku_code and days.stock_date = daily_changes.stock_date
    where baselines.baseline_units is not null

),

stock as (

    select
        sku_code,
        stock_date,
        baseline_units,
        moved_units,
        shipped_units,
        baseline_units + moved_units - shipped_units as on_hand_units,
        pallet_count
    from running

),

final as (

    select
        sku_code,
        stock_date,
        baseline_units,
        moved_units,
        shipped_units,
        on_hand_units,
        case
            when on_hand_units <= 0 then 0
            when pallet_count > 0
                then {{ whole_quotient('on_hand_units + pallet_count - 1', 'pallet_count') }}
        end as pallets
    from stock

)

select * from final
order by sku_code, stock_date
