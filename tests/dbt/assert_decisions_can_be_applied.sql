select
    legacy_id,
    decision,
    problem
from {{ ref('audit_decisions') }}
where problem is not null
