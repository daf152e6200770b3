{#- A legacy product name that is blank, None or nan is no name. -#}
{% macro product_name_or_null(name) -%}
    case when lower({{ name }}) not in ('none', 'nan') then {{ name }} end
{%- endmacro %}
