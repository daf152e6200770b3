with

items as (

    select * from {{ ref('int_shipped_items') }}

),

changed_items as (

    select * from {{ ref('int_shipped_items') }}

),

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

changed_outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

doubtful_orders as (

    select * from {{ ref('int_orders') }}

),

headers as (

    select * from {{ ref('stg_legacy__shipped_orders') }}

),

all_headers as (

    select * from {{ ref('stg_legacy__shipped_orders') }}

),

shipments as (

    select * from {{ ref('int_shipstation_shipments') }}

),

-- only these orders can have a header that changes
orders_in_question as (

    select changed_items.order_number
    from changed_outcomes
    inner join changed_items on changed_outcomes.legacy_id = changed_items.legacy_id
    where changed_outcomes.disposition <> 'keep' and changed_items.order_number is not null
    union
    select order_number from recovered_lines where order_number is not null
    union
    select order_number
    from doubtful_orders
    where
        (header_id is not null and is_header_date_plausible = 0)
        or (header_id is null and is_known_to_shipstation = 1)

),

items_after as (

    select
        items.order_number,
        case
            when outcomes.disposition in ('keep', 'redate')
                then coalesce(outcomes.new_ship_date, items.ship_date)
        end as ship_date,
        1 as legacy_items,
        case when outcomes.disposition in ('keep', 'redate') then 1 else 0 end as candidate_items
    from orders_in_question
    inner join items on orders_in_question.order_number = items.order_number
    inner join outcomes on items.legacy_id = outcomes.legacy_id
    union all
    select
        order_number,
        ship_date,
        0 as legacy_items,
        1 as candidate_items
    from recovered_lines
    where order_number is not null

),

order_totals as (

    select
        order_number,
        max(ship_date) as latest_ship_date,
        sum(legacy_items) as legacy_items,
        sum(candidate_items) as candidate_items
    from items_after
    group by order_number

),

shipstation_orders as (

    select
        order_number,
        min(shipstation_order_id) as shipstation_order_id,
        min(created_at) as created_at
    from shipments
    where not_counted_because is null and order_number is not null
    group by order_number

),

highest as (

    select coalesce(max(header_id), 0) as highest_id from all_headers

),

judged as (

    select
        order_totals.order_number,
        orders.header_id,
        coalesce(orders.legacy_order_number, order_totals.order_number) as header_order_number,
        headers.legacy_ship_date as old_ship_date,
        order_totals.latest_ship_date,
        order_totals.legacy_items,
        order_totals.candidate_items,
        shipstation_orders.shipstation_order_id,
        shipstation_orders.created_at,
        case
            when orders.header_id is null and order_totals.candidate_items > 0 then 'added'
            when
                orders.header_id is not null
                and order_totals.legacy_items > 0
                and order_totals.candidate_items = 0
                then 'taken_out'
            when
                orders.header_id is not null
                and orders.is_header_date_plausible = 0
                and order_totals.candidate_items > 0
                and order_totals.latest_ship_date <> coalesce(headers.ship_date, '')
                then 'date_corrected'
        end as change
    from order_totals
    left join orders on order_totals.order_number = orders.order_number
    left join headers on orders.header_id = headers.header_id
    left join shipstation_orders on order_totals.order_number = shipstation_orders.order_number

),

changed as (

    select
        judged.*,
        row_number() over (partition by change order by order_number) as place
    from judged
    where change is not null

)

select
    changed.order_number,
    changed.header_order_number,
    case
        when changed.change = 'added' then highest.highest_id + changed.place
        else changed.header_id
    end as header_id,
    changed.change,
    case changed.change
        when 'added' then 'order_known_to_shipstation'
        when 'taken_out' then 'no_items_left'
        when 'date_corrected' then 'implausible_header_date'
    end as reason,
    changed.old_ship_date,
    case when changed.change <> 'taken_out' then changed.latest_ship_date end as new_ship_date,
    changed.legacy_items,
    changed.candidate_items,
    case when changed.change = 'added' then changed.shipstation_order_id end
        as shipstation_order_id,
    case when changed.change = 'added' then changed.created_at end as created_at
from changed
cross join highest
