{#- The variable report_date, checked; the empty text where it is not set. -#}
{% macro report_date() -%}
    {%- set text = var('report_date', '') | string | trim -%}
    {%- if text and not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text) -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: report_date '" ~ text ~ "' is no day; write it YYYY-MM-DD, or leave it empty."
        ) }}
    {%- endif -%}
    {%- if text -%}
        {#- raises for a day that the calendar does not have -#}
        {%- set checked = modules.datetime.date.fromisoformat(text) -%}
    {%- endif -%}
    {{ return(text) }}
{%- endmacro %}
