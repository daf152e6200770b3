{#-
    `dbt source freshness` asks for the last time that something was written. SQLite has no type for
    a time: texts of several spellings would be compared as texts, and any word comes after every
    digit. So only what is a time counts, as UTC; dbt takes null for "never".

    A time more than a day ahead of the clock is none: a day, since a local time without a zone may
    be up to 14 hours ahead of UTC.
-#}
{% macro sqlite__collect_freshness(source, loaded_at_field, filter) -%}
    {% call statement('collect_freshness', fetch_result=True, auto_begin=False) -%}
        select
            max(loaded_at) as max_loaded_at,
            datetime('now') as snapshotted_at
        from (
            select {{ utc_time(loaded_at_field) }} as loaded_at
            from {{ source.include(database=False) }}
            {% if filter -%}
            where {{ filter }}
            {%- endif %}
        )
        where loaded_at between '0001' and datetime('now', '+1 day')
    {%- endcall %}
    {#- SQLite gives texts, and dbt takes a text for a text: it wants to be given the times -#}
    {%- set result = load_result('collect_freshness') -%}
    {%- set times = [] -%}
    {%- for text in result.table.rows[0] -%}
        {%- do times.append(
            modules.datetime.datetime.fromisoformat(text) if text is not none else none
        ) -%}
    {%- endfor -%}
    {%- do result.update({'table': [times]}) -%}
    {{ return(result) }}
{%- endmacro %}
