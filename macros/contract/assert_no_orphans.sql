{#- PRAGMA foreign_keys is ignored inside a transaction; the check over the whole table is not. -#}
{% macro assert_no_orphans(relation) -%}
    {%- set orphans = run_query(
        'select "parent", count(*) as n, min("rowid") as first_rowid from pragma_foreign_key_check('
        ~ "'" ~ relation.identifier ~ "', '" ~ relation.schema ~ "') group by 1"
    ) -%}
    {%- if orphans.rows | length > 0 -%}
        {{ exceptions.raise_compiler_error(
            "lotgate: " ~ relation.identifier ~ " breaks a foreign key: " ~ orphans.rows[0][1]
            ~ " row(s) without a parent in " ~ orphans.rows[0][0]
            ~ ", the first has rowid " ~ orphans.rows[0][2]
        ) }}
    {%- endif -%}
{%- endmacro %}
