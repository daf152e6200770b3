{{ config(severity='warn') }}
with

counted as (

    select count(*) as sku_count from {{ ref('skus') }}

)

select sku_count
from counted
where sku_count <> {{ var('expected_sku_count') }}
