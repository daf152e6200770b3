{#- Whole days from one real day to a later one. -#}
{% macro days_between(from_day, to_day) -%}
    {{ return(adapter.dispatch('days_between', 'lotgate')(from_day, to_day)) }}
{%- endmacro %}

{% macro default__days_between(from_day, to_day) -%}
    (cast({{ to_day }} as date) - cast({{ from_day }} as date))
{%- endmacro %}

{% macro sqlite__days_between(from_day, to_day) -%}
    cast(julianday({{ to_day }}) - julianday({{ from_day }}) as integer)
{%- endmacro %}
