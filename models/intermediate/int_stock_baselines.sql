with

parameters as (

    select * from {{ ref('stg_legacy__configuration_params') }}

),

baselines as (

    select
        sku_code,
        {{ whole_number('parameter_value') }} as baseline_units,
        row_number() over (partition by sku_code order by parameter_id) as place
    from parameters
    where
        category = 'InitialInventory'
        and parameter_name = 'EOD_Prior_Week'
        and sku_code is not null

),

final as (

    select
        sku_code,
        baseline_units
    from baselines
    where place = 1

)

select * from final
