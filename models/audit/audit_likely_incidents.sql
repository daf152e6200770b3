with

items as (

    select * from {{ ref('int_shipped_items') }}

),

incidents as (

    select * from {{ ref('stg_controls__incidents') }}

),

late_items as (

    select
        ship_date,
        created_at,
        substr(created_at, 1, 10) as created_on,
        quantity_shipped
    from items
    where
        ship_date is not null
        and {{ is_days_later('ship_date', 'substr(created_at, 1, 10)', var('late_import_days')) }}

),

final as (

    select
        ship_date as wrong_ship_date,
        count(*) as rows_on_date,
        sum(quantity_shipped) as units_on_date,
        count(distinct created_on) as created_days,
        min(created_at) as created_from,
        max(created_at) as created_to,
        ship_date || ',,' || min(created_at) || ',' || max(created_at) || ',likely incident'
            as line_for_incidents_csv
    from late_items
    where ship_date not in (select incidents.wrong_ship_date from incidents)
    group by ship_date
    having count(distinct created_on) >= {{ var('likely_incident_created_days') }}

)

select * from final
order by wrong_ship_date
