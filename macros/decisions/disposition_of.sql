{#- The disposition that a reason code belongs to; `decided` belongs to the person's decision. -#}
{% macro disposition_of(reason) -%}
    {%- set reasons = {
        'keep': ['clean', 'late_import', 'unknown_to_shipstation'],
        'redate': ['shipstation_other_day', 'incident_correct_date'],
        'merge': ['respelled_twin', 'lotless_twin', 'lot_in_base_sku_twin'],
        'remove': ['cancelled_never_shipped', 'historical_resync'],
        'quarantine': [
            'unparseable_sku', 'sku_conflict', 'unknown_sku', 'implausible_lot',
            'invalid_ship_date', 'invalid_quantity', 'orphan_order',
            'quantity_conflict', 'unresolved_suspect',
        ],
    } -%}
    case
        {%- for disposition, codes in reasons.items() %}
        when {{ reason }} in ('{{ codes | join("', '") }}') then '{{ disposition }}'
        {%- endfor %}
    end
{%- endmacro %}
