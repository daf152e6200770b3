{{ config(severity='warn') }}
select
    sku_code,
    count(*) as active_lots
from {{ ref('audit_lots') }}
where status = 'active' and left_out_because is null
group by sku_code
having count(*) > 1
