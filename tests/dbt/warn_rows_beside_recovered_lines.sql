{{ config(severity='warn') }}
with

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

items as (

    select * from {{ ref('int_shipped_items') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

)

select
    ledger.legacy_id,
    recovered_lines.shipment_id,
    recovered_lines.quantity
from ledger
inner join items on ledger.legacy_id = items.legacy_id
inner join recovered_lines
    on
        items.order_number = recovered_lines.order_number
        and items.sku_code = recovered_lines.sku_code
where
    ledger.reason = 'unknown_to_shipstation'
    or (ledger.reason = 'decided' and ledger.disposition in ('keep', 'redate', 'remove'))
