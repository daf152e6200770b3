{#-
    As the adapter's, but for two things: one statement has no more values than SQLite takes by
    default (32,766), and what stands for a value is not asked for at every field of every row.
-#}
{% macro sqlite__load_csv_rows(model, agate_table) -%}
    {%- set columns = agate_table.column_names -%}
    {%- set names = get_seed_column_quoted_csv(model, columns) -%}
    {%- set into = 'insert into ' ~ this ~ ' (' ~ names ~ ') values ' -%}
    {%- set row_values = '(' ~ (['?'] * columns | length) | join(', ') ~ ')' -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(30000 // columns | length) -%}
        {%- set bindings = [] -%}
        {%- for row in chunk -%}
            {%- do bindings.extend(adapter.transform_seed_row(row)) -%}
        {%- endfor -%}
        {%- set sql = into ~ ([row_values] * chunk | length) | join(', ') -%}
        {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {#- dbt writes it beside the compiled files -#}
    {{ return(statements | first) }}
{%- endmacro %}
