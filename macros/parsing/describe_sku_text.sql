{#-
    What one trimmed SKU text says by itself (docs/rules.md section 1): select-list columns
    text_sku, text_lot and is_bare_number from a relation `texts` with the column sku_text,
    left-joined to `variants`.
-#}
{% macro describe_sku_text() -%}
    {%- set hyphen = position_of("'-'", 'texts.sku_text') -%}
    {%- set left = trim_blanks('substr(texts.sku_text, 1, ' ~ hyphen ~ ' - 1)') -%}
    {%- set right = trim_blanks('substr(texts.sku_text, ' ~ hyphen ~ ' + 1)') -%}
    {%- set is_pair -%}
        not {{ has_nul('texts.sku_text') }}
        and {{ hyphen }} > 1 and {{ is_digits(left) }} and {{ is_digits(right) }}
    {%- endset -%}
    case
        when variants.raw_sku is not null then variants.sku_code
        when {{ is_digits('texts.sku_text') }} then texts.sku_text
        when {{ is_pair }}
            then {{ left }}
    end as text_sku,
    case
        when variants.raw_sku is not null then variants.lot_number
        when {{ is_digits('texts.sku_text') }} then null
        when {{ is_pair }}
            then {{ right }}
    end as text_lot,
    variants.raw_sku is null and {{ is_digits('texts.sku_text') }} as is_bare_number
{%- endmacro %}
