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
        inventory.current_quantity as stored_on_hand,
        audited_stock.legacy_on_hand,
        inventory.weekly_avg_cents as stored_average
    from skus
    cross join period
    inner join averages on skus.sku_code = averages.sku_code
    left join stock
        on skus.sku_code = stock.sku_code and period.as_of_date = stock.stock_date
    left join uncounted on skus.sku_code = uncounted.sku_code
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
            else on_hand_units * 7 * weeks_known / known_units
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
