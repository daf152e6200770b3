{#- The expression of a unique index and of the UPSERT that names it must be the same words. -#}
{% macro null_as_zero(column) -%}
    {{ return(adapter.dispatch('null_as_zero', 'lotgate')(column)) }}
{%- endmacro %}

{% macro default__null_as_zero(column) -%}
    coalesce({{ column }}, 0)
{%- endmacro %}

{% macro sqlite__null_as_zero(column) -%}
    ifnull({{ column }}, 0)
{%- endmacro %}
