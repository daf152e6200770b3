with

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

target_rows as (

    select * from {{ ref('audit_row_ledger') }}

),

target_items as (

    select * from {{ ref('int_shipped_items') }}

),

items as (

    select * from {{ ref('int_shipped_items') }}

),

broken as (

    select
        ledger.legacy_id,
        ledger.merged_into_id
    from ledger
    inner join items on ledger.legacy_id = items.legacy_id
    left join target_rows as targets
        on
            ledger.merged_into_id = targets.legacy_id
            and targets.disposition in ('keep', 'redate')
    left join target_items
        on
            targets.legacy_id = target_items.legacy_id
            and target_items.order_number = items.order_number
            and target_items.sku_code = items.sku_code
    where ledger.disposition = 'merge' and target_items.legacy_id is null

)

select * from broken
