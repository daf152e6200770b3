select
    id,
    ship_date,
    order_number,
    total_items,
    shipstation_order_id,
    created_at
from {{ source('legacy', 'shipped_orders') }}
