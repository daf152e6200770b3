{{ config(severity='warn') }}
select
    sku_code,
    lot_number,
    status
from {{ ref('audit_lots') }}
where is_discovered = 1 and left_out_because is null
