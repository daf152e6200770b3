{#- Nearly every stored text is a day as it stands; only the others are trimmed. -#}
{% macro stored_day(value) -%}
    coalesce(
        {{ real_day(as_text(value)) }},
        {{ real_day(trim_blanks(as_text(value))) }}
    )
{%- endmacro %}
