{#-
    dbt's own way, but for what a column holds. A flag is 0 or 1 in the tables of every engine, so
    that models read it with `= 1`, while the query that makes it may have a boolean. Where there is
    a contract, the query's columns are cast to its types; the constraints check what arrives.
    Temporary tables are those of unit tests, which compare types as the query has them.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if temporary %}
    create temporary table {{ relation }} as (
        {{ sql }}
    );
    {%- elif not config.get('contract').enforced %}
    create table {{ relation }} as (
        {{ with_flags_as_integers(sql) }}
    );
    {%- else %}
    {%- do assert_contract_columns(sql) %}
    {%- set columns = stored_columns() %}
    {%- set constraints = adapter.render_raw_columns_constraints(raw_columns=columns)
        + adapter.render_raw_model_constraints(raw_constraints=model['constraints']) %}
    create table {{ relation }} (
        {{ constraints | join(',\n        ') }}
    );
    insert into {{ relation }} ({{ columns.keys() | join(', ') }})
    {{ with_contract_types(columns, sql) }};
    {%- for column in columns.values() if column.config.meta.autoincrement %}
    select setval(
        pg_get_serial_sequence('{{ relation }}', '{{ column.name }}'),
        greatest((select max({{ column.name }}) from {{ relation }}), 1)
    );
    {%- endfor %}
    {%- endif %}
{%- endmacro %}

{#- Spark has no constraint for a Parquet table: spark__persist_constraints asks afterwards. -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if temporary %}
    {{ create_temporary_view(relation, compiled_code) }}
    {%- elif not config.get('contract').enforced %}
    create table {{ relation }} using parquet as
    {{ with_flags_as_integers(compiled_code) }}
    {%- else %}
    {%- do assert_contract_columns(compiled_code) %}
    create table {{ relation }} using parquet as
    {{ with_contract_types(stored_columns(), compiled_code) }}
    {%- endif %}
{%- endmacro %}
