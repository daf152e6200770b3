{#- The Monday on or before a real day: weeks run from Monday to Sunday. -#}
{% macro monday_of(day) -%}
    {{ return(adapter.dispatch('monday_of', 'lotgate')(day)) }}
{%- endmacro %}

{% macro default__monday_of(day) -%}
    to_char(date_trunc('week', cast({{ day }} as date)), 'YYYY-MM-DD')
{%- endmacro %}

{#- `weekday 0` goes on to the next Sunday, and stays on one. -#}
{% macro sqlite__monday_of(day) -%}
    date({{ day }}, 'weekday 0', '-6 days')
{%- endmacro %}

{% macro spark__monday_of(day) -%}
    cast(cast(date_trunc('week', cast({{ day }} as date)) as date) as {{ dbt.type_string() }})
{%- endmacro %}
