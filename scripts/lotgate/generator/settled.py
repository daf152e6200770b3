"""Scenarios about twins that ShipStation's lines settle, or do not settle.

Source: docs/rules.md sections 3 and 4, rules 3 and 4.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, Item, scenario
from lotgate.generator.claims import FIRST, SECOND
from lotgate.generator.texts import spellings
from lotgate.generator.twins import order, shadow


@scenario("evidence")
def lotless_settled_by_shipstation(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    few, many = book.quantities(2)
    number = order(book, SECOND)
    dark = shadow(book, number, sku, many)
    true = book.row(number, f"{sku} - {lot}", sku, few, SECOND)
    true.keep()
    dark.merge(true, "lotless_twin")
    book.shipment(number, SECOND, (f"{sku} - {lot}", few))


@scenario("evidence")
def sum_of_lots_settled(book: Book) -> None:
    sku = book.sku()
    one, other = book.lots(sku, 2)
    number = order(book, SECOND)
    first = book.row(number, f"{sku} - {one}", sku, 4, SECOND)
    second = book.row(number, f"{sku} - {other}", sku, 2, SECOND)
    first.keep()
    second.keep()
    in_base = f"{sku} - {world.DEFAULT_LOT}"
    book.row(number, "", in_base, 6, SECOND).merge(first, "lot_in_base_sku_twin")
    book.shipment(number, SECOND, (f"{sku} - {one}", 4), (f"{sku} - {other}", 2))


@scenario("evidence")
def lotless_not_settled(book: Book) -> None:
    # a line of the same SKU is left that no row explains
    sku = book.sku()
    lot, other = book.lots(sku, 2)
    number = order(book, SECOND)
    shadow(book, number, sku, 16).quarantine("quantity_conflict")
    book.row(number, f"{sku} - {lot}", sku, 2, SECOND).keep()
    shipment = book.shipment(number, SECOND, (f"{sku} - {lot}", 2), (f"{sku} - {other}", 5))
    book.recovered(number, SECOND, sku, other, 5, shipment)


@scenario("evidence")
def lotless_with_its_own_line(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, FIRST)
    book.row(number, f"{sku} - {lot}", sku, 2, FIRST).keep()
    if book.rng.random() < 0.5:
        book.row(number, "", sku, 8, FIRST).keep()
        book.shipment(number, FIRST, (f"{sku} - {lot}", 2), (sku, 8))
    else:
        shadow(book, number, sku, 8).redate(SECOND, "shipstation_other_day")
        book.shipment(number, FIRST, (f"{sku} - {lot}", 2))
        book.shipment(number, SECOND, (f"{sku} - {lot}", 8))


@scenario("evidence")
def lotted_claims_before_lotless(book: Book) -> None:
    # one line; the lotless row has the lower id, the lotted one goes first
    sku, quantity = book.sku(), book.quantity()
    lot, other = book.lots(sku, 2)
    number = order(book, FIRST)
    dark = book.row(number, "", sku, quantity, FIRST)
    true = book.row(number, f"{sku} - {lot}", sku, quantity, FIRST)
    true.keep()
    dark.merge(true, "lotless_twin")
    book.shipment(number, FIRST, (f"{sku} - {other}", quantity))


@scenario("evidence")
def merged_row_frees_its_line(book: Book) -> None:
    # two parcels, two records: the twin merges, so its parcel is recovered
    sku, quantity = book.sku(), book.quantity()
    lot = book.lot(sku)
    number = order(book, FIRST)
    one, other = spellings(book.rng, sku, lot, 2)
    sku_lot, reason = book.rng.choice((("", "lotless_twin"), (other, "respelled_twin")))
    first = book.row(number, one, sku, quantity, FIRST)
    first.keep()
    book.row(number, sku_lot, sku, quantity, FIRST).merge(first, reason)
    book.shipment(number, FIRST, (f"{sku} - {lot}", quantity))
    shipment = book.shipment(number, FIRST, (f"{sku} - {lot}", quantity))
    book.recovered(number, FIRST, sku, lot, quantity, shipment)


@scenario("evidence")
def merged_row_hands_its_line_on(book: Book) -> None:
    # the row that stays has no claim of its own, so the twin's line is its line
    sku, quantity, day = book.sku(), book.quantity(), book.after_day()
    lot, other = book.lots(sku, 2)
    number = order(book, day)
    dark = book.row(number, "", sku, quantity, FIRST)
    true = book.row(number, f"{sku} - {lot}", sku, quantity, day)
    true.keep()
    dark.merge(true, "lotless_twin")
    book.shipment(number, FIRST, (f"{sku} - {book.rng.choice((lot, other))}", quantity))


@scenario("evidence")
def parcel_of_the_same_lot_in_base_sku(book: Book) -> None:
    # a second record of the lot, not a line of its own; its parcel is recovered
    sku = book.sku()
    text = f"{sku} - {book.lot(sku)}"
    number = order(book, FIRST)
    true = book.row(number, text, sku, 2, FIRST)
    true.keep()
    book.row(number, "", text, 8, FIRST).merge(true, "lot_in_base_sku_twin")
    book.shipment(number, FIRST, (text, 2))
    shipment = book.shipment(number, FIRST, (text, 8))
    book.recovered(number, FIRST, sku, text.partition(" - ")[2], 8, shipment)


@scenario("evidence")
def lotless_of_the_quantity_that_lost(book: Book) -> None:
    # ShipStation settled the spellings, and against the lotless row's quantity too
    sku = book.sku()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    wrong, right = book.quantities(2)
    number = order(book, FIRST)
    dark = book.row(number, one, sku, wrong, FIRST)
    true = book.row(number, other, sku, right, FIRST)
    true.keep()
    dark.merge(true, "respelled_twin")
    shadow(book, number, sku, wrong).quarantine("quantity_conflict")
    book.shipment(number, FIRST, (other, right))


@scenario("evidence")
def claim_makes_the_representative(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    number = order(book, FIRST)
    unproven = book.row(number, one, sku, quantity, book.after_day())
    proven = book.row(number, other, sku, quantity, FIRST)
    proven.keep()
    unproven.merge(proven, "respelled_twin")
    book.shipment(number, FIRST, (other, quantity))


@scenario("evidence")
def claim_chooses_among_lots(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    one, other = book.lots(sku, 2)
    number = order(book, FIRST)
    unproven = book.row(number, f"{sku} - {one}", sku, quantity, book.after_day())
    proven = book.row(number, f"{sku} - {other}", sku, quantity, FIRST)
    unproven.keep()
    proven.keep()
    shadow(book, number, sku, quantity).merge(proven, "lotless_twin")
    book.shipment(number, FIRST, (f"{sku} - {other}", quantity))


@scenario("evidence")
def respelled_settled(book: Book) -> None:
    sku = book.sku()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    wrong, right = book.quantities(2)
    number = order(book, FIRST)
    dark = book.row(number, one, sku, wrong, FIRST)
    true = book.row(number, other, sku, right, FIRST)
    true.keep()
    dark.merge(true, "respelled_twin")
    book.shipment(number, FIRST, (other, right))


@scenario("evidence")
def respelled_not_settled(book: Book) -> None:
    # ShipStation has the sum, or the right line and one more: nothing is settled, nothing recovered
    sku = book.sku()
    lot, third = book.lots(sku, 2)
    one, other = spellings(book.rng, sku, lot, 2)
    number = order(book, FIRST)
    book.row(number, one, sku, 4, FIRST).quarantine("quantity_conflict")
    book.row(number, other, sku, 6, FIRST).quarantine("quantity_conflict")
    if book.rng.random() < 0.5:
        book.shipment(number, FIRST, (f"{sku} - {lot}", 10))
    else:
        book.shipment(number, FIRST, (f"{sku} - {lot}", 6), (f"{sku} - {third}", 5))


@scenario("evidence")
def respelled_both_shipped(book: Book) -> None:
    # two rows with an exact claim each: not settled by "exactly one"
    sku = book.sku()
    lot = book.lot(sku)
    one, other = spellings(book.rng, sku, lot, 2)
    number = order(book, FIRST)
    for text, quantity in ((one, 4), (other, 6)):
        book.row(number, text, sku, quantity, FIRST).quarantine("quantity_conflict")
        book.shipment(number, FIRST, Item(f"{sku} - {lot}", quantity))
