with

balance as (

    select * from {{ ref('audit_unit_balance') }}

),

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

fetches as (

    select * from {{ ref('stg_shipstation__fetches') }}

),

days as (

    select
        ship_date,
        sum(legacy_units) as legacy_units,
        sum(candidate_units) as candidate_units
    from balance
    group by ship_date

),

shipstation_days as (

    select
        ship_date,
        sum(quantity) as shipstation_units
    from lines
    group by ship_date

),

final as (

    select
        days.ship_date,
        days.legacy_units,
        days.candidate_units,
        case
            when {{ is_day_covered('days.ship_date') }}
                then coalesce(shipstation_days.shipstation_units, 0)
        end as shipstation_units
    from days
    left join shipstation_days on days.ship_date = shipstation_days.ship_date

)

select * from final
order by ship_date
