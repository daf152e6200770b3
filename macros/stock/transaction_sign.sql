{#-
    What a type of stock movement does to the units on hand: 1, -1, or 0 for one that is counted
    elsewhere. Null for an unknown type, which is reported and never taken for nothing. This is the
    only place of the models where the types stand.
-#}
{% macro transaction_sign(transaction_type) -%}
    {#- what shipped is counted from shipped_items -#}
    {%- set signs = {
        'receive': 1, 'repack': 1, 'adjust up': 1, 'adjust down': -1, 'ship': 0,
    } -%}
    case {{ transaction_type }}
        {%- for type, sign in signs.items() %}
        when '{{ type }}' then {{ sign }}
        {%- endfor %}
    end
{%- endmacro %}
