"""One line of each control file, typed and checked (docs/design.md, section 5; docs/rules.md).

Values stay text as SQL sees it (days as ``YYYY-MM-DD``, times as ``YYYY-MM-DD HH:MM:SS``), trimmed as the
parser trims; numbers are whole numbers. The messages are written for the person who edits the file.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from lotgate.parser import is_real_day, trim

__all__ = [
    "ControlRow",
    "ExpectedOnHand",
    "ExpectedUnits",
    "Incident",
    "QuarantineDecision",
    "SkuVariant",
    "remedy_for",
]

# SQLite's largest integer
MAX_INTEGER = 2**63 - 1
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def _required(value: str) -> str:
    text = trim(value)
    if not text:
        raise ValueError("is blank")
    return text


def _optional(value: str) -> str | None:
    return trim(value) or None


def _day(value: str) -> str:
    text = _required(value)
    if not is_real_day(text):
        raise ValueError("is not a real day")
    return text


def _optional_day(value: str) -> str | None:
    return _day(value) if trim(value) else None


def _time(value: str, *, end: bool) -> str:
    match = _TIME.fullmatch(_required(value))
    if not match or not is_real_day(match[1]):
        raise ValueError("is not a real time")
    hour, minute, second = (
        match[2] or ("23" if end else "00"),
        match[3] or ("59" if end else "00"),
        match[4] or ("59" if end else "00"),
    )
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise ValueError("is not a real time")
    return f"{match[1]} {hour}:{minute}:{second}"


def _whole(value: str) -> int:
    text = _required(value)
    if not _WHOLE.fullmatch(text):
        raise ValueError("is not a whole number" if _NUMBER.fullmatch(text) else "is not a number")
    if len(text) > 20 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("is too large")
    return int(text)


def _count(value: str) -> int:
    number = _whole(value)
    if number < 0:
        raise ValueError("is negative")
    return number


def _sku(value: str) -> str:
    text = _required(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is not a SKU")
    return text


def _optional_lot(value: str) -> str | None:
    text = _optional(value)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is not a lot number")
    if len(text) < 5:
        raise ValueError("is too short for a lot number (a pack size?)")
    return text


Text = Annotated[str, BeforeValidator(_required)]
OptionalText = Annotated[str | None, BeforeValidator(_optional)]
Day = Annotated[str, BeforeValidator(_day)]
OptionalDay = Annotated[str | None, BeforeValidator(_optional_day)]
TimeFrom = Annotated[str, BeforeValidator(lambda value: _time(value, end=False))]
TimeTo = Annotated[str, BeforeValidator(lambda value: _time(value, end=True))]
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[int, BeforeValidator(_count)]
Sku = Annotated[str, BeforeValidator(_sku)]
OptionalLot = Annotated[str | None, BeforeValidator(_optional_lot)]
# What must match a legacy row stays as written but for blanks at the ends, and may be empty.
Original = Annotated[str, BeforeValidator(trim)]

DECISIONS = ("keep", "redate", "merge", "remove", "hold")


def _decision(value: str) -> str:
    text = _required(value)
    if text not in DECISIONS:
        raise ValueError("is not a decision")
    return text


class ControlRow(BaseModel):
    """The base: frozen, no columns but the declared ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duplicate: ClassVar[str] = "the same as"
    """How to name the fault of a second line with the same key."""
    joint_column: ClassVar[str] = ""
    """The column to name where several columns do not fit together."""
    remedies: ClassVar[dict[str, str]] = {}
    """Column -> what to write there instead."""

    def sort_key(self) -> tuple[tuple[bool, Any], ...]:
        """All values, None first: a total order, but for rows that are equal."""
        return tuple((value is not None, value) for value in self.model_dump().values())


_DAY_REMEDY = "write a day as YYYY-MM-DD"
_TIME_REMEDY = "write YYYY-MM-DD HH:MM:SS (a day or a minute alone is the whole of it)"
_SKU_REMEDY = "write the digits of the SKU"
_LOT_REMEDY = "write 5 digits or more, or leave it empty"


class Incident(ControlRow):
    """A known bad batch: rows of ``wrong_ship_date`` that were created in the window, both ends included."""

    wrong_ship_date: Day
    correct_ship_date: OptionalDay
    created_from: TimeFrom
    created_to: TimeTo
    note: OptionalText

    duplicate: ClassVar[str] = "the same incident as"
    joint_column: ClassVar[str] = "created_to"
    remedies: ClassVar[dict[str, str]] = {
        "wrong_ship_date": _DAY_REMEDY,
        "correct_ship_date": f"{_DAY_REMEDY}, or leave it empty while it is not known",
        "created_from": _TIME_REMEDY,
        "created_to": _TIME_REMEDY,
    }

    @model_validator(mode="after")
    def _window(self) -> Incident:
        if self.created_to < self.created_from:
            raise ValueError(f"is before created_from ({self.created_from})")
        return self

    def identity(self) -> tuple[str | None, ...]:
        """What makes two lines the same incident: everything but the note."""
        return (self.wrong_ship_date, self.correct_ship_date, self.created_from, self.created_to)


class ExpectedUnits(ControlRow):
    """A day's units that must hold after the migration."""

    ship_date: Day
    expected_units: Count
    source: OptionalText

    duplicate: ClassVar[str] = "the same ship_date as"
    remedies: ClassVar[dict[str, str]] = {
        "ship_date": _DAY_REMEDY,
        "expected_units": "write a whole number from 0",
    }


class ExpectedOnHand(ControlRow):
    """A SKU's stock at the end of a day that must hold after the migration."""

    sku_code: Sku
    as_of_date: Day
    expected_quantity: Whole
    source: OptionalText

    duplicate: ClassVar[str] = "the same sku_code and as_of_date as"
    remedies: ClassVar[dict[str, str]] = {
        "sku_code": _SKU_REMEDY,
        "as_of_date": _DAY_REMEDY,
        "expected_quantity": "write a whole number",
    }


class QuarantineDecision(ControlRow):
    """What a person decided for one quarantined row, which the first five columns name and must match."""

    legacy_id: Whole
    order_number: Original
    base_sku: Original
    sku_lot: Original
    quantity_shipped: Original
    decision: Annotated[Literal["keep", "redate", "merge", "remove", "hold"], BeforeValidator(_decision)]
    ship_date: OptionalDay
    reason: Text
    decided_by: Text
    decided_on: Day

    duplicate: ClassVar[str] = "a second decision for the legacy_id of"
    joint_column: ClassVar[str] = "ship_date"
    remedies: ClassVar[dict[str, str]] = {
        "legacy_id": "write the id of the row in shipped_items",
        "decision": f"write one of {', '.join(DECISIONS)}",
        "ship_date": "write a day as YYYY-MM-DD for redate, and leave it empty otherwise",
        "reason": "say why",
        "decided_by": "say who decided",
        "decided_on": _DAY_REMEDY,
    }

    @model_validator(mode="after")
    def _date_fits(self) -> QuarantineDecision:
        if self.decision == "redate" and self.ship_date is None:
            raise ValueError("is blank, and the decision redate needs it")
        if self.decision != "redate" and self.ship_date is not None:
            raise ValueError(f"does not go with the decision {self.decision}")
        return self


class SkuVariant(ControlRow):
    """What an exact text means that the parser must not guess at."""

    raw_sku: Text
    sku_code: Sku
    lot_number: OptionalLot
    note: OptionalText

    duplicate: ClassVar[str] = "the same raw_sku as"
    remedies: ClassVar[dict[str, str]] = {
        "raw_sku": "write the text as the source has it",
        "sku_code": _SKU_REMEDY,
        "lot_number": _LOT_REMEDY,
    }


def remedy_for(model: type[ControlRow], column: str) -> str:
    """What to write in ``column`` instead; empty where nothing can be wrong with it."""
    return model.remedies.get(column, "")
