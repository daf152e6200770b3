{#- CREATE TABLE from the contract in the model's YAML: types, constraints, STRICT. -#}
{% macro sqlite_contract_ddl(relation) -%}
    {%- set lines = [] -%}
    {%- for column in model['columns'].values() -%}
        {%- set parts = [column.name, sqlite_type(column.data_type)] -%}
        {%- for constraint in column.constraints -%}
            {%- do parts.append(sqlite_constraint(constraint, column)) -%}
        {%- endfor -%}
        {%- do lines.append(parts | join(' ')) -%}
    {%- endfor -%}
    {%- for constraint in model['constraints'] -%}
        {%- do lines.append(sqlite_constraint(constraint, none)) -%}
    {%- endfor -%}
    create table {{ relation }} (
        {{ lines | join(',\n        ') }}
    ) strict
{%- endmacro %}
