"""Scenarios about rows that stand for one line: respelled twins, and rows without a lot beside lotted ones.

Source: docs/rules.md section 4, rules 3 and 4. Nothing is known from ShipStation here.
"""

from __future__ import annotations

from lotgate.generator import world
from lotgate.generator.book import Book, Row, scenario
from lotgate.generator.texts import nothing, spellings


def order(book: Book, day: str, *, ordered: str = "", status: str = "shipped") -> str:
    """A new order with a header on `day`, and an inbox row when it was `ordered`; its number."""
    number = book.number()
    book.header(number, day)
    if ordered:
        book.inbox(number, book.rng.choice((ordered, f"{ordered} 14:03:11")), status)
    return number


def shadow(book: Book, number: str, sku: str, quantity: int, base: str = "") -> Row:
    """The incident's record of a line: no lot, the wrong day, created in the incident's days."""
    sku_lot = nothing(book.rng)[0]
    return book.row(number, sku_lot, base or sku, quantity, world.INCIDENT.wrong, book.outside())


@scenario()
def usual_shadow(book: Book) -> None:
    day = book.after_day()
    number = order(book, book.rng.choice((day, world.INCIDENT.wrong)), ordered="2025-10-01")
    for sku in book.skus(book.rng.choice((1, 1, 2, 3))):
        quantity = book.quantity()
        shadow_first = book.rng.random() < 0.7
        dark = shadow(book, number, sku, quantity) if shadow_first else None
        true = book.row(number, f"{sku} - {book.lot(sku)}", sku, quantity, day)
        true.keep()
        dark = dark or shadow(book, number, sku, quantity)
        dark.merge(true, "lotless_twin")


@scenario()
def shadow_with_sku_repeated(book: Book) -> None:
    sku, day, quantity = book.sku(), book.after_day(), book.quantity()
    number = order(book, day)
    dark = book.row(number, sku, sku, quantity, world.INCIDENT.wrong, book.outside())
    true = book.row(number, book.lot(sku), sku, quantity, day)
    true.keep()
    dark.merge(true, "lotless_twin")


@scenario()
def lot_in_base_same_or_other(book: Book) -> None:
    sku, day, quantity = book.sku(), book.after_day(), book.quantity()
    lot = book.lot(sku)
    number = order(book, day, ordered="2025-10-01")
    noted = book.rng.choice((lot, world.DEFAULT_LOT))
    dark = shadow(book, number, sku, quantity, f"{sku} - {noted}")
    true = book.row(number, f"{sku} - {lot}", sku, quantity, day)
    true.keep()
    dark.merge(true, "lot_in_base_sku_twin")


@scenario()
def lot_in_base_by_repeated_sku(book: Book) -> None:
    sku, day = book.sku(), book.day()
    lot, other = book.lots(sku, 2)
    number = order(book, day)
    true = book.row(number, f"{sku} - {lot}", sku, 5, day)
    true.keep()
    book.row(number, sku, f"{sku} - {other}", 5, day).merge(true, "lot_in_base_sku_twin")


@scenario()
def shadow_with_other_quantity(book: Book) -> None:
    sku, day = book.sku(), book.after_day()
    few, many = book.quantities(2)
    number = order(book, day, ordered="2025-10-01")
    base = book.rng.choice((sku, f"{sku} - {world.DEFAULT_LOT}"))
    shadow(book, number, sku, many, base).quarantine("quantity_conflict")
    book.row(number, f"{sku} - {book.lot(sku)}", sku, few, day).keep()


@scenario()
def shadow_of_the_sum(book: Book) -> None:
    sku, day = book.sku(), book.after_day()
    first, second = book.lots(sku, 2)
    number = order(book, day)
    shadow(book, number, sku, 6).quarantine("quantity_conflict")
    book.row(number, f"{sku} - {first}", sku, 4, day).keep()
    book.row(number, f"{sku} - {second}", sku, 2, day).keep()


@scenario()
def split_lots(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = order(book, day)
    for lot in book.lots(sku, 2):
        book.row(number, f"{sku} - {lot}", sku, book.quantity(), day).keep()


@scenario()
def split_lots_in_base_sku(book: Book) -> None:
    sku, day = book.sku(), book.day()
    number = order(book, day)
    for lot in book.lots(sku, 2):
        book.row(number, "", f"{sku} - {lot}", book.quantity(), day).keep()


@scenario()
def shadow_of_split_lots(book: Book) -> None:
    sku, day = book.sku(), book.after_day()
    first, second = (book.row_args(sku, lot) for lot in book.lots(sku, 2))
    number = order(book, day)
    one = book.row(number, *first, 3, day)
    other = book.row(number, *second, 3, day)
    one.keep()
    other.keep()
    shadow(book, number, sku, 3).merge(one, "lotless_twin")


@scenario()
def shadow_goes_to_the_one_that_stays(book: Book) -> None:
    # the lotted row of the lower id is itself a suspect that nothing settles
    sku, day = book.sku(), book.after_day()
    first, second = (book.row_args(sku, lot) for lot in book.lots(sku, 2))
    number = order(book, day, ordered="2025-10-01")
    book.row(number, *first, 3, world.INCIDENT.wrong, book.outside()).quarantine("unresolved_suspect")
    true = book.row(number, *second, 3, day)
    true.keep()
    shadow(book, number, sku, 3).merge(true, "lotless_twin")


@scenario()
def three_places_for_the_lot(book: Book) -> None:
    sku, day, quantity = book.sku(), book.after_day(), book.quantity()
    lot = book.lot(sku)
    number = order(book, day)
    lotless = shadow(book, number, sku, quantity)
    in_base = book.row(number, "", f"{sku} - {lot}", quantity, day)
    true = book.row(number, f"{sku} - {lot}", sku, quantity, day)
    true.keep()
    in_base.merge(true, "lot_in_base_sku_twin")
    lotless.merge(true, "lotless_twin")


@scenario()
def lotless_beside_lot_in_base(book: Book) -> None:
    sku, day, quantity = book.sku(), book.day(), book.quantity()
    number = order(book, day)
    in_base = book.row(number, "", f"{sku}-{book.lot(sku)}", quantity, day)
    in_base.keep()
    book.row(number, "", sku, quantity, day).merge(in_base, "lotless_twin")


@scenario()
def lotless_true_lotted_suspect(book: Book) -> None:
    # no lotted row stays, so each is decided by itself
    sku, day = book.sku(), book.after_day()
    number = order(book, day, ordered="2025-10-01")
    lotted = book.row(number, f"{sku} - {book.lot(sku)}", sku, 4, world.INCIDENT.wrong, book.outside())
    lotted.quarantine("unresolved_suspect")
    book.row(number, "", sku, 4, day).keep()


@scenario()
def lotless_beside_conflict(book: Book) -> None:
    sku, day = book.sku(), book.day()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    number = order(book, day)
    for sku_lot, quantity in ((one, 4), (other, 6), ("", 4)):
        book.row(number, sku_lot, sku, quantity, day).quarantine("quantity_conflict")


@scenario()
def respelled(book: Book) -> None:
    sku, day, quantity = book.sku(), book.day(), book.quantity()
    texts = spellings(book.rng, sku, book.lot(sku), book.rng.choice((2, 2, 3, 5)))
    number = order(book, day)
    first, *others = [book.row(number, text, sku, quantity, day) for text in texts]
    first.keep()
    for other in others:
        other.merge(first, "respelled_twin")


@scenario()
def respelled_on_two_days(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    days = book.days(2)
    book.rng.shuffle(days)
    number = order(book, days[0])
    first = book.row(number, one, sku, quantity, days[0])
    first.keep()
    book.row(number, other, sku, quantity, days[1]).merge(first, "respelled_twin")


@scenario()
def respelled_by_base_sku(book: Book) -> None:
    # the same sku_lot beside two spellings of base_sku; and a bare lot beside the whole text
    sku, day, quantity = book.sku(), book.day(), book.quantity()
    lot = book.lot(sku)
    full = (f"{sku} - {lot}", sku)
    other = book.rng.choice(((lot, sku), (f"{sku} - {lot}", ""), (f"{sku} - {lot}", f"{sku} ")))
    pair = [full, other]
    book.rng.shuffle(pair)
    number = order(book, day)
    first = book.row(number, *pair[0], quantity, day)
    first.keep()
    book.row(number, *pair[1], quantity, day).merge(first, "respelled_twin")


@scenario()
def respelled_nothing(book: Book) -> None:
    sku, day, quantity = book.sku(), book.day(), book.quantity()
    number = order(book, day)
    texts = [*nothing(book.rng, 2), sku]
    book.rng.shuffle(texts)
    first, *others = [book.row(number, text, sku, quantity, day) for text in texts]
    first.keep()
    for other in others:
        other.merge(first, "respelled_twin")


@scenario()
def respelled_variant(book: Book) -> None:
    day = book.day()
    number = order(book, day)
    first = book.row(number, "PASTE-11001", "18795", 3, day)
    first.keep()
    book.row(number, "18795 - 11001", "18795", 3, day).merge(first, "respelled_twin")
    first = book.row(number, "18225", "17612", 40, day)
    first.keep()
    book.row(number, "17612 x 40", "", 40, day).merge(first, "respelled_twin")


@scenario()
def respelled_with_other_quantity(book: Book) -> None:
    sku, day = book.sku(), book.day()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    few, many = book.quantities(2)
    number = order(book, day)
    book.row(number, one, sku, few, day).quarantine("quantity_conflict")
    book.row(number, other, sku, many, day).quarantine("quantity_conflict")


@scenario()
def lotless_with_other_quantity(book: Book) -> None:
    sku, day = book.sku(), book.day()
    few, many = book.quantities(2)
    number = order(book, day)
    book.row(number, "", sku, few, day).quarantine("quantity_conflict")
    book.row(number, sku, sku, many, day).quarantine("quantity_conflict")


@scenario()
def respelled_suspect_of_the_lower_id(book: Book) -> None:
    sku, day, quantity = book.sku(), book.after_day(), book.quantity()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    number = order(book, day, ordered="2025-10-01")
    dark = book.row(number, one, sku, quantity, world.INCIDENT.wrong, book.outside())
    true = book.row(number, other, sku, quantity, day)
    true.keep()
    dark.merge(true, "respelled_twin")


@scenario()
def respelled_suspects(book: Book) -> None:
    # the representative does not stay, so every row follows rules 5 to 9
    sku, quantity = book.sku(), book.quantity()
    number = order(book, world.INCIDENT.wrong, ordered="2025-10-01")
    for text in spellings(book.rng, sku, book.lot(sku), 2):
        dark = book.row(number, text, sku, quantity, world.INCIDENT.wrong, book.outside())
        dark.quarantine("unresolved_suspect")


@scenario()
def respelled_suspects_redated(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    incident = world.UNCOVERED_INCIDENT
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    number = order(book, incident.correct)
    first = book.row(number, one, sku, quantity, incident.wrong, book.outside())
    first.redate(incident.correct, "incident_correct_date")
    book.row(number, other, sku, quantity, incident.wrong, book.outside()).merge(first, "respelled_twin")


@scenario()
def kept_goes_before_redated(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    incident = world.UNCOVERED_INCIDENT
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    number = order(book, incident.correct)
    dark = book.row(number, one, sku, quantity, incident.wrong, book.outside())
    true = book.row(number, other, sku, quantity, incident.correct)
    true.keep()
    dark.merge(true, "respelled_twin")


@scenario()
def shadow_of_respelled(book: Book) -> None:
    # the merged spelling stays nobody's target
    sku, day, quantity = book.sku(), book.after_day(), book.quantity()
    one, other = spellings(book.rng, sku, book.lot(sku), 2)
    number = order(book, day)
    dark = shadow(book, number, sku, quantity)
    first = book.row(number, one, sku, quantity, day)
    first.keep()
    book.row(number, other, sku, quantity, day).merge(first, "respelled_twin")
    dark.merge(first, "lotless_twin")


@scenario()
def shadow_of_redated(book: Book) -> None:
    sku, quantity = book.sku(), book.quantity()
    incident = world.UNCOVERED_INCIDENT
    number = order(book, incident.correct)
    dark = book.row(number, "", sku, quantity, incident.wrong, book.outside())
    lotted = book.row(number, f"{sku} - {book.lot(sku)}", sku, quantity, incident.wrong, book.outside())
    lotted.redate(incident.correct, "incident_correct_date")
    dark.merge(lotted, "lotless_twin")
