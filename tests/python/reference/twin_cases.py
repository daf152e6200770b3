"""The rarer cases of twins and of ShipStation's lines as data, in the same form as `reference.examples`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reference.scenario import (
    FETCHED,
    ORDER,
    SHADOWED,
    TAKEN_OUT,
    WRONG,
    Example,
    FetchRow,
    ItemRow,
    RecoveredLine,
    Row,
    ShipmentRow,
    keep,
    merge,
    quarantine,
    redate,
    shipment,
)

_DAY: Final = "2025-10-06"
_LOTTED: Final = "17612 - 250300"
_AFTER: Final = "2025-10-07"


def _recovered(row_id: int, quantity: int, shipment_id: int, day: str = _DAY) -> RecoveredLine:
    return RecoveredLine(row_id, day, _LOTTED, "17612", "250300", quantity, ORDER, shipment_id)


_TWO_QUANTITIES = Example(
    "twins: ShipStation settles two quantities",
    headers=((ORDER, _DAY),),
    rows=(Row(1, _LOTTED, "17612", 6, _DAY), Row(2, "17612-250300", "17612", 2, _DAY)),
    fetches=FETCHED,
    shipments=(shipment(900001, _DAY, (_LOTTED, 2)),),
    outcomes=(merge(1, 2, "respelled_twin"), keep(2)),
)
_LOTLESS = Example(
    "twins: ShipStation settles a lotless row of another quantity",
    headers=((ORDER, _DAY),),
    rows=(Row(1, "", "17612", 16, WRONG, SHADOWED), Row(2, _LOTTED, "17612", 2, _DAY)),
    fetches=FETCHED,
    shipments=(shipment(900001, _DAY, (_LOTTED, 2)),),
    outcomes=(merge(1, 2, "lotless_twin"), keep(2)),
)

_TWINS: Final = (
    _TWO_QUANTITIES,
    replace(
        _TWO_QUANTITIES,
        name="twins: a line without an exact claim settles nothing",
        shipments=(shipment(900001, _DAY, (_LOTTED, 2)), shipment(900002, _DAY, (_LOTTED, 9))),
        outcomes=(quarantine(1, "quantity_conflict"), quarantine(2, "quantity_conflict")),
        header_changes=((ORDER, "taken_out", _DAY, None),),
    ),
    replace(
        _TWO_QUANTITIES,
        name="twins: a refuted quantity does not stay without a lot",
        rows=(*_TWO_QUANTITIES.rows, Row(3, "", "17612", 6, _DAY)),
        outcomes=(*_TWO_QUANTITIES.outcomes, quarantine(3, "quantity_conflict")),
    ),
    _LOTLESS,
    replace(
        _LOTLESS,
        name="twins: a lotless row with an exact claim of its own",
        shipments=(shipment(900001, _DAY, (_LOTTED, 2)), shipment(900002, _AFTER, ("17612", 16))),
        outcomes=(redate(1, _AFTER, "shipstation_other_day"), keep(2)),
    ),
    Example(
        "twins: the best-evidenced spelling is not the oldest",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, _LOTTED, "17612", 6, WRONG, SHADOWED),
            Row(2, "17612-250300", "17612", 6, _DAY),
            Row(3, "250300", "17612", 6, _DAY),
        ),
        outcomes=(merge(1, 2, "respelled_twin"), keep(2), merge(3, 2, "respelled_twin")),
    ),
    Example(
        "twins: an exact claim is better evidence than a low id",
        headers=((ORDER, _DAY),),
        rows=(Row(1, "17612-250300", "17612", 6, "2025-09-15"), Row(2, _LOTTED, "17612", 6, _DAY)),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)),),
        outcomes=(merge(1, 2, "respelled_twin"), keep(2)),
    ),
    Example(
        "twins: a lotless row beside lotted ones in conflict",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, _LOTTED, "17612", 6, _DAY),
            Row(2, "17612-250300", "17612", 2, _DAY),
            Row(3, "", "17612", 6, _DAY),
        ),
        outcomes=tuple(quarantine(number, "quantity_conflict") for number in (1, 2, 3)),
        header_changes=((ORDER, "taken_out", _DAY, None),),
    ),
    Example(
        "twins: nothing merges into a row that is merged itself",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, "", "17612", 2, _DAY),
            Row(2, "17612", "17612", 3, _DAY),
            Row(3, _LOTTED, "17612", 2, "2025-09-15"),
            Row(4, "17612 - 250237", "17612", 3, WRONG, SHADOWED),
        ),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, (_LOTTED, 2)),),
        outcomes=(
            merge(1, 3, "lotless_twin"),
            quarantine(2, "quantity_conflict"),
            keep(3),
            quarantine(4, "unresolved_suspect"),
        ),
    ),
    Example(
        "twins: all three positions",
        headers=((ORDER, _DAY),),
        rows=(
            Row(1, "", "17612", 6, WRONG, SHADOWED),
            Row(2, "17612", "17612 - 250070", 6, WRONG, SHADOWED),
            Row(3, _LOTTED, "17612", 6, _DAY),
            Row(4, "17612", "17612", 6, WRONG, SHADOWED),
        ),
        outcomes=(
            merge(1, 3, "lotless_twin"),
            merge(2, 3, "lot_in_base_sku_twin"),
            keep(3),
            merge(4, 3, "lotless_twin"),
        ),
    ),
    Example(
        "twins: without a lot in sku_lot those in base_sku count",
        headers=((ORDER, _DAY),),
        rows=(Row(1, "", "17612", 6, WRONG, SHADOWED), Row(2, "", _LOTTED, 6, _DAY)),
        outcomes=(merge(1, 2, "lotless_twin"), keep(2)),
    ),
    Example(
        "twins: beside an unresolved lotted row each is judged alone",
        headers=((ORDER, WRONG),),
        rows=(Row(1, "", "17612", 6, WRONG, SHADOWED), Row(2, _LOTTED, "17612", 6, WRONG, SHADOWED)),
        outcomes=(quarantine(1, "unresolved_suspect"), quarantine(2, "unresolved_suspect")),
        header_changes=(TAKEN_OUT,),
    ),
    Example(
        "twins: rows without an order number have none",
        rows=(
            Row(1, _LOTTED, "17612", 6, _DAY, order_number=None),
            Row(2, "17612-250300", "17612", 6, _DAY, order_number=" "),
            Row(3, "", "17612", 6, _DAY, order_number=""),
        ),
        outcomes=(keep(1), keep(2), keep(3)),
    ),
)

_CLAIMS: Final = (
    Example(
        "claims: the line of a merged row is recovered",
        headers=((ORDER, _DAY),),
        rows=(Row(1, "", "17612", 6, WRONG, SHADOWED), Row(2, _LOTTED, "17612", 6, _DAY)),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)), shipment(900002, _AFTER, (_LOTTED, 6))),
        outcomes=(merge(1, 2, "lotless_twin"), keep(2)),
        recovered=(_recovered(3, 6, 900002, _AFTER),),
    ),
    Example(
        "claims: a lot in sku_lot goes first",
        headers=((ORDER, _DAY),),
        rows=(Row(1, "", "17612", 6, _DAY), Row(2, "17612 - 250237", "17612", 6, _DAY)),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, (_LOTTED, 6)),),
        outcomes=(merge(1, 2, "lotless_twin"), keep(2)),
    ),
    Example(
        "claims: one row stands for all parcels of its day",
        headers=((ORDER, _DAY),),
        rows=(Row(1, _LOTTED, "17612", 12, _DAY),),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, (_LOTTED, 5)), shipment(900002, _DAY, (_LOTTED, 7))),
        outcomes=(keep(1),),
    ),
    Example(
        "claims: exactly that line on exactly that day clears a suspect",
        headers=((ORDER, WRONG),),
        rows=(Row(1, "", "17612", 6, WRONG, "2024-04-17 08:00:00"),),
        fetches=(FetchRow("2024-04-01", "2024-04-30"),),
        shipments=(shipment(900001, WRONG, (_LOTTED, 6)),),
        outcomes=(keep(1),),
        candidate=((1, _LOTTED, "250300"),),
    ),
    Example(
        "claims: items of one shipment add up",
        headers=((ORDER, _DAY),),
        rows=(Row(1, _LOTTED, "17612", 6, _DAY),),
        fetches=FETCHED,
        shipments=(shipment(900001, _DAY, ("17612-250300", 2), (_LOTTED, 4), ("17904", 1)),),
        outcomes=(keep(1),),
        recovered=(RecoveredLine(2, _DAY, "17904", "17904", None, 1, ORDER, 900001),),
    ),
    Example(
        "claims: what is no counted line is not recovered",
        headers=((ORDER, _DAY),),
        rows=(Row(1, "17904 - 250240", "17904", 1, _DAY),),
        fetches=(
            FetchRow("2025-10-06", "2025-10-31", "2025-10-20 08:00:00"),
            FetchRow("2025-10-01", "2025-10-31", "2025-11-20 08:00:00", complete=False),
        ),
        shipments=(
            ShipmentRow(900001, _DAY, (ItemRow(_LOTTED, 1),), voided=True),
            ShipmentRow(900002, _DAY, (ItemRow(_LOTTED, 2),), is_return_label=True),
            shipment(900003, "2025-10-03", (_LOTTED, 3)),
            shipment(900004, "2025-10-21", (_LOTTED, 4)),
            ShipmentRow(
                900005,
                _DAY,
                (
                    ItemRow(_LOTTED, 5, adjustment=True),
                    ItemRow(_LOTTED, 6, line_item_key="discount"),
                    ItemRow(_LOTTED, 0),
                    ItemRow(_LOTTED, None),
                    ItemRow(" ", 7),
                    ItemRow("18255", 8),
                    ItemRow("17612-40", 9),
                    ItemRow("Rinse", 10),
                ),
            ),
        ),
        outcomes=(keep(1, "unknown_to_shipstation"),),
    ),
    Example(
        "claims: recovered lines of orders old and new, numbered in order",
        headers=((f" {ORDER}", _DAY),),
        rows=(Row(41, "17904 - 250240", "17904", 1, _DAY),),
        fetches=FETCHED,
        shipments=(
            shipment(900003, _AFTER, ("17904 - 250240", 2), order_number="600115"),
            shipment(900002, _DAY, ("17914 - 250297", 3), ("17612", 4), (_LOTTED, 5)),
            shipment(900001, _DAY, ("17904 - 250240", 1)),
            shipment(900004, _DAY, ("18795", 6), order_number=None),
        ),
        outcomes=(keep(41),),
        recovered=(
            RecoveredLine(42, _DAY, "18795", "18795", None, 6, None, 900004),
            RecoveredLine(43, _DAY, "17612", "17612", None, 4, f" {ORDER}", 900002),
            RecoveredLine(44, _DAY, _LOTTED, "17612", "250300", 5, f" {ORDER}", 900002),
            RecoveredLine(45, _DAY, "17914 - 250297", "17914", "250297", 3, f" {ORDER}", 900002),
            RecoveredLine(46, _AFTER, "17904 - 250240", "17904", "250240", 2, "600115", 900003),
        ),
        header_changes=(("600115", "added", None, _AFTER),),
    ),
)

TWIN_AND_CLAIM_CASES: Final[tuple[Example, ...]] = (*_TWINS, *_CLAIMS)
