"""Random small databases that are nasty on purpose: few days, SKUs and orders, so that rules meet."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from reference.scenario import ORDER, DecisionLine, Example, FetchRow, Row, ShipmentRow, shipment

_DAYS = ("2024-04-16", "2025-10-03", "2025-10-06", "2025-10-07")
_SKUS = ("17612", "17904")
_TEXTS = ("", "17612", "17612 - 250300", "17612-250300", "17612 - 250237", "250300")
_UGLY_TEXTS = (None, "nan", "17612-40", "99999", "17904 - 250240", 17612, "17612 - 250070\u00a0", b"\xff")
_ORDERS = (ORDER, ORDER, ORDER, "600115", None, f" {ORDER} ", "600125")
_CREATED = (
    "2025-10-02 20:53:06",
    "2025-10-06T16:20:00+00",
    "2025-10-10 20:16:11",
    "2024-04-01 10:00:00",
    None,
)


def _often(usual: tuple[object, ...], ugly: tuple[object, ...]) -> st.SearchStrategy[object]:
    return st.sampled_from(usual * 4 + ugly)


_quantities = _often((2, 6), (3, "6", 6.0, 0, "x", 1.5, None))
_rows = st.lists(
    st.builds(
        Row,
        id=st.just(0),
        sku_lot=_often(_TEXTS, _UGLY_TEXTS),
        base_sku=_often(("17612", "17612", ""), ("17904", "17612 - 250070", "17612 - 250300", "ABC")),
        quantity=_quantities,
        ship_date=_often(_DAYS, ("2025-02-30", "", " 2025-10-06 ")),
        created_at=st.sampled_from(_CREATED),
        order_number=st.sampled_from(_ORDERS),
        tracking_number=st.sampled_from((None, None, None, "9400000000000000000000")),
    ),
    min_size=1,
    max_size=7,
).map(lambda rows: tuple(replace(row, id=number) for number, row in enumerate(rows, start=1)))
_shipments = st.lists(
    st.builds(
        lambda day, text, units, order, voided: replace(
            shipment(0, day, (text, units), (text, 1), ("17904", units), order_number=order)
            if units == 5
            else shipment(0, day, (text, units), order_number=order),
            voided=voided,
        ),
        st.sampled_from((*_DAYS, "2025-10-09")),
        st.sampled_from(("17612 - 250300", "17612 - 250237", "17612", "17904 - 250240", "18255")),
        st.sampled_from((2, 6, 3, 5)),
        st.sampled_from((ORDER, ORDER, "600115", None, "600135")),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=4,
).map(lambda found: tuple(replace(s, shipment_id=900001 + n) for n, s in enumerate(found)))
_decisions = st.sampled_from(("hold", "keep", "redate", "merge", "remove"))


def _decide(rows: tuple[Row, ...], decisions: list[str]) -> tuple[DecisionLine, ...]:
    def text(value: object) -> str:
        return "" if value is None else str(value).strip()

    return tuple(
        DecisionLine(
            str(row.id),
            text(row.base_sku),
            text(row.sku_lot),
            text(row.quantity),
            decision,
            ship_date="2025-10-08",
            order_number=text(row.order_number),
        )
        for row, decision in zip(rows, decisions, strict=False)
    )


def _database(
    rows: tuple[Row, ...],
    shipments: tuple[ShipmentRow, ...],
    fetched_at: str | None,
    header_day: str,
    inbox: tuple[str, str] | None,
    decisions: list[str],
) -> Example:
    return Example(
        "generated",
        rows=rows,
        outcomes=(),
        headers=((ORDER, header_day), ("600115", "2025-10-06"), ("600145", "2025-10-06")),
        inbox=None if inbox is None else ((ORDER, *inbox),),
        fetches=() if fetched_at is None else (FetchRow("2025-10-05", "2025-10-09", fetched_at),),
        shipments=() if fetched_at is None else shipments,
        decisions=_decide(rows, decisions),
    )


DATABASES = st.builds(
    _database,
    _rows,
    _shipments,
    st.sampled_from((None, "2025-11-01 08:00:00", "2025-11-01 08:00:00", "2025-10-06 08:00:00")),
    st.sampled_from((*_DAYS, "")),
    st.sampled_from((None, ("2025-10-02", "shipped"), ("2025-10-06", "Cancelled"), ("", "canceled"))),
    st.just([]) | st.lists(_decisions, max_size=7),
)
