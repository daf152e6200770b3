{#-
    The candidate can be built again at any time, so it needs no journal that survives a power
    failure, only one that can roll a failed statement back. The snapshot is only read. What a query
    sorts or holds goes to a temporary file where it outgrows the cache: in memory it would take
    gigabytes for a big database, and be no faster. Never used on a live database. PRAGMAs that a
    connection already has cost nothing; inside a transaction they would be ignored.
-#}
{% macro sqlite_prepare_connection() -%}
    {%- for setting in [
        'main.journal_mode = memory',
        'main.synchronous = off',
        'failures.journal_mode = memory',
        'failures.synchronous = off',
        'main.cache_size = -131072',
        'legacy.cache_size = -65536',
        'temp_store = file',
        'foreign_keys = off',
    ] -%}
        {%- do adapter.add_query('pragma ' ~ setting, auto_begin=False) -%}
    {%- endfor -%}
{%- endmacro %}
