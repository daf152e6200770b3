"""Scenarios about ShipStation's lines and the legacy rows that claim them.

Source: docs/rules.md section 3, and rules 5 to 9 where a claim counts in them.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, scenario
from lotgate.generator.texts import spellings
from lotgate.generator.twins import order

FIRST, SECOND = world.COVERED_DAYS


@scenario("evidence")
def known_line(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    lot = book.lot(sku)
    number = order(book, FIRST)
    row = book.row(number, f"{sku} - {lot}", sku, quantity, FIRST)
    row.keep()
    padded = book.rng.choice((number, f" {number}", f"{number}\u00a0"))
    book.shipment(padded, FIRST, (spellings(book.rng, sku, lot, 1)[0], quantity))


@scenario("evidence")
def known_line_imported_late(book: Book) -> None:
    sku = book.sku()
    number = order(book, FIRST)
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, FIRST, "2025-11-05 00:00:01").keep("late_import")
    book.shipment(number, FIRST, (sku, 2))


@scenario("evidence")
def unknown_to_shipstation(book: Book) -> None:
    sku, other = book.skus(2)
    number = order(book, FIRST)
    created = book.rng.choice(("2025-10-07 05:00:00", "2025-12-01 05:00:00"))
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, FIRST, created).keep("unknown_to_shipstation")
    if book.rng.random() < 0.5:
        lot = book.lot(other)
        shipment = book.shipment(number, FIRST, (f"{other} - {lot}", 3))
        book.recovered(number, FIRST, other, lot, 3, shipment)


@scenario("evidence")
def overwritten_parcel(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    lot = book.lot(sku)
    number = order(book, FIRST)
    book.row(number, f"{sku} - {lot}", sku, quantity, FIRST).keep()
    book.shipment(number, FIRST, (f"{sku} - {lot}", quantity))
    for day in book.rng.choice(((FIRST,), (SECOND,), (FIRST, SECOND))):
        shipment = book.shipment(number, day, (f"{sku} - {lot}", quantity))
        book.recovered(number, day, sku, lot, quantity, shipment)


@scenario("evidence")
def parcels_written_as_one(book: Book) -> None:
    sku = book.sku()
    one, other = book.lots(sku, 2)
    number = order(book, FIRST)
    book.row(number, f"{sku} - {one}", sku, 10, FIRST).keep()
    book.shipment(number, FIRST, (f"{sku} - {one}", 4))
    book.shipment(number, FIRST, (f"{sku} - {book.rng.choice((one, other))}", 6))


@scenario("evidence")
def other_quantity_same_day(book: Book) -> None:
    sku = book.sku()
    lot = book.lot(sku)
    number = order(book, FIRST)
    few, many = book.quantities(2)
    book.row(number, f"{sku} - {lot}", sku, few, FIRST).keep("unknown_to_shipstation")
    book.shipment(number, FIRST, (f"{sku} - {lot}", many))


@scenario("evidence")
def other_lot_same_day(book: Book) -> None:
    sku = book.sku()
    one, other = book.lots(sku, 2)
    number = order(book, FIRST)
    book.row(number, book.rng.choice((f"{sku} - {one}", "")), sku, 5, FIRST).keep()
    book.shipment(number, FIRST, (book.rng.choice((f"{sku} - {other}", sku)), 5))


@scenario("evidence")
def crossing_lots(book: Book) -> None:
    # the same lot claims first, what is left claims by SKU
    sku = book.sku()
    one, other = book.lots(sku, 2)
    number = order(book, FIRST)
    book.row(number, f"{sku} - {one}", sku, 3, FIRST).keep()
    book.row(number, f"{sku} - {other}", sku, 3, FIRST).keep()
    book.shipment(number, FIRST, (f"{sku} - {world.DISCOVERED_LOT}", 3), (f"{sku}-{other}", 3))


@scenario("evidence")
def items_of_a_shipment_add_up(book: Book) -> None:
    sku = book.sku()
    lot, other = book.lots(sku, 2)
    number = order(book, FIRST)
    book.row(number, f"{sku} - {lot}", sku, 5, FIRST).keep()
    shipment = book.shipment(
        number, FIRST, (f"{sku}-{lot}", 2), (f"{sku} - {other}", 8), (f" {sku} - {lot} ", 3)
    )
    book.recovered(number, FIRST, sku, other, 8, shipment)


@scenario("evidence")
def shipped_on_another_day(book: Book) -> None:
    sku, other = book.skus(2)
    lot = book.lot(sku)
    number = order(book, FIRST, ordered=book.rng.choice(("", "2025-10-05")))
    true = book.row(number, f"{other} - {book.lot(other)}", other, 1, FIRST)
    true.keep()
    book.shipment(number, FIRST, (str(true.sku_lot), 1))
    incident = book.rng.choice(world.INCIDENTS)
    created = book.rng.choice((book.outside(), book.within(incident)))
    sku_lot = book.rng.choice(("", f"{sku} - {lot}", f"{sku} - {world.DISCOVERED_LOT}"))
    row = book.row(number, sku_lot, sku, 3, incident.wrong, created)
    row.redate(SECOND, "shipstation_other_day")
    book.shipment(number, SECOND, (f"{sku} - {lot}", 3))


@scenario("evidence", "inbox")
def cancelled_but_shipped_on_another_day(book: Book) -> None:
    sku = book.sku()
    number = order(book, world.INCIDENT.wrong, ordered="2025-10-01", status="cancelled")
    book.row(number, "", sku, 3, world.INCIDENT.wrong, book.outside()).redate(FIRST, "shipstation_other_day")
    book.shipment(number, FIRST, (f"{sku} - {book.lot(sku)}", 3))


@scenario("evidence")
def shipped_but_not_this_line(book: Book) -> None:
    sku, other = book.skus(2)
    lot = book.lot(other)
    number = order(book, FIRST, ordered="2025-10-01", status=book.rng.choice(("shipped", "cancelled")))
    book.row(number, "", sku, 3, world.INCIDENT.wrong, book.outside()).quarantine("unresolved_suspect")
    book.row(number, f"{other} - {lot}", other, 1, FIRST).keep()
    book.shipment(number, FIRST, (f"{other} - {lot}", 1))


@scenario("evidence")
def resynced_but_known(book: Book) -> None:
    sku, other = book.skus(2)
    lot = book.lot(other)
    number = order(book, world.INCIDENT.wrong)
    row = book.row(number, "", sku, 2, world.INCIDENT.wrong, book.within(world.INCIDENT))
    row.quarantine("unresolved_suspect")
    shipment = book.shipment(number, SECOND, (f"{other} - {lot}", 4))
    book.recovered(number, SECOND, other, lot, 4, shipment)


@scenario("evidence")
def owners_rule_on_a_covered_day(book: Book) -> None:
    # ShipStation covers the incident's correct date, and has nothing of this order
    sku, other = book.skus(2)
    number = order(book, world.INCIDENT.correct)
    sibling = book.row(number, f"{other} - {book.lot(other)}", other, 1, world.INCIDENT.correct)
    sibling.keep("unknown_to_shipstation")
    row = book.row(
        number, f"{sku} - {book.lot(sku)}", sku, 3, world.INCIDENT.wrong, book.within(world.INCIDENT)
    )
    row.quarantine("unresolved_suspect")


@scenario("evidence")
def owners_rule_for_a_known_order(book: Book) -> None:
    sku, other = book.skus(2)
    lot = book.lot(other)
    incident = world.UNCOVERED_INCIDENT
    number = order(book, incident.correct)
    book.row(number, f"{other} - {lot}", other, 1, FIRST).keep()
    book.shipment(number, FIRST, (f"{other} - {lot}", 1))
    book.row(number, "", sku, 3, incident.wrong, book.outside()).quarantine("unresolved_suspect")


@scenario("evidence")
def truly_shipped_on_the_wrong_date(book: Book) -> None:
    # the incident's wrong date had real shipments too; ShipStation tells them apart
    sku = book.sku()
    day = world.UNCOVERED_INCIDENT.wrong
    lot = book.lot(sku)
    number = order(book, day)
    created, reason = book.rng.choice(
        (("2024-05-22 03:00:00", "clean"), (book.within(world.UNCOVERED_INCIDENT), "late_import"))
    )
    book.row(number, f"{sku} - {lot}", sku, 4, day, created).keep(reason)
    book.shipment(number, day, (book.rng.choice((f"{sku} - {lot}", f"{sku} - {world.DISCOVERED_LOT}")), 4))


@scenario("evidence", "inbox")
def before_the_order_and_true(book: Book) -> None:
    sku = book.sku()
    number = order(book, FIRST, ordered=SECOND)
    book.row(number, "", sku, 4, FIRST).keep()
    book.shipment(number, FIRST, (f"{sku} - {book.lot(sku)}", 4))


@scenario("evidence", "inbox")
def before_the_order_and_not_exact(book: Book) -> None:
    # the claim holds the line, but proves nothing about the day
    sku = book.sku()
    number = order(book, FIRST, ordered=SECOND)
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 4, FIRST).quarantine("unresolved_suspect")
    book.shipment(number, FIRST, (sku, 9))
