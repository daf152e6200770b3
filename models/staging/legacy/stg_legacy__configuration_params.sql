-- depends_on: {{ ref('legacy_configuration_params') }}
with

source as (

    select * from {{ source('legacy', 'configuration_params') }}

),

renamed as (

    select
        -- ids
        id as parameter_id,
        {{ null_if_blank('sku') }} as sku_code,

        -- strings
        {{ null_if_blank('category') }} as category,
        {{ null_if_blank('parameter_name') }} as parameter_name,
        {{ null_if_blank('value') }} as parameter_value
    from source

)

select * from renamed
