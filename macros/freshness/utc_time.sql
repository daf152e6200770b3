{#-
    'YYYY-MM-DD HH:MM:SS' in UTC of a day or a time in any of the legacy spellings, null for
    anything else. A time without a zone is UTC, a day is its midnight.
-#}
{% macro utc_time(text) -%}
    {{ return(adapter.dispatch('utc_time', 'lotgate')(text)) }}
{%- endmacro %}

{#- No text that the cast to a time would stop at may get there. -#}
{% macro default__utc_time(text) -%}
    {%- set trimmed = trim_blanks(as_text(text)) -%}
    {%- set time = '[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?' -%}
    {%- set zone = ' ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' -%}
    case
        when not {{ is_real_day('substr(' ~ trimmed ~ ', 1, 10)') }} then null
        when length({{ trimmed }}) = 10 then {{ trimmed }} || ' 00:00:00'
        when substr({{ trimmed }}, 11) ~ '^{{ time }}$'
            then to_char(cast({{ trimmed }} as timestamp), 'YYYY-MM-DD HH24:MI:SS')
        when substr({{ trimmed }}, 11) ~ '^{{ time }}{{ zone }}$'
            then to_char(
                cast({{ trimmed }} as timestamptz) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'
            )
    end
{%- endmacro %}

{#-
    The two usual spellings first, which are cheap to read: to the second, and with microseconds in
    UTC that do not round up. SQLite's calendar is right from 1600 on (see is_real_day), once it
    has counted: without '+0 days' it gives 2025-02-30 back as it is.

    SQLite's datetime() would also take 'now', a Julian day number, '12:30' and 2025-02-30, and it
    wants a zone as '+00:00', where the legacy tables have '+00'.
-#}
{% macro sqlite__utc_time(text) -%}
    {%- set trimmed = trim_blanks(as_text(text)) -%}
    case
        when {{ text }} >= '1600'
            and (
                length({{ text }}) = 19
                or length({{ text }}) = 29
                and substr({{ text }}, 20) glob '.[0-8][0-9][0-9][0-9][0-9][0-9]+00'
            )
            and datetime(substr({{ text }}, 1, 19), '+0 days') = substr({{ text }}, 1, 19)
            then substr({{ text }}, 1, 19)
        when not {{ is_real_day('substr(' ~ trimmed ~ ', 1, 10)') }} then null
        when length({{ trimmed }}) = 10 then datetime({{ trimmed }})
        when not substr({{ trimmed }}, 11, 9) glob '[ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9]' then null
        when {{ trimmed }} glob '*[+-][0-9][0-9]' then datetime({{ trimmed }} || ':00')
        when {{ trimmed }} glob '*[+-][0-9][0-9][0-9][0-9]'
            then datetime(
                substr({{ trimmed }}, 1, length({{ trimmed }}) - 2)
                || ':' || substr({{ trimmed }}, -2)
            )
        else datetime({{ trimmed }})
    end
{%- endmacro %}

{% macro spark__utc_time(text) -%}
    {%- set trimmed = trim_blanks(as_text(text)) -%}
    {%- set time = '[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?' -%}
    {%- set zone = ' ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' -%}
    case
        when not {{ is_real_day('substr(' ~ trimmed ~ ', 1, 10)') }} then null
        when length({{ trimmed }}) = 10 then {{ trimmed }} || ' 00:00:00'
        when substr({{ trimmed }}, 11) rlike '^{{ time }}$'
            then date_format(
                cast({{ trimmed }} as timestamp_ntz), 'yyyy-MM-dd HH:mm:ss'
            )
        when substr({{ trimmed }}, 11) rlike '^{{ time }}{{ zone }}$'
            then date_format(
                try_cast(
                    regexp_replace({{ trimmed }}, ' ?([+-][0-9]{2}):?([0-9]{2})$', '$1:$2')
                    as timestamp
                ),
                'yyyy-MM-dd HH:mm:ss'
            )
    end
{%- endmacro %}
