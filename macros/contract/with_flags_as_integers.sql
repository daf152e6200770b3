{#- The query; where one of its columns is a boolean, as a 0 or 1. -#}
{% macro with_flags_as_integers(sql) -%}
    {%- set columns = get_column_schema_from_query(sql) -%}
    {%- set flags = [] -%}
    {%- for column in columns if column.dtype | lower == 'boolean' -%}
        {%- do flags.append(column.name) -%}
    {%- endfor -%}
    {%- if flags -%}
    select
        {%- for column in columns %}
        {% if column.name in flags -%}
        cast({{ column.name }} as integer) as {% endif -%}
        {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ sql }}
    ) as model_query
    {%- else -%}
    {{ sql }}
    {%- endif -%}
{%- endmacro %}
