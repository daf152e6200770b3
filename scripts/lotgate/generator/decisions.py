"""Scenarios about quarantined rows that a person decided.

Source: docs/rules.md section 5.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, Row, scenario
from lotgate.generator.claims import FIRST
from lotgate.generator.twins import order, shadow


def _unresolved(book: Book) -> Row:
    sku = book.sku()
    number = order(book, world.INCIDENT.wrong, ordered="2025-10-01")
    return book.row(number, "", sku, 15, world.INCIDENT.wrong, book.outside())


def _unreadable(book: Book) -> Row:
    sku, day = book.sku(), book.day()
    return book.row(order(book, day), f"{sku} / {book.lot(sku)}", sku, 2, day)


def _conflict(book: Book) -> tuple[Row, Row]:
    """A shadow, and the lotted row of another quantity that stays."""
    sku, day = book.sku(), book.after_day()
    few, many = book.quantities(2)
    number = order(book, day, ordered="2025-10-01")
    dark = shadow(book, number, sku, many)
    true = book.row(number, f"{sku} - {book.lot(sku)}", sku, few, day)
    true.keep()
    return dark, true


def _orphan(book: Book) -> Row:
    sku = book.sku()
    return book.row(book.number(), f"{sku} - {book.lot(sku)}", sku, 2, book.day())


def _any(book: Book) -> Row:
    kind = book.rng.randrange(4)
    if kind == 0:
        return _conflict(book)[0]
    return (_unresolved, _unreadable, _orphan)[kind - 1](book)


@scenario()
def held(book: Book) -> None:
    row = _any(book)
    row.quarantine("held")
    book.decide(row, "hold")


@scenario()
def removed_by_decision(book: Book) -> None:
    row = _any(book)
    row.remove("decided")
    book.decide(row, "remove")


@scenario()
def kept_by_decision(book: Book) -> None:
    row = _unresolved(book) if book.rng.random() < 0.5 else _conflict(book)[0]
    row.keep("decided")
    book.decide(row, "keep")


@scenario()
def redated_by_decision(book: Book) -> None:
    row = _unresolved(book) if book.rng.random() < 0.5 else _conflict(book)[0]
    day = book.after_day()
    row.redate(day, "decided")
    book.decide(row, "redate", day)


@scenario()
def bad_day_redated_by_decision(book: Book) -> None:
    sku = book.sku()
    number = order(book, "2025-10-08")
    day = book.rng.choice(("10/08/2025", "2025-02-30", ""))
    row = book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, day, "2025-10-09 01:02:03")
    row.redate("2025-10-08", "decided")
    book.decide(row, "redate", "2025-10-08")


@scenario()
def merged_by_decision(book: Book) -> None:
    row, true = _conflict(book)
    row.merge(true, "decided")
    book.decide(row, "merge")


@scenario()
def merged_into_the_same_quantity(book: Book) -> None:
    # the row of the lower id has another quantity
    sku, day = book.sku(), book.after_day()
    lot, other = book.lots(sku, 2)
    number = order(book, day, ordered="2025-10-01")
    book.row(number, f"{sku} - {lot}", sku, 5, day).keep()
    same = book.row(number, f"{sku} - {other}", sku, 3, day)
    same.keep()
    third = f"{sku} - {world.DISCOVERED_LOT}"
    row = book.row(number, third, sku, 3, world.INCIDENT.wrong, book.outside())
    row.merge(same, "decided")
    book.decide(row, "merge")


@scenario()
def one_of_two_decided(book: Book) -> None:
    # a decision speaks of its own row only
    sku, day = book.sku(), book.day()
    lot = book.lot(sku)
    number = order(book, day)
    row = book.row(number, f"{sku} - {lot}", sku, 4, day)
    row.keep("decided")
    book.decide(row, "keep")
    book.row(number, f"{sku}-{lot}", sku, 6, day).quarantine("quantity_conflict")


@scenario()
def no_order_decided(book: Book) -> None:
    row = book.row(None, "", book.sku(), 2, world.INCIDENT.wrong, book.outside())
    row.remove("decided")
    book.decide(row, "remove")


@scenario("evidence")
def removal_frees_the_line(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, FIRST)
    row = book.row(number, f"{sku}-{lot}", sku, 4, FIRST)
    book.row(number, f"{sku} - {lot}", sku, 6, FIRST).quarantine("quantity_conflict")
    row.remove("decided")
    book.decide(row, "remove")
    shipment = book.shipment(number, FIRST, (f"{sku} - {lot}", 10))
    book.recovered(number, FIRST, sku, lot, 10, shipment)


@scenario("evidence")
def merge_frees_the_line(book: Book) -> None:
    sku = book.sku()
    lot, other = book.lots(sku, 2)
    number = order(book, FIRST)
    true = book.row(number, f"{sku} - {lot}", sku, 2, FIRST)
    true.keep()
    row = book.row(number, "", sku, 16, FIRST)
    row.merge(true, "decided")
    book.decide(row, "merge")
    shipment = book.shipment(number, FIRST, (f"{sku} - {lot}", 2), (f"{sku} - {other}", 5))
    book.recovered(number, FIRST, sku, other, 5, shipment)


@scenario("evidence")
def hold_frees_the_line(book: Book) -> None:
    # who leaves a row out knowingly does not mean the shipment
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, FIRST)
    for text, quantity in ((f"{sku} - {lot}", 4), (f"{sku}-{lot}", 6)):
        row = book.row(number, text, sku, quantity, FIRST)
        row.quarantine("held")
        book.decide(row, "hold")
    shipment = book.shipment(number, FIRST, (f"{sku} - {lot}", 10))
    book.recovered(number, FIRST, sku, lot, 10, shipment)
