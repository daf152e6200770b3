with

headers as (

    select * from {{ ref('stg_legacy__shipped_orders') }}

),

inbox as (

    select * from {{ ref('stg_legacy__orders_inbox') }}

),

shipments as (

    select * from {{ ref('int_shipstation_shipments') }}

),

incidents as (

    select * from {{ ref('stg_controls__incidents') }}

),

ranked_headers as (

    select
        order_number,
        header_id,
        legacy_order_number,
        ship_date,
        row_number() over (
            partition by order_number
            order by case when legacy_order_number = order_number then 0 else 1 end, header_id
        ) as place
    from headers
    where order_number is not null

),

-- an operator may use a number again: the latest entry counts
ranked_inbox as (

    select
        order_number,
        status,
        order_date,
        row_number() over (partition by order_number order by inbox_id desc) as place
    from inbox
    where order_number is not null

),

everything_known as (

    select
        order_number,
        header_id,
        legacy_order_number,
        ship_date as header_ship_date,
        0 as is_in_inbox,
        null as inbox_status,
        null as order_date,
        0 as is_known_to_shipstation
    from ranked_headers
    where place = 1
    union all
    select
        order_number,
        null as header_id,
        null as legacy_order_number,
        null as header_ship_date,
        1 as is_in_inbox,
        status as inbox_status,
        order_date,
        0 as is_known_to_shipstation
    from ranked_inbox
    where place = 1
    union all
    select
        order_number,
        null as header_id,
        null as legacy_order_number,
        null as header_ship_date,
        0 as is_in_inbox,
        null as inbox_status,
        null as order_date,
        1 as is_known_to_shipstation
    from shipments
    where not_counted_because is null and order_number is not null

),

orders as (

    select
        order_number,
        max(header_id) as header_id,
        max(legacy_order_number) as legacy_order_number,
        max(header_ship_date) as header_ship_date,
        max(is_in_inbox) as is_in_inbox,
        max(inbox_status) as inbox_status,
        max(order_date) as order_date,
        max(is_known_to_shipstation) as is_known_to_shipstation
    from everything_known
    group by order_number

),

judged as (

    select
        orders.order_number,
        orders.header_id,
        orders.legacy_order_number,
        orders.header_ship_date,
        orders.is_in_inbox,
        orders.inbox_status,
        orders.order_date,
        orders.is_known_to_shipstation,
        case
            when orders.header_ship_date is null then 0
            when orders.header_ship_date < orders.order_date then 0
            when orders.header_ship_date in (select incidents.wrong_ship_date from incidents)
                then 0
            else 1
        end as is_header_date_plausible
    from orders

)

select * from judged
