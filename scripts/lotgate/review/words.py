"""What the codes of an audit mean, in the words of the person who reads the pages.

Source of every rule: docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ALERT_LEVELS",
    "BALANCES",
    "CAUSES",
    "CHANGES",
    "DECISIONS",
    "DISPOSITIONS",
    "LEFT_OUT",
    "OUTCOMES",
    "REASONS",
    "RESULTS",
    "SUITES",
]

DISPOSITIONS: Mapping[str, str] = {
    "keep": "stays as it is",
    "redate": "stays, with another ship date",
    "merge": "second record of a line that stays",
    "remove": "leaves: never shipped, or a historical re-sync",
    "quarantine": "leaves until a person decides",
    "recovered": "comes back from ShipStation",
}

REASONS: Mapping[tuple[str, str], str] = {
    ("keep", "clean"): "Nothing speaks against it.",
    ("keep", "late_import"): "Imported long after it shipped, and otherwise consistent.",
    ("keep", "unknown_to_shipstation"): "ShipStation does not have this line on its day.",
    ("keep", "decided"): "A person decided to keep it.",
    ("redate", "shipstation_other_day"): "ShipStation has exactly this line on another day.",
    (
        "redate",
        "incident_correct_date",
    ): "The order has another row, or its header, on the incident's true day.",
    ("redate", "decided"): "A person decided the day.",
    ("merge", "respelled_twin"): "The same line, spelled in another way.",
    ("merge", "lotless_twin"): "The same line without its lot.",
    ("merge", "lot_in_base_sku_twin"): "The same line with the lot in base_sku.",
    ("merge", "decided"): "A person decided that it is the same line.",
    ("remove", "cancelled_never_shipped"): "The order was cancelled, and nothing says that it shipped.",
    (
        "remove",
        "historical_resync",
    ): "Written on an incident's wrong date, and nothing says the order is newer.",
    ("remove", "decided"): "A person decided to remove it.",
    ("quarantine", "unparseable_sku"): "The SKU text cannot be read.",
    ("quarantine", "sku_conflict"): "base_sku and sku_lot name different SKUs.",
    ("quarantine", "unknown_sku"): "The SKU is not in inventory_current.",
    ("quarantine", "implausible_lot"): "The lot is too short to be one: a pack size, perhaps.",
    ("quarantine", "invalid_ship_date"): "The ship date is no real day.",
    ("quarantine", "invalid_quantity"): "The quantity is no plausible whole number.",
    ("quarantine", "orphan_order"): "No header has the order number, and ShipStation does not know it.",
    ("quarantine", "quantity_conflict"): "Another record of the line has another quantity.",
    ("quarantine", "unresolved_suspect"): "The date is wrong, and nothing says which one is right.",
    ("quarantine", "held"): "A person decided to leave it here.",
    ("recovered", "only_in_shipstation"): "Only ShipStation has this line.",
}

DECISIONS: Mapping[str, str] = {
    "keep": "The row stays with its own ship date. Only for a row that can be read.",
    "redate": "The row stays, on the day in the column ship_date.",
    "merge": "The row is a second record: it leaves, and names the row of its order and SKU that stays.",
    "remove": "The row leaves. It was never shipped, or it is none of this table's rows.",
    "hold": "The row stays in quarantine, knowingly. It no longer closes the gate.",
}

LEFT_OUT: Mapping[str, str] = {
    "unknown_sku": "its SKU is not in inventory_current",
    "implausible_lot": "too short, or not digits only",
}

OUTCOMES: Mapping[str, str] = {
    "same_day": "A legacy row is the same line on the same day.",
    "other_day": "A legacy row is the same line on another day.",
    "other_quantity": "A legacy row of that order, SKU and day has another quantity.",
    "recovered": "No legacy row that stays is this line: the candidate gets it.",
    "voided": "Not counted: the label was voided.",
    "return_label": "Not counted: a label for goods that come back.",
    "day_not_covered": "Not counted: no complete fetch covers its day.",
    "no_sku": "Not counted: the line has no SKU text.",
    "adjustment": "Not counted: an adjustment or a discount, not goods.",
    "no_units": "Not counted: no plausible whole number of units.",
    "unparseable_sku": "Not counted: the SKU text cannot be read.",
    "sku_conflict": "Not counted: the SKU text contradicts itself.",
    "unknown_sku": "Not counted: the SKU is not in inventory_current.",
    "implausible_lot": "Not counted: the lot is too short to be one.",
}

CAUSES: Mapping[str, str] = {
    "missing": "ShipStation shipped it, and no legacy row says so.",
    "parcel_overwritten": "Another parcel of the order, SKU and lot took its place in the table.",
    "other_day": "The other side has the same line on another day.",
    "other_quantity": "The other side has other units of the order and SKU on that day.",
    "other_lot": "The same units, of another lot, or without one on one side.",
    "double": "A second record of a line that ShipStation has once.",
    "voided_later": "The row is that of a label that was voided after it was saved.",
    "unreadable": "The row's SKU text cannot be read, so it is compared with nothing.",
    "unknown_to_shipstation": "ShipStation has no such line, voided or not.",
}

CHANGES: Mapping[str, str] = {
    "leaves": "the row is not in the candidate",
    "is added": "the row is only in the candidate",
    "date": "the ship date",
    "text": "the SKU and lot text",
    "blanks": "blanks around the text, and nothing else",
    "SKU": "the SKU is another than the text says",
    "lot": "the lot",
    "order": "the order number, or blanks around it",
    "units": "the quantity",
    "nothing": "reported only",
}

RESULTS: Mapping[str, str] = {
    "passed": "passed",
    "failed": "failed",
    "errored": "could not be carried out",
    "not_run": "did not run",
}

SUITES: Mapping[str, str] = {
    "register": "Register of checks",
    "files": "Files and hashes",
    "skus": "SKUs",
    "lots": "Lots",
    "shipped_orders": "Order headers",
    "shipped_items": "Shipped items",
    "reconciliation": "Reconciliation with the snapshot",
    "reporting": "Reports and what was stored",
    "legacy_health": "What was wrong before",
    "review": "Review pages",
    "dbt": "dbt data tests",
    "dbt_unit": "dbt unit tests",
}

ALERT_LEVELS: Mapping[str, tuple[str, str]] = {
    "normal": ("passed", "good"),
    "low": ("warning", "warn"),
    "critical": ("failed", "bad"),
}
"""Alert level -> icon and look."""

BALANCES: Mapping[str, tuple[str, str, str]] = {
    "covered": ("passed", "good", "covered"),
    "overdrawn": ("failed", "bad", "more shipped than came in"),
    "unknown": ("not_run", "warn", "nothing says what came in"),
}
"""Balance of a lot -> icon, look and words."""
