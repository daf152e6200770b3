{{ config(
    indexes=[
        {'columns': ['ship_date']},
        {'columns': ['sku_id', 'ship_date']},
        {'columns': ['lot_id']},
        {'columns': ['order_number']},
        {
            'columns': [
                'order_number', 'shipstation_sku_raw', null_as_zero('shipstation_shipment_id'),
            ],
            'unique': true,
            'name': 'uniq_shipped_items_key',
        },
    ],
) }}

-- depends_on: {{ ref('shipped_orders') }}
with

items as (

    select * from {{ ref('int_shipped_items') }}

),

legacy_items as (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

outcomes as (

    select * from {{ ref('int_row_outcomes') }}

),

shipstation_texts as (

    select * from {{ ref('int_shipstation_texts') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

skus as (

    select * from {{ ref('skus') }}

),

lots as (

    select * from {{ ref('lots') }}

),

kept as (

    select
        items.legacy_id as id,
        coalesce(outcomes.new_ship_date, items.ship_date) as ship_date,
        coalesce(shipstation_texts.shipstation_sku_raw, items.shipstation_sku_raw)
            as shipstation_sku_raw,
        items.sku_code,
        case
            when shipstation_texts.legacy_id is null then items.lot_number
            else shipstation_texts.lot_number
        end as lot_number,
        items.quantity_shipped,
        items.header_order_number as order_number,
        items.tracking_number,
        cast(null as integer) as shipstation_shipment_id,
        {{ as_text('legacy_items.legacy_created_at') }} as created_at
    from outcomes
    inner join items on outcomes.legacy_id = items.legacy_id
    inner join legacy_items on outcomes.legacy_id = legacy_items.legacy_id
    left join shipstation_texts on outcomes.legacy_id = shipstation_texts.legacy_id
    where outcomes.disposition in ('keep', 'redate')

),

recovered as (

    select
        candidate_id as id,
        ship_date,
        shipstation_sku_raw,
        sku_code,
        lot_number,
        quantity as quantity_shipped,
        header_order_number as order_number,
        tracking_number,
        shipment_id as shipstation_shipment_id,
        created_at
    from recovered_lines

),

united as (

    select * from kept
    union all
    select * from recovered

),

final as (

    select
        united.id,
        united.ship_date,
        united.shipstation_sku_raw,
        skus.sku_id,
        lots.lot_id,
        united.quantity_shipped,
        united.order_number,
        united.tracking_number,
        united.shipstation_shipment_id,
        united.created_at
    from united
    left join skus on united.sku_code = skus.sku_code
    left join lots on skus.sku_id = lots.sku_id and united.lot_number = lots.lot_number

)

select * from final
