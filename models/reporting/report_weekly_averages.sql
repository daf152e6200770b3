with

period as (

    select * from {{ ref('report_period') }}

),

skus as (

    select * from {{ ref('skus') }}

),

weeks as (

    select * from {{ ref('report_weekly_shipped') }}

),

sums as (

    select
        weeks.sku_code,
        count(weeks.units) as weeks_known,
        sum(weeks.units) as known_units,
        sum(case when weeks.week_start = period.last_week_start then weeks.units end)
            as last_week_units
    from weeks
    inner join period
        on
            weeks.week_start
            > {{ days_after('period.last_week_start', -7 * var('average_weeks')) }}
    group by weeks.sku_code

),

final as (

    select
        skus.sku_code,
        coalesce(sums.weeks_known, 0) as weeks_known,
        coalesce(sums.known_units, 0) as known_units,
        sums.last_week_units,
        -- whole numbers, rounded half up: the same on every engine
        case
            when sums.weeks_known > 0
                then {{ whole_quotient(
                    '200 * sums.known_units + sums.weeks_known', '2 * sums.weeks_known'
                ) }}
        end as average_hundredths
    from skus
    left join sums on skus.sku_code = sums.sku_code

)

select * from final
order by sku_code
