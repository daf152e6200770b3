with

expected as (

    select * from {{ ref('stg_controls__expected_units') }}

),

days as (

    select * from {{ ref('audit_daily_units') }}

)

select
    expected.ship_date,
    expected.expected_units,
    coalesce(days.candidate_units, 0) as candidate_units
from expected
left join days on expected.ship_date = days.ship_date
where expected.expected_units <> coalesce(days.candidate_units, 0)
