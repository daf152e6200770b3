{#-
    Between `as` and the parenthesis of a CTE whose columns are dear to compute and used several
    times below: without it SQLite and Postgres may compute them at each use.
-#}
{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once', 'lotgate')()) }}
{%- endmacro %}

{#- sqlfluff's grammar of SQLite does not know the word, so that it looks at models without it. -#}
{% macro default__computed_once() -%}
    {{ 'materialized' if not var('without_cte_hints', false) }}
{%- endmacro %}

{#- Spark has no such word. -#}
{% macro spark__computed_once() -%}
{%- endmacro %}
