{#- A table imported under two names keeps its index; one CTE used twice would be copied. -#}
with

items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

sibling_items as (

    select * from {{ ref('int_shipped_items') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

incidents as (

    select * from {{ ref('stg_controls__incidents') }}

),

fetches as (

    select * from {{ ref('stg_shipstation__fetches') }}

),

exact_claims as (

    select * from claims where is_exact = 1

),

suspects as (

    select
        items.legacy_id,
        items.order_number,
        items.ship_date,
        items.created_at,
        items.order_date,
        exact_claims.ship_date as shipstation_day
    from items
    left join exact_claims on items.legacy_id = exact_claims.legacy_id
    where
        items.is_date_doubtful = 1
        -- ShipStation has exactly this line on exactly this day
        and (exact_claims.ship_date is null or exact_claims.ship_date <> items.ship_date)

),

ranked_incidents as (

    select
        suspects.legacy_id,
        incidents.correct_ship_date,
        case
            when suspects.created_at between incidents.created_from and incidents.created_to then 1
            else 0
        end as is_created_in_window,
        row_number() over (
            partition by suspects.legacy_id
            order by
                case
                    when
                        suspects.created_at
                        between incidents.created_from and incidents.created_to then 0
                    else 1
                end,
                incidents.created_from,
                coalesce(incidents.correct_ship_date, ''),
                incidents.created_to
        ) as place
    from suspects
    inner join incidents on suspects.ship_date = incidents.wrong_ship_date

),

other_items as (

    select
        suspects.legacy_id,
        max(
            case
                when
                    siblings.legacy_id <> suspects.legacy_id
                    and siblings.ship_date = ranked_incidents.correct_ship_date then 1
                else 0
            end
        ) as has_other_item_on_correct_date,
        max(
            case
                when
                    siblings.legacy_id <> suspects.legacy_id
                    and siblings.ship_date is not null
                    and other_suspects.legacy_id is null then 1
                else 0
            end
        ) as has_other_item_not_suspect,
        max(
            case
                when
                    siblings.legacy_id <> suspects.legacy_id
                    and siblings.ship_date > suspects.ship_date then 1
                else 0
            end
        ) as has_later_item,
        max(case when siblings.tracking_number is not null then 1 else 0 end)
            as has_tracking_number,
        max(
            case when siblings.lot_position = 2 then 1 else 0 end
        ) as has_lotted_item
    from suspects
    inner join sibling_items as siblings on suspects.order_number = siblings.order_number
    left join suspects as other_suspects on siblings.legacy_id = other_suspects.legacy_id
    left join ranked_incidents
        on suspects.legacy_id = ranked_incidents.legacy_id and ranked_incidents.place = 1
    group by suspects.legacy_id

),

evidence as (

    select
        suspects.legacy_id,
        suspects.order_number,
        suspects.ship_date,
        suspects.order_date,
        suspects.shipstation_day,
        ranked_incidents.legacy_id is not null as has_incident,
        ranked_incidents.correct_ship_date,
        coalesce(ranked_incidents.is_created_in_window, 0) as is_created_in_window,
        {{ is_day_covered('ranked_incidents.correct_ship_date') }} as is_correct_date_covered,
        coalesce(orders.is_known_to_shipstation, 0) as is_known_to_shipstation,
        coalesce(other_items.has_other_item_on_correct_date, 0) as has_other_item_on_correct_date,
        coalesce(orders.header_ship_date = ranked_incidents.correct_ship_date, false)
            as is_header_on_correct_date,
        orders.inbox_status,
        coalesce(orders.inbox_status in ('cancelled', 'canceled'), false) as is_cancelled,
        coalesce(
            orders.is_known_to_shipstation = 1
            or other_items.has_other_item_not_suspect = 1
            or orders.is_header_date_plausible = 1
            or other_items.has_tracking_number = 1
            or other_items.has_lotted_item = 1
            or coalesce(
                {{ real_day('substr(suspects.created_at, 1, 10)') }} < suspects.order_date,
                false
            ),
            false
        ) as has_sign_of_shipment,
        coalesce(
            orders.is_known_to_shipstation = 1
            or (
                orders.is_in_inbox = 1
                and (orders.order_date is null or orders.order_date > suspects.ship_date)
            )
            or coalesce(other_items.has_later_item, 0) = 1
            or coalesce(orders.header_ship_date > suspects.ship_date, false),
            false
        ) as has_sign_of_newer_order
    from suspects
    left join ranked_incidents
        on suspects.legacy_id = ranked_incidents.legacy_id and ranked_incidents.place = 1
    left join other_items on suspects.legacy_id = other_items.legacy_id
    left join orders on suspects.order_number = orders.order_number

),

judged as (

    select
        evidence.*,
        -- the owner's rule
        correct_ship_date is not null
        and (order_date is null or correct_ship_date >= order_date)
        and (has_other_item_on_correct_date = 1 or is_header_on_correct_date)
        and not is_correct_date_covered
        and is_known_to_shipstation = 0
            as does_owners_rule_apply
    from evidence

)

select
    legacy_id,
    order_number,
    ship_date,
    order_date,
    shipstation_day,
    has_incident,
    correct_ship_date,
    is_created_in_window,
    is_correct_date_covered,
    is_known_to_shipstation,
    has_other_item_on_correct_date,
    is_header_on_correct_date,
    inbox_status,
    is_cancelled,
    has_sign_of_shipment,
    has_sign_of_newer_order,
    does_owners_rule_apply,
    case
        when shipstation_day is not null then shipstation_day
        when does_owners_rule_apply then correct_ship_date
    end as true_ship_date
from judged
