{#- Whether two real days are no more than so many days apart. -#}
{% macro are_days_near(one_day, other_day, days) -%}
    {{ return(adapter.dispatch('are_days_near', 'lotgate')(one_day, other_day, days)) }}
{%- endmacro %}

{% macro default__are_days_near(one_day, other_day, days) -%}
    (abs(cast({{ one_day }} as date) - cast({{ other_day }} as date)) <= {{ days }})
{%- endmacro %}

{% macro sqlite__are_days_near(one_day, other_day, days) -%}
    (abs(julianday({{ one_day }}) - julianday({{ other_day }})) <= {{ days }})
{%- endmacro %}

{% macro spark__are_days_near(one_day, other_day, days) -%}
    (
        abs(datediff(cast({{ one_day }} as date), cast({{ other_day }} as date)))
        <= {{ days }}
    )
{%- endmacro %}
