{{ config(severity='warn') }}
select
    legacy_id,
    order_number
from {{ ref('audit_row_ledger') }}
where evidence like 'no order number%'
