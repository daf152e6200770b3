"""What planning works on: rows as they are, lines as they should be, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from lotgate.parser import ParseFailure, Variant

__all__ = [
    "GUARD_REASONS",
    "GuardReason",
    "Line",
    "OrderPlan",
    "OrderState",
    "Reason",
    "Refusal",
    "Row",
    "Rules",
    "Update",
]

GuardReason: TypeAlias = Literal["invalid_ship_date", "future_ship_date", "before_order_date", "too_old"]
GUARD_REASONS: tuple[GuardReason, ...] = get_args(GuardReason)
Reason: TypeAlias = (
    ParseFailure
    | GuardReason
    | Literal["invalid_quantity", "no_items", "wrong_answer", "refused_by_database"]
    | Literal["quantity_conflict", "lot_conflict", "date_conflict", "void_conflict"]
)


@dataclass(frozen=True)
class Rules:
    """What a run judges by.

    ``today`` is the day in US Pacific by ShipStation's clock; ``guard_days`` is None with ``--backfill``;
    the rest are the project's variables (``dbt_project.yml``) and the controls.
    """

    today: str
    guard_days: int | None
    known_skus: frozenset[str]
    variants: Mapping[str, Variant] = field(default_factory=dict)
    min_lot_digits: int = 5
    max_quantity: int = 1_000_000
    same_shipment_days: int = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One row of ``shipped_items`` with its SKU and lot looked up. Migrated rows have no ``shipment_id``."""

    id: int
    order_number: str | None
    ship_date: str
    sku_code: str
    lot_number: str | None
    raw: str
    quantity: int
    tracking_number: str | None
    shipment_id: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """The units of one SKU and lot on one label; ``line_index`` is the lowest of the items that add up."""

    shipment_id: int
    line_index: int
    order_number: str | None
    ship_date: str
    sku_code: str
    lot_number: str | None
    raw: str
    quantity: int
    tracking_number: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What guard or parser do not let through. ``subject`` says what it is about, the same in every run."""

    subject: str
    reason: Reason
    detail: str
    shipment_id: int | None
    shipstation_order_id: int | None
    order_number: str | None
    ship_date: str | None
    sku_text: str | None
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Update:
    """A row that becomes a line. ``adopted``: a migrated row that learns which shipment it is."""

    before: Row
    after: Line
    adopted: bool = False


@dataclass(frozen=True)
class OrderState:
    """What the database has of one order, and of the shipments at hand, whichever order holds them.

    ``former_numbers`` are those under which the order stood before its number was changed.
    """

    order_number: str | None
    rows: tuple[Row, ...]
    ordered_on: str | None = None
    former_numbers: frozenset[str] = frozenset()


@dataclass
class OrderPlan:
    """What has to change for one order. Nothing at all where the database says already what ShipStation says.

    ``ask_again`` says that the labels at hand do not decide it: all labels of the order are needed. Then
    nothing else in the plan counts.
    """

    inserts: list[Line] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    deletes: list[Row] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    ignored_lines: int = 0
    ask_again: bool = False

    @property
    def changes_something(self) -> bool:
        """Whether a row of ``shipped_items`` is written."""
        return bool(self.inserts or self.updates or self.deletes)
