"""The values that the reference implementation passes from module to module, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lotgate.parser import ParsedSku, Variant

Disposition: TypeAlias = Literal["keep", "redate", "merge", "remove", "quarantine"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The project's variables: units, days, a lot status, digits."""

    max_quantity: int = 1_000_000
    late_import_days: int = 30
    discovered_lot_status: str = "active"
    min_lot_digits: int = 5


# What is read


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """One row of the legacy `shipped_items`, read as docs/rules.md section 1 says.

    order: the trimmed order number, None where blank. day: the ship date, None where it is no real day.
    quantity: units, None where invalid. created_at: the first 19 characters; created_day: its day, None where
    it is no real day. The `..._text` fields are the stored values as text, for matching decisions.
    """

    legacy_id: int
    sku_lot_text: str | None
    base_sku_text: str | None
    quantity_text: str | None
    order: str | None
    day: str | None
    quantity: int | None
    created_at: str
    created_day: str | None
    has_tracking: bool
    parsed: ParsedSku

    @property
    def sku(self) -> str | None:
        return self.parsed.sku_code

    @property
    def lot(self) -> str | None:
        return self.parsed.lot_number

    @property
    def position(self) -> int:
        """Where the lot stands: 2 in `sku_lot`, 1 in `base_sku`, 0 no lot (docs/rules.md section 4)."""
        return {"sku_lot": 2, "base_sku": 1, None: 0}[self.parsed.lot_position]


@dataclass(frozen=True, slots=True)
class Header:
    """The header that counts for a trimmed order number; `ship_date` and `order_number` as stored."""

    order_number: str
    ship_date: str | None


@dataclass(frozen=True, slots=True)
class InboxOrder:
    """The row of `orders_inbox` that counts for a trimmed order number."""

    order_date: str | None
    status: str


@dataclass(frozen=True, slots=True)
class LotEntry:
    """One row of `lot_inventory` or `sku_lot`; what is None the row does not say. Quantities are units."""

    sku: str
    lot: str
    status: Literal["active", "inactive"] | None
    received_date: str | None = None
    initial_qty: int | None = None
    manual_adjustment: int | None = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """A complete fetch: first day, last day, and the day on which it was made."""

    first_day: str
    last_day: str
    made_on: str


@dataclass(frozen=True, slots=True)
class ShipmentItem:
    line_index: int
    sku_text: str
    quantity: int | None
    is_adjustment: bool


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment that is neither voided nor a return; `items` by line index."""

    shipment_id: int
    order: str | None
    day: str | None
    items: tuple[ShipmentItem, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """A line of `incidents.csv`, trimmed; empty texts where the line says nothing."""

    wrong_day: str
    correct_day: str
    created_from: str
    created_to: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of `quarantine_decisions.csv`, trimmed."""

    legacy_id: str
    order_number: str
    base_sku: str
    sku_lot: str
    quantity_shipped: str
    decision: str
    ship_date: str


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that the rules look at."""

    rows: tuple[LegacyRow, ...]
    headers: Mapping[str, Header]
    inbox: Mapping[str, InboxOrder]
    skus: tuple[SkuResult, ...]
    lot_inventory: tuple[LotEntry, ...]
    sku_lot: tuple[LotEntry, ...]
    fetches: tuple[Fetch, ...]
    shipments: tuple[Shipment, ...]
    incidents: tuple[Incident, ...]
    decisions: tuple[Decision, ...]
    variants: Mapping[str, Variant]
    settings: Settings

    @property
    def known_skus(self) -> frozenset[str]:
        return frozenset(sku.sku_code for sku in self.skus)


# What is worked out on the way


@dataclass(frozen=True, slots=True)
class Verdict:
    """A disposition with its reason; `merged_into_id` for a merge, `new_ship_date` for a redate."""

    disposition: Disposition
    reason: str
    merged_into_id: int | None = None
    new_ship_date: str | None = None

    @property
    def stays(self) -> bool:
        """Whether the row is kept or redated."""
        return self.disposition in ("keep", "redate")


@dataclass(frozen=True, slots=True)
class Line:
    """A counted line: the units of one SKU and lot in one shipment (docs/rules.md section 3)."""

    shipment_id: int
    order: str | None
    day: str
    sku: str
    lot: str | None
    quantity: int
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The lines that a row claims, and the pass (1 to 5) in which it did."""

    pass_number: int
    lines: tuple[Line, ...]

    @property
    def is_exact(self) -> bool:
        return self.pass_number <= 4

    @property
    def is_same_day(self) -> bool:
        """Exactly that line on exactly that day."""
        return self.pass_number <= 2


# The result


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one legacy row; `base_disposition` is the one without any decision of a person.

    lot_number: as the legacy texts say. candidate_lot_number: as the candidate has it (docs/rules.md section
    6); None where the row does not stay.
    """

    legacy_id: int
    disposition: Disposition
    reason: str
    merged_into_id: int | None
    new_ship_date: str | None
    sku_code: str | None
    lot_number: str | None
    base_disposition: Disposition
    candidate_lot_number: str | None


@dataclass(frozen=True, slots=True)
class RecoveredRow:
    """A line that ShipStation knows and the legacy table does not; `id` is its id in the candidate."""

    id: int
    ship_date: str
    shipstation_sku_raw: str
    sku_code: str
    lot_number: str | None
    quantity: int
    order_number: str | None
    shipment_id: int


@dataclass(frozen=True, slots=True)
class CandidateItem:
    """A row of the candidate's `shipped_items`; `shipment_id` is None for migrated rows."""

    id: int
    ship_date: str
    shipstation_sku_raw: str
    sku_code: str
    lot_number: str | None
    quantity: int
    order_number: str | None
    shipment_id: int | None


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """A change of `shipped_orders`; `old_ship_date` as stored, None where the header is added."""

    order_number: str
    change: Literal["taken_out", "date_corrected", "added"]
    old_ship_date: str | None
    new_ship_date: str | None


@dataclass(frozen=True, slots=True)
class LotResult:
    """A row of the candidate's `lots`; quantities are units."""

    sku_code: str
    lot_number: str
    status: str
    discovered: bool
    received_date: str | None
    initial_qty: int | None
    manual_adjustment: int
    created_at: str | None


@dataclass(frozen=True, slots=True)
class SkuResult:
    sku_code: str
    product_name: str
    pallet_count: int | None
    reorder_point: int


@dataclass(frozen=True, slots=True)
class DecisionProblem:
    """A line of `quarantine_decisions.csv` that cannot be followed; `legacy_id` as written there, trimmed.

    problem: no_such_row, named_twice, mismatch, not_quarantined, unknown_decision, not_allowed, invalid_date,
    no_merge_target or text_stays_twice.
    """

    legacy_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Result:
    """Rows by legacy id, items by id, lots and SKUs by their codes, header changes by order number.

    For whoever compares: claims, which pass and which lines each row claims; standing, the lines that are not
    recovered, by the id of the row that they stand for (the row merged into, where a claim was handed on).
    """

    rows: tuple[RowResult, ...]
    recovered: tuple[RecoveredRow, ...]
    items: tuple[CandidateItem, ...]
    header_changes: tuple[HeaderChange, ...]
    lots: tuple[LotResult, ...]
    skus: tuple[SkuResult, ...]
    decision_problems: tuple[DecisionProblem, ...]
    claims: Mapping[int, Claim]
    standing: Mapping[int, Claim]
