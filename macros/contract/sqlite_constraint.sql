{#- One dbt constraint as SQLite writes it, for a column, or for the table where column is none. -#}
{% macro sqlite_constraint(constraint, column) -%}
    {%- set columns = '(' ~ constraint.columns | join(', ') ~ ')' if not column else '' -%}
    {%- set expression = constraint.expression or '' -%}
    {%- if constraint.type == 'not_null' -%}
        {%- set words = 'not null' -%}
    {%- elif constraint.type == 'unique' -%}
        {%- set words = 'unique ' ~ columns -%}
    {%- elif constraint.type == 'primary_key' -%}
        {%- set meta = column.config.meta if column else {} -%}
        {%- set words = 'primary key ' ~ columns
            ~ ('autoincrement' if meta.get('autoincrement') else '') -%}
    {%- elif constraint.type == 'check' -%}
        {%- set words = 'check (' ~ expression ~ ')' -%}
    {%- elif constraint.type == 'foreign_key' -%}
        {#- SQLite's references never name a schema: parent and child share a file -#}
        {%- set parent = constraint.to.split('.')[-1] -%}
        {%- set words = ('foreign key ' ~ columns ~ ' ' if not column else '')
            ~ 'references ' ~ parent ~ ' (' ~ constraint.to_columns | join(', ') ~ ')' -%}
    {%- elif constraint.type == 'custom' -%}
        {%- set words = expression -%}
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: constraint type '" ~ constraint.type ~ "' of " ~ this.identifier
            ~ " is not supported; use check, custom, foreign_key, not_null, primary_key or unique"
        ) }}
    {%- endif -%}
    {%- if constraint.name -%}
        {%- set words = 'constraint ' ~ constraint.name ~ ' ' ~ words -%}
    {%- endif -%}
    {{ return(words | trim) }}
{%- endmacro %}
