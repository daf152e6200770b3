"""Tables for a page that filters and sorts them itself: by columns, each distinct value written once.

Row by row it would be several times the text. The page reads it once, and shows a hundred rows at a time.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

__all__ = ["Column", "Kind", "Table", "Value", "in_script", "shown"]

Kind = Literal["text", "number", "code", "label", "day", "prose"]
"""How a cell looks: a word, a number, a short code, a SKU-lot text, a day, a sentence."""
Value = str | int | None
"""What a cell holds. Everything else that SQLite may hold is made one of these by ``shown``."""

MAX_TEXT = 500
MAX_ROWS = 400_000
SAFE_INTEGER = 2**53 - 1  # JavaScript's numbers are exact up to it
CHUNK = 20_000


@dataclass(frozen=True)
class Column:
    """One column: its key (the CSV's and the fragment's name), heading, and how its cells look.

    Columns of one ``group`` stand next to each other under one heading. ``mark`` is the word in the column
    ``changes`` that makes a cell of this one stand out. An ``optional`` column is not shown where no cell
    holds anything. One ``below`` has no heading: its sentence stands under the row, after its label.
    """

    key: str
    label: str
    kind: Kind = "text"
    group: str = ""
    mark: str = ""
    optional: bool = False
    below: bool = False


def shown(value: object) -> Value:
    """A value of SQLite as a cell: text of at most MAX_TEXT characters, a whole number, or None.

    A BLOB is shown as SQL writes it, and a fraction as text, since 1 and 1.0 are stored differently.
    """
    if value is None:
        return None
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    text = f"x'{value[:MAX_TEXT].hex()}'" if isinstance(value, bytes) else str(value)
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]} … ({len(text):,} characters)"


def in_script(value: object) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@dataclass
class Table:
    """Rows in the order of the page, at most ``limit`` of them; ``total`` counts those beyond it too."""

    columns: tuple[Column, ...]
    limit: int = MAX_ROWS
    total: int = 0
    _places: list[dict[Value, int]] = field(init=False)
    _codes: list[array[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._places = [{} for _ in self.columns]
        self._codes = [array("I") for _ in self.columns]

    def __len__(self) -> int:
        return len(self._codes[0])

    @property
    def left_out(self) -> int:
        """Rows that are not listed, since there are too many for a page."""
        return self.total - len(self)

    def add(self, row: Sequence[object]) -> None:
        """The next row: a value for each column."""
        self.total += 1
        if self.total > self.limit:
            return
        for places, codes, value in zip(self._places, self._codes, row, strict=True):
            # Most values were there before, just so; but 1.0 would be taken for 1.
            code = None if isinstance(value, float) else places.get(value)  # type: ignore[call-overload]
            if code is None:
                code = places.setdefault(shown(value), len(places))
            codes.append(code)

    def visible(self) -> list[int]:
        """The places of the columns that are shown."""
        return [
            place
            for place, column in enumerate(self.columns)
            if not column.optional or any(value not in (None, "") for value in self._places[place])
        ]

    def first(self, rows: int) -> list[list[Value]]:
        """The first rows, whole, for a page without JavaScript."""
        values = [list(places) for places in self._places]
        return [
            [values[place][codes[row]] for place, codes in enumerate(self._codes)]
            for row in range(min(rows, len(self)))
        ]

    def json(self) -> Iterator[Markup]:
        """The columns as JSON for a script element, in pieces."""
        visible = set(self.visible())
        yield Markup(f'{{"rows":{len(self)},"columns":[')
        for place, (column, places, codes) in enumerate(
            zip(self.columns, self._places, self._codes, strict=True)
        ):
            about = {
                "key": column.key,
                "label": column.label,
                "kind": column.kind,
                "mark": column.mark,
                "below": column.below,
                "visible": place in visible,
            }
            yield Markup("," if place else "") + in_script(about)[:-1] + Markup(',"values":[')
            values = list(places)
            for start in range(0, len(values), CHUNK):
                yield Markup("," if start else "") + in_script(values[start : start + CHUNK])[1:-1]
            yield Markup('],"codes":[')
            for start in range(0, len(codes), CHUNK):
                part = ",".join(map(str, codes[start : start + CHUNK]))
                yield Markup(f",{part}" if start else part)
            yield Markup("]}")
        yield Markup("]}")
