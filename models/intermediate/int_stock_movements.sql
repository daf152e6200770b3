with

transactions as (

    select * from {{ ref('stg_legacy__inventory_transactions') }}

),

signed as (

    select
        sku_code,
        transaction_date,
        quantity,
        {{ transaction_sign('transaction_type') }} as sign
    from transactions

),

totals as (

    select
        sku_code,
        transaction_date as movement_date,
        sum(sign * quantity) as moved_units
    from signed
    where
        sku_code is not null
        and transaction_date is not null
        and quantity is not null
        and sign <> 0
    group by sku_code, transaction_date

)

select * from totals
