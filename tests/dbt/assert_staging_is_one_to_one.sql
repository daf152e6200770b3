{%- set pairs = {
    'stg_legacy__shipped_items': 'shipped_items',
    'stg_legacy__shipped_orders': 'shipped_orders',
    'stg_legacy__inventory_current': 'inventory_current',
    'stg_legacy__lot_inventory': 'lot_inventory',
    'stg_legacy__sku_lot': 'sku_lot',
    'stg_legacy__orders_inbox': 'orders_inbox',
    'stg_legacy__configuration_params': 'configuration_params',
    'stg_legacy__inventory_transactions': 'inventory_transactions',
    'stg_legacy__weekly_shipped_history': 'weekly_shipped_history',
} -%}
with

{% for model, table in pairs.items() -%}
{{ model }} as (

    select
        '{{ model }}' as model,
        (select count(*) from {{ ref(model) }}) as model_rows,
        (select count(*) from {{ source('legacy', table) }}) as table_rows

),

{% endfor -%}
compared as (

    {% for model in pairs -%}
    select * from {{ model }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select *
from compared
where model_rows <> table_rows
