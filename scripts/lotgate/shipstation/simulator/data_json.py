"""The simulator's JSON files: the API's own records, as a reply has them or as a plain list.

Of each record the fields that the simulator works with are read, others are kept to be served again, and
what is personal is dropped.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotgate.errors import UsageError
from lotgate.shipstation.simulator.clock import quantised
from lotgate.shipstation.simulator.data_csv import read_text
from lotgate.shipstation.simulator.rows import Label, Line, Mark, Order, Row
from lotgate.shipstation.simulator.shapes import PERSONAL

__all__ = ["JSON_FILES", "read_json_rows"]

STORE_ID = 60001
# Keys of advancedOptions with a person's or an account's data in them.
PERSONAL_OPTIONS = frozenset({
    "billToAccount", "billToPostalCode", "billToCountryCode", "billToMyOtherAccount", "customField1",
    "customField2", "customField3",
})  # fmt: skip
MODELLED_OPTIONS = frozenset({"mergedOrSplit", "mergedIds", "parentId", "storeId"})
ITEM_FIELDS = frozenset({"orderItemId", "sku", "quantity", "lineItemKey", "adjustment", "options"})


class _Unfit(Exception):
    """A record that cannot be served; the text says which field, and why."""


def read_json_rows(folder: Path) -> list[Row]:
    """All rows of the folder's JSON files. Raises UsageError for the first thing that is wrong."""
    rows: list[Row] = []
    for name, (kind, convert) in JSON_FILES.items():
        text = read_text(folder / name)
        if text is None:
            continue
        seen: set[int] = set()
        for place, record in enumerate(_records(name, kind, text)):
            try:
                row = convert(record)
                if row.row_id in seen:
                    raise _Unfit("its id stands in the file already")
            except _Unfit as error:
                line = _line_of(text, kind, place)
                raise UsageError(
                    f"{name}, line {line}: record {place + 1}: {error}.",
                    hint="Records are written as the API sends them; docs/shipstation.md lists their fields.",
                ) from error
            seen.add(row.row_id)
            rows.append(row)
    return rows


def _records(name: str, kind: str, text: str) -> Iterator[Any]:
    try:
        content = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{name}, line {error.lineno}: not valid JSON ({error.msg}).", hint="Correct that line."
        ) from error
    if isinstance(content, dict):
        content = content.get(kind)
    if not isinstance(content, list):
        raise UsageError(
            f"{name}, line 1: neither a list of records nor a reply with the list {kind!r}.",
            hint="Save the API's reply as it came.",
        )
    yield from content


def _line_of(text: str, kind: str, place: int) -> int:
    """The line on which a record begins, found only when there is something wrong with it."""
    in_reply = re.search(rf'"{kind}"\s*:\s*\[', text)
    position = in_reply.end() if in_reply and not text.lstrip().startswith("[") else text.index("[") + 1
    decoder = json.JSONDecoder()
    blank = re.compile(r"[\s,]*")
    for _ in range(place):
        position = decoder.raw_decode(text, _after(blank, text, position))[1]
    return text.count("\n", 0, _after(blank, text, position)) + 1


def _after(blank: re.Pattern[str], text: str, position: int) -> int:
    match = blank.match(text, position)
    return match.end() if match else position


def _label(record: Any) -> Label:
    fields = _Fields(record)
    lines = fields.take("shipmentItems", list, None)
    return Label(
        shipment_id=fields.need("shipmentId", int),
        order_id=fields.take("orderId", int, None),
        order_key=fields.take("orderKey", str, None) or "",
        number=fields.take("orderNumber", str, None),
        created=fields.moment("createDate"),
        ship_date=sys.intern(fields.day("shipDate")),
        tracking=fields.take("trackingNumber", str, None) or "",
        items=None if lines is None else tuple(_line(line) for line in lines),
        is_return=bool(fields.take("isReturnLabel", bool, False)),
        voided=bool(fields.take("voided", bool, False)),
        voided_at=fields.moment_or_none("voidDate"),
        store_id=fields.option("storeId", STORE_ID),
        more=fields.rest(),
    )


def _order(record: Any) -> Order:
    fields = _Fields(record)
    order_id = fields.need("orderId", int)
    number = fields.take("orderNumber", str, None)
    created = fields.moment("createDate")
    return Order(
        order_id=order_id,
        number=number,
        key=fields.take("orderKey", str, None) or str(number or order_id),
        ordered=fields.moment_or_none("orderDate") or created,
        created=created,
        modified=fields.moment("modifyDate"),
        status=fields.need("orderStatus", str),
        items=tuple(_line(line) for line in fields.take("items", list, None) or ()),
        ship_date=fields.take("shipDate", str, None) and fields.day("shipDate"),
        merged_or_split=bool(fields.option("mergedOrSplit", False)),
        merged_ids=tuple(fields.option("mergedIds", None) or ()),
        parent_id=fields.option("parentId", None),
        externally_fulfilled=bool(fields.take("externallyFulfilled", bool, False)),
        store_id=fields.option("storeId", STORE_ID),
        more=fields.rest(),
    )


def _mark(record: Any) -> Mark:
    fields = _Fields(record)
    fields.take("voidRequested", bool, None)
    return Mark(
        fulfillment_id=fields.need("fulfillmentId", int),
        order_id=fields.take("orderId", int, None),
        number=fields.take("orderNumber", str, None),
        created=fields.moment("createDate"),
        shipped=fields.moment("shipDate"),
        tracking=fields.take("trackingNumber", str, None) or "",
        voided=bool(fields.take("voided", bool, False)),
        voided_at=fields.moment_or_none("voidDate"),
        more=fields.rest(),
    )


def _line(record: Any) -> Line:
    if not isinstance(record, dict):
        raise _Unfit("an item is no object")
    fields = _Fields(record)
    quantity = record.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int | Decimal | None):
        raise _Unfit("the quantity of an item is no number")
    sku = fields.take("sku", str, None)
    return Line(
        order_item_id=fields.take("orderItemId", int, None),
        sku=None if sku is None else sys.intern(sku),
        quantity=quantity,
        line_item_key=fields.take("lineItemKey", str, None),
        adjustment=bool(fields.take("adjustment", bool, False)),
        more={key: value for key, value in record.items() if key not in ITEM_FIELDS} or None,
    )


JSON_FILES: Mapping[str, tuple[str, Callable[[Any], Row]]] = {
    "orders.json": ("orders", _order),
    "shipments.json": ("shipments", _label),
    "fulfillments.json": ("fulfillments", _mark),
}


class _Fields:
    """Takes a record apart; ``rest`` is what nobody took."""

    def __init__(self, record: Any) -> None:
        if not isinstance(record, dict):
            raise _Unfit("is no object")
        self._record: dict[str, Any] = record
        self._taken: set[str] = {"advancedOptions"}
        options = record.get("advancedOptions")
        self._options: dict[str, Any] = options if isinstance(options, dict) else {}

    def take(self, name: str, kind: type, default: Any) -> Any:
        self._taken.add(name)
        value = self._record.get(name)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _Unfit(f"{name} is not what the API sends there")
        return value

    def need(self, name: str, kind: type) -> Any:
        value = self.take(name, kind, None)
        if value is None:
            raise _Unfit(f"{name} is missing")
        return value

    def option(self, name: str, default: Any) -> Any:
        value = self._options.get(name)
        return default if value is None else value

    def moment(self, name: str) -> datetime:
        text = self.need(name, str)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise _Unfit(f"{name} is no time") from error
        if moment.tzinfo is not None:
            raise _Unfit(f"{name} has a zone; the API's times have none")
        return quantised(moment)

    def moment_or_none(self, name: str) -> datetime | None:
        return None if self.take(name, str, None) is None else self.moment(name)

    def day(self, name: str) -> str:
        text = str(self.need(name, str))[:10]
        try:
            return f"{date.fromisoformat(text):%Y-%m-%d}"
        except ValueError as error:
            raise _Unfit(f"{name} is no day") from error

    def rest(self) -> dict[str, Any] | None:
        rest = {
            key: value
            for key, value in self._record.items()
            if key not in self._taken and key not in PERSONAL
        }
        options = {
            key: value
            for key, value in self._options.items()
            if key not in PERSONAL_OPTIONS and key not in MODELLED_OPTIONS
        }
        if options:
            rest["advancedOptions"] = options
        return rest or None
