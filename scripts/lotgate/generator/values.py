"""Scenarios that only a schema without constraints can hold: odd storage classes, NULLs, exact double rows.

Source: docs/rules.md section 1.
"""

from __future__ import annotations

from typing import Final

from lotgate.generator.book import Book, Value, scenario
from lotgate.generator.parsing import single

_BAD_QUANTITIES: Final[tuple[Value, ...]] = (0, -1, 1.5, "x", "", None, -3.0, 1e300, "0", "-3", "1.5", "3 x")
_BAD_TYPED_QUANTITIES: Final[tuple[Value, ...]] = ("3.0", "1e3", "\u0663", "3\x00", "0x3", "1_000", "+3")


@scenario("any value")
def bad_quantity(book: Book) -> None:
    sku = book.sku()
    number, day = book.number(), book.day()
    book.header(number, day)
    quantity = book.rng.choice(_BAD_QUANTITIES)
    book.row(number, f"{sku} - {book.lot(sku)}", sku, quantity, day).quarantine("invalid_quantity")


@scenario("typeless")
def bad_quantity_text(book: Book) -> None:
    # a column with a type would make numbers of some of these
    sku = book.sku()
    quantity = book.rng.choice(_BAD_TYPED_QUANTITIES)
    single(book, f"{sku} - {book.lot(sku)}", sku, quantity=quantity).quarantine("invalid_quantity")


@scenario("any value")
def quantity_of_another_kind(book: Book) -> None:
    sku = book.sku()
    quantity = book.rng.choice((3.0, "3", "41", 1_000_000.0))
    single(book, f"{sku} - {book.lot(sku)}", sku, quantity=quantity).keep()


@scenario("any value")
def same_quantity_of_another_kind(book: Book) -> None:
    sku = book.sku()
    number, day, lot = book.number(), book.day(), book.lot(sku)
    book.header(number, day)
    lotted = book.row(number, f"{sku} - {lot}", sku, 3, day)
    lotted.keep()
    book.row(number, "", sku, book.rng.choice(("3", 3.0)), day).merge(lotted, "lotless_twin")


@scenario("any value")
def null_sku_lot(book: Book) -> None:
    sku = book.sku()
    base, readable = book.rng.choice(
        ((sku, True), (f"{sku}-{book.lot(sku)}", True), (None, False), ("", False))
    )
    row = single(book, None, base)
    row.keep() if readable else row.quarantine("unparseable_sku")


@scenario("any value")
def null_base_sku(book: Book) -> None:
    sku = book.sku()
    single(book, book.rng.choice((sku, f"{sku} - {book.lot(sku)}")), None).keep()


@scenario("typeless")
def numbers_for_texts(book: Book) -> None:
    # 17612 the number reads as the text does; 17612.0 would not
    sku = book.sku()
    sku_lot, base = book.rng.choice(
        (("", int(sku)), (int(sku), sku), (f"{sku} - 250300", int(sku)), (250300, sku))
    )
    single(book, sku_lot, base).keep()


@scenario("typeless")
def number_for_order_number(book: Book) -> None:
    sku = book.sku()
    number, day, lot = book.number(), book.day(), book.lot(sku)
    book.header(number, day)
    first = book.row(int(number), f"{sku} - {lot}", sku, 6, day)
    first.keep()
    book.row(number, f"{sku} - {lot}", sku, 6, day).merge(first, "respelled_twin")


@scenario("any value")
def no_text_day(book: Book) -> None:
    sku = book.sku()
    day = book.rng.choice((None, 20250915, 45915.5, 0))
    number = book.number()
    book.header(number, book.day())
    book.row(number, f"{sku} - 250300", sku, 2, day, "2025-09-16 01:02:03").quarantine("invalid_ship_date")


@scenario("any value")
def created_at_unknown(book: Book) -> None:
    sku = book.sku()
    created = book.rng.choice((None, "yesterday", " "))
    single(book, f"{sku} - {book.lot(sku)}", sku, created_at=created).keep()


@scenario("any value")
def exact_double(book: Book) -> None:
    sku = book.sku()
    number, day, lot, quantity = book.number(), book.day(), book.lot(sku), book.quantity()
    book.header(number, day)
    first = book.row(number, f"{sku} - {lot}", sku, quantity, day)
    first.keep()
    for _ in range(book.rng.choice((1, 1, 3))):
        book.row(number, f"{sku} - {lot}", sku, quantity, day).merge(first, "respelled_twin")


@scenario("any value")
def exact_double_but_for_quantity(book: Book) -> None:
    sku = book.sku()
    number, day, lot = book.number(), book.day(), book.lot(sku)
    book.header(number, day)
    for quantity in book.quantities(2):
        book.row(number, f"{sku} - {lot}", sku, quantity, day).quarantine("quantity_conflict")


@scenario("any value")
def lotless_double(book: Book) -> None:
    sku = book.sku()
    number, day = book.number(), book.day()
    book.header(number, day)
    first = book.row(number, None, sku, 2, day)
    first.keep()
    book.row(number, "", sku, 2, day).merge(first, "respelled_twin")
