with

transactions as (

    select * from {{ ref('stg_legacy__inventory_transactions') }}

),

-- shipments are counted from shipped_items, never from here
signed as (

    select
        sku_code,
        transaction_date,
        case
            when transaction_type in ('receive', 'repack', 'adjust up') then quantity
            when transaction_type = 'adjust down' then -quantity
        end as signed_units
    from transactions

),

totals as (

    select
        sku_code,
        transaction_date as movement_date,
        sum(signed_units) as moved_units
    from signed
    where
        sku_code is not null
        and transaction_date is not null
        and signed_units is not null
    group by sku_code, transaction_date

)

select * from totals
