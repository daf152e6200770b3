"""What a person looks at first in a candidate: units of the days that matter, stock, rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lotgate.sqlite_files import sqlite_uri

__all__ = ["DayUnits", "Figures", "OnHand", "Rows", "read_figures"]


@dataclass(frozen=True)
class DayUnits:
    """Units of one ship date before and after; by ShipStation and as the owner expects, where known."""

    ship_date: str
    before: int
    after: int
    shipstation: int | None
    expected: int | None


@dataclass(frozen=True)
class OnHand:
    """Units on hand of one SKU at the end of a day, by the legacy rows, by the candidate, and as counted."""

    sku_code: str
    as_of_date: str
    before: int | None
    after: int | None
    expected: int | None


@dataclass(frozen=True)
class Rows:
    """Rows and units of one disposition and reason. Recovered rows have the disposition ``recovered``."""

    disposition: str
    reason: str
    rows: int
    units: int


@dataclass(frozen=True)
class Figures:
    """``days`` are those that an incident or an expectation names, and those that ShipStation covers.

    ``residual`` is the number of units that are not explained: 0, or nothing may be promoted. ``undecided``
    counts the quarantined rows that wait for a person.
    """

    legacy_rows: int
    candidate_rows: int
    residual: int
    undecided: int
    days: tuple[DayUnits, ...]
    on_hand: tuple[OnHand, ...]
    rows: tuple[Rows, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


DAYS = """
select
    days.ship_date, days.legacy_units, days.candidate_units, days.shipstation_units,
    expected_units.expected_units
from audit_daily_units as days
left join expected_units on days.ship_date = expected_units.ship_date
where
    days.shipstation_units is not null
    or expected_units.ship_date is not null
    or days.ship_date in (select wrong_ship_date from incidents)
    or days.ship_date in (select correct_ship_date from incidents)
order by days.ship_date
"""

ON_HAND = """
select sku_code, as_of_date, legacy_on_hand, candidate_on_hand, expected_on_hand
from audit_stock where expected_on_hand is not null order by sku_code, as_of_date
"""

ROWS = """
select disposition, reason, count(*), coalesce(sum(units), 0)
from audit_row_ledger group by disposition, reason
union all
select 'recovered', 'only_in_shipstation', count(*), coalesce(sum(quantity), 0)
from int_recovered_lines having count(*) > 0
"""

ORDER = ("keep", "redate", "merge", "remove", "quarantine", "recovered")


def read_figures(candidate: Path) -> Figures:
    """Reads the figures of a candidate that was built completely."""
    with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:

        def number(sql: str) -> int:
            return int(connection.execute(sql).fetchone()[0])

        rows = [Rows(*row) for row in connection.execute(ROWS)]
        return Figures(
            legacy_rows=number("select count(*) from audit_row_ledger"),
            candidate_rows=number("select count(*) from shipped_items"),
            residual=number("select coalesce(sum(residual), 0) from audit_unit_balance"),
            undecided=number("select count(*) from audit_quarantine where is_undecided"),
            days=tuple(DayUnits(*row) for row in connection.execute(DAYS)),
            on_hand=tuple(OnHand(*row) for row in connection.execute(ON_HAND)),
            rows=tuple(sorted(rows, key=lambda row: (ORDER.index(row.disposition), row.reason))),
        )
