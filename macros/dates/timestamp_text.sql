{#- 'YYYY-MM-DD HH:MM:SS' of a legacy time text, which may have microseconds, a zone or a T. -#}
{% macro timestamp_text(text) -%}
    replace(substr({{ trim_blanks(as_text(text)) }}, 1, 19), 'T', ' ')
{%- endmacro %}
