{#-
    The demo's legacy tables and ShipStation answers stand in for a snapshot and evidence, so that
    dbt works by itself in a fresh clone. Where something real lies there, the demo's seed is left
    out instead of overwriting it.
-#}
{% materialization seed, adapter='sqlite' %}
    {{ return(seed_or_leave_out()) }}
{% endmaterialization %}

{% materialization seed, adapter='postgres' %}
    {{ return(seed_or_leave_out()) }}
{% endmaterialization %}

{% materialization seed, adapter='spark' %}
    {{ return(seed_or_leave_out()) }}
{% endmaterialization %}

{% macro seed_or_leave_out() -%}
    {%- set marker = config.get('meta', {}).get('left_out_beside') -%}
    {%- set real_data = real_data_beside(marker) if marker -%}
    {%- if real_data -%}
        {%- do log(
            'left out: ' ~ schema ~ ' holds real data (' ~ real_data ~ '), not the demo', info=True
        ) -%}
        {#- dbt looks at the seed's rows when it is done, and fails where there are none -#}
        {%- do store_result('agate_table', response='LEFT OUT', agate_table=load_agate_table()) -%}
        {% call noop_statement('main', 'LEFT OUT', 'LEFT OUT', 0) -%} select 1 {%- endcall %}
        {{ return({'relations': []}) }}
    {%- else -%}
        {{ return(dbt.materialization_seed_default()) }}
    {%- endif -%}
{%- endmacro %}

{#- The table that shows that this schema is no demo's; none where it is. -#}
{% macro real_data_beside(marker) -%}
    {{ return(adapter.dispatch('real_data_beside', 'lotgate')(marker)) }}
{%- endmacro %}

{#- A server's schema may be somebody's live one: what is there already is never written over. -#}
{% macro default__real_data_beside(marker) -%}
    {{ return(model['alias'] if load_relation(this) is not none) }}
{%- endmacro %}

{#- A snapshot and evidence have a marker table. -#}
{% macro sqlite__real_data_beside(marker) -%}
    {%- set relation = api.Relation.create(
        database=database, schema=schema, identifier=marker
    ) -%}
    {{ return(marker if load_relation(relation) is not none) }}
{%- endmacro %}
