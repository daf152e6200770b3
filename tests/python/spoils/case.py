"""One way to spoil a work directory, and how it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suites import rebuild, spoil, unconstrained

CLEAN = "(select min(legacy_id) from audit_row_ledger where reason = 'clean' and lot_number is not null)"
RESYNC = "(select min(legacy_id) from audit_row_ledger where reason = 'historical_resync')"
TWIN = "(select min(legacy_id) from audit_row_ledger where reason = 'lotless_twin')"
REDATED = "(select min(legacy_id) from audit_row_ledger where reason = 'shipstation_other_day')"
HELD = "(select min(legacy_id) from audit_row_ledger where reason = 'held')"
REMOVED = "(select min(legacy_id) from audit_row_ledger where disposition = 'remove' and reason = 'decided')"
RECOVERED = "(select min(candidate_id) from int_recovered_lines)"
EXACT = "(select min(line_id) from int_shipstation_claims where pass = 1)"

Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One way to spoil a work directory.

    ``found`` are all the checks that fail then and did not before, with their counts; the first is the one
    that the case is about, and ``row`` is the first row that it shows.
    """

    name: str
    spoil: Spoil
    found: Mapping[str, int | None]
    row: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def check(self) -> str:
        return next(iter(self.found))


def sql(*statements: str) -> Spoil:
    """Statements on the candidate."""
    return lambda work: spoil(work, *statements)


def source(*statements: str) -> Spoil:
    """Statements on the snapshot."""
    return lambda work: spoil(work, *statements, database="legacy.sqlite")


def ledger(change: str, row: str) -> Spoil:
    """A change to one row of the ledger."""
    return sql(f"update audit_row_ledger set {change} where legacy_id = {row}")


def without_type(work: Path) -> None:
    """3 becomes 3.0, in a ledger that allows it."""
    rebuild(work, "audit_row_ledger", ("quantity_shipped INT", "quantity_shipped"))
    ledger("quantity_shipped = quantity_shipped * 1.0", CLEAN)(work)


def recovered_twice(work: Path) -> None:
    columns = (
        "line_id, shipment_id, shipstation_order_id, order_number, header_order_number, tracking_number,"
        " ship_date, created_at, sku_code, lot_number, shipstation_sku_raw, quantity"
    )
    unconstrained(work, "int_recovered_lines")
    spoil(
        work,
        f"insert into int_recovered_lines select 9999, {columns} from int_recovered_lines"
        f" where candidate_id = {RECOVERED}",
    )
