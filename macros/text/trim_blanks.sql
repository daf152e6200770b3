{#- The blanks of docs/rules.md section 1: Unicode's White_Space and U+FEFF. -#}
{% macro trim_blanks(text) -%}
    {{ return(adapter.dispatch('trim_blanks', 'lotgate')(text)) }}
{%- endmacro %}

{% macro blank_code_points() -%}
    {{ return(
        [9, 10, 11, 12, 13, 32, 133, 160, 5760]
        + range(8192, 8203) | list
        + [8232, 8233, 8239, 8287, 12288, 65279]
    ) }}
{%- endmacro %}

{% macro default__trim_blanks(text) -%}
    trim(both {% for point in blank_code_points() -%}
        chr({{ point }}){{ ' || ' if not loop.last }}
    {%- endfor %} from {{ text }})
{%- endmacro %}

{% macro sqlite__trim_blanks(text) -%}
    trim({{ text }}, char({{ blank_code_points() | join(', ') }}))
{%- endmacro %}

{#- chr() knows 256 characters there; a literal knows them all. -#}
{% macro spark__trim_blanks(text) -%}
    trim(both '
    {%- for point in blank_code_points() -%}
        \u{{ '%04x' | format(point) }}
    {%- endfor -%}
    ' from {{ text }})
{%- endmacro %}
