{#-
    A test whose failures are stored writes a table for every test, most of them empty. Only those
    with rows stay: who opens the file sees what was found, and nothing else.
-#}
{% materialization test, adapter='sqlite' %}
    {%- if should_store_failures() -%}
        {%- do sqlite_prepare_connection() -%}
    {%- endif -%}
    {%- set done = dbt.materialization_test_default() -%}
    {%- if should_store_failures() -%}
        {%- set found = run_query('select 1 from ' ~ done.relations[0] ~ ' limit 1') -%}
        {%- if not found.rows -%}
            {%- do adapter.drop_relation(done.relations[0]) -%}
            {%- do adapter.commit() -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(done) }}
{% endmaterialization %}
