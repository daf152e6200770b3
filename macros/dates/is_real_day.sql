{#- A day of the calendar written YYYY-MM-DD, years 0001 to 9999. -#}
{% macro is_real_day(text) -%}
    {{ return(adapter.dispatch('is_real_day', 'lotgate')(text)) }}
{%- endmacro %}

{#- A text that is no day must not reach a cast, so nothing is left to the order of `and`. -#}
{% macro default__is_real_day(text) -%}
    case
        when {{ text }} is null then null
        when
            length({{ text }}) = 10
            and substr({{ text }}, 1, 4) between '0001' and '9999'
            and translate({{ text }}, '0123456789', '') = '--'
            and substr({{ text }}, 5, 1) = '-' and substr({{ text }}, 8, 1) = '-'
            and substr({{ text }}, 6, 2) between '01' and '12'
            then substr({{ text }}, 9, 2) between '01' and case
                when substr({{ text }}, 6, 2) in ('04', '06', '09', '11') then '30'
                when substr({{ text }}, 6, 2) <> '02' then '31'
                when cast(substr({{ text }}, 1, 4) as integer) % 400 = 0 then '29'
                when cast(substr({{ text }}, 1, 4) as integer) % 100 = 0 then '28'
                when cast(substr({{ text }}, 1, 4) as integer) % 4 = 0 then '29'
                else '28'
            end
        else false
    end
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
