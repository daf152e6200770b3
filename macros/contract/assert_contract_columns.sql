{#- The model's query and its contract must have the same columns; types are STRICT's to check. -#}
{% macro assert_contract_columns(sql) -%}
    {%- set in_query = get_columns_in_query(sql) | map('lower') | list -%}
    {%- set in_contract = model['columns'].keys() | map('lower') | list -%}
    {%- set missing = in_contract | reject('in', in_query) | list -%}
    {%- set unknown = in_query | reject('in', in_contract) | list -%}
    {%- if missing or unknown -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: " ~ this.identifier ~ " does not match its contract."
            ~ (" Only in the contract: " ~ missing | join(', ') ~ "." if missing else "")
            ~ (" Only in the query: " ~ unknown | join(', ') ~ "." if unknown else "")
        ) }}
    {%- endif -%}
{%- endmacro %}
