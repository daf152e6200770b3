{{ config(severity='warn') }}
select
    ship_date,
    sku_code,
    legacy_units,
    candidate_units,
    shipstation_units
from {{ ref('audit_shipstation_days') }}
where shipstation_units <> candidate_units
