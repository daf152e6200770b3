with

legacy_items as (

    select * from {{ ref('stg_legacy__shipped_items') }}

),

sku_texts as (

    select * from {{ ref('int_sku_texts') }}

),

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

candidate_items as (

    select * from {{ ref('shipped_items') }}

),

skus as (

    select * from {{ ref('skus') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

-- the legacy side is counted from the snapshot, not from the ledger
legacy_side as (

    select
        coalesce(sku_texts.sku_code, '') as sku_code,
        coalesce({{ null_if_blank('legacy_items.legacy_ship_date') }}, '') as ship_date,
        sum({{ plausible_units('legacy_items.quantity_shipped') }}) as legacy_units
    from legacy_items
    inner join sku_texts
        on
            legacy_items.sku_lot = sku_texts.sku_lot
            and legacy_items.base_sku = sku_texts.base_sku
    group by
        coalesce(sku_texts.sku_code, ''),
        coalesce({{ null_if_blank('legacy_items.legacy_ship_date') }}, '')

),

ledger_side as (

    select
        coalesce(sku_code, '') as sku_code,
        coalesce({{ null_if_blank('ship_date') }}, '') as ship_date,
        sum(case disposition when 'keep' then units end) as keep_units,
        sum(case disposition when 'redate' then units end) as redate_units,
        sum(case disposition when 'merge' then units end) as merge_units,
        sum(case disposition when 'remove' then units end) as remove_units,
        sum(case disposition when 'quarantine' then units end) as quarantine_units
    from ledger
    group by
        coalesce(sku_code, ''),
        coalesce({{ null_if_blank('ship_date') }}, '')

),

redated_to as (

    select
        sku_code,
        new_ship_date as ship_date,
        sum(units) as redated_in_units
    from ledger
    where disposition = 'redate'
    group by sku_code, new_ship_date

),

recovered_side as (

    select
        sku_code,
        ship_date,
        sum(quantity) as recovered_units
    from recovered_lines
    group by sku_code, ship_date

),

candidate_side as (

    select
        skus.sku_code,
        candidate_items.ship_date,
        sum(candidate_items.quantity_shipped) as candidate_units
    from candidate_items
    inner join skus on candidate_items.sku_id = skus.sku_id
    group by skus.sku_code, candidate_items.ship_date

),

sku_days as (

    select sku_code, ship_date from legacy_side
    union
    select sku_code, ship_date from ledger_side
    union
    select sku_code, ship_date from redated_to
    union
    select sku_code, ship_date from recovered_side
    union
    select sku_code, ship_date from candidate_side

),

joined as (

    select
        sku_days.sku_code,
        sku_days.ship_date,
        coalesce(legacy_side.legacy_units, 0) as legacy_units,
        coalesce(ledger_side.keep_units, 0) as keep_units,
        coalesce(ledger_side.redate_units, 0) as redate_units,
        coalesce(ledger_side.merge_units, 0) as merge_units,
        coalesce(ledger_side.remove_units, 0) as remove_units,
        coalesce(ledger_side.quarantine_units, 0) as quarantine_units,
        coalesce(redated_to.redated_in_units, 0) as redated_in_units,
        coalesce(recovered_side.recovered_units, 0) as recovered_units,
        coalesce(candidate_side.candidate_units, 0) as candidate_units
    from sku_days
    left join legacy_side
        on
            sku_days.sku_code = legacy_side.sku_code
            and sku_days.ship_date = legacy_side.ship_date
    left join ledger_side
        on
            sku_days.sku_code = ledger_side.sku_code
            and sku_days.ship_date = ledger_side.ship_date
    left join redated_to
        on
            sku_days.sku_code = redated_to.sku_code
            and sku_days.ship_date = redated_to.ship_date
    left join recovered_side
        on
            sku_days.sku_code = recovered_side.sku_code
            and sku_days.ship_date = recovered_side.ship_date
    left join candidate_side
        on
            sku_days.sku_code = candidate_side.sku_code
            and sku_days.ship_date = candidate_side.ship_date

),

balanced as (

    select
        joined.*,
        -- two differences that cancel out must not look like none
        abs(
            legacy_units
            - (keep_units + redate_units + merge_units + remove_units + quarantine_units)
        )
        + abs(candidate_units - (keep_units + redated_in_units + recovered_units)) as residual
    from joined

)

select * from balanced
order by sku_code, ship_date
