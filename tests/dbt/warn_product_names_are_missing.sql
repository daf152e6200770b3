{{ config(severity='warn') }}
select
    sku_code,
    product_name
from {{ ref('skus') }}
where product_name = sku_code
