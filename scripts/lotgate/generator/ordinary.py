"""Ordinary orders, the bulk of every database: one to four lines, shipped and recorded as they should be."""

from __future__ import annotations

from typing import Final

from lotgate.generator import world
from lotgate.generator.book import Book, Row

_COVERED: Final = frozenset(world.COVERED_DAYS)
_INBOX_FROM: Final = "2025-08-15"
"""Older inbox rows have been cleaned up."""
_TEXTS: Final = {
    sku: tuple(f"{sku} - {lot}" for lot in lots for _ in range(4 if lot == lots[0] else 1))
    for sku, lots in world.LOTS.items()
}
_DAY_NUMBER: Final = {day: index for index, day in enumerate(world.ORDINARY_DAYS)}
_SOON: Final = {
    day: tuple(world.shifted(day, days) for days in (0, 1, 1, 2, 5, 9, 16)) for day in world.ORDINARY_DAYS
}
_LATE: Final = {
    day: tuple(world.shifted(day, days) for days in (30, 45, 180, 400)) for day in world.ORDINARY_DAYS
}
_CLOCKS: Final = tuple(
    f"{hour:02}:{minute:02}:{minute * 7 % 60:02}{fraction}"
    for hour in range(24)
    for minute in range(0, 60, 7)
    for fraction in ("", "", ".295358+00")
)


def tell_ordinary(book: Book, progress: float, most_lines: int) -> None:
    """One ordinary order, `progress` (0 to 1) of the way through the months; at most `most_lines` rows."""
    random, choice = book.rng.random, book.rng.choice
    days = world.ORDINARY_DAYS
    day = days[min(int(progress * len(days) + random() * 5), len(days) - 1)]
    number = book.number()
    lines = min(choice((1, 1, 2, 2, 3, 4)), most_lines)
    split = lines > 1 and random() < 0.03 and _DAY_NUMBER[day] + 1 < len(days)
    late = random() < 0.01
    created = f"{choice((_LATE if late else _SOON)[day])} {choice(_CLOCKS)}"
    book.header(number, day)
    rows: list[Row] = []
    for index, sku in enumerate(book.skus(lines) if lines > 1 else (choice(world.SKUS),)):
        line_day, line_created = day, created
        if split and index == lines - 1:
            line_day = days[_DAY_NUMBER[day] + 1]
            line_created = f"{choice((_LATE if late else _SOON)[line_day])} {choice(_CLOCKS)}"
        row = book.row(
            number,
            choice(_TEXTS[sku]),
            sku,
            choice(world.QUANTITIES),
            line_day,
            line_created,
            f"TEST94{number}" if random() < 0.8 else None,
        )
        row.disposition, row.reason = "keep", "late_import" if late else "clean"
        rows.append(row)
    if day >= _INBOX_FROM:
        ordered = world.shifted(day, -choice((0, 1, 1, 2, 3)))
        book.inbox(
            number,
            ordered if random() < 0.5 else f"{ordered} 08:15:00",
            "synced_manual" if len(number) == 6 and number < "2" else "shipped",
            [(str(row.base_sku), 1) for row in rows],
        )
    if book.evidence and (day in _COVERED or split):
        for shipped in sorted({str(row.ship_date) for row in rows} & _COVERED):
            lines_of_day = [(str(row.sku_lot), row.quantity) for row in rows if row.ship_date == shipped]
            book.shipment(number, shipped, *[(text, int(str(units))) for text, units in lines_of_day])
