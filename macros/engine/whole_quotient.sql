{#- The quotient of two whole numbers without its fraction; a sum may be of another type. -#}
{% macro whole_quotient(number, divisor) -%}
    {{ return(adapter.dispatch('whole_quotient', 'lotgate')(number, divisor)) }}
{%- endmacro %}

{% macro default__whole_quotient(number, divisor) -%}
    div({{ number }}, {{ divisor }})
{%- endmacro %}

{% macro sqlite__whole_quotient(number, divisor) -%}
    ({{ number }}) / ({{ divisor }})
{%- endmacro %}

{% macro spark__whole_quotient(number, divisor) -%}
    ({{ number }}) div ({{ divisor }})
{%- endmacro %}
