{#- The variable report_date, checked; the empty text where it is not set. -#}
{% macro report_date() -%}
    {%- set text = var('report_date', '') | string | trim -%}
    {#- a day that the month does not have leads into another month -#}
    {%- set is_day = modules.re.fullmatch('[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}', text)
        and '1970' <= text[:4] <= '9998'
        and (
            modules.datetime.date(text[:4] | int, text[5:7] | int, 1)
            + modules.datetime.timedelta(days=(text[8:] | int) - 1)
        ).isoformat() == text -%}
    {%- if text and not is_day -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: report_date '" ~ text ~ "' is no day from 1970 to 9998;"
            ~ " write it YYYY-MM-DD, or leave it empty."
        ) }}
    {%- endif -%}
    {{ return(text) }}
{%- endmacro %}
