with

items as (

    select * from {{ ref('int_shipped_items') }}

),

order_items as (

    select * from {{ ref('int_shipped_items') }}

),

suspects as (

    select * from {{ ref('int_suspects') }}

),

claims as (

    select * from {{ ref('int_shipstation_claims') }}

),

lines as (

    select * from {{ ref('int_shipstation_lines') }}

),

exact_claims as (

    select * from claims where is_exact = 1

),

-- most orders have one row of a SKU, and no twin to look for
crowded as (

    select
        order_number,
        sku_code
    from order_items
    where order_number is not null and sku_code is not null
    group by order_number, sku_code
    having count(*) > 1

),

unclaimed_lines as (

    select
        lines.order_number,
        lines.sku_code,
        count(*) as unclaimed_lines
    from lines
    where lines.line_id not in (select exact_claims.line_id from exact_claims)
    group by lines.order_number, lines.sku_code

),

candidates as (

    select
        items.legacy_id,
        items.order_number,
        items.sku_code,
        items.lot_position,
        coalesce(items.lot_number, '') as lot_key,
        items.quantity_shipped,
        case
            when suspects.legacy_id is null or suspects.true_ship_date is not null then 1 else 0
        end as stays,
        case when suspects.legacy_id is null then 0 else 1 end as is_redated,
        case when exact_claims.legacy_id is not null then 1 else 0 end as has_exact_claim,
        case when unclaimed_lines.order_number is not null then 1 else 0 end
            as has_unclaimed_lines,
        max(items.lot_position) over (
            partition by items.order_number, items.sku_code
        ) as highest_position
    from crowded
    inner join items
        on crowded.order_number = items.order_number and crowded.sku_code = items.sku_code
    left join suspects on items.legacy_id = suspects.legacy_id
    left join exact_claims on items.legacy_id = exact_claims.legacy_id
    left join unclaimed_lines
        on
            items.order_number = unclaimed_lines.order_number
            and items.sku_code = unclaimed_lines.sku_code
    where items.failure is null

)

select
    legacy_id,
    order_number,
    sku_code,
    lot_position,
    lot_key,
    quantity_shipped,
    stays,
    is_redated,
    has_exact_claim,
    has_unclaimed_lines,
    highest_position
from candidates
