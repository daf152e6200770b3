{#- A number may be below zero; a text with a sign is no number. -#}
{% macro is_whole_number_type(value) -%}
    {{ return(adapter.dispatch('is_whole_number_type', 'lotgate')(value)) }}
{%- endmacro %}

{% macro default__is_whole_number_type(value) -%}
    (cast(pg_typeof({{ value }}) as text) in ('smallint', 'integer', 'bigint'))
{%- endmacro %}

{% macro spark__is_whole_number_type(value) -%}
    (typeof({{ value }}) in ('tinyint', 'smallint', 'int', 'bigint'))
{%- endmacro %}
