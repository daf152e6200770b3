select
    sku_code,
    as_of_date,
    expected_on_hand,
    candidate_on_hand
from {{ ref('audit_stock') }}
where
    expected_on_hand is not null
    and (candidate_on_hand is null or candidate_on_hand <> expected_on_hand)
