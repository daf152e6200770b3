with

inventory as (

    select * from {{ ref('stg_legacy__inventory_current') }}

),

parameters as (

    select * from {{ ref('stg_legacy__configuration_params') }}

),

named_parameters as (

    select
        sku_code,
        category,
        parameter_id,
        parameter_name,
        parameter_value,
        {{ product_name_or_null('parameter_name') }} as name_in_parameter_name,
        {{ product_name_or_null('parameter_value') }} as name_in_value
    from parameters
    where sku_code is not null

),

names as (

    select
        sku_code,
        parameter_id,
        case category
            when 'Key Products' then name_in_parameter_name
            when 'Product Names' then coalesce(name_in_value, name_in_parameter_name)
        end as product_name,
        case category when 'Key Products' then 1 else 2 end as preference
    from named_parameters
    where category in ('Key Products', 'Product Names')

),

ranked_names as (

    select
        sku_code,
        product_name,
        row_number() over (partition by sku_code order by preference, parameter_id) as place
    from names
    where product_name is not null

),

ranked_pallets as (

    select
        sku_code,
        {{ whole_number('parameter_value') }} as pallet_count,
        row_number() over (partition by sku_code order by parameter_id) as place
    from named_parameters
    where category = 'PalletConfig' and parameter_name = 'PalletCount'

),

named as (

    select
        inventory.sku_code,
        coalesce(
            {{ product_name_or_null('inventory.product_name') }},
            ranked_names.product_name,
            inventory.sku_code
        ) as product_name,
        coalesce(inventory.reorder_point, 50) as reorder_point,
        ranked_pallets.pallet_count
    from inventory
    left join ranked_names
        on inventory.sku_code = ranked_names.sku_code and ranked_names.place = 1
    left join ranked_pallets
        on inventory.sku_code = ranked_pallets.sku_code and ranked_pallets.place = 1
    where inventory.sku_code is not null

),

numbered as (

    select
        row_number() over (order by sku_code) as sku_id,
        named.*
    from named

),

final as (

    select
        sku_id,
        sku_code,
        product_name,
        reorder_point,
        pallet_count,
        cast(null as {{ dbt.type_string() }}) as created_at
    from numbered
    order by sku_id

)

select * from final
