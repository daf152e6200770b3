{#-
    The candidate can be built again at any time, so it needs no journal that survives a power
    failure, only one that can roll a failed statement back. The snapshot is only read. What a query
    sorts or holds goes to a temporary file where it outgrows the cache: in memory it would take
    gigabytes for a big database, and be no faster. Never used on a live database. PRAGMAs that a
    connection already has cost nothing; inside a transaction they would be ignored. dbt opens a
    connection for every node, and each statement takes it about a millisecond, so that a node that
    only reads sets what reading needs.
-#}
{% macro sqlite_prepare_connection(to_write=true) -%}
    {%- set reading = [
        'main.cache_size = -131072',
        'legacy.cache_size = -65536',
        'temp_store = file',
    ] -%}
    {%- set writing = [
        'main.journal_mode = memory',
        'main.synchronous = off',
        'failures.journal_mode = memory',
        'failures.synchronous = off',
        'foreign_keys = off',
    ] -%}
    {%- for setting in reading + (writing if to_write else []) -%}
        {%- do adapter.add_query('pragma ' ~ setting, auto_begin=False) -%}
    {%- endfor -%}
{%- endmacro %}
