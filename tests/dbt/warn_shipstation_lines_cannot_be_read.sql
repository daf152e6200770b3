{{ config(severity='warn') }}
select
    shipment_id,
    line_index,
    sku_text,
    outcome
from {{ ref('audit_shipstation_lines') }}
where outcome in ('unparseable_sku', 'unknown_sku', 'implausible_lot')
