{#- The variable report_date, checked; the empty text where it is not set. -#}
{% macro report_date() -%}
    {%- set text = var('report_date', '') | string | trim -%}
    {%- set year, month, day = (text[:4], text[5:7], text[8:]) -%}
    {%- set is_day = modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text)
        and '1970' <= year <= '9998' and '01' <= month <= '12' and '01' <= day
        and (day | int) <= [
            31, 29 if (year | int) % 4 == 0 and ((year | int) % 100 or (year | int) % 400 == 0) else 28,
            31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
        ][(month | int) - 1] -%}
    {%- if text and not is_day -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: report_date '" ~ text ~ "' is no day from 1970 to 9998;"
            ~ " write it YYYY-MM-DD, or leave it empty."
        ) }}
    {%- endif -%}
    {{ return(text) }}
{%- endmacro %}
