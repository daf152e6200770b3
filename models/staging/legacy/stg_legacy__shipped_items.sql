{#- The one big table: it is read once and trimmed once, and what follows looks rows up by id. -#}
{{ config(materialized='table', indexes=[{'columns': ['legacy_id'], 'unique': true}]) }}

-- depends_on: {{ ref('legacy_shipped_items') }}
with

source as (

    select * from {{ source('legacy', 'shipped_items') }}

),

renamed as (

    select
        -- ids
        id as legacy_id,
        {{ null_if_blank('order_number') }} as order_number,

        -- strings
        coalesce({{ null_if_blank('sku_lot') }}, '') as sku_lot,
        coalesce({{ null_if_blank('base_sku') }}, '') as base_sku,
        {{ null_if_blank('tracking_number') }} as tracking_number,

        -- numerics
        {{ whole_number('quantity_shipped') }} as quantity_shipped,

        -- dates and times
        {{ stored_day('ship_date') }} as ship_date,
        {{ timestamp_text('created_at') }} as created_at,

        -- as the legacy system wrote them
        ship_date as legacy_ship_date,
        base_sku as legacy_base_sku,
        sku_lot as legacy_sku_lot,
        quantity_shipped as legacy_quantity_shipped,
        order_number as legacy_order_number,
        created_at as legacy_created_at
    from source

)

select * from renamed
