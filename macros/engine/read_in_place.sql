{#-
    Between `as` and the parenthesis of a CTE that is a big table: it is read where it is used, by
    its indexes. Without it SQLite and Postgres copy the table where the CTE, or another one that
    reads it, is used several times below.
-#}
{% macro read_in_place() -%}
    {{ return(adapter.dispatch('read_in_place', 'lotgate')()) }}
{%- endmacro %}

{#- sqlfluff's grammar of SQLite does not know the words: it looks at models without them. -#}
{% macro default__read_in_place() -%}
    {{ 'not materialized' if not var('without_cte_hints', false) }}
{%- endmacro %}

{#- Spark has no such words. -#}
{% macro spark__read_in_place() -%}
{%- endmacro %}
