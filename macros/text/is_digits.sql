{% macro is_digits(text) -%}
    {{ return(adapter.dispatch('is_digits', 'lotgate')(text)) }}
{%- endmacro %}

{% macro default__is_digits(text) -%}
    ({{ text }} <> '' and translate({{ text }}, '0123456789', '') = '')
{%- endmacro %}

{% macro sqlite__is_digits(text) -%}
    (
        {{ text }} <> '' and not {{ has_nul(text) }}
        and {{ text }} not glob '*[^0-9]*'
    )
{%- endmacro %}
