"""Scenarios about order numbers: none at all, padded with blanks, and several headers or inbox rows for one.

Source: docs/rules.md section 1.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, Value, scenario
from lotgate.generator.twins import shadow


def _nobody(book: Book) -> Value:
    return book.rng.choice((None, book.blank_number()))


@scenario()
def no_order(book: Book) -> None:
    sku, day = book.sku(), book.day()
    book.row(_nobody(book), f"{sku} - {book.lot(sku)}", sku, book.quantity(), day).keep()


@scenario()
def no_order_no_twins(book: Book) -> None:
    sku, day = book.sku(), book.day()
    lot = book.lot(sku)
    for sku_lot in (f"{sku} - {lot}", f"{sku}-{lot}", ""):
        book.row(None, sku_lot, sku, 5, day).keep()


@scenario()
def no_order_and_suspect(book: Book) -> None:
    # without an order nothing could say that it is newer, so it is no re-sync either
    incident = book.rng.choice(world.INCIDENTS)
    created = book.rng.choice((book.within(incident), book.outside()))
    row = book.row(_nobody(book), "", book.sku(), 2, incident.wrong, created)
    row.quarantine("unresolved_suspect")


@scenario()
def padded_number(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = book.number()
    header, row = book.rng.choice(
        (
            (number, f"{number} "),
            (number, f"\u3000{number}\n"),
            (f" {number}", number),
            (f"{number}\t", number),
        )
    )
    book.header(header, day)
    book.row(row, f"{sku} - {book.lot(sku)}", sku, 2, day).keep()


@scenario()
def padded_twin(book: Book) -> None:
    sku, day = book.sku(), book.after_day()
    number, lot = book.number(), book.lot(sku)
    book.header(number, day)
    first = book.row(f" {number}", f"{sku} - {lot}", sku, 2, day)
    first.keep()
    book.row(number, f"{sku} - {lot}", sku, 2, day).merge(first, "respelled_twin")
    shadow(book, f"{number}  ", sku, 2).merge(first, "lotless_twin")


def _cancelled(book: Book, *headers: tuple[str, str]) -> str:
    number = book.number()
    for text, day in headers:
        book.header(text.format(number), day)
    book.inbox(number, "2025-10-01", "cancelled")
    return number


@scenario("inbox")
def exact_header_counts(book: Book) -> None:
    # the padded one would be a sign of shipment
    number = _cancelled(book, (" {}", book.after_day()), ("{}", world.INCIDENT.wrong))
    shadow(book, number, book.sku(), 2).remove("cancelled_never_shipped")


@scenario("inbox")
def exact_header_counts_as_a_sign(book: Book) -> None:
    number = _cancelled(book, (" {}", world.INCIDENT.wrong), ("{}", book.after_day()))
    shadow(book, number, book.sku(), 2).quarantine("unresolved_suspect")


@scenario("inbox")
def first_header_counts_where_none_is_exact(book: Book) -> None:
    number = _cancelled(book, (" {}", world.INCIDENT.wrong), ("{} ", book.after_day()))
    shadow(book, number, book.sku(), 2).remove("cancelled_never_shipped")


@scenario("inbox")
def last_inbox_row_counts(book: Book) -> None:
    number = book.number()
    book.header(number, world.INCIDENT.wrong)
    if book.rng.random() < 0.5:
        book.inbox(f"{number} ", "2025-10-01", "shipped")
        book.inbox(number, "2025-10-01", "cancelled")
        shadow(book, number, book.sku(), 2).remove("cancelled_never_shipped")
    else:
        book.inbox(number, "2025-10-01", "cancelled")
        book.inbox(f"{number} ", "2025-10-01", "shipped")
        shadow(book, number, book.sku(), 2).quarantine("unresolved_suspect")


@scenario()
def header_without_items(book: Book) -> None:
    # nothing of it is taken out, since it had no items to lose
    book.header(book.number(), book.rng.choice((book.day(), world.INCIDENT.wrong)))
