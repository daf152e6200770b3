{%- set passes = [
    {'pass': 1, 'key': ['order_key', 'sku_code', 'lot_key', 'ship_date', 'quantity']},
    {'pass': 2, 'key': ['order_key', 'sku_code', 'ship_date', 'quantity']},
    {'pass': 3, 'key': ['order_key', 'sku_code', 'lot_key', 'quantity']},
    {'pass': 4, 'key': ['order_key', 'sku_code', 'quantity']},
] -%}
with

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

orderless_items as {{ read_in_place() }} (

    select * from {{ ref('int_shipped_items') }}

),

lines_to_claim as (

    select
        line_id,
        coalesce(order_number, '') as order_key,
        sku_code,
        coalesce(lot_number, '') as lot_key,
        ship_date,
        quantity,
        row_number() over (
            order by ship_date, shipment_id, coalesce(lot_number, ''), line_id
        ) as line_place
    from lines

),

wanted as (

    select distinct
        order_number,
        sku_code
    from lines

),

readable_items as (

    select items.*
    from wanted
    inner join items
        on wanted.order_number = items.order_number and wanted.sku_code = items.sku_code
    union all
    select orderless_items.*
    from wanted
    inner join orderless_items on wanted.sku_code = orderless_items.sku_code
    where wanted.order_number is null and orderless_items.order_number is null

),

claimants as (

    select
        legacy_id,
        coalesce(order_number, '') as order_key,
        sku_code,
        coalesce(lot_number, '') as lot_key,
        lot_position,
        is_date_doubtful,
        ship_date,
        quantity_shipped as quantity
    from readable_items
    where failure is null or failure not in ('unknown_sku', 'implausible_lot')

),

{% for step in passes %}
items_in_pass_{{ step.pass }} as (

    select
        claimants.*,
        row_number() over (
            partition by {{ step.key | join(', ') }}
            order by lot_position desc, legacy_id
        ) as place
    from claimants
    where
        quantity is not null
        {{ 'and ship_date is not null' if 'ship_date' in step.key }}
    {%- for earlier in passes[:loop.index0] %}
    and legacy_id not in (
        select claims.legacy_id from claims_of_pass_{{ earlier.pass }} as claims
    )
    {%- endfor %}

),

lines_in_pass_{{ step.pass }} as (

    select
        lines_to_claim.*,
        row_number() over (
            partition by {{ step.key | join(', ') }}
            order by line_place
        ) as place
    from lines_to_claim
    where
        1 = 1
    {%- for earlier in passes[:loop.index0] %}
    and line_id not in (
        select claims.line_id from claims_of_pass_{{ earlier.pass }} as claims
    )
    {%- endfor %}

),

claims_of_pass_{{ step.pass }} as (

    select
        items_in_pass_{{ step.pass }}.legacy_id,
        lines_in_pass_{{ step.pass }}.line_id,
        {{ step.pass }} as pass
    from items_in_pass_{{ step.pass }}
    inner join lines_in_pass_{{ step.pass }}
        using ({{ step.key | join(', ') }}, place)
    {%- if 'ship_date' not in step.key %}
    where
        items_in_pass_{{ step.pass }}.ship_date is null
        or items_in_pass_{{ step.pass }}.is_date_doubtful = 1
        or {{ are_days_near(
            'items_in_pass_' ~ step.pass ~ '.ship_date',
            'lines_in_pass_' ~ step.pass ~ '.ship_date',
            var('same_shipment_days')
        ) }}
    {%- endif %}

),

{% endfor -%}
exact_claims as (

    {% for step in passes -%}
    select * from claims_of_pass_{{ step.pass }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

first_free_items as (

    select
        order_key,
        sku_code,
        ship_date,
        row_number() over (
            partition by order_key, sku_code, ship_date
            order by lot_position desc, legacy_id
        ) as place,
        legacy_id
    from claimants
    where
        ship_date is not null
        and legacy_id not in (select exact_claims.legacy_id from exact_claims)

),

-- the quantities differ: nothing is recovered, and the difference is reported
claims_of_pass_5 as (

    select
        first_free_items.legacy_id,
        lines_to_claim.line_id,
        5 as pass
    from lines_to_claim
    inner join first_free_items
        on
            lines_to_claim.order_key = first_free_items.order_key
            and lines_to_claim.sku_code = first_free_items.sku_code
            and lines_to_claim.ship_date = first_free_items.ship_date
            and first_free_items.place = 1
    where lines_to_claim.line_id not in (select exact_claims.line_id from exact_claims)

),

claims as (

    select * from exact_claims
    union all
    select * from claims_of_pass_5

)

select
    claims.line_id,
    claims.legacy_id,
    claims.pass,
    case when claims.pass <= 4 then 1 else 0 end as is_exact,
    lines.ship_date,
    lines.quantity
from claims
inner join lines on claims.line_id = lines.line_id
