{{ config(severity='warn') }}
with

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

targets as (

    select * from {{ ref('audit_row_ledger') }}

),

suspects as (

    select * from {{ ref('int_suspects') }}

)

select
    ledger.legacy_id,
    ledger.ship_date,
    targets.legacy_id as merged_into_id,
    targets.ship_date as merged_into_ship_date
from ledger
inner join targets on ledger.merged_into_id = targets.legacy_id
left join suspects on ledger.legacy_id = suspects.legacy_id
where
    ledger.disposition = 'merge'
    and ledger.reason <> 'decided'
    and suspects.legacy_id is null
    and ledger.ship_date <> coalesce(targets.new_ship_date, targets.ship_date)
