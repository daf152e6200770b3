{{ config(severity='warn') }}
select
    legacy_id,
    ship_date
from {{ ref('audit_row_ledger') }}
where reason = 'unknown_to_shipstation'
