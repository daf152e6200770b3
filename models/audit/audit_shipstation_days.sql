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

figures as (

    select
        ship_date,
        sku_code,
        legacy_units,
        0 as shipstation_units,
        candidate_units
    from balance
    where {{ is_real_day('ship_date') }}
    union all
    select
        ship_date,
        sku_code,
        0 as legacy_units,
        quantity as shipstation_units,
        0 as candidate_units
    from lines

),

days as (

    select
        ship_date,
        sku_code,
        sum(legacy_units) as legacy_units,
        sum(shipstation_units) as shipstation_units,
        sum(candidate_units) as candidate_units
    from figures
    group by ship_date, sku_code

),

final as (

    select
        ship_date,
        sku_code,
        legacy_units,
        shipstation_units,
        candidate_units
    from days
    where
        {{ is_day_covered('days.ship_date') }}
        and (legacy_units <> 0 or shipstation_units <> 0 or candidate_units <> 0)

)

select * from final
order by ship_date, sku_code
