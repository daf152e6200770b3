{#-
    A test whose failures are stored would write a table for every test, most of them empty. Here
    the rows are counted first, and a table is made only where there are some: who opens the file
    sees what was found, and nothing else. Where failures are calculated otherwise (`fail_calc`),
    rows may be there without a failure, so that their table is made first and looked into.
-#}
{% materialization test, adapter='sqlite' %}
    {%- if not should_store_failures() -%}
        {{ return(dbt.materialization_test_default()) }}
    {%- endif -%}
    {%- if config.get('fail_calc') == 'count(*)' -%}
        {%- do sqlite_prepare_connection(to_write=false) -%}
        {% call statement('main', fetch_result=True, auto_begin=False) -%}
            {{ get_test_sql(
                get_limit_subquery_sql(sql, config.get('limit')),
                config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none
            ) }}
        {%- endcall %}
        {%- if not load_result('main')['table'].rows[0][0] -%}
            {%- set old_relation = adapter.get_relation(
                database=database, schema=schema, identifier=model['alias']
            ) -%}
            {%- if old_relation is not none -%}
                {%- do adapter.drop_relation(old_relation) -%}
            {%- endif -%}
            {{ return({'relations': []}) }}
        {%- endif -%}
        {%- do sqlite_prepare_connection() -%}
        {{ return(dbt.materialization_test_default()) }}
    {%- endif -%}

    {%- do sqlite_prepare_connection() -%}
    {%- set done = dbt.materialization_test_default() -%}
    {%- set found = run_query('select 1 from ' ~ done.relations[0] ~ ' limit 1') -%}
    {%- if not found.rows -%}
        {%- do adapter.drop_relation(done.relations[0]) -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
    {{ return(done) }}
{% endmaterialization %}
