{#- The day that is so many days after a real day; before it, where the number is negative. -#}
{% macro days_after(day, days) -%}
    {{ return(adapter.dispatch('days_after', 'lotgate')(day, days)) }}
{%- endmacro %}

{% macro default__days_after(day, days) -%}
    to_char(cast({{ day }} as date) + {{ days }}, 'YYYY-MM-DD')
{%- endmacro %}

{% macro sqlite__days_after(day, days) -%}
    date({{ day }}, '{{ '%+d' | format(days) }} days')
{%- endmacro %}

{% macro spark__days_after(day, days) -%}
    cast(date_add(cast({{ day }} as date), {{ days }}) as {{ dbt.type_string() }})
{%- endmacro %}
