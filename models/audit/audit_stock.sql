with

skus as (

    select * from {{ ref('skus') }}

),

baselines as (

    select * from {{ ref('int_stock_baselines') }}

),

movements as (

    select * from {{ ref('int_stock_movements') }}

),

inventory as (

    select * from {{ ref('stg_legacy__inventory_current') }}

),

balance as (

    select * from {{ ref('audit_unit_balance') }}

),

expectations as (

    select * from {{ ref('stg_controls__expected_on_hand') }}

),

-- today's stock has no day: everything that the database knows counts
moments as (

    select
        sku_code,
        '' as as_of_date,
        '9999-12-31' as until_date,
        null as expected_on_hand
    from skus
    union all
    select
        sku_code,
        as_of_date,
        as_of_date as until_date,
        expected_quantity as expected_on_hand
    from expectations

),

moved as (

    select
        moments.sku_code,
        moments.as_of_date,
        sum(movements.moved_units) as moved_units
    from moments
    inner join movements
        on
            moments.sku_code = movements.sku_code
            and movements.movement_date > '{{ var("stock_baseline_date") }}'
            and movements.movement_date <= moments.until_date
    group by moments.sku_code, moments.as_of_date

),

shipped as (

    select
        moments.sku_code,
        moments.as_of_date,
        sum(balance.legacy_units) as legacy_units,
        sum(balance.candidate_units) as candidate_units
    from moments
    inner join balance
        on
            moments.sku_code = balance.sku_code
            and balance.ship_date > '{{ var("stock_baseline_date") }}'
            and balance.ship_date <= moments.until_date
            and {{ is_real_day('balance.ship_date') }}
    group by moments.sku_code, moments.as_of_date

),

summed as (

    select
        moments.sku_code,
        moments.as_of_date,
        baselines.baseline_units,
        coalesce(moved.moved_units, 0) as moved_units,
        coalesce(shipped.legacy_units, 0) as legacy_shipped_units,
        coalesce(shipped.candidate_units, 0) as candidate_shipped_units,
        case when moments.as_of_date = '' then inventory.current_quantity end as stored_on_hand,
        moments.expected_on_hand
    from moments
    left join inventory on moments.sku_code = inventory.sku_code
    left join baselines on moments.sku_code = baselines.sku_code
    left join moved
        on moments.sku_code = moved.sku_code and moments.as_of_date = moved.as_of_date
    left join shipped
        on moments.sku_code = shipped.sku_code and moments.as_of_date = shipped.as_of_date

),

final as (

    select
        sku_code,
        as_of_date,
        baseline_units,
        moved_units,
        legacy_shipped_units,
        candidate_shipped_units,
        stored_on_hand,
        baseline_units + moved_units - legacy_shipped_units as legacy_on_hand,
        baseline_units + moved_units - candidate_shipped_units as candidate_on_hand,
        expected_on_hand
    from summed

)

select * from final
order by sku_code, as_of_date
