-- What one would write by hand: the plain normalization, with no twins, no evidence, no ledger and no proof.
-- It stands for the least time in which the same tables, constraints and indexes can be filled and checked.
-- The runner creates the candidate's tables before, and its indexes after, and attaches the legacy database.
insert into skus (sku_id, sku_code, product_name)
select row_number() over (order by sku), trim(sku), trim(product_name) from legacy.inventory_current;

insert into lots (lot_id, lot_number, sku_id)
select row_number() over (order by s.sku_id, l.lot_number), l.lot_number, s.sku_id
from (
    select distinct
        trim(substr(sku_lot, 1, instr(sku_lot, '-') - 1)) as sku_code,
        trim(substr(sku_lot, instr(sku_lot, '-') + 1)) as lot_number
    from legacy.shipped_items
    where instr(sku_lot, '-') > 1
) as l
inner join skus as s on l.sku_code = s.sku_code
where l.lot_number <> '';

insert into shipped_orders (id, ship_date, order_number, total_items, shipstation_order_id, created_at)
select id, ship_date, order_number, total_items, shipstation_order_id, created_at
from legacy.shipped_orders
where true
on conflict do nothing;

insert into shipped_items (
    id, ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped, order_number, tracking_number, created_at
)
select
    i.id, i.ship_date, i.raw, s.sku_id, l.lot_id, i.quantity_shipped, i.order_number, i.tracking_number, i.created_at
from (
    select
        *,
        case when trim(coalesce(sku_lot, '')) <> '' then trim(sku_lot) else trim(base_sku) end as raw
    from legacy.shipped_items
) as i
inner join skus as s
    on s.sku_code = case when instr(i.raw, '-') > 1 then trim(substr(i.raw, 1, instr(i.raw, '-') - 1)) else i.raw end
left join lots as l
    on l.sku_id = s.sku_id and l.lot_number = trim(substr(i.raw, instr(i.raw, '-') + 1))
where
    i.ship_date >= '0001' and length(cast(i.ship_date as blob)) = 10
    and date(i.ship_date, '+0 days') = i.ship_date
    -- a sum over typing errors would not fit into an integer
    and typeof(i.quantity_shipped) = 'integer' and i.quantity_shipped between 1 and 1000000
    and (i.order_number is null or i.order_number in (select order_number from shipped_orders))
order by i.id;
