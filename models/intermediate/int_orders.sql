{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

headers as (

    select * from {{ ref('stg_legacy__shipped_orders') }}

),

order_headers as (

    select * from {{ ref('stg_legacy__shipped_orders') }}

),

inbox as (

    select * from {{ ref('stg_legacy__orders_inbox') }}

),

order_entries as (

    select * from {{ ref('stg_legacy__orders_inbox') }}

),

shipments as (

    select * from {{ ref('int_shipstation_shipments') }}

),

incidents as (

    select * from {{ ref('stg_controls__incidents') }}

),

-- of several headers the one with the exact text counts, else the one with the lowest id; of
-- several entries of the inbox the latest, since an operator may use a number again
everything_known as (

    select
        order_number,
        case when legacy_order_number = order_number then header_id end as exact_header_id,
        header_id,
        null as inbox_id,
        0 as is_known_to_shipstation
    from headers
    where order_number is not null
    union all
    select
        order_number,
        null as exact_header_id,
        null as header_id,
        inbox_id,
        0 as is_known_to_shipstation
    from inbox
    where order_number is not null
    union all
    select
        order_number,
        null as exact_header_id,
        null as header_id,
        null as inbox_id,
        1 as is_known_to_shipstation
    from shipments
    where not_counted_because is null and order_number is not null

),

orders as (

    select
        order_number,
        coalesce(min(exact_header_id), min(header_id)) as header_id,
        max(inbox_id) as inbox_id,
        max(is_known_to_shipstation) as is_known_to_shipstation
    from everything_known
    group by order_number

),

judged as (

    select
        orders.order_number,
        orders.header_id,
        order_headers.legacy_order_number,
        order_headers.ship_date as header_ship_date,
        orders.inbox_id is not null as is_in_inbox,
        order_entries.status as inbox_status,
        order_entries.order_date,
        orders.is_known_to_shipstation,
        case
            when order_headers.ship_date is null then 0
            when order_headers.ship_date < order_entries.order_date then 0
            when
                order_headers.ship_date in (select incidents.wrong_ship_date from incidents)
                then 0
            else 1
        end as is_header_date_plausible
    from orders
    left join order_headers on orders.header_id = order_headers.header_id
    left join order_entries on orders.inbox_id = order_entries.inbox_id

)

select * from judged
