{#- a time further than this from every shipment is taken for a wrong one -#}
{%- set near_days = 45 -%}
{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

shipped_items as (

    select * from {{ ref('shipped_items') }}

),

timed_items as (

    select * from {{ ref('shipped_items') }}

),

inventory as (

    select * from {{ ref('stg_legacy__inventory_current') }}

),

history as (

    select * from {{ ref('stg_legacy__weekly_shipped_history') }}

),

-- What is no time sorts after the digits (nan, None). Recovered lines say when a label was made,
-- and nothing about when the records began.
days as (

    select
        ship_date,
        substr(min(created_at), 1, 10) as first_created_on
    from shipped_items
    where shipstation_shipment_id is null
    group by ship_date

),

times as (

    -- read one by one: as texts, times with and without a zone do not compare
    select {{ utc_time('created_at') }} as known_at
    from timed_items
    where shipstation_shipment_id is null
    union all
    select {{ utc_time('last_updated') }} as known_at
    from inventory

),

-- few lines, since the shipments near each are looked for
time_days as (

    select
        substr(known_at, 1, 10) as known_on,
        max(known_at) as known_at
    from times
    where known_at >= '1970-01-01' and known_at < '9999-01-01'
    group by substr(known_at, 1, 10)

),

-- other days have no neighbours, or none within the calendar
ship_days as (

    select
        ship_date,
        {{ days_after('ship_date', -near_days) }} as first_near_date,
        {{ days_after('ship_date', near_days) }} as last_near_date
    from days
    where ship_date >= '1970-01-01' and ship_date < '9999-01-01'

),

newest as (

    select max(known_at) as known_at
    from time_days
    where
        not exists (select 1 from ship_days)
        or exists (
            select 1
            from ship_days
            where
                time_days.known_on >= ship_days.first_near_date
                and time_days.known_on <= ship_days.last_near_date
        )

),

newest_shipment as (

    select max(ship_date) as ship_date
    from ship_days

),

-- Times are UTC, 7 or 8 hours ahead of the Pacific days on which ShipStation ships.
known as (

    select
        case
            when substr(newest.known_at, 12, 5) >= '08:00' then substr(newest.known_at, 1, 10)
            when newest.known_at is not null
                then {{ days_after('substr(newest.known_at, 1, 10)', -1) }}
            else newest_shipment.ship_date
        end as last_known_date
    from newest
    cross join newest_shipment

),

moment as (

    select
        last_known_date,
        {{ "'" ~ report_date() ~ "'" if report_date() else 'last_known_date' }} as as_of_date,
        {{ "'" ~ report_date() ~ "'" if report_date() else days_after('last_known_date', -1) }}
            as last_full_date
    from known

),

weeks as (

    select
        moment.as_of_date,
        moment.last_full_date,
        moment.last_known_date,
        {{ days_after(monday_of(days_after('moment.last_full_date', 1)), -7) }} as last_week_start
    from moment
    where moment.as_of_date is not null and moment.last_full_date is not null

),

bounds as (

    select
        weeks.*,
        {{ days_after('weeks.last_week_start', -7 * (var('report_weeks') - 1)) }}
            as earliest_week_start
    from weeks

),

-- A day whose earliest row was created long after it is only known from late imports.
recorded as (

    select
        bounds.as_of_date,
        min(days.ship_date) as first_recorded_date
    from bounds
    inner join days on days.ship_date <= bounds.as_of_date
    where
        {{ is_days_later('days.ship_date', 'days.first_created_on', var('late_import_days')) }}
        is not true
    group by bounds.as_of_date

),

stored as (

    select
        bounds.as_of_date,
        min(history.start_date) as first_stored_week_start
    from bounds
    inner join history
        on
            history.start_date <= bounds.last_week_start
            and history.start_date >= bounds.earliest_week_start
    where
        history.start_date = {{ monday_of('history.start_date') }}
        and history.end_date = {{ days_after('history.start_date', 6) }}
        and history.quantity_shipped is not null
    group by bounds.as_of_date

),

begun as (

    select
        bounds.as_of_date,
        bounds.last_full_date,
        bounds.last_known_date,
        bounds.last_week_start,
        bounds.earliest_week_start,
        recorded.first_recorded_date,
        {{ monday_of(days_after('recorded.first_recorded_date', 6)) }} as first_recorded_week_start,
        stored.first_stored_week_start
    from bounds
    left join recorded on bounds.as_of_date = recorded.as_of_date
    left join stored on bounds.as_of_date = stored.as_of_date

),

final as (

    select
        as_of_date,
        last_full_date,
        last_week_start,
        first_recorded_date,
        first_recorded_week_start,
        case
            when first_recorded_week_start > last_week_start then first_stored_week_start
            when first_stored_week_start < first_recorded_week_start then first_stored_week_start
            when first_recorded_week_start < earliest_week_start then earliest_week_start
            else coalesce(first_recorded_week_start, first_stored_week_start)
        end as first_week_start,
        last_known_date,
        {{ var('average_weeks') }} as average_weeks
    from begun

)

select * from final
