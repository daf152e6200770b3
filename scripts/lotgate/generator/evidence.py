"""Scenarios about what counts as ShipStation's evidence, and what is recovered from it.

Source: docs/rules.md section 3.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, Item, scenario
from lotgate.generator.claims import FIRST, SECOND
from lotgate.generator.twins import order, shadow


@scenario("evidence")
def only_in_shipstation(book: Book) -> None:
    # with or without a header; the added one takes ShipStation's trimmed number
    number = book.number()
    headed = book.rng.random() < 0.3
    if headed:
        book.header(number, FIRST)
    one, other = book.skus(2)
    lot = book.lot(one)
    shipment = book.shipment(
        number if headed else f"{number} ", FIRST, (f"{one} - {lot}", 3), (other, 2), ("18225", 40)
    )
    book.recovered(number, FIRST, one, lot, 3, shipment)
    if other == "17612":
        book.recovered(number, FIRST, other, None, 42, shipment)
        return
    book.recovered(number, FIRST, other, None, 2, shipment)
    book.recovered(number, FIRST, "17612", None, 40, shipment)


@scenario("evidence")
def voided_and_printed_again(book: Book) -> None:
    # the row was saved before the void; it is not suspect, so it keeps its day
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, FIRST)
    book.row(number, text, sku, 4, FIRST).keep("unknown_to_shipstation")
    book.shipment(number, FIRST, (text, 4), voided=True)
    book.shipment(number, SECOND, (text, 4))


@scenario("evidence")
def voided_and_printed_again_for_a_suspect(book: Book) -> None:
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, world.INCIDENT.wrong)
    shadow(book, number, sku, 4).redate(SECOND, "shipstation_other_day")
    book.shipment(number, FIRST, (text, 4), voided=True)
    book.shipment(number, SECOND, (text, 4))


@scenario("evidence")
def printed_again_with_more(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, FIRST)
    book.row(number, f"{sku} - {lot}", sku, 4, FIRST).keep("unknown_to_shipstation")
    book.shipment(number, FIRST, (f"{sku} - {lot}", 4), voided=True)
    shipment = book.shipment(number, SECOND, (f"{sku} - {lot}", 5))
    book.recovered(number, SECOND, sku, lot, 5, shipment)


@scenario("evidence")
def return_label(book: Book) -> None:
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, FIRST)
    book.row(number, text, sku, 4, FIRST).keep()
    book.shipment(number, FIRST, (text, 4))
    book.shipment(number, SECOND, (text, 4), is_return=True)


@scenario("evidence")
def lines_that_do_not_count(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    text = f"{sku} - {lot}"
    number = order(book, FIRST)
    book.row(number, text, sku, 4, FIRST).keep()
    book.shipment(
        number,
        FIRST,
        Item(None, 1, adjustment=True, key="discount"),
        Item(text, 1, key="discount"),
        Item(text, 2, adjustment=True),
        Item(text, 0),
        Item(text, None),
        Item(text, -1),
        Item("", 3),
        Item("\u00a0", 3),
        Item(text, 4),
    )


@scenario("evidence")
def lines_that_cannot_be_read(book: Book) -> None:
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, FIRST)
    book.row(number, text, sku, 4, FIRST).keep()
    book.shipment(
        number, FIRST, ("18255", 2), ("GIFT-1", 1), (f"{sku}-40", 1), ("250300", 5), ("Kit", 1), (text, 4)
    )


@scenario("evidence")
def known_by_an_unreadable_line(book: Book) -> None:
    # the order is known, so it is no orphan; the line plays no part
    sku = book.sku()
    number = book.number()
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, FIRST).keep("unknown_to_shipstation")
    book.shipment(number, FIRST, (f"{sku}-40", 2))


@scenario("evidence")
def orphan_known_to_shipstation(book: Book) -> None:
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = book.number()
    book.row(number, text, sku, 2, FIRST).keep()
    book.shipment(number, FIRST, (text, 2))


@scenario("evidence")
def orphan_known_by_another_line(book: Book) -> None:
    sku, other = book.skus(2)
    lot = book.lot(other)
    number = book.number()
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, book.after_day()).keep()
    shipment = book.shipment(number, SECOND, (f"{other} - {lot}", 1))
    book.recovered(number, SECOND, other, lot, 1, shipment)


@scenario("evidence")
def orphan_that_nothing_counted_knows(book: Book) -> None:
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = book.number()
    book.row(number, text, sku, 2, FIRST).quarantine("orphan_order")
    book.shipment(number, FIRST, (text, 2), voided=True)
    book.shipment(number, FIRST, (text, 2), is_return=True)
    book.shipment(number, world.FUTURE_DAY, (text, 2))
    book.shipment(number, world.UNCOVERED_FETCHED_DAY, (text, 2))
    book.shipment(number, None, (text, 2))


@scenario("evidence")
def not_covered_counts_for_nothing(book: Book) -> None:
    sku, other = book.skus(2)
    day = world.UNCOVERED_FETCHED_DAY
    number = order(book, day)
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, day).keep()
    book.shipment(number, day, (f"{sku} - {book.lot(sku)}", 9), (other, 1))


@scenario("evidence")
def resynced_and_known_on_no_covered_day(book: Book) -> None:
    sku = book.sku()
    number = order(book, world.INCIDENT.wrong)
    row = book.row(number, "", sku, 2, world.INCIDENT.wrong, book.within(world.INCIDENT))
    row.remove("historical_resync")
    book.shipment(number, world.UNCOVERED_FETCHED_DAY, (sku, 2))


@scenario("evidence")
def shipped_in_the_future(book: Book) -> None:
    # labels dated after the day of the fetch may still be voided; the day is not covered
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    day = world.FUTURE_DAY
    number = order(book, day)
    book.row(number, text, sku, book.rng.choice((2, 3)), day).keep()
    book.shipment(number, day, (text, 2))


@scenario("evidence")
def shipped_on_the_day_of_the_fetch(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, "2025-10-14")
    shipment = book.shipment(number, "2025-10-14", (f"{sku} - {lot}", 2))
    book.recovered(number, "2025-10-14", sku, lot, 2, shipment)


@scenario("evidence")
def bad_quantity_holds_its_line(book: Book) -> None:
    # the row claims the line although it cannot be read, so no unit is counted twice
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, FIRST)
    book.row(number, text, sku, 3_000_000, FIRST).quarantine("invalid_quantity")
    book.shipment(number, FIRST, (text, 3))


@scenario("evidence")
def bad_day_holds_its_line(book: Book) -> None:
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, FIRST)
    row = book.row(number, text, sku, 3, "10/06/2025", "2025-10-07 01:00:00")
    row.quarantine("invalid_ship_date")
    book.shipment(number, FIRST, (text, 3))


@scenario("evidence")
def bad_sku_claims_nothing(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, FIRST)
    book.row(number, f"{sku} / {lot}", sku, 3, FIRST).quarantine("unparseable_sku")
    shipment = book.shipment(number, FIRST, (f"{sku} - {lot}", 3))
    book.recovered(number, FIRST, sku, lot, 3, shipment)


@scenario("evidence", once=True)
def labels_without_an_order(book: Book) -> None:
    # NULL equals NULL, so the quantities here occur nowhere else
    book.row(None, "17612 - 250300", "17612", 977, FIRST).keep()
    book.shipment(None, FIRST, ("17612 - 250300", 977))
    dark = book.row(None, "", "17612", 976, world.INCIDENT.wrong, book.outside())
    dark.redate(SECOND, "shipstation_other_day")
    book.shipment(book.rng.choice((None, "", " ")), SECOND, ("17612 - 250300", 976))
    shipment = book.shipment(None, SECOND, ("17612 - 250300", 975))
    book.recovered(None, SECOND, "17612", "250300", 975, shipment)
    book.row(None, "17904 - 250240", "17904", 974, FIRST).keep("unknown_to_shipstation")
