{% macro with_contract_types(columns, sql) -%}
    select
        {%- for column in columns.values() %}
        cast({{ column.name }} as {{ column.data_type }}) as {{ column.name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ sql }}
    ) as model_query
{%- endmacro %}
