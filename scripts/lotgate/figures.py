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
    """Units of one ship date before and after, and what lies between the two.

    ``before`` less ``merged``, ``removed``, ``quarantined`` and ``redated_away``, with ``redated_here`` and
    ``recovered`` added, is ``after``. ``shipstation`` and ``expected`` are None where not known.
    """

    ship_date: str
    before: int
    merged: int
    removed: int
    quarantined: int
    redated_away: int
    redated_here: int
    recovered: int
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
    """``days`` are those that an incident or an expectation names, and those of which ShipStation counts
    other units than the legacy rows or the candidate.

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
    days.ship_date, days.legacy_units,
    sum(balance.merge_units), sum(balance.remove_units), sum(balance.quarantine_units),
    sum(balance.redate_units), sum(balance.redated_in_units), sum(balance.recovered_units),
    days.candidate_units, days.shipstation_units, expected_units.expected_units
from audit_daily_units as days
inner join audit_unit_balance as balance on days.ship_date = balance.ship_date
left join expected_units on days.ship_date = expected_units.ship_date
where
    days.shipstation_units <> days.candidate_units
    or days.shipstation_units <> days.legacy_units
    or expected_units.ship_date is not null
    or days.ship_date in (select wrong_ship_date from incidents)
    or days.ship_date in (select correct_ship_date from incidents)
group by days.ship_date
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
