{#- The units of a row or line; null where the quantity is not a plausible positive number. -#}
{% macro plausible_units(quantity) -%}
    case when {{ quantity }} between 1 and {{ var('max_quantity') }} then {{ quantity }} end
{%- endmacro %}
