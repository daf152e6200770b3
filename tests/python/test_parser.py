"""The parser of SKU-lot texts: the table of docs/rules.md section 1 line by line, ugly values, properties."""

from __future__ import annotations

import datetime as dt
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lotgate.parser import BLANKS, ParsedSku, ParseFailure, Variant, is_real_day, parse_sku, trim

KNOWN = frozenset({"17612", "17904", "17914", "18675", "18795"})
VARIANTS = {
    "17612-40": Variant("17612", None),
    "Rinse": Variant("17904", "250240"),
    "OLD": Variant("99999", None),
    "SHORT": Variant("17612", "40"),
    "LETTERS": Variant("17612", "25O300"),
    "250237": Variant("17914", None),
}


def parse(sku_lot: str | None, base_sku: str | None = None) -> ParsedSku:
    return parse_sku(sku_lot, base_sku, known_skus=KNOWN)


def parse_with_variants(sku_lot: str | None, base_sku: str | None = None) -> ParsedSku:
    return parse_sku(sku_lot, base_sku, known_skus=KNOWN, variants=VARIANTS)


def lotted(raw: str, sku: str, lot: str) -> ParsedSku:
    return ParsedSku(raw, sku, lot, "sku_lot", None)


def lot_in_base(raw: str, sku: str, lot: str) -> ParsedSku:
    return ParsedSku(raw, sku, lot, "base_sku", None)


def lotless(raw: str, sku: str) -> ParsedSku:
    return ParsedSku(raw, sku, None, None, None)


def unread(raw: str | None, failure: ParseFailure) -> ParsedSku:
    return ParsedSku(raw, None, None, None, failure)


# ---- blanks and days ----------------


def test_blanks_are_the_white_space_property_and_the_byte_order_mark() -> None:
    separators = {chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in {"Zs", "Zl", "Zp"}}
    assert set(BLANKS) == separators | set("\t\n\x0b\x0c\r\x85\ufeff")
    assert len(BLANKS) == len(set(BLANKS)) == 26


@pytest.mark.parametrize("not_blank", ["\0", "\x1c", "\x1f", "\u180e", "\u200b", "\u2060", "-", "0"])
def test_trim_leaves_what_is_no_blank(not_blank: str) -> None:
    assert trim(f"{BLANKS}{not_blank}{BLANKS}") == not_blank


def test_trim_takes_null_and_blanks_alone_for_nothing() -> None:
    assert trim(None) == trim("") == trim(BLANKS) == ""


@pytest.mark.parametrize("day", ["0001-01-01", "2024-02-29", "2000-02-29", "2025-12-31", "9999-12-31"])
def test_real_days(day: str) -> None:
    assert is_real_day(day)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "2025-02-30",
        "2025-02-29",
        "1900-02-29",
        "2025-13-01",
        "2025-00-10",
        "2025-10-00",
        "0000-01-01",
        "10/06/2025",
        "2025-1-6",
        "20251006",
        "2025-W41-1",
        "2025-10-06 00:00:00",
        "2025-10-06\n",
        " 2025-10-06",
        "2025-10-06\0",
        "-025-10-06",
        "٢٠٢٥-10-06",
        "２０２５-１０-０６",
        "nan",
    ],
)
def test_texts_that_are_no_real_day(text: str | None) -> None:
    assert not is_real_day(text)


@given(st.dates())
def test_every_date_is_a_real_day(day: dt.date) -> None:
    assert is_real_day(day.isoformat())


@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True))
def test_a_real_day_is_what_the_calendar_knows(text: str) -> None:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        assert not is_real_day(text)
    else:
        assert is_real_day(text) == text.isascii()


# ---- the table, line by line ----------------


@pytest.mark.parametrize("base_sku", [None, "", " ", "\u00a0\ufeff"])
@pytest.mark.parametrize("sku_lot", [None, "", "\t\n"])
def test_both_blank_is_unparseable(sku_lot: str | None, base_sku: str | None) -> None:
    assert parse(sku_lot, base_sku) == unread(None, "unparseable_sku")


@pytest.mark.parametrize("sku_lot", [None, "", "\u3000"])
@pytest.mark.parametrize(
    ("base_sku", "expected"),
    [
        (" 17612 ", lotless("17612", "17612")),
        ("17612 - 250070", lot_in_base("17612 - 250070", "17612", "250070")),
        ("17612-250070", lot_in_base("17612-250070", "17612", "250070")),
        ("ABC", unread("ABC", "unparseable_sku")),
        ("99999", ParsedSku("99999", "99999", None, None, "unknown_sku")),
        ("17612-40", ParsedSku("17612-40", "17612", "40", "base_sku", "implausible_lot")),
    ],
)
def test_blank_sku_lot_means_what_base_sku_says(
    sku_lot: str | None, base_sku: str, expected: ParsedSku
) -> None:
    assert parse(sku_lot, base_sku) == expected


@pytest.mark.parametrize("base_sku", [None, "17612", "17612 - 250300", "ABC"])
@pytest.mark.parametrize(
    "sku_lot",
    [
        "ABC",
        "17612 - ",
        "- 250300",
        "17612 - 250300 - 1",
        "nan",
        "None",
        "-",
        "17612 250300",
        "17612 -- 250300",
        "17612 \u2013 250300",  # an en dash
        "17612 \u2212 250300",  # a minus sign
        "17612/250300",
        "17612|17914",
        "+17612",
        "-17612",
        "17612.0",
        "1_7612",
        "0x44cc",
        "17612 - 25O300",
        "١٧٦١٢",
        "１７６１２ - ２５０３００",
        "17612²",
        "17612\0",
        "17612\x1f- 250300",
        "17612\u200b",
        "17612 - 250300\0",
    ],
)
def test_sku_lot_that_does_not_parse_is_unparseable_whatever_base_sku_says(
    sku_lot: str, base_sku: str | None
) -> None:
    assert parse(sku_lot, base_sku) == unread(trim(sku_lot), "unparseable_sku")


@pytest.mark.parametrize(
    "sku_lot",
    [
        "17612 - 250300",
        "17612-250300",
        "17612- 250300",
        "17612 -250300",
        "17612   -   250300",
        "17612\u00a0-\t250300",
        "17612\u3000-\ufeff250300",
        " 17612 - 250300\n",
    ],
)
@pytest.mark.parametrize("base_sku", [None, "", "17612", " 17612\t", "17612 - 250300", "17612 - 250070"])
def test_sku_and_lot_beside_nothing_or_the_same_sku(sku_lot: str, base_sku: str | None) -> None:
    assert parse(sku_lot, base_sku) == lotted(trim(sku_lot), "17612", "250300")


def test_a_lot_of_five_digits_is_a_lot() -> None:
    assert parse("18795 - 11001", "18795") == lotted("18795 - 11001", "18795", "11001")


@pytest.mark.parametrize("base_sku", ["17904", "17904 - 250300", "99999", "ABC", "nan", "017612", "250300"])
def test_sku_and_lot_beside_anything_else_is_a_conflict(base_sku: str) -> None:
    assert parse("17612 - 250300", base_sku) == unread("17612 - 250300", "sku_conflict")


def test_digits_beside_nothing_are_the_sku() -> None:
    assert parse(" 17612", " ") == lotless("17612", "17612")


@pytest.mark.parametrize("digits", ["17612", "250237"])
def test_digits_beside_what_does_not_parse_are_a_conflict(digits: str) -> None:
    assert parse(digits, "None") == unread(digits, "sku_conflict")


def test_digits_that_repeat_the_sku_are_no_lot() -> None:
    assert parse("17612", "17612") == lotless("17612", "17612")


def test_digits_that_repeat_the_sku_leave_the_lot_of_base_sku() -> None:
    assert parse(" 17612", "17612-250070 ") == lot_in_base("17612-250070", "17612", "250070")


@pytest.mark.parametrize("base_sku", ["17904", "17904 - 17612", "99999"])
def test_a_known_sku_beside_another_is_a_conflict(base_sku: str) -> None:
    assert parse("17612", base_sku) == unread("17612", "sku_conflict")


@pytest.mark.parametrize("base_sku", ["17612", "17612 - 250237", "17612-250070"])
def test_digits_that_are_no_known_sku_are_a_bare_lot(base_sku: str) -> None:
    assert parse(" 250237", base_sku) == lotted("17612 - 250237", "17612", "250237")


def test_a_bare_lot_beside_an_unknown_sku_is_an_unknown_sku() -> None:
    assert parse("250237", "99999") == ParsedSku("250237", "99999", "250237", "sku_lot", "unknown_sku")


def test_a_bare_lot_of_too_few_digits_is_implausible() -> None:
    assert parse("40", "17612") == ParsedSku("40", "17612", "40", "sku_lot", "implausible_lot")


# ---- failures ----------------


def test_unknown_sku_comes_before_implausible_lot() -> None:
    assert parse("99999-40") == ParsedSku("99999-40", "99999", "40", "sku_lot", "unknown_sku")


@pytest.mark.parametrize("lot", ["1", "40", "0040"])
def test_a_lot_of_fewer_than_five_digits_is_implausible(lot: str) -> None:
    text = f"17612-{lot}"
    assert parse(text, "17612") == ParsedSku(text, "17612", lot, "sku_lot", "implausible_lot")


def test_the_number_of_lot_digits_can_be_set() -> None:
    assert parse_sku("17612-40", None, known_skus=KNOWN, min_lot_digits=2).failure is None
    assert parse_sku("17612-11001", None, known_skus=KNOWN, min_lot_digits=6).failure == "implausible_lot"


def test_leading_zeros_make_another_sku_and_another_lot() -> None:
    assert parse("017612 - 250300").failure == "unknown_sku"
    assert parse("17612 - 0250300").lot_number == "0250300"


# ---- variants ----------------


@pytest.mark.parametrize(
    ("sku_lot", "base_sku", "expected"),
    [
        (" 17612-40 ", "17612", lotless("17612-40", "17612")),
        ("17612-40", None, lotless("17612-40", "17612")),
        ("17612 - 40", None, ParsedSku("17612 - 40", "17612", "40", "sku_lot", "implausible_lot")),
        ("Rinse", None, lotted("Rinse", "17904", "250240")),
        ("Rinse", "17904", lotted("Rinse", "17904", "250240")),
        ("Rinse", "17612", unread("Rinse", "sku_conflict")),
        ("Rinse", "nan", unread("Rinse", "sku_conflict")),
        ("rinse", None, unread("rinse", "unparseable_sku")),
        (None, "Rinse", lot_in_base("Rinse", "17904", "250240")),
        ("17904", "Rinse", lot_in_base("Rinse", "17904", "250240")),
        ("17904 - 250300", "Rinse", lotted("17904 - 250300", "17904", "250300")),
        ("250300", "Rinse", lotted("17904 - 250300", "17904", "250300")),
        ("17612-40", "17612 - 250070", lot_in_base("17612 - 250070", "17612", "250070")),
        ("OLD", None, ParsedSku("OLD", "99999", None, None, "unknown_sku")),
        ("SHORT", None, ParsedSku("SHORT", "17612", "40", "sku_lot", "implausible_lot")),
        ("LETTERS", None, ParsedSku("LETTERS", "17612", "25O300", "sku_lot", "implausible_lot")),
    ],
)
def test_a_variants_line_says_what_a_text_means(
    sku_lot: str | None, base_sku: str | None, expected: ParsedSku
) -> None:
    assert parse_with_variants(sku_lot, base_sku) == expected


def test_an_explained_sku_is_never_taken_for_a_bare_lot() -> None:
    assert parse_with_variants("OLD", "17612") == unread("OLD", "sku_conflict")
    assert parse_with_variants("250237", "17612") == unread("250237", "sku_conflict")
    assert parse_with_variants("250237", "17914") == lotless("250237", "17914")


def test_a_variants_line_may_explain_a_text_with_a_nul() -> None:
    explained = {"17612\0": Variant("17612", None)}
    parsed = parse_sku("17612\0 ", "", known_skus=KNOWN, variants=explained)
    assert parsed == lotless("17612\0", "17612")


def test_an_empty_line_of_the_variants_explains_no_blank_text() -> None:
    assert parse_sku("", " ", known_skus=KNOWN, variants={"": Variant("17612", None)}) == unread(
        None, "unparseable_sku"
    )


# ---- properties ----------------

blanks = st.text(alphabet=BLANKS, max_size=3)
digits = st.sampled_from([*sorted(KNOWN), "250300", "250070", "11001", "40", "99999"]) | st.from_regex(
    "[0-9]{1,8}", fullmatch=True
)
near_misses = st.lists(
    st.sampled_from([*BLANKS, *"0123456789-", "17612", "250300", "\u2013", "\0", "\x1f", "١", "²", "a"]),
    max_size=8,
).map("".join)
spelled = st.builds(
    lambda a, sku, b, c, lot, d: f"{a}{sku}{b}-{c}{lot}{d}", blanks, digits, blanks, blanks, digits, blanks
)
padded = st.builds(lambda a, sku, b: f"{a}{sku}{b}", blanks, digits, blanks)
texts = (
    st.none() | blanks | padded | spelled | near_misses | st.text(max_size=12) | st.sampled_from([*VARIANTS])
)


@given(texts, texts)
@example("250237", "17612")
@example("17612", "17612 - 250070")
def test_what_was_read_round_trips_through_its_own_raw_text(
    sku_lot: str | None, base_sku: str | None
) -> None:
    parsed = parse(sku_lot, base_sku)
    again = parse(parsed.raw, "")
    if parsed.failure is None:
        assert parsed.raw is not None
        assert parsed.raw == trim(parsed.raw)
        assert again.raw == parsed.raw
        assert (again.sku_code, again.lot_number, again.failure) == (
            parsed.sku_code,
            parsed.lot_number,
            None,
        )
        assert again.lot_position == (None if parsed.lot_number is None else "sku_lot")


@given(texts, texts)
def test_only_ascii_digits_come_out_and_failures_say_no_more_than_they_know(
    sku_lot: str | None, base_sku: str | None
) -> None:
    parsed = parse_with_variants(sku_lot, base_sku)
    if parsed.failure in ("unparseable_sku", "sku_conflict"):
        assert (parsed.sku_code, parsed.lot_number, parsed.lot_position) == (None, None, None)
    else:
        assert parsed.sku_code is not None
        assert set(parsed.sku_code) <= set("0123456789")
        assert (parsed.sku_code in KNOWN) == (parsed.failure != "unknown_sku")
        assert (parsed.lot_number is None) == (parsed.lot_position is None)
    if parsed.failure is None and parsed.lot_number is not None:
        assert set(parsed.lot_number) <= set("0123456789")
        assert len(parsed.lot_number) >= 5
    if parsed.failure is not None:
        assert parsed.raw == (trim(sku_lot) or trim(base_sku) or None)


@given(texts, texts, blanks, blanks)
def test_blanks_around_a_text_never_matter(
    sku_lot: str | None, base_sku: str | None, before: str, after: str
) -> None:
    around = f"{before}{sku_lot or ''}{after}", f"{after}{base_sku or ''}{before}"
    assert parse_with_variants(*around) == parse_with_variants(sku_lot, base_sku)


@given(spelled)
def test_blanks_around_the_hyphen_never_matter(text: str) -> None:
    squeezed = "".join(c for c in text if c not in BLANKS)
    left, right = parse(text), parse(squeezed)
    assert (left.sku_code, left.lot_number, left.failure) == (right.sku_code, right.lot_number, right.failure)


@given(st.text(), st.text())
@settings(max_examples=200)
def test_never_raises(sku_lot: str, base_sku: str) -> None:
    parse(sku_lot, base_sku)


@pytest.mark.parametrize(
    "shape",
    [
        "{d}x",
        "1{b}x",
        "1-{b}x",
        "1 - {d}x",
        "{b}1{b}",
        "{d} - {d}",
        "{d}{b}-{b}{d}{b}x",
        "{n}",
        "{d}-{d}-{d}",
    ],
)
def test_long_texts_take_linear_time(shape: str) -> None:
    size = 300_000
    text = shape.format(d="1" * size, b=" \u2003" * (size // 2), n="\0" * size)
    started = time.process_time()
    parse(text, text)
    # Quadratic behaviour, or int() on so many digits, would take minutes.
    assert time.process_time() - started < 2
