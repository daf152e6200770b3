with recursive

period as (

    select * from {{ ref('report_period') }}

),

skus as (

    select * from {{ ref('skus') }}

),

balance as (

    select * from {{ ref('audit_unit_balance') }}

),

history as (

    select * from {{ ref('stg_legacy__weekly_shipped_history') }}

),

weeks as (

    select
        first_week_start as week_start,
        last_week_start,
        first_recorded_week_start
    from period
    where first_week_start <= last_week_start
    union all
    select
        {{ days_after('week_start', 7) }} as week_start,
        last_week_start,
        first_recorded_week_start
    from weeks
    where week_start < last_week_start

),

shipped as (

    select
        sku_code,
        {{ monday_of('ship_date') }} as week_start,
        sum(legacy_units) as legacy_units,
        sum(candidate_units) as candidate_units
    from balance
    where {{ is_real_day('ship_date') }}
    group by sku_code, {{ monday_of('ship_date') }}

),

-- of two rows for one week the older counts
stored as (

    select
        sku_code,
        start_date as week_start,
        quantity_shipped as stored_units,
        row_number() over (
            partition by sku_code, start_date order by history_id, quantity_shipped
        ) as place
    from history
    where
        start_date = {{ monday_of('start_date') }}
        and end_date = {{ days_after('start_date', 6) }}
        and quantity_shipped is not null

),

joined as (

    select
        skus.sku_code,
        weeks.week_start,
        {{ days_after('weeks.week_start', 6) }} as week_end,
        weeks.week_start >= weeks.first_recorded_week_start as is_recorded,
        coalesce(shipped.candidate_units, 0) as shipped_units,
        coalesce(shipped.legacy_units, 0) as legacy_units,
        stored.stored_units
    from weeks
    cross join skus
    left join shipped
        on skus.sku_code = shipped.sku_code and weeks.week_start = shipped.week_start
    left join stored
        on
            skus.sku_code = stored.sku_code
            and weeks.week_start = stored.week_start
            and stored.place = 1

),

final as (

    select
        sku_code,
        week_start,
        week_end,
        case when is_recorded then shipped_units else stored_units end as units,
        case
            when is_recorded then 'shipped_items'
            when stored_units is not null then 'weekly_shipped_history'
            else 'unknown'
        end as units_from,
        shipped_units,
        legacy_units,
        stored_units
    from joined

)

select * from final
order by sku_code, week_start
