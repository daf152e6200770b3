with

period as (

    select * from {{ ref('report_period') }}

),

skus as (

    select * from {{ ref('skus') }}

),

averages as (

    select * from {{ ref('report_weekly_averages') }}

),

stock as (

    select * from {{ ref('report_daily_stock') }}

),

transactions as (

    select * from {{ ref('stg_legacy__inventory_transactions') }}

),

inventory as (

    select * from {{ ref('stg_legacy__inventory_current') }}

),

audited_stock as (

    select * from {{ ref('audit_stock') }}

),

-- a movement that nobody can count is said, and not taken for none
uncounted as (

    select
        sku_code,
        count(*) as uncounted_movements
    from transactions
    where
        {{ transaction_sign('transaction_type') }} is null
        or transaction_date is null
        or quantity is null
    group by sku_code

),

movements as (

    select * from {{ ref('int_stock_movements') }}

),

balance as (

    select * from {{ ref('audit_unit_balance') }}

),

-- what is dated after the report's day is not in its stock; it is said, and not dropped silently
moved_later as (

    select
        movements.sku_code,
        sum(movements.moved_units) as moved_units
    from movements
    inner join period on movements.movement_date > period.as_of_date
    group by movements.sku_code

),

counted_later as (

    select
        transactions.sku_code,
        count(*) as later_movements
    from transactions
    inner join period on transactions.transaction_date > period.as_of_date
    where
        {{ transaction_sign('transactions.transaction_type') }} <> 0
        and transactions.quantity is not null
    group by transactions.sku_code

),

shipped_later as (

    select
        balance.sku_code,
        sum(balance.legacy_units) as legacy_units,
        sum(balance.candidate_units) as candidate_units
    from balance
    inner join period on balance.ship_date > period.as_of_date
    where {{ is_real_day('balance.ship_date') }}
    group by balance.sku_code

),

joined as (

    select
        skus.sku_code,
        period.as_of_date,
        skus.pallet_count,
        skus.reorder_point,
        averages.last_week_units,
        averages.weeks_known,
        averages.known_units,
        averages.average_hundredths,
        stock.on_hand_units,
        stock.pallets,
        coalesce(uncounted.uncounted_movements, 0) as uncounted_movements,
        coalesce(counted_later.later_movements, 0) as later_movements,
        coalesce(shipped_later.candidate_units, 0) as later_shipped_units,
        inventory.current_quantity as stored_on_hand,
        -- the audit's stock has no day; taken back to that of the report
        case
            when stock.on_hand_units is not null
                then
                    audited_stock.legacy_on_hand
                    - coalesce(moved_later.moved_units, 0)
                    + coalesce(shipped_later.legacy_units, 0)
        end as legacy_on_hand,
        inventory.weekly_avg_cents as stored_average
    from skus
    cross join period
    inner join averages on skus.sku_code = averages.sku_code
    left join stock
        on skus.sku_code = stock.sku_code and period.as_of_date = stock.stock_date
    left join uncounted on skus.sku_code = uncounted.sku_code
    left join moved_later on skus.sku_code = moved_later.sku_code
    left join counted_later on skus.sku_code = counted_later.sku_code
    left join shipped_later on skus.sku_code = shipped_later.sku_code
    left join inventory on skus.sku_code = inventory.sku_code
    left join audited_stock
        on skus.sku_code = audited_stock.sku_code and audited_stock.as_of_date = ''

),

final as (

    select
        sku_code,
        as_of_date,
        last_week_units,
        weeks_known,
        average_hundredths,
        on_hand_units,
        case
            when known_units <= 0 then null
            when on_hand_units <= 0 then 0
            -- on-hand / (units / weeks / 7)
            else {{ whole_quotient('on_hand_units * 7 * weeks_known', 'known_units') }}
        end as days_left,
        pallet_count,
        pallets,
        reorder_point,
        case
            when on_hand_units <= 0 then 'critical'
            when on_hand_units <= reorder_point then 'low'
            when on_hand_units is not null then 'normal'
        end as alert_level,
        uncounted_movements,
        later_movements,
        later_shipped_units,
        stored_on_hand,
        legacy_on_hand,
        stored_average,
        case
            when abs(100 * stored_average - average_hundredths) <= 100 then 'units'
            when abs(stored_average - average_hundredths) <= 100 then 'hundredths'
        end as stored_average_unit
    from joined

)

select * from final
order by sku_code
