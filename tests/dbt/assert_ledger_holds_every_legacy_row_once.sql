with

legacy_items as (

    select * from {{ source('legacy', 'shipped_items') }}

),

all_legacy_items as (

    select * from {{ source('legacy', 'shipped_items') }}

),

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

all_ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

missing as (

    select
        legacy_items.id as legacy_id,
        'not in the ledger, or changed on the way' as problem
    from legacy_items
    left join ledger
        on
            legacy_items.id = ledger.legacy_id
            and {{ is_same('legacy_items.ship_date', 'ledger.ship_date') }}
            and {{ is_same('legacy_items.base_sku', 'ledger.base_sku') }}
            and {{ is_same('legacy_items.sku_lot', 'ledger.sku_lot') }}
            and {{ is_same('legacy_items.quantity_shipped', 'ledger.quantity_shipped') }}
            and {{ is_same('legacy_items.order_number', 'ledger.order_number') }}
            and {{ is_same('legacy_items.created_at', 'ledger.created_at') }}
    where ledger.legacy_id is null

),

row_counts as (

    select
        (select count(*) from all_legacy_items) as legacy_rows,
        (select count(*) from all_ledger) as ledger_rows

),

invented as (

    select
        cast(null as integer) as legacy_id,
        'the ledger has ' || ledger_rows || ' rows for ' || legacy_rows as problem
    from row_counts
    where ledger_rows <> legacy_rows

)

select * from missing
union all
select * from invented
