{% macro position_of(needle, text) -%}
    {{ return(adapter.dispatch('position_of', 'lotgate')(needle, text)) }}
{%- endmacro %}

{% macro default__position_of(needle, text) -%}
    position({{ needle }} in {{ text }})
{%- endmacro %}

{% macro sqlite__position_of(needle, text) -%}
    instr({{ text }}, {{ needle }})
{%- endmacro %}
