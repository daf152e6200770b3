"""The rarer cases of the rules as data, in the same form as `reference.examples`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reference.candidate_cases import CANDIDATE_CASES
from reference.claim_cases import CLAIM_CASES
from reference.scenario import (
    IMPORTED,
    ORDER,
    SHADOWED,
    TAKEN_OUT,
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
from reference.twin_cases import TWIN_AND_CLAIM_CASES

_DAY: Final = "2025-10-06"
_LOTTED: Final = "17612 - 250300"
_AFTER: Final = "2025-10-07"


_CANCELLED = Example(
    "suspect: cancelled in other letters",
    headers=((ORDER, WRONG),),
    inbox=((ORDER, "2025-10-01 10:00:00", " Canceled "),),
    rows=(Row(1, "", "17612", 15, WRONG, SHADOWED),),
    outcomes=(remove(1, "cancelled_never_shipped"),),
    header_changes=(TAKEN_OUT,),
)
_SHIPPED_AFTER_ALL = replace(_CANCELLED, outcomes=(quarantine(1, "unresolved_suspect"),))
_RESYNCED = Example(
    "suspect: re-synced, the order is older",
    headers=((ORDER, "2024-04-12"),),
    inbox=((ORDER, "2024-04-10", "shipped"),),
    rows=(Row(1, "", "17612", 15, WRONG, "2025-10-06T16:00:00.5+00"),),
    outcomes=(remove(1, "historical_resync"),),
    header_changes=((ORDER, "taken_out", "2024-04-12", None),),
)
_NEWER = replace(_RESYNCED, outcomes=(quarantine(1, "unresolved_suspect"),))
_OTHER = Row(2, "17904 - 250240", "17904", 1, _DAY)

_SUSPECTS: Final = (
    _CANCELLED,
    replace(
        _SHIPPED_AFTER_ALL,
        name="suspect: cancelled, but tracked",
        rows=(Row(1, "", "17612", 15, WRONG, SHADOWED, tracking_number="9400000000000000000000"),),
    ),
    replace(
        _SHIPPED_AFTER_ALL,
        name="suspect: cancelled, but with a lot",
        rows=(Row(1, _LOTTED, "17612", 15, WRONG, SHADOWED),),
    ),
    replace(
        _SHIPPED_AFTER_ALL,
        name="suspect: cancelled, but the number was used before",
        rows=(Row(1, "", "17612", 15, WRONG, "2024-04-17 08:00:00"),),
    ),
    replace(
        _SHIPPED_AFTER_ALL,
        name="suspect: cancelled, but the header has a plausible date",
        headers=((ORDER, _AFTER),),
        header_changes=((ORDER, "taken_out", _AFTER, None),),
    ),
    replace(
        _SHIPPED_AFTER_ALL,
        name="suspect: cancelled, but another row shipped",
        rows=(*_CANCELLED.rows, Row(2, "", "17904", 1, _AFTER)),
        outcomes=(quarantine(1, "unresolved_suspect"), keep(2)),
        header_changes=((ORDER, "date_corrected", WRONG, _AFTER),),
    ),
    _RESYNCED,
    replace(_NEWER, name="suspect: re-synced, order date unknown", inbox=((ORDER, None, "shipped"),)),
    replace(
        _NEWER,
        name="suspect: re-synced, the header is newer",
        headers=((ORDER, "2024-04-17"),),
        header_changes=((ORDER, "taken_out", "2024-04-17", None),),
    ),
    replace(
        _NEWER,
        name="suspect: re-synced, an unreadable row is newer",
        rows=(*_RESYNCED.rows, Row(2, "ABC", "17904", 1, "2024-04-17")),
        outcomes=(quarantine(1, "unresolved_suspect"), quarantine(2, "unparseable_sku")),
    ),
    Example(
        "suspect: before the order's date, no incident",
        headers=((ORDER, _DAY),),
        inbox=((ORDER, "2025-09-01", "shipped"), (f"{ORDER} ", "2025-10-06", "shipped")),
        rows=(Row(1, "", "17612", 6, "2025-10-03"), _OTHER),
        outcomes=(quarantine(1, "unresolved_suspect"), keep(2)),
    ),
    Example(
        "suspect: the incident whose window holds the row",
        headers=((ORDER, "2025-10-07"),),
        rows=(
            Row(1, "", "17612", 6, WRONG, "2025-10-07 12:00:00"),
            Row(2, "17904 - 250240", "17904", 1, "2025-10-07"),
        ),
        incidents=(
            (WRONG, _DAY, "2025-10-06 00:00:00", "2025-10-06 23:59:59"),
            (WRONG, "2025-10-07", "2025-10-07 12:00:00", "2025-10-07 12:00:00"),
        ),
        outcomes=(redate(1, "2025-10-07", "incident_correct_date"), keep(2)),
    ),
    Example(
        "suspect: the correct date is before the order's",
        headers=((ORDER, _AFTER),),
        inbox=((ORDER, _AFTER, "shipped"),),
        rows=(Row(1, "", "17612", 6, WRONG, SHADOWED), Row(2, "ABC", "17904", 1, _DAY)),
        outcomes=(quarantine(1, "unresolved_suspect"), quarantine(2, "unparseable_sku")),
        header_changes=((ORDER, "taken_out", _AFTER, None),),
    ),
    Example(
        "suspect: an unreadable row shows the correct date",
        headers=((ORDER, WRONG),),
        rows=(Row(1, "", "17612", 6, WRONG, SHADOWED), Row(2, "ABC", "17904", 1, _DAY)),
        outcomes=(redate(1, _DAY, "incident_correct_date"), quarantine(2, "unparseable_sku")),
        header_changes=((ORDER, "date_corrected", WRONG, _DAY),),
    ),
)

_DECIDED = Example(
    "decisions: what cannot be followed",
    headers=((ORDER, WRONG),),
    rows=(
        Row(1, "", "17612", 6, WRONG, SHADOWED),
        Row(2, "ABC", "17904", 1, _AFTER),
        Row(3, "17904 - 250240", "17904", 1, _AFTER),
        Row(4, "", "17914", 2, "2025-02-30"),
        Row(5, "", "18675", "x", "2025-02-30"),
        Row(6, "", "18795", 3, WRONG, SHADOWED),
    ),
    inbox=((ORDER, "2025-10-02", "shipped"),),
    decisions=(
        DecisionLine("1", "17612", "", "7", "hold"),
        DecisionLine("2", "17904", "ABC", "1", "keep"),
        DecisionLine("3", "17904", "17904 - 250240", "1", "remove"),
        DecisionLine("4", "17914", "", "2", "keep"),
        DecisionLine("5", "18675", "", "x", "redate", _AFTER),
        DecisionLine("6", "18795", "", "3", "merge"),
        DecisionLine("77", "17612", "", "6", "hold"),
    ),
    outcomes=(
        quarantine(1, "unresolved_suspect"),
        quarantine(2, "unparseable_sku"),
        keep(3),
        quarantine(4, "invalid_ship_date"),
        quarantine(5, "invalid_ship_date"),
        quarantine(6, "unresolved_suspect"),
    ),
    problems=(
        ("1", "mismatch"),
        ("2", "not_allowed"),
        ("3", "not_quarantined"),
        ("4", "not_allowed"),
        ("5", "not_allowed"),
        ("6", "no_merge_target"),
        ("77", "no_such_row"),
    ),
    header_changes=((ORDER, "date_corrected", WRONG, _AFTER),),
)
_MERGED = Example(
    "decisions: merge takes the row of the same quantity first",
    headers=((ORDER, _DAY), ("600145", _DAY)),
    rows=(
        Row(1, _LOTTED, "17612", 2, _DAY),
        Row(2, "17612 - 250237", "17612", 6, _DAY),
        Row(3, "", "17612", 6, "2025-02-30"),
        Row(4, "", "17612", 16, WRONG, SHADOWED),
        Row(5, "17612 - 240312", "17612", 6, WRONG, SHADOWED),
    ),
    inbox=((ORDER, "2025-10-02", "shipped"),),
    incidents=(),
    decisions=(
        DecisionLine("3", "17612", "", "6", "remove"),
        DecisionLine("4", "17612", "", "16", "merge"),
        DecisionLine("5", "17612", "17612 - 240312", "6", "merge"),
    ),
    outcomes=(keep(1), keep(2), remove(3, "decided"), merge(4, 1, "decided"), merge(5, 2, "decided")),
)

_DECISIONS: Final = (
    _DECIDED,
    replace(
        _DECIDED,
        name="decisions: more that cannot be followed, and what can",
        decisions=(
            DecisionLine("1", "17612", "", "6", "hold"),
            DecisionLine(" 1", "17612", "", "6", "keep"),
            DecisionLine("4", "17914", "", "2", "redate", _DAY),
            DecisionLine("5", "18675", "", "x", "hold"),
            DecisionLine("6", "18795", "", "3", "redate", "2025-02-30"),
            DecisionLine("2", "17904", "ABC", "1", "guess"),
        ),
        outcomes=(
            quarantine(1, "unresolved_suspect"),
            quarantine(2, "unparseable_sku"),
            keep(3),
            redate(4, _DAY, "decided"),
            quarantine(5, "held"),
            quarantine(6, "unresolved_suspect"),
        ),
        problems=(("1", "named_twice"), ("6", "invalid_date"), ("2", "unknown_decision")),
    ),
    _MERGED,
    replace(
        _MERGED,
        name="decisions: the line of a removed row is recovered",
        rows=(Row(1, "17612 - 250300", "17612", 5, "2025-02-30"), _OTHER),
        fetches=(FetchRow("2025-10-07", "2025-10-31"),),
        shipments=(shipment(900001, _AFTER, (_LOTTED, 5)),),
        decisions=(DecisionLine("1", "17612", _LOTTED, "5", "remove"),),
        outcomes=(remove(1, "decided"), keep(2)),
        recovered=(RecoveredLine(3, _AFTER, _LOTTED, "17612", "250300", 5, ORDER, 900001),),
    ),
)

_VALUES: Final = (
    Example(
        "values: numbers and texts in any storage class",
        headers=((ORDER, _DAY), (f"{ORDER} ", WRONG)),
        rows=(
            Row(1, 17612, None, 3.0, _DAY, order_number=int(ORDER)),
            Row(2, "\u00a017904\t-\ufeff250240\n", "17904", " 3 ", f" {_DAY} ", order_number=f"\t{ORDER}"),
            Row(3, b"17914 - 250297", 17914.0, 3, _DAY),
            Row(4, 17914.0, None, 3, _DAY),
        ),
        outcomes=(keep(1), keep(2), quarantine(3, "sku_conflict"), quarantine(4, "unparseable_sku")),
        parsed=(
            (1, "17612", "17612", None),
            (2, "17904\t-\ufeff250240", "17904", "250240"),
            (3, None, None, None),
        ),
    ),
    Example(
        "values: the status of a lot",
        headers=((ORDER, _DAY),),
        rows=(Row(1, _LOTTED, "17612", 3, _DAY, IMPORTED),),
        master_lots=(
            ("17612", "250237", 0),
            ("17904", "250240", 1),
            ("17914", "250297", None),
            ("99999", "250001", 1),
            ("17612", "40", 1),
        ),
        inventory_lots=(
            ("17612", "250237", "active"),
            ("17914", " 250297", "Active"),
            ("18675", "11001", " "),
            ("18795", "11001", "active"),
        ),
        outcomes=(keep(1),),
        lots=(
            ("17612", "250237", "inactive", False),
            ("17612", "250300", "active", True),
            ("17904", "250240", "active", False),
            ("17914", "250297", "active", False),
            ("18675", "11001", "active", False),
            ("18795", "11001", "active", False),
        ),
    ),
)

CORNER_CASES: Final[tuple[Example, ...]] = (
    *TWIN_AND_CLAIM_CASES,
    *CLAIM_CASES,
    *_SUSPECTS,
    *_DECISIONS,
    *CANDIDATE_CASES,
    *_VALUES,
)
