{{ config(severity='warn') }}
select
    ship_date,
    legacy_units,
    candidate_units,
    shipstation_units
from {{ ref('audit_daily_units') }}
where shipstation_units <> candidate_units
