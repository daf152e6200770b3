{#- Whether a text is a real day at least so many days after another, which is a real day. -#}
{% macro is_days_later(from_day, text, days) -%}
    {{ return(adapter.dispatch('is_days_later', 'lotgate')(from_day, text, days)) }}
{%- endmacro %}

{% macro default__is_days_later(from_day, text, days) -%}
    ({{ text }} >= {{ days_after(from_day, days) }} and {{ is_real_day(text) }})
{%- endmacro %}

{#- Texts of real days compare like the days; the dear check of the calendar comes last. -#}
{% macro sqlite__is_days_later(from_day, text, days) -%}
    ({{ text }} >= date({{ from_day }}, '+{{ days }} days') and {{ is_real_day(text) }})
{%- endmacro %}
