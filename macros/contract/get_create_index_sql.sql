{#-
    One entry of a model's `indexes` config: columns (names or expressions), unique, name.
    dbt-sqlite has no indexes of its own.
-#}
{% macro sqlite__get_create_index_sql(relation, index_dict) -%}
    {%- set unknown = index_dict.keys() | reject('in', ['columns', 'unique', 'name']) | list -%}
    {%- if unknown -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: an index of " ~ relation.identifier ~ " has unknown keys "
            ~ unknown | join(', ') ~ "; use columns, unique, name"
        ) }}
    {%- endif -%}
    {%- set name = index_dict.get('name')
        or 'idx_' ~ relation.identifier ~ '_' ~ index_dict['columns'] | join('_') -%}
    create {{ 'unique ' if index_dict.get('unique') }}index {{ relation.schema }}.{{ name }}
    on {{ relation.identifier }} ({{ index_dict['columns'] | join(', ') }})
{%- endmacro %}

{#-
    The adapter refuses a name: in Postgres an index's name is the schema's, and a table that is
    built again stands beside the old one for a moment. An UPSERT there finds the index by its
    columns.
-#}
{% macro postgres__get_create_index_sql(relation, index_dict) -%}
    {%- set index_config = adapter.parse_index({
        'columns': index_dict['columns'], 'unique': index_dict.get('unique', false),
    }) -%}
    create {{ 'unique ' if index_config.unique }}index "{{ index_config.render(relation) }}"
    on {{ relation }} ({{ index_config.columns | join(', ') }})
{%- endmacro %}
