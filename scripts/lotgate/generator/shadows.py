"""Scenarios about suspects: redated by the owner's rule, removed, or left to a person.

Source: docs/rules.md sections 2 and 4, rules 5 to 9. Nothing is known from ShipStation of these orders.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, Row, scenario
from lotgate.generator.twins import order, shadow

_CANCELLED = ("cancelled", "canceled", "Cancelled", "CANCELED", "CANCELLED")


@scenario()
def shipped_without_this_sku(book: Book) -> None:
    sku, other = book.skus(2)
    day = book.after_day()
    number = order(book, day, ordered="2025-10-01")
    shadow(book, number, sku, 1).quarantine("unresolved_suspect")
    book.row(number, f"{other} - {book.lot(other)}", other, 2, day).keep()


@scenario()
def mis_ship_sent_again(book: Book) -> None:
    # the right SKU went out under a manual number that knows nothing of the first order
    sku, other = book.skus(2)
    day = book.after_day()
    number = order(book, day, ordered="2025-10-01")
    shadow(book, number, sku, 2).quarantine("unresolved_suspect")
    book.row(number, f"{other} - {book.lot(other)}", other, 2, day).keep()
    again = order(book, "2025-10-10")
    book.row(again, f"{sku} - {book.lot(sku)}", sku, 2, "2025-10-10").keep()


@scenario("inbox")
def cancelled(book: Book) -> None:
    status = book.rng.choice(_CANCELLED)
    number = order(book, world.INCIDENT.wrong, ordered="2025-10-01", status=status)
    for sku in book.skus(book.rng.choice((1, 2))):
        dark = book.row(
            number,
            "",
            book.rng.choice((sku, f"{sku} - {world.DEFAULT_LOT}")),
            15,
            world.INCIDENT.wrong,
            book.rng.choice(("2025-10-02 20:53:06", "2025-10-01 00:00:00", "2025-10-06 16:20:00")),
            book.rng.choice((None, "")),
        )
        dark.remove("cancelled_never_shipped")


@scenario("inbox")
def cancelled_before_the_order(book: Book) -> None:
    # suspect by the order's date alone, on a day that no incident names
    sku, day = book.sku(), book.day()
    number = order(book, world.shifted(day, -1), ordered=world.shifted(day, 2), status="cancelled")
    created = book.moment(world.shifted(day, 2))
    book.row(number, "", sku, 2, day, created).remove("cancelled_never_shipped")


def _signed(book: Book, header_day: str, status: str = "cancelled") -> tuple[str, Row]:
    """A cancelled order with a suspect that some sign of shipment saves; the caller adds the sign."""
    number = order(book, header_day, ordered="2025-10-01", status=status)
    dark = shadow(book, number, book.sku(), 15)
    dark.quarantine("unresolved_suspect")
    return number, dark


@scenario("inbox")
def cancelled_but_another_row_shipped(book: Book) -> None:
    number, dark = _signed(book, world.INCIDENT.wrong)
    other = book.rng.choice([sku for sku in world.SKUS if sku != dark.base_sku])
    book.row(number, "", other, 1, book.after_day()).keep()


@scenario("inbox")
def cancelled_but_header_plausible(book: Book) -> None:
    _signed(book, book.after_day())


@scenario("inbox", "tracking")
def cancelled_but_tracked(book: Book) -> None:
    number, dark = _signed(book, world.INCIDENT.wrong)
    if book.rng.random() < 0.5:
        dark.tracking = "TEST940010"
        return
    other = book.rng.choice([sku for sku in world.SKUS if sku != dark.base_sku])
    tracked = book.row(number, "", other, 1, world.INCIDENT.wrong, book.outside(), "TEST940011")
    tracked.quarantine("unresolved_suspect")


@scenario("inbox")
def cancelled_but_lotted(book: Book) -> None:
    # a lot in sku_lot is what the daily processor wrote from a real shipment
    sku, other = book.skus(2)
    number = order(book, world.INCIDENT.wrong, ordered="2025-10-01", status="cancelled")
    lotted = book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, world.INCIDENT.wrong, book.outside())
    lotted.quarantine("unresolved_suspect")
    shadow(book, number, other, 2).quarantine("unresolved_suspect")


@scenario("inbox")
def cancelled_number_used_again(book: Book) -> None:
    # an old shipment, created before the order that took its number
    sku = book.sku()
    day = book.rng.choice(("2024-11-13", "2025-03-04"))
    number = order(book, day, ordered="2025-09-30", status="cancelled")
    sku_lot = book.rng.choice(("", f"{sku} - {book.lot(sku)}"))
    row = book.row(number, sku_lot, sku, 8, day, book.soon(day))
    row.quarantine("unresolved_suspect")


@scenario("inbox")
def cancelled_yet_shipped(book: Book) -> None:
    # not suspect at all: the date is after the order's
    sku, day = book.sku(), book.day()
    number = order(book, day, ordered=world.shifted(day, -2), status="cancelled")
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 4, day).keep()


@scenario("inbox")
def shipped_on_the_day_of_the_order(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = order(book, day, ordered=day)
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 4, day).keep()


@scenario("inbox")
def before_the_order(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = order(book, day, ordered=world.shifted(day, 1))
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 4, day).quarantine("unresolved_suspect")


@scenario("inbox")
def order_date_is_no_day(book: Book) -> None:
    # nothing is before a day that is not known
    sku, day = book.sku(), book.day()
    number = book.number()
    book.header(number, day)
    book.inbox(number, book.rng.choice(("2099-02-30", "soon", "", "99/99/2099")), "cancelled")
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 4, day).keep()


@scenario("inbox")
def truly_open(book: Book) -> None:
    status = book.rng.choice(("shipped", "awaiting_shipment", "pending", "on_hold"))
    number = order(book, world.INCIDENT.wrong, ordered="2025-10-01", status=status)
    shadow(book, number, book.sku(), 15).quarantine("unresolved_suspect")


@scenario()
def open_and_no_inbox(book: Book) -> None:
    number = order(book, world.INCIDENT.wrong)
    shadow(book, number, book.sku(), 3).quarantine("unresolved_suspect")


def _resynced(book: Book, number: str, incident: world.Incident, sku: str = "") -> Row:
    sku = sku or book.sku()
    return book.row(number, "", sku, 2, incident.wrong, book.within(incident))


@scenario()
def resynced(book: Book) -> None:
    incident = book.rng.choice(world.INCIDENTS)
    number = order(book, book.rng.choice((incident.wrong, "2024-01-03")))
    _resynced(book, number, incident).remove("historical_resync")


@scenario("inbox")
def resynced_and_in_the_inbox(book: Book) -> None:
    incident = book.rng.choice(world.INCIDENTS)
    ordered = book.rng.choice((incident.wrong, "2024-04-12"))
    number = order(book, incident.wrong, ordered=ordered)
    _resynced(book, number, incident).remove("historical_resync")


@scenario()
def resynced_with_lot(book: Book) -> None:
    sku = book.sku()
    number = order(book, world.INCIDENT.wrong)
    created = book.within(world.INCIDENT)
    row = book.row(number, f"{sku} - {book.lot(sku)}", sku, 2, world.INCIDENT.wrong, created, None)
    row.remove("historical_resync")


@scenario("inbox")
def resynced_but_ordered_later(book: Book) -> None:
    incident = book.rng.choice(world.INCIDENTS)
    number = book.number()
    book.header(number, incident.wrong)
    book.inbox(number, book.rng.choice(("2025-09-15", "2024-06-12", "unknown", "")))
    _resynced(book, number, incident).quarantine("unresolved_suspect")


@scenario()
def resynced_but_another_row_later(book: Book) -> None:
    sku, other = book.skus(2)
    incident = book.rng.choice(world.INCIDENTS)
    day = book.after_day()
    number = order(book, incident.wrong)
    _resynced(book, number, incident, sku).quarantine("unresolved_suspect")
    book.row(number, f"{other} - {book.lot(other)}", other, 1, day).keep()


@scenario()
def resynced_but_header_later(book: Book) -> None:
    number = order(book, book.after_day())
    _resynced(book, number, world.INCIDENT).quarantine("unresolved_suspect")


@scenario()
def owners_rule_by_header(book: Book) -> None:
    incident = world.UNCOVERED_INCIDENT
    number = order(book, incident.correct)
    created = book.rng.choice((book.outside(), book.within(incident)))
    for sku in book.skus(book.rng.choice((1, 3))):
        row = book.row(number, "", sku, book.quantity(), incident.wrong, created)
        row.redate(incident.correct, "incident_correct_date")


@scenario()
def owners_rule_by_sibling(book: Book) -> None:
    # "whatever else is wrong with it": the sibling need not be readable
    sku, other = book.skus(2)
    incident = world.UNCOVERED_INCIDENT
    number = order(book, incident.wrong, ordered=book.rng.choice(("", "2025-09-22", "2025-09-18")))
    row = book.row(number, f"{sku} - {book.lot(sku)}", sku, 3, incident.wrong, book.within(incident))
    row.redate(incident.correct, "incident_correct_date")
    sibling = book.row(number, book.rng.choice(("", "ABC")), other, 1, incident.correct)
    if sibling.sku_lot:
        sibling.quarantine("unparseable_sku")
    else:
        sibling.keep()


@scenario("inbox")
def owners_rule_before_the_order(book: Book) -> None:
    # the correct date would be before the order's own
    incident = world.UNCOVERED_INCIDENT
    number = order(book, incident.correct, ordered=world.shifted(incident.correct, 1))
    row = book.row(number, "", book.sku(), 3, incident.wrong, book.outside())
    row.quarantine("unresolved_suspect")


@scenario("inbox")
def owners_rule_goes_before_cancelled(book: Book) -> None:
    incident = world.UNCOVERED_INCIDENT
    number = order(book, incident.correct, ordered="2025-09-20", status="cancelled")
    row = book.row(number, "", book.sku(), 3, incident.wrong, book.outside())
    row.redate(incident.correct, "incident_correct_date")


@scenario("no evidence")
def owners_rule_of_the_first_incident(book: Book) -> None:
    sku, other = book.skus(2)
    number = order(book, world.INCIDENT.correct)
    book.row(number, f"{other} - {book.lot(other)}", other, 1, world.INCIDENT.correct).keep()
    row = book.row(number, f"{sku} - {book.lot(sku)}", sku, 3, world.INCIDENT.wrong, book.outside())
    row.redate(world.INCIDENT.correct, "incident_correct_date")


@scenario()
def first_of_two_incidents(book: Book) -> None:
    # created in the first one's window, or in none: the first counts
    incident = world.TWICE_FIRST
    number = order(book, incident.correct)
    created = book.rng.choice((book.within(incident), book.outside()))
    row = book.row(number, "", book.sku(), 3, incident.wrong, created)
    row.redate(incident.correct, "incident_correct_date")


@scenario()
def second_of_two_incidents(book: Book) -> None:
    # its window holds the row, and its true day is not known
    number = order(book, world.TWICE_FIRST.correct)
    row = book.row(number, "", book.sku(), 3, world.TWICE_SECOND.wrong, book.within(world.TWICE_SECOND))
    row.quarantine("unresolved_suspect")


@scenario()
def late_import(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = order(book, day)
    created = book.moment(world.shifted(day, book.rng.choice((30, 31, 200, 365))))
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 8, day, created).keep("late_import")


@scenario()
def almost_late(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = order(book, day)
    created = book.moment(world.shifted(day, book.rng.choice((29, -3, 0))))
    book.row(number, f"{sku} - {book.lot(sku)}", sku, 8, day, created).keep()


@scenario()
def split_over_two_days(book: Book) -> None:
    days = book.days(2)
    number = order(book, days[0])
    for sku, day in zip(book.skus(2), days, strict=True):
        book.row(number, f"{sku} - {book.lot(sku)}", sku, 15, day).keep()
