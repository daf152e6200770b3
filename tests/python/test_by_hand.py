"""What an order that was marked as shipped by hand has shipped: the order's items without its labels'."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from lotgate.shipstation.by_hand import by_hand
from lotgate.shipstation.records import Fulfillment, Item, Order, Shipment

MADE = datetime(2030, 3, 11, 8, 0)
A, B = "17612 - 250300", "18795 - 11001"


def item(place: int, sku: str | None, quantity: int | None, *, key: str | None = None) -> Item:
    return Item(place, 7000 + place, key, sku, quantity, adjustment=False)


def order_of(*items: Item, order_id: int = 1, elsewhere: bool = False) -> Order:
    return Order(
        order_id, "100001", None, "2030-03-11", MADE, MADE, "shipped", None, items, False, None, elsewhere
    )


def label(shipment_id: int, *items: Item, order_id: int | None = 1) -> Shipment:
    return Shipment(shipment_id, order_id, "100001", MADE, "2030-03-11", "T1", False, False, None, items)


def mark(fulfillment_id: int, *, voided: bool = False, order_id: int = 1) -> Fulfillment:
    return Fulfillment(
        fulfillment_id, order_id, "100001", "T9", MADE, "2030-03-12", voided, MADE if voided else None
    )


def units(shipments: tuple[Shipment, ...]) -> dict[int, list[tuple[str | None, int | None]]]:
    return {one.shipment_id: [(line.sku, line.quantity) for line in one.items] for one in shipments}


def test_a_fulfillment_becomes_a_shipment_with_its_negative_id_and_the_orders_units() -> None:
    order = order_of(item(0, A, 3), item(1, B, 2))
    (found,) = by_hand(order, (), (mark(12),))
    assert found == Shipment(
        -12, 1, "100001", MADE, "2030-03-12", "T9", False, False, None,
        (item(0, A, 3), item(1, B, 2)), "order",
    )  # fmt: skip


def test_units_on_labels_are_taken_off_by_sku_and_lot_never_below_zero() -> None:
    order = order_of(item(0, A, 3), item(1, B, 2), item(2, A, 4))
    labels = (label(1, item(0, f" {A}\t", 5)), label(2, item(0, B, 9)))
    assert units(by_hand(order, labels, (mark(12),))) == {-12: [(A, 2)]}
    # another lot of the SKU, or none: these units have left all the same
    assert units(by_hand(order_of(item(0, A, 3)), (label(1, item(0, "17612", 2)),), (mark(12),))) == {
        -12: [(A, 1)]
    }


def test_voided_return_and_foreign_labels_take_nothing_off() -> None:
    order = order_of(item(0, A, 3))
    labels = (
        replace(label(1, item(0, A, 3)), voided=True),
        replace(label(2, item(0, A, 3)), is_return_label=True),
        label(3, item(0, A, 3), order_id=2),
        label(4, item(0, A, 3), order_id=None),
        replace(label(-12, item(0, A, 3)), units_from="order"),
        label(5, item(0, A, 9, key="discount")),
    )
    assert units(by_hand(order, labels, (mark(12),))) == {-12: [(A, 3)]}
    assert units(by_hand(order, (label(6, item(0, A, 1)),) * 2, (mark(12),))) == {-12: [(A, 2)]}


def test_the_first_live_fulfillment_takes_everything() -> None:
    order = order_of(item(0, A, 3))
    marks = (mark(14), mark(11, voided=True), mark(13), mark(9, order_id=2))
    found = by_hand(order, (label(1, item(0, A, 1)),), marks)
    assert [one.shipment_id for one in found] == [-11, -13, -14]
    assert units(found) == {-11: [(A, 3)], -13: [(A, 2)], -14: []}
    assert [(one.voided, one.voided_at) for one in found] == [(True, MADE), (False, None), (False, None)]


def test_what_is_no_goods_does_not_count() -> None:
    order = order_of(
        item(0, None, 3), item(1, " ", 3), item(2, A, 0), item(4, A, 2, key="Discount"),
        replace(item(5, A, 2), adjustment=True), item(6, A, 1),
    )  # fmt: skip
    (found,) = by_hand(order, (), (mark(12),))
    assert found.items == (item(6, A, 1),)


def test_a_quantity_that_cannot_be_read_is_handed_on_as_it_is() -> None:
    """It counts as nothing, and whoever reads the record can say so."""
    (found,) = by_hand(order_of(item(0, A, None), item(1, None, None)), (), (mark(12),))
    assert found.items == (item(0, A, None),)
    assert not found.items[0].is_counted


def test_another_spelling_of_a_label_is_the_same_thing() -> None:
    order = order_of(item(0, A, 3), item(1, "GIFT", 2))
    labels = (label(1, item(0, "17612-250300", 1), item(1, " GIFT ", 1)),)
    assert units(by_hand(order, labels, (mark(12),))) == {-12: [(A, 2), ("GIFT", 1)]}


def test_an_order_that_another_warehouse_shipped_gives_nothing() -> None:
    assert by_hand(order_of(item(0, A, 3), elsewhere=True), (), (mark(12),)) == ()
    assert by_hand(order_of(item(0, A, 3)), (), ()) == ()


LINES = st.lists(
    st.tuples(st.sampled_from([A, B, "17904"]), st.integers(-1, 9)).map(lambda pair: pair), max_size=5
).map(lambda pairs: tuple(item(place, *pair) for place, pair in enumerate(pairs)))
LABELS = st.lists(st.tuples(LINES, st.booleans(), st.booleans()), max_size=4)
MARKS = st.lists(st.tuples(st.integers(1, 9), st.booleans()), unique_by=lambda one: one[0], max_size=4)


@given(LINES, LABELS, MARKS)
def test_nothing_counts_twice_and_nothing_is_lost(
    lines: tuple[Item, ...], labels: list[tuple[tuple[Item, ...], bool, bool]], marks: list[tuple[int, bool]]
) -> None:
    """Labels and fulfillments together have, of each text, what the order has, or what the labels have."""
    shipments = tuple(
        replace(label(place, *on_it), voided=voided, is_return_label=is_return)
        for place, (on_it, voided, is_return) in enumerate(labels, start=1)
    )
    found = by_hand(
        order_of(*lines), shipments, tuple(mark(number, voided=voided) for number, voided in marks)
    )

    def total(text: str, records: tuple[Shipment, ...]) -> int:
        live = [one for one in records if not one.voided and not one.is_return_label]
        return sum(
            line.quantity or 0 for one in live for line in one.items if line.is_counted and line.sku == text
        )

    any_live = any(not voided for _, voided in marks)
    for text in (A, B, "17904"):
        ordered = sum(line.quantity or 0 for line in lines if line.is_counted and line.sku == text)
        labelled = total(text, shipments)
        expected = max(ordered - labelled, 0) if any_live else 0
        assert total(text, found) == expected
    assert [one.shipment_id for one in found] == [-number for number, _ in sorted(marks)]
