{#-
    The type that the engine stores a contract's type in: as wide as SQLite's, and a flag is a
    number everywhere.
-#}
{% macro stored_type(data_type) -%}
    {%- set is_flag = data_type | lower == 'boolean' -%}
    {{ return(stored_types()['flag' if is_flag else sqlite_type(data_type)]) }}
{%- endmacro %}

{% macro stored_types() -%}
    {{ return(adapter.dispatch('stored_types', 'lotgate')()) }}
{%- endmacro %}

{% macro default__stored_types() -%}
    {{ return({
        'text': 'text', 'integer': 'bigint', 'flag': 'integer',
        'real': 'double precision', 'blob': 'bytea',
    }) }}
{%- endmacro %}

{% macro spark__stored_types() -%}
    {{ return({
        'text': 'string', 'integer': 'bigint', 'flag': 'int',
        'real': 'double', 'blob': 'binary',
    }) }}
{%- endmacro %}
