"""Units by SKU and day, counted anew from the tables of the candidate; the balance is not looked at.

A SKU that could not be read and a blank date are the empty text; a date is trimmed, and is not always a day.
Source: docs/rules.md, and the columns of the ledger in models/audit/audit_row_ledger.yml.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lotgate_expectations.expressions import trimmed
from lotgate_expectations.once import SharedTable, once
from lotgate_expectations.reading import stream

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

SkuDay = tuple[str, str]

LEDGER_SUMS = SharedTable(
    "lotgate_ledger_sums",
    f"""
    select
        +sku_code as sku_code, +ship_date as ship_date, created_on, +disposition as disposition,
        +reason as reason, count(*) as row_count, sum(units) as units
    from (
        select
            sku_code, ship_date, substr({trimmed("created_at")}, 1, 10) as created_on, disposition, reason,
            units
        from audit_row_ledger
    )
    group by ship_date, created_on, sku_code, disposition, reason
    """,
)
"""The ledger's rows and units by what checks ask for: SKU, legacy date as it stands, day of creation,
disposition, reason. A row has hundreds like it, and going through all of a million takes seconds."""

_LEDGER = f"""
select coalesce(sku_code, ''), coalesce({trimmed("ship_date")}, ''), disposition, units
from (
    select sku_code, ship_date, disposition, sum(units) as units
    from {LEDGER_SUMS.name}
    group by sku_code, ship_date, disposition
)
"""
_REDATED_IN = """
select coalesce(sku_code, ''), coalesce(new_ship_date, ''), sum(units)
from audit_row_ledger
where disposition = 'redate'
group by sku_code, new_ship_date
"""
_RECOVERED = "select sku_code, ship_date, sum(quantity) from int_recovered_lines group by sku_code, ship_date"
_CANDIDATE = """
select coalesce(skus.sku_code, ''), items.ship_date, items.units
from (
    select sku_id, ship_date, sum(quantity_shipped) as units
    from shipped_items
    group by sku_id, ship_date
) as items
left join skus on items.sku_id = skus.sku_id
"""


def ledger_units(engine: SqlAlchemyExecutionEngine) -> Mapping[str, Counter[SkuDay]]:
    """Disposition -> units by SKU and legacy date, from the row ledger."""
    return once(engine, "ledger units", lambda: _ledger_units(engine))


def _ledger_units(engine: SqlAlchemyExecutionEngine) -> dict[str, Counter[SkuDay]]:
    LEDGER_SUMS.make(engine)
    sums: dict[str, Counter[SkuDay]] = {}
    for sku, day, disposition, units in stream(engine, _LEDGER):
        sums.setdefault(disposition, Counter())[sku, day] += units or 0
    return sums


def legacy_units(engine: SqlAlchemyExecutionEngine) -> Counter[SkuDay]:
    """Units by SKU and legacy date of all rows of the ledger, whatever became of them."""
    sums: Counter[SkuDay] = Counter()
    for units in ledger_units(engine).values():
        sums.update(units)
    return sums


def redated_in_units(engine: SqlAlchemyExecutionEngine) -> Counter[SkuDay]:
    """Units of redated rows by SKU and new day, from the row ledger."""
    return _sums(engine, _REDATED_IN)


def recovered_units(engine: SqlAlchemyExecutionEngine) -> Counter[SkuDay]:
    """Units of recovered lines by SKU and day."""
    return _sums(engine, _RECOVERED)


def candidate_units(engine: SqlAlchemyExecutionEngine) -> Counter[SkuDay]:
    """Units by SKU and day of what is promoted."""
    return _sums(engine, _CANDIDATE)


def explained_units(engine: SqlAlchemyExecutionEngine) -> Counter[SkuDay]:
    """Units by SKU and day that the candidate should have: kept, redated to the day, recovered."""
    explained = Counter(ledger_units(engine).get("keep", {}))
    explained.update(redated_in_units(engine))
    explained.update(recovered_units(engine))
    return explained


def _sums(engine: SqlAlchemyExecutionEngine, query: str) -> Counter[SkuDay]:
    return Counter(once(engine, query, lambda: _summed(engine, query)))


def _summed(engine: SqlAlchemyExecutionEngine, query: str) -> Counter[SkuDay]:
    sums: Counter[SkuDay] = Counter()
    for sku, day, units in stream(engine, query):
        sums[sku, day] += units or 0
    return sums
