{#-
    'YYYY-MM-DD HH:MM:SS' in UTC of a day or a time in any of the legacy spellings, null for
    anything else. A time without a zone is UTC, a day is its midnight.
-#}
{% macro utc_time(text) -%}
    {{ return(adapter.dispatch('utc_time', 'lotgate')(text)) }}
{%- endmacro %}

{#- What may follow a day: a time, in the regular expressions that Postgres and Spark share. -#}
{% macro time_pattern(with_zone=false) -%}
    {%- set time = '[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?' -%}
    {%- set zone = ' ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' if with_zone else '' -%}
    '^{{ time }}{{ zone }}$'
{%- endmacro %}

{#- No text that the cast to a time would stop at may get there. -#}
{% macro default__utc_time(text) -%}
    {%- set trimmed = trim_blanks(as_text(text)) -%}
    case
        when not {{ is_real_day('substr(' ~ trimmed ~ ', 1, 10)') }} then null
        when length({{ trimmed }}) = 10 then {{ trimmed }} || ' 00:00:00'
        when substr({{ trimmed }}, 11) ~ {{ time_pattern() }}
            then to_char(cast({{ trimmed }} as timestamp), 'YYYY-MM-DD HH24:MI:SS')
        when substr({{ trimmed }}, 11) ~ {{ time_pattern(with_zone=true) }}
            then to_char(
                cast({{ trimmed }} as timestamptz) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'
            )
    end
{%- endmacro %}

{#-
    The two usual spellings first, which are cheap to read: to the second, and with microseconds in
    UTC. Parts of a second are left out, since SQLite would round them. SQLite's calendar is right
    from 1600 on (see is_real_day), once it has counted: without '+0 days' it gives 2025-02-30 back
    as it is.

    SQLite's datetime() would also take 'now', a Julian day number, '12:30', 24:00:00 and
    2025-02-30, and it wants a zone as '+00:00', where the legacy tables have '+00'.
-#}
{% macro sqlite__utc_time(text) -%}
    {%- set trimmed = trim_blanks(as_text(text)) -%}
    {%- set to_the_second = 'substr(' ~ trimmed ~ ', 1, 19)' -%}
    {%- set rest = 'substr(' ~ trimmed ~ ', 20)' -%}
    {%- set zone = 'ltrim(' ~ rest ~ ", '.0123456789')" -%}
    case
        when {{ text }} >= '1600'
            and (
                length({{ text }}) = 19
                or length({{ text }}) = 29
                and substr({{ text }}, 20) glob '.[0-9][0-9][0-9][0-9][0-9][0-9]+00'
            )
            and substr({{ text }}, 12, 2) < '24'
            and datetime(substr({{ text }}, 1, 19), '+0 days') = substr({{ text }}, 1, 19)
            then substr({{ text }}, 1, 19)
        when not {{ is_real_day('substr(' ~ trimmed ~ ', 1, 10)') }} then null
        when length({{ trimmed }}) = 10 then datetime({{ trimmed }})
        when not substr({{ trimmed }}, 11, 9) glob '[ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9]' then null
        when substr({{ trimmed }}, 12, 2) > '23' then null
        -- parts of a second are a dot and digits
        when {{ rest }} glob '[0-9]*' or {{ rest }} glob '.[^0-9]*' then null
        when {{ rest }} = '.' or {{ rest }} glob '.*.*' or {{ rest }} glob '*z' then null
        when {{ zone }} glob '*[+-][0-9][0-9]'
            then datetime({{ to_the_second }} || {{ zone }} || ':00')
        when {{ zone }} glob '*[+-][0-9][0-9][0-9][0-9]'
            then datetime(
                {{ to_the_second }} || substr({{ zone }}, 1, length({{ zone }}) - 2)
                || ':' || substr({{ zone }}, -2)
            )
        else datetime({{ to_the_second }} || {{ zone }})
    end
{%- endmacro %}

{% macro spark__utc_time(text) -%}
    {%- set trimmed = trim_blanks(as_text(text)) -%}
    case
        when not {{ is_real_day('substr(' ~ trimmed ~ ', 1, 10)') }} then null
        when length({{ trimmed }}) = 10 then {{ trimmed }} || ' 00:00:00'
        when substr({{ trimmed }}, 11) rlike {{ time_pattern() }}
            then date_format(
                cast({{ trimmed }} as timestamp_ntz), 'yyyy-MM-dd HH:mm:ss'
            )
        when substr({{ trimmed }}, 11) rlike {{ time_pattern(with_zone=true) }}
            then date_format(
                try_cast(
                    regexp_replace({{ trimmed }}, ' ?([+-][0-9]{2}):?([0-9]{2})$', '$1:$2')
                    as timestamp
                ),
                'yyyy-MM-dd HH:mm:ss'
            )
    end
{%- endmacro %}
