select
    row_number() over (order by sku) as sku_id,
    trim(sku) as sku_code,
    trim(product_name) as product_name
from {{ source('legacy', 'inventory_current') }}
