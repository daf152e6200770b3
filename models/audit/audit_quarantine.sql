with

ledger as {{ read_in_place() }} (

    select * from {{ ref('audit_row_ledger') }}

),

other_rows as (

    select * from {{ ref('audit_row_ledger') }}

),

suspects as (

    select * from {{ ref('int_suspects') }}

),

items as (

    select * from {{ ref('int_shipped_items') }}

),

quarantined_items as (

    select * from {{ ref('int_shipped_items') }}

),

other_items as (

    select * from {{ ref('int_shipped_items') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

quarantined as (

    select * from ledger where disposition = 'quarantine'

),

-- where the rest of the order went: a proposal for a person, never a rule
order_days as (

    select
        quarantined.legacy_id,
        max(siblings.ship_date) as latest_other_day,
        sum(case when siblings.sku_code = quarantined.sku_code then siblings.quantity_shipped end)
            as other_units_of_sku
    from quarantined
    inner join quarantined_items on quarantined.legacy_id = quarantined_items.legacy_id
    inner join other_items as siblings
        on
            quarantined_items.order_number = siblings.order_number
            and quarantined_items.legacy_id <> siblings.legacy_id
    inner join other_rows
        on siblings.legacy_id = other_rows.legacy_id and other_rows.disposition = 'keep'
    group by quarantined.legacy_id

),

-- a decision that the evidence suggests, and the day that goes with it
suggested as (

    select
        quarantined.*,
        quarantined.reason <> 'held' as is_undecided,
        case
            when
                quarantined.reason = 'invalid_ship_date'
                and order_days.latest_other_day is not null then 'redate'
            when
                quarantined.reason = 'quantity_conflict'
                and order_days.other_units_of_sku = quarantined.units then 'merge'
            when quarantined.reason <> 'unresolved_suspect' then null
            when suspects.is_known_to_shipstation = 1 then 'remove'
            when order_days.latest_other_day is not null then 'redate'
            when orders.is_header_date_plausible = 1 then 'redate'
            when suspects.is_cancelled = 1 then 'remove'
        end as proposed_decision,
        case
            when order_days.latest_other_day is not null then order_days.latest_other_day
            when orders.is_header_date_plausible = 1 then orders.header_ship_date
        end as likely_ship_date,
        suspects.is_known_to_shipstation
    from quarantined
    left join suspects on quarantined.legacy_id = suspects.legacy_id
    left join order_days on quarantined.legacy_id = order_days.legacy_id
    left join items on quarantined.legacy_id = items.legacy_id
    left join orders on items.order_number = orders.order_number

),

proposed as (

    select
        suggested.*,
        case when proposed_decision = 'redate' then likely_ship_date end as proposed_ship_date,
        case
            when reason in ('unparseable_sku', 'sku_conflict', 'unknown_sku', 'implausible_lot')
                then 'explain its text in sku_variants.csv, or hold it'
            when reason = 'orphan_order' then 'fetch its day from ShipStation, or hold it'
            when reason = 'invalid_quantity' then 'correct the source, or hold it'
            when reason = 'invalid_ship_date' and proposed_decision = 'redate'
                then 'redate to ' || likely_ship_date
            when reason = 'quantity_conflict' and proposed_decision = 'merge'
                then 'merge: the order''s kept rows of this SKU add up to the same units'
            when reason = 'quantity_conflict' then 'merge, if ShipStation agrees'
            when proposed_decision = 'remove' and is_known_to_shipstation = 1
                then 'remove: ShipStation knows the order, without this line'
            when proposed_decision = 'redate'
                then 'redate to ' || likely_ship_date || ', if this line shipped'
            when proposed_decision = 'remove' then 'remove, if nothing was shipped'
            else 'look the order up in ShipStation'
        end as proposal
    from suggested

)

select
    legacy_id,
    order_number,
    base_sku,
    sku_lot,
    quantity_shipped,
    ship_date,
    units,
    reason,
    evidence,
    is_undecided,
    proposed_decision,
    proposed_ship_date,
    proposal
from proposed
order by legacy_id
