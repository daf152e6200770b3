{#-
    The demo's legacy tables and ShipStation answers stand in for a snapshot and evidence, so that
    dbt works by itself in a fresh clone. Where a real snapshot or real evidence lies in that file,
    told by its marker table, the demo's seed is left out instead of overwriting it.
-#}
{% materialization seed, adapter='sqlite' %}
    {%- set marker = config.get('meta', {}).get('left_out_beside') -%}
    {%- if marker and load_relation(
        api.Relation.create(database=database, schema=schema, identifier=marker)
    ) is not none -%}
        {%- do log(
            'left out: ' ~ schema ~ ' holds real data (' ~ marker ~ '), not the demo', info=True
        ) -%}
        {#- dbt looks at the seed's rows when it is done, and fails where there are none -#}
        {%- do store_result('agate_table', response='LEFT OUT', agate_table=load_agate_table()) -%}
        {% call noop_statement('main', 'LEFT OUT', 'LEFT OUT', 0) -%} select 1 {%- endcall %}
        {{ return({'relations': []}) }}
    {%- else -%}
        {{ return(dbt.materialization_seed_default()) }}
    {%- endif -%}
{% endmaterialization %}
