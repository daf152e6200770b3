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

redated_rows as (

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

-- Texts as they stand are summed first, since there are few of them, and trimmed then.
-- The legacy side is counted from the snapshot, not from the ledger.
legacy_sums as (

    select
        sku_texts.sku_code,
        legacy_items.legacy_ship_date as ship_date,
        sum({{ plausible_units('legacy_items.quantity_shipped') }}) as units
    from legacy_items
    inner join sku_texts
        on
            legacy_items.sku_lot = sku_texts.sku_lot
            and legacy_items.base_sku = sku_texts.base_sku
    group by sku_texts.sku_code, legacy_items.legacy_ship_date

),

ledger_sums as (

    select
        sku_code,
        ship_date,
        disposition,
        sum(units) as units
    from ledger
    group by sku_code, ship_date, disposition

),

candidate_sums as (

    select
        sku_id,
        ship_date,
        sum(quantity_shipped) as units
    from candidate_items
    group by sku_id, ship_date

),

entries as (

    select
        sku_code,
        ship_date,
        'legacy' as entry,
        units
    from legacy_sums
    union all
    select
        sku_code,
        ship_date,
        disposition as entry,
        units
    from ledger_sums
    union all
    select
        sku_code,
        new_ship_date as ship_date,
        'redated_in' as entry,
        units
    from redated_rows
    where disposition = 'redate'
    union all
    select
        sku_code,
        ship_date,
        'recovered' as entry,
        quantity as units
    from recovered_lines
    union all
    select
        skus.sku_code,
        candidate_sums.ship_date,
        'candidate' as entry,
        candidate_sums.units
    from candidate_sums
    inner join skus on candidate_sums.sku_id = skus.sku_id

),

trimmed as (

    select
        coalesce(sku_code, '') as sku_code,
        coalesce({{ null_if_blank('ship_date') }}, '') as ship_date,
        entry,
        coalesce(units, 0) as units
    from entries

),

totals as (

    select
        sku_code,
        ship_date,
        sum(case entry when 'legacy' then units else 0 end) as legacy_units,
        sum(case entry when 'keep' then units else 0 end) as keep_units,
        sum(case entry when 'redate' then units else 0 end) as redate_units,
        sum(case entry when 'merge' then units else 0 end) as merge_units,
        sum(case entry when 'remove' then units else 0 end) as remove_units,
        sum(case entry when 'quarantine' then units else 0 end) as quarantine_units,
        sum(case entry when 'redated_in' then units else 0 end) as redated_in_units,
        sum(case entry when 'recovered' then units else 0 end) as recovered_units,
        sum(case entry when 'candidate' then units else 0 end) as candidate_units
    from trimmed
    group by sku_code, ship_date

),

balanced as (

    select
        totals.*,
        -- two differences that cancel out must not look like none
        abs(
            legacy_units
            - (keep_units + redate_units + merge_units + remove_units + quarantine_units)
        )
        + abs(candidate_units - (keep_units + redated_in_units + recovered_units)) as residual
    from totals

)

select * from balanced
order by sku_code, ship_date
