{{ config(severity='warn') }}
select
    shipment_id,
    line_index,
    legacy_id
from {{ ref('audit_shipstation_lines') }}
where outcome = 'other_quantity'
