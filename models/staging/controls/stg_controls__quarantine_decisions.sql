with

source as (

    select * from {{ ref('quarantine_decisions') }}

),

renamed as (

    select
        -- ids
        cast(legacy_id as integer) as legacy_id,
        {{ null_if_blank('order_number') }} as order_number,

        -- strings
        coalesce({{ null_if_blank('base_sku') }}, '') as base_sku,
        coalesce({{ null_if_blank('sku_lot') }}, '') as sku_lot,
        coalesce({{ null_if_blank('quantity_shipped') }}, '') as quantity_text,
        lower({{ null_if_blank('decision') }}) as decision,
        {{ null_if_blank('reason') }} as decision_reason,
        {{ null_if_blank('decided_by') }} as decided_by,

        -- dates and times
        {{ null_if_blank('ship_date') }} as ship_date,
        {{ null_if_blank('decided_on') }} as decided_on
    from source

)

select * from renamed
