{% macro is_digits(text) -%}
    {{ return(adapter.dispatch('is_digits', 'lotgate')(text)) }}
{%- endmacro %}

{% macro default__is_digits(text) -%}
    ({{ text }} ~ '^[0-9]+$')
{%- endmacro %}

{#- GLOB stops at a NUL character, so that a text with one is ruled out first. -#}
{% macro sqlite__is_digits(text) -%}
    (
        {{ text }} <> '' and instr({{ text }}, char(0)) = 0
        and {{ text }} not glob '*[^0-9]*'
    )
{%- endmacro %}
