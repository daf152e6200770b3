{% macro null_if_blank(text) -%}
    nullif({{ trim_blanks(as_text(text)) }}, '')
{%- endmacro %}
