"""The worked examples of the rules as data, for every implementation of them.

`EXAMPLES` goes through the everyday cases in the order of the rules, `reference.corner_cases` has rarer ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reference.scenario import (
    FETCHED,
    ORDER,
    SHADOWED,
    TAKEN_OUT,
    WRONG,
    DecisionLine,
    Example,
    RecoveredLine,
    Row,
    keep,
    merge,
    quarantine,
    redate,
    remove,
    shipment,
)

# A line that stays whatever happens beside it.
_COMPANION: Final = Row(99, "17914 - 250297", "17914", 1, "2025-10-06")

_CANCELLED = Example(
    "09 cancelled",
    headers=((ORDER, WRONG),),
    inbox=((ORDER, "2025-10-01", "cancelled"),),
    rows=(Row(1, "", "17612", 15, WRONG, "2025-10-02 09:00:00"),),
    outcomes=(remove(1, "cancelled_never_shipped"),),
    header_changes=(TAKEN_OUT,),
)
_OPEN = replace(
    _CANCELLED,
    name="10 inbox says shipped, no sign of it",
    inbox=((ORDER, "2025-10-01", "shipped"),),
    outcomes=(quarantine(1, "unresolved_suspect"),),
)
_DECISION = DecisionLine("1", "17612", "", "15", "hold")
_OWNERS_RULE = Example(
    "12 the owner's rule",
    headers=((ORDER, "2025-10-06"),),
    rows=(
        Row(1, "17904 - 250240", "17904", 1, "2025-10-06"),
        Row(2, "17612 - 250300", "17612", 3, WRONG, "2025-10-06 16:20:00"),
    ),
    outcomes=(keep(1), redate(2, "2025-10-06", "incident_correct_date")),
)

EXAMPLES: Final[tuple[Example, ...]] = (
    Example(
        "01 ordinary",
        headers=((ORDER, "2025-09-15"),),
        rows=(Row(1, "17612 - 250237", "17612", 6, "2025-09-15", "2025-10-01 19:32:37"),),
        outcomes=(keep(1),),
        parsed=((1, "17612 - 250237", "17612", "250237"),),
    ),
    Example(
        "02 split over two days",
        headers=((ORDER, "2025-09-11"),),
        rows=(
            Row(1, "17612 - 250237", "17612", 15, "2025-09-11"),
            Row(2, "17914 - 250297", "17914", 15, "2025-09-12"),
        ),
        outcomes=(keep(1), keep(2)),
    ),
    Example(
        "03 one SKU from two lots",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            Row(1, "17612 - 250237", "17612", 4, "2025-10-06"),
            Row(2, "17612 - 250300", "17612", 2, "2025-10-06"),
        ),
        outcomes=(keep(1), keep(2)),
    ),
    Example(
        "04 the usual shadow",
        headers=((ORDER, "2025-10-03"),),
        inbox=((ORDER, "2025-10-02", "shipped"),),
        rows=(
            Row(1, "", "17612", 6, WRONG, SHADOWED),
            Row(2, "17612 - 250237", "17612", 6, "2025-10-03"),
        ),
        outcomes=(merge(1, 2, "lotless_twin"), keep(2)),
    ),
    Example(
        "05 the same lot in base_sku",
        headers=((ORDER, "2025-09-25"),),
        rows=(
            Row(1, "", "17612 - 250237", 2, WRONG, SHADOWED),
            Row(2, "17612 - 250237", "17612", 2, "2025-09-25"),
        ),
        outcomes=(merge(1, 2, "lot_in_base_sku_twin"), keep(2)),
    ),
    Example(
        "06 another lot in base_sku",
        headers=((ORDER, "2025-09-25"),),
        rows=(
            Row(1, "", "17612 - 250070", 2, WRONG, SHADOWED),
            Row(2, "17612 - 250237", "17612", 2, "2025-09-25"),
        ),
        outcomes=(merge(1, 2, "lot_in_base_sku_twin"), keep(2)),
        master_lots=(("17612", "250237", 1),),
        lots=(("17612", "250237", "active", False),),
    ),
    Example(
        "07 the same SKU, another quantity",
        headers=((ORDER, "2025-10-07"),),
        inbox=((ORDER, "2025-10-06", "shipped"),),
        rows=(
            Row(1, "", "17612", 16, WRONG, "2025-10-06 16:00:00"),
            Row(2, "17612 - 250300", "17612", 2, "2025-10-07"),
        ),
        outcomes=(quarantine(1, "quantity_conflict"), keep(2)),
    ),
    Example(
        "08 shipped without this SKU",
        headers=((ORDER, "2025-10-07"),),
        inbox=((ORDER, "2025-10-06", "shipped"),),
        rows=(
            Row(1, "", "17612", 1, WRONG, "2025-10-06 16:00:00"),
            Row(2, "17904 - 250240", "17904", 2, "2025-10-07"),
        ),
        outcomes=(quarantine(1, "unresolved_suspect"), keep(2)),
    ),
    _CANCELLED,
    _OPEN,
    replace(
        _OPEN,
        name="10 decided to keep: the header comes back",
        decisions=(replace(_DECISION, decision="keep"),),
        outcomes=(keep(1, "decided"),),
        header_changes=(),
    ),
    replace(
        _OPEN,
        name="10 decided to redate: the header comes back",
        decisions=(replace(_DECISION, decision="redate", ship_date="2025-10-08"),),
        outcomes=(redate(1, "2025-10-08", "decided"),),
        header_changes=((ORDER, "date_corrected", WRONG, "2025-10-08"),),
    ),
    replace(
        _CANCELLED,
        name="11 re-synced inside the window, no inbox",
        inbox=None,
        rows=(Row(1, "", "17612", 15, WRONG, "2025-10-06 16:00:00"),),
        outcomes=(remove(1, "historical_resync"),),
    ),
    replace(
        _CANCELLED,
        name="11 outside the window, no inbox",
        inbox=None,
        rows=(Row(1, "", "17612", 15, WRONG, "2025-10-03 16:00:00"),),
        outcomes=(quarantine(1, "unresolved_suspect"),),
    ),
    _OWNERS_RULE,
    replace(
        _OWNERS_RULE,
        name="13 ShipStation has the line on another day",
        fetches=FETCHED,
        shipments=(
            shipment(900001, "2025-10-06", ("17904 - 250240", 1)),
            shipment(900002, "2025-10-07", ("17612 - 250300", 3)),
        ),
        outcomes=(keep(1), redate(2, "2025-10-07", "shipstation_other_day")),
    ),
    replace(
        _OWNERS_RULE,
        name="13 ShipStation shipped the order without the line",
        fetches=FETCHED,
        shipments=(shipment(900001, "2025-10-06", ("17904 - 250240", 1)),),
        outcomes=(keep(1), quarantine(2, "unresolved_suspect")),
    ),
    Example(
        "14 late import",
        headers=((ORDER, "2024-11-13"),),
        rows=(Row(1, "17612 - 240312", "17612", 8, "2024-11-13", "2025-10-15 05:23:36.295358+00"),),
        outcomes=(keep(1, "late_import"),),
        master_lots=(),
        lots=(("17612", "240312", "active", True),),
    ),
    Example(
        "15 two spellings",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            Row(1, "17612-250300", "17612", 6, "2025-10-06"),
            Row(2, "17612 - 250300", "17612", 6, "2025-10-06"),
        ),
        outcomes=(keep(1), merge(2, 1, "respelled_twin")),
        parsed=((1, "17612-250300", "17612", "250300"), (2, None, "17612", "250300")),
    ),
    Example(
        "15 two spellings, two quantities",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            Row(1, "17612-250300", "17612", 6, "2025-10-06"),
            Row(2, "17612 - 250300", "17612", 2, "2025-10-06"),
        ),
        outcomes=(quarantine(1, "quantity_conflict"), quarantine(2, "quantity_conflict")),
        header_changes=((ORDER, "taken_out", "2025-10-06", None),),
    ),
    Example(
        "16 bare lot",
        headers=((ORDER, "2025-10-06"),),
        rows=(Row(1, "250237", "17612", 6, "2025-10-06"),),
        outcomes=(keep(1),),
        parsed=((1, "17612 - 250237", "17612", "250237"),),
    ),
    Example(
        "16 bare lot beside the full text",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            Row(1, "17612 - 250237", "17612", 6, "2025-10-06"),
            Row(2, "250237", "17612", 6, "2025-10-06"),
        ),
        outcomes=(keep(1), merge(2, 1, "respelled_twin")),
    ),
    Example(
        "17 the SKU repeated",
        headers=((ORDER, "2025-10-06"),),
        rows=(Row(1, "17612", "17612", 6, "2025-10-06"),),
        outcomes=(keep(1),),
        parsed=((1, "17612", "17612", None),),
    ),
    Example(
        "18 two SKUs",
        headers=((ORDER, "2025-10-06"),),
        rows=(Row(1, "17904 - 250240", "17612", 6, "2025-10-06"), _COMPANION),
        outcomes=(quarantine(1, "sku_conflict"), keep(99)),
        parsed=((1, None, None, None),),
    ),
    Example(
        "19 pack size",
        headers=((ORDER, "2025-10-06"),),
        rows=(Row(1, "17612-40", "17612", 6, "2025-10-06"), _COMPANION),
        outcomes=(quarantine(1, "implausible_lot"), keep(99)),
        parsed=((1, None, "17612", "40"),),
    ),
    Example(
        "19 pack size explained",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            Row(1, " 17612-40", "17612", 6, "2025-10-06"),
            Row(2, "17904-15", "17904", 6, "2025-10-06"),
        ),
        variants=(("17612-40", "17612", ""), ("17904-15 ", " 17904", "250240")),
        outcomes=(keep(1), keep(2)),
        parsed=((1, "17612-40", "17612", None), (2, "17904-15", "17904", "250240")),
    ),
    Example(
        "20 not to be parsed",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            *(
                Row(number, text, "17612", 1, "2025-10-06")
                for number, text in enumerate(
                    ("ABC", "17612 - ", "- 250300", "17612 - 250300 - 1", "nan", "None"), start=1
                )
            ),
            Row(7, "99999 - 250300", "99999", 1, "2025-10-06"),
            Row(8, None, " \u00a0", 1, "2025-10-06"),
            _COMPANION,
        ),
        outcomes=(
            *(quarantine(number, "unparseable_sku") for number in (1, 2, 3, 4, 5, 6, 8)),
            quarantine(7, "unknown_sku"),
            keep(99),
        ),
        parsed=((1, None, None, None), (7, None, "99999", "250300")),
    ),
    Example(
        "21 no real day, no whole number",
        headers=((ORDER, "2025-10-06"),),
        rows=(
            *(
                Row(number, "", "17612", 1, day)
                for number, day in enumerate(("2025-02-30", "10/06/2025", "", None, 20251006), start=1)
            ),
            *(
                Row(number, "", "17612", quantity, "2025-10-06")
                for number, quantity in enumerate((0, -1, 1.5, "x", None, "1.0", b"1", 1_000_001), start=11)
            ),
            _COMPANION,
        ),
        outcomes=(
            *(quarantine(number, "invalid_ship_date") for number in range(1, 6)),
            *(quarantine(number, "invalid_quantity") for number in range(11, 19)),
            keep(99),
        ),
    ),
    Example(
        "22 orphan",
        rows=(Row(1, "17612 - 250300", "17612", 6, "2025-10-06"),),
        outcomes=(quarantine(1, "orphan_order"),),
    ),
    Example(
        "22 orphan that ShipStation knows",
        rows=(Row(1, "17612 - 250300", "17612", 6, "2025-10-06"),),
        fetches=FETCHED,
        shipments=(shipment(900001, "2025-10-06", ("17612 - 250300", 6)),),
        outcomes=(keep(1),),
        header_changes=((ORDER, "added", None, "2025-10-06"),),
    ),
    Example(
        "23 a second parcel that was overwritten",
        headers=((ORDER, "2025-10-06"),),
        rows=(Row(1, "17612 - 250300", "17612", 5, "2025-10-06"),),
        fetches=FETCHED,
        shipments=(
            shipment(900001, "2025-10-06", ("17612 - 250300", 5)),
            shipment(900002, "2025-10-06", ("17612 - 250300", 5)),
        ),
        outcomes=(keep(1),),
        recovered=(RecoveredLine(2, "2025-10-06", "17612 - 250300", "17612", "250300", 5, ORDER, 900002),),
    ),
    Example(
        "24 unknown to ShipStation",
        headers=((ORDER, "2025-10-06"),),
        rows=(Row(1, "17612 - 250300", "17612", 5, "2025-10-06"),),
        fetches=FETCHED,
        outcomes=(keep(1, "unknown_to_shipstation"),),
    ),
    replace(
        _OPEN,
        name="25 held",
        decisions=(_DECISION,),
        outcomes=(quarantine(1, "held"),),
    ),
)
