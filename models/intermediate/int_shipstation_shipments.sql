with

shipments as (

    select * from {{ ref('stg_shipstation__shipments') }}

),

fetches as (

    select * from {{ ref('stg_shipstation__fetches') }}

),

-- an incomplete fetch covers nothing
covering_fetches as (

    select
        shipments.shipment_id,
        max(fetches.fetched_on) as fetched_on
    from shipments
    inner join fetches
        on shipments.ship_date between fetches.ship_date_from and fetches.ship_date_to
    where fetches.is_complete = 1
    group by shipments.shipment_id

),

judged as (

    select
        shipments.shipment_id,
        shipments.shipstation_order_id,
        shipments.order_number,
        shipments.tracking_number,
        shipments.ship_date,
        shipments.created_at,
        case
            when covering_fetches.shipment_id is null then 'day_not_covered'
            when shipments.is_voided = 1 then 'voided'
            when shipments.is_return_label = 1 then 'return_label'
            when shipments.ship_date > covering_fetches.fetched_on then 'not_yet_shipped'
        end as not_counted_because
    from shipments
    left join covering_fetches on shipments.shipment_id = covering_fetches.shipment_id

)

select * from judged
