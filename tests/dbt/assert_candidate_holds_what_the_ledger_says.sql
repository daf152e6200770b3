with

ledger as (

    select * from {{ ref('audit_row_ledger') }}

),

recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

all_rows as (

    select * from {{ ref('audit_row_ledger') }}

),

all_recovered_lines as (

    select * from {{ ref('int_recovered_lines') }}

),

candidate_items as (

    select * from {{ ref('shipped_items') }}

),

all_candidate_items as (

    select * from {{ ref('shipped_items') }}

),

skus as (

    select * from {{ ref('skus') }}

),

lots as (

    select * from {{ ref('lots') }}

),

explained as (

    select
        legacy_id as id,
        coalesce(new_ship_date, {{ trim_blanks(as_text('ship_date')) }}) as ship_date,
        sku_code,
        coalesce(candidate_lot_number, '') as lot_number,
        units
    from ledger
    where disposition in ('keep', 'redate')
    union all
    select
        candidate_id as id,
        ship_date,
        sku_code,
        coalesce(lot_number, '') as lot_number,
        quantity as units
    from recovered_lines

),

found as (

    select
        candidate_items.id,
        candidate_items.ship_date,
        skus.sku_code,
        coalesce(lots.lot_number, '') as lot_number,
        candidate_items.quantity_shipped as units
    from candidate_items
    inner join skus on candidate_items.sku_id = skus.sku_id
    left join lots
        on candidate_items.lot_id = lots.lot_id and candidate_items.sku_id = lots.sku_id

),

row_counts as (

    select
        (
            select count(*)
            from all_rows
            where all_rows.disposition in ('keep', 'redate')
        )
        + (select count(*) from all_recovered_lines) as explained_rows,
        (select count(*) from all_candidate_items) as candidate_rows

),

different as (

    select
        explained.id,
        'not in the candidate, or different there' as problem
    from explained
    left join found
        on
            explained.id = found.id
            and explained.ship_date = found.ship_date
            and explained.sku_code = found.sku_code
            and explained.lot_number = found.lot_number
            and explained.units = found.units
    where found.id is null

),

unexplained as (

    select
        cast(null as integer) as id,
        'the candidate has ' || candidate_rows || ' rows, explained are ' || explained_rows
            as problem
    from row_counts
    where explained_rows <> candidate_rows

)

select * from different
union all
select * from unexplained
