{#- The number 3, the number 3.0 and the text '3' are 3; anything else is null. -#}
{% macro whole_number(value) -%}
    {{ return(adapter.dispatch('whole_number', 'lotgate')(value)) }}
{%- endmacro %}

{% macro default__whole_number(value) -%}
    {%- set text = trim_blanks(as_text(value)) -%}
    case
        when {{ is_whole_number_type(value) }} then cast({{ as_text(value) }} as bigint)
        when {{ is_digits(text) }} and length({{ text }}) <= 15 then cast({{ text }} as bigint)
    end
{%- endmacro %}

{% macro sqlite__whole_number(value) -%}
    case
        when typeof({{ value }}) = 'integer' then {{ value }}
        when typeof({{ value }}) = 'real'
            and {{ value }} between -1e15 and 1e15
            and {{ value }} = cast({{ value }} as integer)
            then cast({{ value }} as integer)
        when typeof({{ value }}) = 'text'
            and {{ is_digits(trim_blanks(value)) }}
            and length({{ trim_blanks(value) }}) <= 15
            then cast({{ trim_blanks(value) }} as integer)
    end
{%- endmacro %}
