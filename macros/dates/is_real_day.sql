{#- A day of the calendar written YYYY-MM-DD, years 0001 to 9999. -#}
{% macro is_real_day(text) -%}
    {{ return(adapter.dispatch('is_real_day', 'lotgate')(text)) }}
{%- endmacro %}

{% macro default__is_real_day(text) -%}
    (
        {{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' and {{ text }} >= '0001'
        and to_char(to_date({{ text }}, 'YYYY-MM-DD'), 'YYYY-MM-DD') = {{ text }}
    )
{%- endmacro %}

{#- The calendar by hand: SQLite's date() takes 0300-02-29 for a day, and not 0300-03-01. -#}
{% macro sqlite__is_real_day(text) -%}
    (
        {{ text }} glob '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'
        and {{ text }} >= '0001' and length(cast({{ text }} as blob)) = 10
        and substr({{ text }}, 6, 2) between '01' and '12'
        and substr({{ text }}, 9, 2) between '01' and case
            when substr({{ text }}, 9, 2) <= '28' then '28'
            when substr({{ text }}, 6, 2) in ('04', '06', '09', '11') then '30'
            when substr({{ text }}, 6, 2) <> '02' then '31'
            when substr({{ text }}, 1, 4) % 400 = 0 then '29'
            when substr({{ text }}, 1, 4) % 100 = 0 then '28'
            when substr({{ text }}, 1, 4) % 4 = 0 then '29'
            else '28'
        end
    )
{%- endmacro %}
