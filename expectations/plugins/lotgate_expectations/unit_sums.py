"""Units by SKU and day, counted anew from the tables of the candidate; the balance is not looked at.

A SKU that could not be read and a blank date are the empty text; a date is trimmed, and is not always a day.
Source: docs/rules.md, and the columns of the ledger in models/audit/audit_row_ledger.yml.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lotgate_expectations.expressions import trimmed
from lotgate_expectations.reading import stream

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

SkuDay = tuple[str, str]

# As they stand, rows are summed first: there are few such sums, and trimming a million dates takes a second.
_LEDGER = f"""
select coalesce(sku_code, ''), coalesce({trimmed("ship_date")}, ''), disposition, units
from (
    select sku_code, ship_date, disposition, sum(units) as units
    from audit_row_ledger
    group by sku_code, ship_date, disposition
)
"""
_LEDGER_TOTALS = f"""
select coalesce(sku_code, ''), coalesce({trimmed("ship_date")}, ''), units
from (select sku_code, ship_date, sum(units) as units from audit_row_ledger group by sku_code, ship_date)
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


def ledger_units(engine: SqlAlchemyExecutionEngine) -> dict[str, Counter[SkuDay]]:
    """Disposition -> units by SKU and legacy date, from the row ledger."""
    sums: dict[str, Counter[SkuDay]] = {}
    for sku, day, disposition, units in stream(engine, _LEDGER):
        sums.setdefault(disposition, Counter())[sku, day] += units or 0
    return sums


def legacy_units(engine: SqlAlchemyExecutionEngine) -> Counter[SkuDay]:
    """Units by SKU and legacy date of all rows of the ledger, whatever became of them."""
    return _sums(engine, _LEDGER_TOTALS)


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
    sums: Counter[SkuDay] = Counter()
    for sku, day, units in stream(engine, query):
        sums[sku, day] += units or 0
    return sums
