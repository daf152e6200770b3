with

legacy_items as (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

missing as (

    select
        legacy_items.legacy_id,
        'not in the ledger, or changed on the way' as problem
    from legacy_items
    left join ledger
        on
            legacy_items.legacy_id = ledger.legacy_id
            and legacy_items.legacy_ship_date is not distinct from ledger.ship_date
            and legacy_items.legacy_base_sku is not distinct from ledger.base_sku
            and legacy_items.legacy_sku_lot is not distinct from ledger.sku_lot
            and legacy_items.legacy_quantity_shipped is not distinct from ledger.quantity_shipped
            and legacy_items.legacy_order_number is not distinct from ledger.order_number
            and legacy_items.legacy_created_at is not distinct from ledger.created_at
    where ledger.legacy_id is null

),

row_counts as (

    select
        (select count(*) from legacy_items) as legacy_rows,
        (select count(*) from ledger) as ledger_rows

),

invented as (

    select
        null as legacy_id,
        'the ledger has ' || ledger_rows || ' rows for ' || legacy_rows as problem
    from row_counts
    where ledger_rows <> legacy_rows

)

select * from missing
union all
select * from invented
