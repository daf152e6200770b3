{{ config(severity='warn') }}
select
    legacy_id,
    reason,
    proposal
from {{ ref('audit_quarantine') }}
where is_undecided = 1
