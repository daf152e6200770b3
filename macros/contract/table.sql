{#-
    dbt-sqlite builds every table with CREATE TABLE AS, which knows no key, type or check, and only
    warns that a contract cannot be enforced. Here a table with an enforced contract is created from
    that contract as a STRICT table, filled, indexed and checked for orphans. All of it is one
    transaction, so a row that breaks a constraint leaves nothing behind.
-#}
{% materialization table, adapter='sqlite' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set old_relation = adapter.get_relation(
        database=database, schema=schema, identifier=model['alias']
    ) -%}
    {%- set has_contract = config.get('contract').enforced -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- do sqlite_prepare_connection() -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if old_relation is not none -%}
        {%- do adapter.drop_relation(old_relation) -%}
    {%- endif -%}

    {%- if has_contract -%}
        {%- do assert_contract_columns(sql) -%}
        {% call statement('create_from_contract') -%}
            {{ sqlite_contract_ddl(target_relation) }}
        {%- endcall %}
        {% call statement('main') -%}
            insert into {{ target_relation }} ({{ model['columns'].keys() | join(', ') }})
            select {{ model['columns'].keys() | join(', ') }}
            from (
                {{ sql }}
            )
        {%- endcall %}
    {%- else -%}
        {% call statement('main') -%}
            create table {{ target_relation }} as
            {{ sql }}
        {%- endcall %}
    {%- endif -%}

    {%- do create_indexes(target_relation) -%}
    {%- if has_contract -%}
        {%- do assert_no_orphans(target_relation) -%}
    {%- endif -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
