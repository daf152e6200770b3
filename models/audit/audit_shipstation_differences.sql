with

mismatches as (

    select * from {{ ref('int_shipstation_mismatches') }}

),

candidate_items as (

    select * from {{ ref('shipped_items') }}

),

skus as (

    select * from {{ ref('skus') }}

),

-- of several causes the first that counts for the side with more units
entries as (

    select
        ship_date,
        coalesce(order_number, '') as order_key,
        coalesce(sku_code, '') as sku_code,
        coalesce(lot_number, '') as lot_key,
        case when side = 'legacy' then units else 0 end as legacy_units,
        case when side = 'shipstation' then units else 0 end as shipstation_units,
        side,
        likely_cause,
        case likely_cause
            when 'voided_later' then 1
            when 'double' then 2
            when 'parcel_overwritten' then 3
            when 'other_day' then 4
            when 'other_quantity' then 5
            when 'unreadable' then 6
            when 'missing' then 7
            when 'unknown_to_shipstation' then 8
            when 'other_lot' then 9
        end as cause_place,
        legacy_id,
        shipment_id,
        other_ship_date
    from mismatches

),

lots as (

    select
        ship_date,
        order_key,
        sku_code,
        lot_key,
        sum(legacy_units) as legacy_units,
        sum(shipstation_units) as shipstation_units
    from entries
    group by ship_date, order_key, sku_code, lot_key

),

-- a legacy row that is the sum of two parcels is no difference
differing as (

    select
        ship_date,
        order_key,
        sku_code,
        sum(legacy_units) as legacy_units,
        sum(shipstation_units) as shipstation_units,
        case
            when
                sum(case when legacy_units > 0 then 1 else 0 end) = 1
                then max(case when legacy_units > 0 then lot_key end)
        end as legacy_lot,
        case
            when
                sum(case when shipstation_units > 0 then 1 else 0 end) = 1
                then max(case when shipstation_units > 0 then lot_key end)
        end as shipstation_lot
    from lots
    group by ship_date, order_key, sku_code
    having max(abs(legacy_units - shipstation_units)) > 0

),

places as (

    select
        differing.ship_date,
        differing.order_key,
        differing.sku_code,
        case
            when differing.legacy_units = differing.shipstation_units then 9
            when differing.legacy_units > differing.shipstation_units
                then coalesce(
                    min(case when entries.side = 'legacy' then entries.cause_place end),
                    min(entries.cause_place)
                )
            else coalesce(
                min(case when entries.side = 'shipstation' then entries.cause_place end),
                min(entries.cause_place)
            )
        end as cause_place
    from differing
    inner join entries
        on
            differing.ship_date = entries.ship_date
            and differing.order_key = entries.order_key
            and differing.sku_code = entries.sku_code
    group by
        differing.ship_date,
        differing.order_key,
        differing.sku_code,
        differing.legacy_units,
        differing.shipstation_units

),

details as (

    select
        places.ship_date,
        places.order_key,
        places.sku_code,
        min(entries.legacy_id) as legacy_id,
        min(entries.shipment_id) as shipment_id,
        min(entries.other_ship_date) as other_ship_date
    from places
    inner join entries
        on
            places.ship_date = entries.ship_date
            and places.order_key = entries.order_key
            and places.sku_code = entries.sku_code
            and places.cause_place = entries.cause_place
    group by places.ship_date, places.order_key, places.sku_code

),

candidate_units as (

    select
        candidate_items.ship_date,
        coalesce({{ null_if_blank('candidate_items.order_number') }}, '') as order_key,
        skus.sku_code,
        sum(candidate_items.quantity_shipped) as units
    from candidate_items
    inner join skus on candidate_items.sku_id = skus.sku_id
    where candidate_items.ship_date in (select differing.ship_date from differing)
    group by
        candidate_items.ship_date,
        coalesce({{ null_if_blank('candidate_items.order_number') }}, ''),
        skus.sku_code

),

final as (

    select
        differing.ship_date,
        nullif(differing.order_key, '') as order_number,
        differing.sku_code,
        differing.legacy_units,
        differing.shipstation_units,
        coalesce(candidate_units.units, 0) as candidate_units,
        case places.cause_place
            when 1 then 'voided_later'
            when 2 then 'double'
            when 3 then 'parcel_overwritten'
            when 4 then 'other_day'
            when 5 then 'other_quantity'
            when 6 then 'unreadable'
            when 7 then 'missing'
            when 8 then 'unknown_to_shipstation'
            when 9 then 'other_lot'
        end as likely_cause,
        nullif(differing.legacy_lot, '') as legacy_lot,
        nullif(differing.shipstation_lot, '') as shipstation_lot,
        details.other_ship_date,
        details.legacy_id,
        details.shipment_id
    from differing
    inner join places
        on
            differing.ship_date = places.ship_date
            and differing.order_key = places.order_key
            and differing.sku_code = places.sku_code
    left join details
        on
            differing.ship_date = details.ship_date
            and differing.order_key = details.order_key
            and differing.sku_code = details.sku_code
    left join candidate_units
        on
            differing.ship_date = candidate_units.ship_date
            and differing.order_key = candidate_units.order_key
            and differing.sku_code = candidate_units.sku_code

)

select * from final
order by ship_date, order_number, sku_code
