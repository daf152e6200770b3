{#- Equality in which null equals null. -#}
{% macro is_same(left, right) -%}
    {{ return(adapter.dispatch('is_same', 'lotgate')(left, right)) }}
{%- endmacro %}

{% macro default__is_same(left, right) -%}
    ({{ left }} is not distinct from {{ right }})
{%- endmacro %}

{#- SQLite knows the standard's words since 3.39 only. -#}
{% macro sqlite__is_same(left, right) -%}
    ({{ left }} is {{ right }})
{%- endmacro %}
