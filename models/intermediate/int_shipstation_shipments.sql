with

shipments as (

    select * from {{ ref('stg_shipstation__shipments') }}

),

fetches as (

    select * from {{ ref('stg_shipstation__fetches') }}

),

judged as (

    select
        shipment_id,
        shipstation_order_id,
        order_number,
        tracking_number,
        units_from,
        ship_date,
        created_at,
        case
            when ship_date is null or not {{ is_day_covered('shipments.ship_date') }}
                then 'day_not_covered'
            when is_voided = 1 then 'voided'
            when is_return_label = 1 then 'return_label'
        end as not_counted_because
    from shipments

)

select * from judged
