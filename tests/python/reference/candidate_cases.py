"""Texts and lots of the candidate, and decisions that would break its key, as data."""

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
    Row,
    keep,
    merge,
    quarantine,
    redate,
    remove,
    shipment,
)

_DAY: Final = "2025-10-06"
_AFTER: Final = "2025-10-07"
_LOTTED: Final = "17612 - 250300"
_TIGHT: Final = "17612-250300"

_ONE_ROW: Final = Example(
    "texts: a lotless row takes ShipStation's text and lot",
    headers=((ORDER, _DAY),),
    rows=(Row(1, "", "17612", 6, _DAY),),
    fetches=FETCHED,
    shipments=(shipment(900001, _DAY, (_LOTTED, 6)),),
    outcomes=(keep(1),),
    parsed=((1, _LOTTED, "17612", None),),
    candidate=((1, _LOTTED, "250300"),),
)
_BESIDE_THE_TEXT: Final = replace(
    _ONE_ROW,
    name="texts: another remaining row has the text",
    rows=(Row(1, "", "17612", 6, _DAY), Row(2, _LOTTED, "17612", 2, _DAY)),
    shipments=(shipment(900001, _DAY, (_LOTTED, 6)), shipment(900002, _DAY, (_LOTTED, 2))),
    outcomes=(keep(1), keep(2)),
    parsed=(),
    candidate=((1, "17612", None), (2, _LOTTED, "250300")),
)
_TWO_TAKERS: Final = replace(
    _ONE_ROW,
    name="texts: two rows could take one text",
    rows=(Row(1, "", "17612 - 250237", 6, _DAY), Row(2, "", "17612 - 240312", 2, _DAY)),
    shipments=(shipment(900001, _DAY, (_LOTTED, 6)), shipment(900002, _DAY, (_LOTTED, 2))),
    outcomes=(keep(1), keep(2)),
    parsed=(),
    candidate=((1, "17612 - 250237", "250237"), (2, "17612 - 240312", "240312")),
    master_lots=(),
    lots=(("17612", "240312", "active", True), ("17612", "250237", "active", True)),
)

_TEXTS: Final = (
    _ONE_ROW,
    Example(
        "texts: spellings, lots in base_sku, redated rows, and the lots that come of them",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, "17904-250240", "17904", 1, _DAY),
            Row(2, "", "17914 - 250070", 3, _DAY),
            Row(3, "", "18675", 2, WRONG, SHADOWED),
            Row(4, "11001", "18795", 4, _DAY),
        ),
        fetches=FETCHED,
        shipments=(
            shipment(900001, _DAY, ("17904 - 250240", 1), ("17914 - 250297", 3), (" 18795-11001 ", 4)),
            shipment(900002, _AFTER, ("18675 - 240231", 2)),
        ),
        outcomes=(keep(1), keep(2), redate(3, _AFTER, "shipstation_other_day"), keep(4)),
        parsed=(
            (1, None, "17904", "250240"),
            (2, None, "17914", "250070"),
            (3, None, "18675", None),
            (4, None, "18795", "11001"),
        ),
        candidate=(
            (1, "17904 - 250240", "250240"),
            (2, "17914 - 250297", "250297"),
            (3, "18675 - 240231", "240231"),
            (4, "18795-11001", "11001"),
        ),
        master_lots=(("17914", "250297", 1),),
        lots=(
            ("17904", "250240", "active", True),
            ("17914", "250297", "active", False),
            ("18675", "240231", "active", True),
            ("18795", "11001", "active", True),
        ),
    ),
    replace(
        _ONE_ROW,
        name="texts: another lot in sku_lot is kept, with its text",
        rows=(Row(1, _TIGHT, "17612", 6, _DAY),),
        shipments=(shipment(900001, _DAY, ("17612 - 250237", 6)),),
        parsed=((1, _TIGHT, "17612", "250300"),),
        candidate=((1, _TIGHT, "250300"),),
    ),
    replace(
        _ONE_ROW,
        name="texts: a claim that is not exact gives none",
        rows=(Row(1, "", "17612", 12, _DAY),),
        shipments=(shipment(900001, _DAY, (_LOTTED, 5)), shipment(900002, _DAY, (_LOTTED, 7))),
        parsed=(),
        candidate=((1, "17612", None),),
    ),
    _BESIDE_THE_TEXT,
    replace(
        _BESIDE_THE_TEXT,
        name="texts: another remaining row, without a claim, has the text",
        rows=(Row(1, "", "17612", 6, _DAY), Row(2, _LOTTED, "17612", 2, "2025-09-15")),
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)),),
    ),
    replace(
        _BESIDE_THE_TEXT,
        name="texts: a row of another order is no obstacle",
        headers=((ORDER, _DAY), ("600115", _DAY)),
        rows=(Row(1, "", "17612", 6, _DAY), Row(2, _LOTTED, "17612", 2, _DAY, order_number="600115")),
        shipments=(
            shipment(900001, _DAY, (_LOTTED, 6)),
            shipment(900002, _DAY, (_LOTTED, 2), order_number="600115"),
        ),
        candidate=((1, _LOTTED, "250300"), (2, _LOTTED, "250300")),
    ),
    replace(
        _BESIDE_THE_TEXT,
        name="texts: a row that does not stay is no obstacle",
        rows=(Row(1, "", "17612", 6, _DAY), Row(2, _LOTTED, "17612", 2, WRONG, SHADOWED)),
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)),),
        outcomes=(keep(1), quarantine(2, "unresolved_suspect")),
        candidate=((1, _LOTTED, "250300"),),
    ),
    _TWO_TAKERS,
    replace(
        _TWO_TAKERS,
        name="texts: two rows take two spellings of one lot",
        shipments=(shipment(900001, _DAY, (_TIGHT, 6)), shipment(900002, _DAY, (_LOTTED, 2))),
        candidate=((1, _TIGHT, "250300"), (2, _LOTTED, "250300")),
        lots=(("17612", "250300", "active", True),),
    ),
    replace(
        _ONE_ROW,
        name="texts: rows without an order number are in no one's way",
        headers=(),
        rows=tuple(Row(number, "", "17612", 6, _DAY, order_number=None) for number in (1, 2)),
        shipments=tuple(
            shipment(number, _DAY, (_LOTTED, 6), order_number=None) for number in (900001, 900002)
        ),
        outcomes=(keep(1), keep(2)),
        parsed=(),
        candidate=((1, _LOTTED, "250300"), (2, _LOTTED, "250300")),
    ),
)

_SAME_TEXT: Final = Example(
    "decisions: keep beside a row of the same text",
    headers=((ORDER, _DAY),),
    rows=(Row(1, "", _LOTTED, 16, _DAY), Row(2, _LOTTED, "17612", 2, _DAY)),
    decisions=(DecisionLine("1", _LOTTED, "", "16", "keep"),),
    outcomes=(quarantine(1, "quantity_conflict"), keep(2)),
    problems=(("1", "text_stays_twice"),),
)
_BOTH_OPEN: Final = Example(
    "decisions: two rows of one text cannot both be kept",
    headers=((ORDER, WRONG),),
    rows=(Row(1, _LOTTED, "17612", 6, WRONG, SHADOWED), Row(2, "", _LOTTED, 6, WRONG, SHADOWED)),
    decisions=(
        DecisionLine("1", "17612", _LOTTED, "6", "keep"),
        DecisionLine("2", _LOTTED, "", "6", "redate", _DAY),
    ),
    outcomes=(quarantine(1, "unresolved_suspect"), quarantine(2, "unresolved_suspect")),
    problems=(("1", "text_stays_twice"), ("2", "text_stays_twice")),
    header_changes=(TAKEN_OUT,),
)

_DECISIONS: Final = (
    _SAME_TEXT,
    replace(
        _SAME_TEXT,
        name="decisions: redate beside a row of the same text",
        rows=(Row(1, "", _LOTTED, 16, "2025-02-30"), Row(2, _LOTTED, "17612", 2, _DAY)),
        decisions=(DecisionLine("1", _LOTTED, "", "16", "redate", _AFTER),),
        outcomes=(quarantine(1, "invalid_ship_date"), keep(2)),
    ),
    replace(
        _SAME_TEXT,
        name="decisions: merge and remove are free beside a row of the same text",
        rows=(*_SAME_TEXT.rows, Row(3, "17612", _LOTTED, 7, "2025-02-30")),
        decisions=(
            DecisionLine("1", _LOTTED, "", "16", "merge"),
            DecisionLine("3", _LOTTED, "17612", "7", "remove"),
        ),
        outcomes=(merge(1, 2, "decided"), keep(2), remove(3, "decided")),
        problems=(),
    ),
    _BOTH_OPEN,
    replace(
        _BOTH_OPEN,
        name="decisions: one of two rows of one text can be redated",
        decisions=(
            DecisionLine("1", "17612", _LOTTED, "6", "redate", _DAY),
            DecisionLine("2", _LOTTED, "", "6", "remove"),
        ),
        outcomes=(redate(1, _DAY, "decided"), remove(2, "decided")),
        problems=(),
        header_changes=((ORDER, "date_corrected", WRONG, _DAY),),
    ),
    replace(
        _BOTH_OPEN,
        name="decisions: two spellings of one lot can both be kept",
        headers=((ORDER, _DAY),),
        rows=(Row(1, _LOTTED, "17612", 6, _DAY), Row(2, _TIGHT, "17612", 2, _DAY)),
        decisions=(
            DecisionLine("1", "17612", _LOTTED, "6", "keep"),
            DecisionLine("2", "17612", _TIGHT, "2", "keep"),
        ),
        outcomes=(keep(1, "decided"), keep(2, "decided")),
        problems=(),
        header_changes=(),
        candidate=((1, _LOTTED, "250300"), (2, _TIGHT, "250300")),
    ),
    replace(
        _SAME_TEXT,
        name="decisions: rows without an order number can share a text",
        headers=(),
        rows=(
            Row(1, _LOTTED, "17612", 6, _DAY, order_number=None),
            Row(2, _LOTTED, "17612", 6, "2025-02-30", order_number=None),
        ),
        decisions=(DecisionLine("2", "17612", _LOTTED, "6", "redate", _DAY, order_number=""),),
        outcomes=(keep(1), redate(2, _DAY, "decided")),
        problems=(),
    ),
)

_LOTS: Final = (
    Example(
        "lots: several rows for one lot, status in any case",
        headers=((ORDER, _DAY),),
        rows=(Row(1, "17904 - 250240", "17904", 1, _DAY),),
        outcomes=(keep(1),),
        master_lots=(
            ("17612", "250237", 1),
            ("17612", " 250237", 0),
            ("17612", "250300", 0),
            ("17612", "250300\u00a0", 1),
            ("17904", "250240", 0),
            ("17904 ", "250240", 0),
        ),
        inventory_lots=(
            ("17904", "250240", "active"),
            ("18675", "11001", "InActive"),
            ("18675", "11002", " ACTIVE "),
            ("18675", "11003", "depleted"),
        ),
        inventory_lot_values=(
            ("17914", "250297", "inactive", "2025-02-01", 10, -3, "2025-02-02 08:00:00"),
            ("17914", " 250297", "Active", "2025-01-01", 40, 2, "2025-03-02 08:00:00"),
            ("17914", "250297\t", None, "2025-03-01", 20, -9, "2025-04-02 08:00:00"),
            ("18795", "11001", "active", "2025-05-01", 7, -2, "2025-05-02 08:00:00"),
            ("18795", "11001 ", "inactive", "2025-05-03", 6, -4, "2025-05-01 08:00:00"),
        ),
        lots=(
            ("17612", "250237", "active", False),
            ("17612", "250300", "active", False),
            ("17904", "250240", "inactive", False),
            ("17914", "250297", "active", False),
            ("18675", "11001", "inactive", False),
            ("18675", "11002", "active", False),
            ("18675", "11003", "inactive", False),
            ("18795", "11001", "active", False),
        ),
        lot_values=(
            ("17914", "250297", "2025-01-01", 40, 2, "2025-02-02 08:00:00"),
            ("18795", "11001", "2025-05-01", 7, -2, "2025-05-01 08:00:00"),
        ),
    ),
)

CANDIDATE_CASES: Final[tuple[Example, ...]] = (*_TEXTS, *_DECISIONS, *_LOTS)
