{% macro real_day(text) -%}
    case when {{ is_real_day(text) }} then {{ text }} end
{%- endmacro %}
