{#- A day of the calendar written YYYY-MM-DD, years 0001 to 9999. -#}
{% macro is_real_day(text) -%}
    {{ return(adapter.dispatch('is_real_day', 'lotgate')(text)) }}
{%- endmacro %}

{% macro default__is_real_day(text) -%}
    (
        {{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' and {{ text }} >= '0001'
        and to_char(to_date({{ text }}, 'YYYY-MM-DD'), 'YYYY-MM-DD') = {{ text }}
    )
{%- endmacro %}

{#- date() alone leaves 2025-02-30 as it is; adding no days makes it the second of March. -#}
{% macro sqlite__is_real_day(text) -%}
    (
        {{ text }} glob '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'
        and {{ text }} >= '0001' and length(cast({{ text }} as blob)) = 10
        and date({{ text }}, '+0 days') = {{ text }}
    )
{%- endmacro %}
