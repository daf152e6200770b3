"""Coverage, claims that stand or fall, and what they prove, as data in the form of `reference.examples`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reference.scenario import (
    FETCHED,
    ORDER,
    SHADOWED,
    WRONG,
    DecisionLine,
    Example,
    FetchRow,
    RecoveredLine,
    Row,
    keep,
    merge,
    quarantine,
    redate,
    remove,
    shipment,
)

_DAY: Final = "2025-10-06"
_LOTTED: Final = "17612 - 250300"
_AFTER: Final = "2025-10-07"
# Before everything that FETCHED covers.
_UNCOVERED: Final = "2025-09-15"


def _recovered(row_id: int, quantity: int, shipment_id: int, day: str = _DAY) -> RecoveredLine:
    return RecoveredLine(row_id, day, _LOTTED, "17612", "250300", quantity, ORDER, shipment_id)


_FETCHED_EARLY: Final = FetchRow("2025-10-01", "2025-10-31", "2025-10-20 08:00:00")

_COVERAGE: Final = (
    Example(
        "coverage: up to the day of the fetch, that day included",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, _LOTTED, "17612", 5, "2025-10-20"),
            Row(2, "17904 - 250240", "17904", 1, "2025-10-21"),
        ),
        fetches=(_FETCHED_EARLY,),
        shipments=(
            shipment(900001, "2025-10-20", ("17914 - 250297", 2)),
            shipment(900002, "2025-10-21", ("17914 - 250297", 3)),
        ),
        outcomes=(keep(1, "unknown_to_shipstation"), keep(2)),
        recovered=(RecoveredLine(3, "2025-10-20", "17914 - 250297", "17914", "250297", 2, ORDER, 900001),),
    ),
    Example(
        "coverage: each fetch by its own day and window",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, _LOTTED, "17612", 5, "2025-10-19"),
            Row(2, "17904 - 250240", "17904", 1, "2025-10-22"),
            Row(3, "17914 - 250297", "17914", 1, "2025-10-27"),
        ),
        fetches=(
            _FETCHED_EARLY,
            FetchRow("2025-10-21", "2025-10-25"),
            FetchRow("2025-10-26", "2025-10-31", complete=False),
        ),
        outcomes=(keep(1, "unknown_to_shipstation"), keep(2, "unknown_to_shipstation"), keep(3)),
    ),
    Example(
        "coverage: the owner's rule holds for a day that was still to come",
        headers=((ORDER, _DAY),),
        rows=(Row(1, _LOTTED, "17612", 3, WRONG, SHADOWED),),
        fetches=(FetchRow("2025-10-01", "2025-10-31", "2025-10-05 23:59:59"),),
        shipments=(shipment(900001, _DAY, ("17904", 1)), shipment(900002, _AFTER, (_LOTTED, 3))),
        outcomes=(redate(1, _DAY, "incident_correct_date"),),
    ),
    Example(
        "coverage: a shipment that was still to come makes no order known",
        rows=(Row(1, _LOTTED, "17612", 3, _DAY),),
        fetches=(FetchRow("2025-10-01", "2025-10-31", "2025-10-05 08:00:00"),),
        shipments=(shipment(900001, _DAY, (_LOTTED, 3)),),
        outcomes=(quarantine(1, "orphan_order"),),
    ),
)

_NO_DAY: Final = Example(
    "standing: an undecided row's claim stands",
    headers=((ORDER, _DAY),),
    rows=(
        Row(1, _LOTTED, "17612", 5, "2025-02-30"),
        Row(2, "17904 - 250240", "17904", 1, _UNCOVERED),
    ),
    fetches=FETCHED,
    shipments=(shipment(900001, _AFTER, (_LOTTED, 5)),),
    outcomes=(quarantine(1, "invalid_ship_date"), keep(2)),
)
_HANDED_ON: Final = Example(
    "standing: a merged row hands its claim on",
    headers=((ORDER, _DAY),),
    rows=(Row(1, "", "17612", 6, _DAY), Row(2, _LOTTED, "17612", 6, _UNCOVERED)),
    fetches=FETCHED,
    shipments=(shipment(900001, _DAY, (_LOTTED, 6)),),
    outcomes=(merge(1, 2, "lotless_twin"), keep(2)),
)
_TWO_MERGED: Final = replace(
    _HANDED_ON,
    name="standing: of two merged rows that of the lower id hands on",
    rows=(
        Row(1, "", "17612", 6, _DAY),
        Row(2, "17612", "17612", 6, _AFTER),
        Row(3, _LOTTED, "17612", 6, _UNCOVERED),
    ),
    shipments=(shipment(900001, _DAY, (_LOTTED, 6)), shipment(900002, _AFTER, (_LOTTED, 6))),
    outcomes=(merge(1, 3, "lotless_twin"), merge(2, 3, "lotless_twin"), keep(3)),
    recovered=(_recovered(4, 6, 900002, _AFTER),),
)

_STANDING: Final = (
    _NO_DAY,
    replace(
        _NO_DAY,
        name="standing: the line of a held row is recovered",
        decisions=(DecisionLine("1", "17612", _LOTTED, "5", "hold"),),
        outcomes=(quarantine(1, "held"), keep(2)),
        recovered=(_recovered(3, 5, 900001, _AFTER),),
    ),
    replace(
        _NO_DAY,
        name="standing: the claim of a row redated by decision stands",
        decisions=(DecisionLine("1", "17612", _LOTTED, "5", "redate", "2025-10-08"),),
        outcomes=(redate(1, "2025-10-08", "decided"), keep(2)),
    ),
    _HANDED_ON,
    _TWO_MERGED,
    replace(
        _TWO_MERGED,
        name="standing: of two merged rows that of the lower pass hands on",
        rows=(
            Row(1, "", "17612", 6, _AFTER),
            Row(2, "17612", "17612", 6, _DAY),
            Row(3, _LOTTED, "17612", 6, _UNCOVERED),
        ),
        # Row 1 claims four units in pass 5, row 2 its line in pass 2.
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)), shipment(900002, _AFTER, (_LOTTED, 4))),
        recovered=(_recovered(4, 4, 900002, _AFTER),),
    ),
    replace(
        _HANDED_ON,
        name="standing: nothing is handed on where the other row claims anything itself",
        rows=(Row(1, "", "17612", 6, _AFTER), Row(2, _LOTTED, "17612", 6, _DAY)),
        shipments=(shipment(900001, _DAY, (_LOTTED, 4)), shipment(900002, _AFTER, (_LOTTED, 6))),
        outcomes=(merge(1, 2, "lotless_twin"), keep(2, "unknown_to_shipstation")),
        recovered=(_recovered(3, 6, 900002, _AFTER),),
    ),
    Example(
        "standing: a row merged by decision hands on, a removed one does not",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, _LOTTED, "17612", 6, _DAY),
            Row(2, "17612-250300", "17612", 2, _DAY),
            Row(3, "17612 - 250237", "17612", 6, _UNCOVERED),
        ),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)), shipment(900002, _DAY, (_LOTTED, 9))),
        decisions=(
            DecisionLine("1", "17612", _LOTTED, "6", "merge"),
            DecisionLine("2", "17612", "17612-250300", "2", "remove"),
        ),
        outcomes=(merge(1, 3, "decided"), remove(2, "decided"), keep(3)),
        recovered=(_recovered(4, 9, 900002),),
    ),
)

_ADDS_UP: Final = Example(
    "rule 9: an exact claim on another day says nothing of this one",
    headers=((ORDER, _DAY),),
    rows=(Row(1, _LOTTED, "17612", 5, _DAY),),
    fetches=FETCHED,
    shipments=(shipment(900001, _AFTER, (_LOTTED, 5)),),
    outcomes=(keep(1, "unknown_to_shipstation"),),
)
_TWO_PARCELS: Final = (shipment(900001, _DAY, (_LOTTED, 5)), shipment(900002, _DAY, (_LOTTED, 7)))

_REASONS_TO_KEEP: Final = (
    _ADDS_UP,
    replace(
        _ADDS_UP,
        name="rule 9: claimed lines that do not add up, too few",
        rows=(Row(1, _LOTTED, "17612", 13, _DAY),),
        shipments=_TWO_PARCELS,
        outcomes=(keep(1, "unknown_to_shipstation"),),
    ),
    replace(
        _ADDS_UP,
        name="rule 9: claimed lines that do not add up, too many, and a late import",
        rows=(Row(1, _LOTTED, "17612", 11, _DAY, "2025-12-10 08:00:00"),),
        shipments=_TWO_PARCELS,
        outcomes=(keep(1, "unknown_to_shipstation"),),
    ),
    replace(
        _ADDS_UP,
        name="rule 9: claimed lines that add up, and a late import",
        rows=(Row(1, _LOTTED, "17612", 12, _DAY, "2025-11-05 08:00:00"),),
        shipments=_TWO_PARCELS,
        outcomes=(keep(1, "late_import"),),
    ),
)

_SAME_LOT: Final = Example(
    "rule 4: an exact claim beside a lotted row of the same lot",
    headers=((ORDER, _DAY),),
    rows=(Row(1, "", _LOTTED, 16, _AFTER), Row(2, _LOTTED, "17612", 2, _DAY)),
    fetches=FETCHED,
    shipments=(shipment(900001, _AFTER, (_LOTTED, 16)), shipment(900002, _DAY, (_LOTTED, 2))),
    outcomes=(merge(1, 2, "lot_in_base_sku_twin"), keep(2)),
    recovered=(_recovered(3, 16, 900001, _AFTER),),
)

_RULE_4: Final = (
    _SAME_LOT,
    replace(
        _SAME_LOT,
        name="rule 4: an exact claim beside a lotted row of the same lot that has none",
        shipments=(shipment(900001, _AFTER, (_LOTTED, 16)), shipment(900002, _DAY, (_LOTTED, 3))),
        outcomes=(quarantine(1, "quantity_conflict"), keep(2, "unknown_to_shipstation")),
        recovered=(),
    ),
    replace(
        _SAME_LOT,
        name="rule 4: an exact claim beside a lotted row of another lot",
        rows=(Row(1, "", "17612 - 250237", 16, _AFTER), Row(2, _LOTTED, "17612", 2, _DAY)),
        shipments=(shipment(900001, _AFTER, ("17612 - 250237", 16)), shipment(900002, _DAY, (_LOTTED, 2))),
        outcomes=(keep(1), keep(2)),
        recovered=(),
    ),
    replace(
        _SAME_LOT,
        name="rule 4: a refuted quantity stays where ShipStation proves it elsewhere",
        rows=(
            Row(1, _LOTTED, "17612", 6, _DAY),
            Row(2, "17612-250300", "17612", 2, _DAY),
            Row(3, "", "17612", 6, _AFTER),
        ),
        shipments=(shipment(900001, _DAY, (_LOTTED, 2)), shipment(900002, _AFTER, ("17612", 6))),
        outcomes=(merge(1, 2, "respelled_twin"), keep(2), keep(3)),
        recovered=(),
    ),
)

_RULE_7: Final = (
    Example(
        "rule 7: not for rows without an order number",
        rows=(
            Row(1, "", "17612", 15, WRONG, "2025-10-06 16:00:00", order_number=None),
            Row(2, _LOTTED, "17612", 3, WRONG, "2025-10-06 16:00:00", order_number=" "),
        ),
        outcomes=(quarantine(1, "unresolved_suspect"), quarantine(2, "unresolved_suspect")),
    ),
    Example(
        "rule 7: a row without an order number is redated by an exact claim",
        rows=(Row(1, "", "17612", 15, WRONG, "2025-10-06 16:00:00", order_number=None),),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, ("17612", 15), order_number=None),),
        outcomes=(redate(1, _DAY, "shipstation_other_day"),),
    ),
)

CLAIM_CASES: Final[tuple[Example, ...]] = (*_COVERAGE, *_STANDING, *_REASONS_TO_KEEP, *_RULE_4, *_RULE_7)
