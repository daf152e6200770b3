"""Scenarios about reading a row: spellings, the table of both SKU columns, and every parse failure.

Source: docs/rules.md section 1.
"""

from __future__ import annotations

from typing import Final

from lotgate.generator import world
from lotgate.generator.book import Book, Row, Value, scenario
from lotgate.generator.texts import garbage, nothing, spellings

UNKNOWN_SKUS: Final = ("99999", "17000", "0017612", "18255", "1", "176120")
"""Digits that name no SKU of the five."""


def single(
    book: Book,
    sku_lot: Value,
    base_sku: Value,
    *,
    quantity: Value = 0,
    day: Value = "",
    created_at: Value = "",
) -> Row:
    """One row that is the whole of its order, on a day of which nothing is known against it."""
    number = book.number()
    day = day or book.day()
    book.header(number, book.day() if not isinstance(day, str) else day)
    return book.row(number, sku_lot, base_sku, quantity or book.quantity(), day, created_at)


def _sku_and_lot(book: Book) -> tuple[str, str]:
    sku = book.sku()
    return sku, book.lot(sku)


@scenario()
def spelled_any_way(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, spellings(book.rng, sku, lot, 1)[0], sku).keep()


@scenario()
def no_lot_at_all(book: Book) -> None:
    sku = book.sku()
    single(book, nothing(book.rng)[0], sku).keep()


@scenario()
def lot_in_base_sku(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, nothing(book.rng)[0], spellings(book.rng, sku, lot, 1)[0]).keep()


@scenario()
def both_columns_blank(book: Book) -> None:
    sku_lot, base_sku = nothing(book.rng, 2)
    single(book, sku_lot, base_sku).quarantine("unparseable_sku")


@scenario()
def unreadable_sku_lot(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    base = book.rng.choice((sku, "", f"{sku} - {lot}", "ABC"))
    single(book, garbage(book.rng, sku, lot), base).quarantine("unparseable_sku")


@scenario()
def unreadable_base_sku_alone(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, nothing(book.rng)[0], garbage(book.rng, sku, lot)).quarantine("unparseable_sku")


@scenario()
def full_text_and_blank_base(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, f"{sku} - {lot}", nothing(book.rng)[0]).keep()


@scenario()
def full_text_twice(book: Book) -> None:
    # base_sku may name another lot: the lot of sku_lot counts.
    sku, lot = _sku_and_lot(book)
    single(book, f"{sku} - {lot}", f"{sku}-{book.lot(sku)}").keep()


@scenario()
def two_skus(book: Book) -> None:
    sku, other = book.skus(2)
    lot = book.lot(sku)
    base = book.rng.choice((other, f"{other} - {lot}", garbage(book.rng, sku, lot), f"{sku}0", f"0{sku}"))
    single(book, f"{sku} - {lot}", base).quarantine("sku_conflict")


@scenario()
def sku_repeated(book: Book) -> None:
    sku = book.sku()
    single(book, sku, book.rng.choice((sku, f" {sku}", "", f"{sku}\u00a0"))).keep()


@scenario()
def sku_and_unreadable_base(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    text = book.rng.choice((sku, lot))
    single(book, text, garbage(book.rng, sku, lot)).quarantine("sku_conflict")


@scenario()
def sku_and_full_text(book: Book) -> None:
    # sku_lot only repeats the SKU, base_sku has the lot
    sku, lot = _sku_and_lot(book)
    single(book, sku, spellings(book.rng, sku, lot, 1)[0]).keep()


@scenario()
def other_known_sku(book: Book) -> None:
    sku, other = book.skus(2)
    base = book.rng.choice((other, f"{other} - {book.lot(other)}"))
    single(book, sku, base).quarantine("sku_conflict")


@scenario()
def bare_lot(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, f"{lot} ", sku).keep()


@scenario()
def bare_lot_and_other_lot(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, lot, f"{sku} - {book.lot(sku)}").keep()


@scenario()
def bare_lot_of_unknown_number(book: Book) -> None:
    # five digits that name no SKU are a lot; any lot may be discovered
    single(book, book.rng.choice(("99999", "12345", world.DISCOVERED_LOT)), book.sku()).keep()


@scenario()
def bare_lot_and_unknown_sku(book: Book) -> None:
    single(book, "250300", book.rng.choice(UNKNOWN_SKUS)).quarantine("unknown_sku")


@scenario()
def short_bare_lot(book: Book) -> None:
    single(book, book.rng.choice(("40", "2503", "0001", "7")), book.sku()).quarantine("implausible_lot")


@scenario()
def unknown_sku(book: Book) -> None:
    sku = book.rng.choice(UNKNOWN_SKUS)
    sku_lot, base = book.rng.choice(((f"{sku} - 250300", sku), (sku, sku), ("", sku), (f"{sku}-1", "")))
    single(book, sku_lot, base).quarantine("unknown_sku")


@scenario()
def pack_size(book: Book) -> None:
    sku = book.sku()
    short = book.rng.choice(("40", "15", "0", "2503", "0040"))
    sku_lot, base = book.rng.choice(
        ((f"{sku}-{short}", sku), ("", f"{sku} - {short}"), (sku, f"{sku}-{short}"))
    )
    single(book, sku_lot, base).quarantine("implausible_lot")


@scenario()
def very_long_lot(book: Book) -> None:
    sku = book.sku()
    single(book, f"{sku} - {'2' * book.rng.choice((19, 40, 2_000))}", sku).keep()


@scenario()
def discovered_lot(book: Book) -> None:
    sku = book.sku()
    single(book, f"{sku} - {world.DISCOVERED_LOT}", sku).keep()


@scenario()
def variant_in_sku_lot(book: Book) -> None:
    variant = book.rng.choice([variant for variant in world.VARIANTS if variant.raw != "GIFT-1"])
    base = book.rng.choice(("", variant.sku, f"{variant.sku} - {book.lot(variant.sku)}"))
    single(book, book.rng.choice(("", " ", "\u2003")) + variant.raw, base).keep()


@scenario()
def variant_in_base_sku(book: Book) -> None:
    variant = book.rng.choice([variant for variant in world.VARIANTS if variant.raw != "GIFT-1"])
    sku_lot = book.rng.choice(("", " ", variant.sku))
    single(book, sku_lot, variant.raw + book.rng.choice(("", " ", "\ufeff"))).keep()


@scenario()
def variant_against_base_sku(book: Book) -> None:
    single(book, "PASTE-11001", book.rng.choice(("17612", "ABC"))).quarantine("sku_conflict")


@scenario()
def variant_of_unknown_sku(book: Book) -> None:
    single(book, "GIFT-1", "").quarantine("unknown_sku")


@scenario()
def variant_in_other_case(book: Book) -> None:
    # the file's texts are exact
    single(book, book.rng.choice(("paste-11001", "17612  x 40", "gift-1")), "").quarantine("unparseable_sku")


BAD_DAYS: Final = (
    "2025-02-30",
    "10/06/2025",
    "",
    "  ",
    "2025-9-5",
    "2025-13-01",
    "2023-02-29",
    "1900-02-29",
    "0000-01-01",
    "2025-09-15 00:00:00",
    "2025-09-15T07:00:00",
    "20250915",
    "-2025-09-15",
    "2025-09-1\u0665",
    "\uff12025-09-15",
    "2025\u201309\u201315",
    "2025-09-00",
    "2025-06-31",
    "+2025-09-15",
    "12025-09-15",
    "2025-09-15\x00",
    "now",
    "nan",
)


@scenario()
def no_real_day(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    number = book.number()
    book.header(number, book.day())
    day = book.rng.choice(BAD_DAYS)
    book.row(number, f"{sku} - {lot}", sku, 3, day, "2025-09-16 01:02:03").quarantine("invalid_ship_date")


@scenario()
def odd_but_real_day(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    number = book.number()
    book.header(number, book.day())
    day, reason = book.rng.choice(
        (
            ("2024-02-29", "clean"),
            (" 2025-09-15", "clean"),
            ("2025-09-15\u00a0", "clean"),
            ("2000-02-29", "late_import"),
            ("0001-01-01", "late_import"),
            ("9999-12-31", "clean"),
        )
    )
    created = "2024-03-05 01:02:03" if day == "2024-02-29" else "2025-09-16 01:02:03"
    book.row(number, f"{sku} - {lot}", sku, 2, day, created).keep(reason)


@scenario()
def too_many(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    quantity = book.rng.choice((1_000_001, 2**31, 2**53 + 1, 2**63 - 1))
    single(book, f"{sku} - {lot}", sku, quantity=quantity).quarantine("invalid_quantity")


@scenario()
def most_that_is_allowed(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    single(book, f"{sku} - {lot}", sku, quantity=1_000_000).keep()


@scenario()
def first_failure_counts(book: Book) -> None:
    # an orphan with one more fault each time; the order of the failures decides
    sku, other = book.skus(2)
    lot = book.lot(sku)
    sku_lot, base, day, reason = book.rng.choice(
        (
            ("ABC", sku, "2025-02-30", "unparseable_sku"),
            (f"{sku} - {lot}", other, "2025-02-30", "sku_conflict"),
            ("99999 - 40", "99999", "2025-02-30", "unknown_sku"),
            (f"{sku} - 40", sku, "2025-02-30", "implausible_lot"),
            (f"{sku} - {lot}", sku, "2025-02-30", "invalid_ship_date"),
            (f"{sku} - {lot}", sku, "2025-09-15", "invalid_quantity"),
        )
    )
    row = book.row(book.number(), sku_lot, base, 2_000_000, day, "2025-09-16 01:02:03")
    row.quarantine(reason)


@scenario()
def orphan(book: Book) -> None:
    sku, lot = _sku_and_lot(book)
    book.row(book.number(), f"{sku} - {lot}", sku, book.quantity(), book.day()).quarantine("orphan_order")


@scenario()
def unreadable_beside_readable(book: Book) -> None:
    # a row that cannot be read is no lotted twin of the row that can
    sku, lot = _sku_and_lot(book)
    number, day = book.number(), book.day()
    book.header(number, day)
    book.row(number, f"{sku} - {lot}", sku, 5_000_000, day).quarantine("invalid_quantity")
    book.row(number, "", sku, 4, day).keep()
