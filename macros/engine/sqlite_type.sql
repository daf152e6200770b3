{% macro sqlite_type(data_type, default='raise') -%}
    {%- set known = {
        'string': 'text', 'text': 'text', 'varchar': 'text',
        'integer': 'integer', 'int': 'integer', 'bigint': 'integer', 'boolean': 'integer',
        'real': 'real', 'float': 'real', 'double': 'real',
        'blob': 'blob',
    } -%}
    {%- set word = (data_type or '') | lower | trim -%}
    {%- if word in known -%}
        {{ return(known[word]) }}
    {%- elif default == 'raise' -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: data_type '" ~ data_type ~ "' has no SQLite type; use one of "
            ~ known.keys() | join(', ')
        ) }}
    {%- else -%}
        {{ return(default) }}
    {%- endif -%}
{%- endmacro %}
