{#- The types of a seed's YAML are those of SQLite and Postgres; Spark has other words for them. -#}
{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- for name, type in types.items() -%}
        {%- do types.update({name: stored_type(type)}) -%}
    {%- endfor -%}
    {{ return(dbt.spark__create_csv_table(model, agate_table)) }}
{%- endmacro %}

{#- A session has no parameters, and the adapter puts texts between quotes as they stand. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set sql -%}
        insert into {{ this }} values
        {% for row in agate_table.rows -%}
            (
            {%- for name in agate_table.column_names -%}
                {%- set text = row[name] | string | replace('\\', '\\\\') | replace("'", "\\'") -%}
                cast({{ 'null' if row[name] is none else "'" ~ text ~ "'" }} as {{ types[name] }})
                {{- ', ' if not loop.last }}
            {%- endfor -%}
            ){{ ', ' if not loop.last }}
        {% endfor %}
    {%- endset -%}
    {%- if agate_table.rows -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}
