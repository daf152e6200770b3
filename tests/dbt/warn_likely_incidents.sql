{{ config(severity='warn') }}
select
    wrong_ship_date,
    line_for_incidents_csv
from {{ ref('audit_likely_incidents') }}
