{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

lot_inventory as (

    select * from {{ ref('stg_legacy__lot_inventory') }}

),

sku_lot as (

    select * from {{ ref('stg_legacy__sku_lot') }}

),

items as (

    select * from {{ ref('int_shipped_items') }}

),

retold_items as (

    select * from {{ ref('int_shipped_items') }}

),

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

shipstation_texts as (

    select * from {{ ref('int_shipstation_texts') }}

),

inventory as (

    select * from {{ ref('stg_legacy__inventory_current') }}

),

shipped_lots as (

    select distinct
        items.sku_code,
        items.lot_number
    from items
    inner join outcomes on items.legacy_id = outcomes.legacy_id
    left join shipstation_texts on items.legacy_id = shipstation_texts.legacy_id
    where
        items.lot_number is not null
        and outcomes.disposition in ('keep', 'redate')
        and shipstation_texts.legacy_id is null
    union
    select
        retold_items.sku_code,
        shipstation_texts.lot_number
    from shipstation_texts
    inner join retold_items on shipstation_texts.legacy_id = retold_items.legacy_id
    where shipstation_texts.lot_number is not null
    union
    select
        sku_code,
        lot_number
    from recovered_lines
    where lot_number is not null

),

everywhere as (

    select
        sku_code,
        lot_number,
        null as is_active,
        status as inventory_status,
        received_date,
        initial_qty,
        manual_adjustment,
        created_at,
        1 as is_in_lot_inventory,
        0 as is_in_sku_lot,
        0 as is_shipped
    from lot_inventory
    where sku_code is not null and lot_number is not null
    union all
    select
        sku_code,
        lot_number,
        is_active,
        null as inventory_status,
        null as received_date,
        null as initial_qty,
        null as manual_adjustment,
        created_at,
        0 as is_in_lot_inventory,
        1 as is_in_sku_lot,
        0 as is_shipped
    from sku_lot
    where sku_code is not null and lot_number is not null
    union all
    select
        sku_code,
        lot_number,
        null as is_active,
        null as inventory_status,
        null as received_date,
        null as initial_qty,
        null as manual_adjustment,
        null as created_at,
        0 as is_in_lot_inventory,
        0 as is_in_sku_lot,
        1 as is_shipped
    from shipped_lots

),

united as (

    select
        sku_code,
        lot_number,
        max(is_active) as is_active,
        -- one active record is enough to keep a lot active
        min(case inventory_status when 'active' then 0 else 1 end) as inventory_rank,
        max(inventory_status) as inventory_status,
        min(received_date) as received_date,
        max(initial_qty) as initial_qty,
        max(manual_adjustment) as manual_adjustment,
        min(created_at) as created_at,
        max(is_in_lot_inventory) as is_in_lot_inventory,
        max(is_in_sku_lot) as is_in_sku_lot,
        max(is_shipped) as is_shipped
    from everywhere
    group by sku_code, lot_number

),

judged as (

    select
        united.sku_code,
        united.lot_number,
        united.received_date,
        united.initial_qty,
        coalesce(united.manual_adjustment, 0) as manual_adjustment,
        case
            when united.is_active = 1 then 'active'
            when united.is_active = 0 then 'inactive'
            when united.inventory_status is not null and united.inventory_rank = 0 then 'active'
            when united.inventory_status is not null then 'inactive'
            else '{{ var("discovered_lot_status") }}'
        end as status,
        united.created_at,
        united.is_in_lot_inventory,
        united.is_in_sku_lot,
        united.is_shipped,
        case
            when united.is_in_lot_inventory = 0 and united.is_in_sku_lot = 0 then 1
            else 0
        end as is_discovered,
        case
            when not exists (
                select 1 from inventory where inventory.sku_code = united.sku_code
            ) then 'unknown_sku'
            when
                not {{ is_digits('united.lot_number') }}
                or length(united.lot_number) < {{ var('min_lot_digits') }}
                then 'implausible_lot'
        end as left_out_because
    from united

)

select * from judged
