"""What an example of the rules is made of: a small legacy database, evidence, controls, and the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

ORDER: Final = "600105"
IMPORTED: Final = "2025-10-10 20:16:11"
SHADOWED: Final = "2025-10-02 20:53:06"
WRONG: Final = "2024-04-16"

Value: TypeAlias = str | int | float | bytes | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the legacy `shipped_items`."""

    id: int
    sku_lot: Value
    base_sku: Value
    quantity: Value
    ship_date: Value
    created_at: Value = IMPORTED
    order_number: Value = ORDER
    tracking_number: Value = None


@dataclass(frozen=True, slots=True)
class FetchRow:
    ship_date_from: str
    ship_date_to: str
    fetched_at: str = "2025-11-01 08:00:00"
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of a shipment; its line index is its place."""

    sku: str | None
    quantity: int | None
    adjustment: bool = False
    line_item_key: str | None = None


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    shipment_id: int
    ship_date: str
    items: tuple[ItemRow, ...]
    order_number: str | None = ORDER
    voided: bool = False
    is_return_label: bool = False


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A line of `quarantine_decisions.csv`."""

    legacy_id: str
    base_sku: str
    sku_lot: str
    quantity_shipped: str
    decision: str
    ship_date: str = ""
    order_number: str = ORDER


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must become of a legacy row."""

    legacy_id: int
    disposition: str
    reason: str
    merged_into_id: int | None = None
    new_ship_date: str | None = None


@dataclass(frozen=True, slots=True)
class RecoveredLine:
    """A recovered row that must come out, with its id in the candidate."""

    id: int
    ship_date: str
    shipstation_sku_raw: str
    sku_code: str
    lot_number: str | None
    quantity: int
    order_number: str | None
    shipment_id: int


@dataclass(frozen=True, slots=True)
class Example:
    """A legacy database, evidence and controls, and what must come out.

    headers: order number and ship date. inbox: order number, order date and status; None where the legacy
    database has no such table. incidents: wrong and correct ship date, created from and to. variants: raw
    text, SKU, lot. master_lots: SKU, lot, active. inventory_lots: SKU, lot, status; inventory_lot_values:
    further rows, with received date, initial quantity, adjustment, created at. parameters: category,
    parameter name, value, SKU.

    outcomes: for every row. recovered, header_changes (order number, change, old and new date): all of them.
    parsed: id, raw text, SKU and lot of rows, where they are worth checking (the raw text is the candidate's,
    of rows that stay; the lot is the legacy one). candidate: id, text and lot of rows that stay, as the
    candidate has them, where they are worth checking. lots: SKU, lot, status and whether it was discovered;
    None where they are not worth checking. lot_values: SKU, lot, received date, initial quantity, adjustment,
    created at of some lots. problems: legacy id as written, and the reference's name for what is wrong with
    the decision.
    """

    name: str
    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]
    headers: tuple[tuple[str | None, str | None], ...] = ()
    inbox: tuple[tuple[str | None, str | None, str | None], ...] | None = ()
    fetches: tuple[FetchRow, ...] = ()
    shipments: tuple[ShipmentRow, ...] = ()
    incidents: tuple[tuple[str, str, str, str], ...] = (
        (WRONG, "2025-10-06", "2025-10-06 15:43:00", "2025-10-06 17:45:00"),
    )
    variants: tuple[tuple[str, str, str], ...] = ()
    decisions: tuple[DecisionLine, ...] = ()
    skus: tuple[str, ...] = ("17612", "17904", "17914", "18675", "18795")
    parameters: tuple[tuple[str, str, str, str], ...] = ()
    master_lots: tuple[tuple[str, str, int | None], ...] = (
        ("17612", "250237", 0),
        ("17612", "250300", 1),
        ("17904", "250240", 1),
        ("17914", "250297", 1),
    )
    inventory_lots: tuple[tuple[str, str, str | None], ...] = ()
    inventory_lot_values: tuple[
        tuple[str, str, str | None, str | None, int | None, int | None, str | None], ...
    ] = ()
    parsed: tuple[tuple[int, str | None, str | None, str | None], ...] = ()
    candidate: tuple[tuple[int, str, str | None], ...] = ()
    recovered: tuple[RecoveredLine, ...] = ()
    header_changes: tuple[tuple[str, str, str | None, str | None], ...] = ()
    lots: tuple[tuple[str, str, str, bool], ...] | None = None
    lot_values: tuple[tuple[str, str, str | None, int | None, int, str | None], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


def keep(legacy_id: int, reason: str = "clean") -> Outcome:
    return Outcome(legacy_id, "keep", reason)


def redate(legacy_id: int, day: str, reason: str) -> Outcome:
    return Outcome(legacy_id, "redate", reason, new_ship_date=day)


def merge(legacy_id: int, target: int, reason: str) -> Outcome:
    return Outcome(legacy_id, "merge", reason, merged_into_id=target)


def remove(legacy_id: int, reason: str) -> Outcome:
    return Outcome(legacy_id, "remove", reason)


def quarantine(legacy_id: int, reason: str) -> Outcome:
    return Outcome(legacy_id, "quarantine", reason)


def shipment(
    shipment_id: int, day: str, *items: tuple[str, int], order_number: str | None = ORDER
) -> ShipmentRow:
    """A shipment with items of a SKU text and a quantity each."""
    lines = tuple(ItemRow(sku, quantity) for sku, quantity in items)
    return ShipmentRow(shipment_id, day, lines, order_number)


FETCHED: Final = (FetchRow("2025-09-20", "2025-10-31"),)
TAKEN_OUT: Final = (ORDER, "taken_out", WRONG, None)
