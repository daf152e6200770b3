{#- SQLite's substr() and GLOB end at a NUL: a text with one looks like its beginning. -#}
{% macro has_nul(text) -%}
    {{ return(adapter.dispatch('has_nul', 'lotgate')(text)) }}
{%- endmacro %}

{#- Elsewhere a text cannot hold one. -#}
{% macro default__has_nul(text) -%}
    (1 = 0)
{%- endmacro %}

{% macro sqlite__has_nul(text) -%}
    (instr({{ text }}, char(0)) > 0)
{%- endmacro %}
