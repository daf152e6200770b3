{#- SQLite takes any word for a type. One that it does not know has NUMERIC affinity, so that
    cast('A1' as string) is 0, and a unit test that compares 0 with 0 passes. Only the storage
    classes are cast to; a column without a known type is compared as it is. -#}
{% macro sqlite__safe_cast(field, type) -%}
    {%- set affinity = sqlite_type(type, none) -%}
    {%- if affinity -%} cast({{ field }} as {{ affinity }}) {%- else -%} {{ field }} {%- endif -%}
{%- endmacro %}
