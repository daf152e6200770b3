"""The simulator's CSV files. Each column is checked; an error names file, line and column."""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.shipstation.simulator.clock import quantised
from lotgate.shipstation.simulator.rows import Label, Line, Mark, Order, Row

__all__ = ["CSV_FILES", "read_csv_rows", "read_text"]

# File -> its columns; True where a line must have a value.
LABEL_COLUMNS = {
    "shipment_id": True, "order_id": False, "order_number": False, "create_date": True, "ship_date": True,
    "tracking_number": False, "is_return_label": False, "voided": False, "void_date": False,
}  # fmt: skip
LABEL_ITEM_COLUMNS = {
    "shipment_id": True, "line_index": True, "order_item_id": False, "line_item_key": False, "sku": False,
    "quantity": False, "adjustment": False,
}  # fmt: skip
ORDER_COLUMNS = {
    "order_id": True, "order_number": False, "order_key": False, "order_date": False, "create_date": True,
    "modify_date": True, "order_status": True, "ship_date": False, "merged_or_split": False,
    "parent_id": False, "externally_fulfilled": False,
}  # fmt: skip
ORDER_ITEM_COLUMNS = {
    "order_id": True,
    **{name: need for name, need in LABEL_ITEM_COLUMNS.items() if name != "shipment_id"},
}
MARK_COLUMNS = {
    "fulfillment_id": True, "order_id": False, "order_number": False, "create_date": True,
    "ship_date": True, "tracking_number": False, "voided": False, "void_date": False,
}  # fmt: skip
CSV_FILES = {
    "shipstation_shipments.csv": LABEL_COLUMNS,
    "shipstation_shipment_items.csv": LABEL_ITEM_COLUMNS,
    "shipstation_orders.csv": ORDER_COLUMNS,
    "shipstation_order_items.csv": ORDER_ITEM_COLUMNS,
    "shipstation_fulfillments.csv": MARK_COLUMNS,
}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Record:
    """One line of a file."""

    file: str
    line: int
    values: dict[str, str]

    def text(self, column: str) -> str | None:
        return self.values.get(column) or None

    def whole(self, column: str) -> int | None:
        return self._read(column, int, "is no whole number")

    def flag(self, column: str) -> bool:
        return bool(self._read(column, _flag, "is neither 0 nor 1"))

    def moment(self, column: str) -> datetime | None:
        return self._read(column, _moment, "is no time such as 2030-03-11T20:30:05.5830000, without a zone")

    def day(self, column: str) -> str | None:
        return self._read(column, _day, "is no day such as 2030-03-11")

    def need(self, value: Value | None) -> Value:
        assert value is not None  # the column is a required one, and was checked
        return value

    def problem(self, column: str, what: str) -> UsageError:
        return UsageError(
            f"{self.file}, line {self.line}, column {column}: {self.values.get(column, '')!r} {what}.",
            hint="Correct that line; line 1 is the header.",
        )

    def _read(self, column: str, convert: Callable[[str], Value], what: str) -> Value | None:
        text = self.text(column)
        if text is None:
            return None
        try:
            return convert(text)
        except ValueError as error:
            raise self.problem(column, what) from error


def read_csv_rows(folder: Path) -> list[Row]:
    """All rows of the folder's CSV files. Raises UsageError for the first thing that is wrong."""
    order_places: dict[int, int] = {}
    rows: list[Row] = []
    items = _items(folder, "shipstation_order_items.csv", "order_id")
    for record in _records(folder, "shipstation_orders.csv"):
        order = _order(record, items)
        _once(order_places, order.order_id, record, "order_id")
        rows.append(order)
    _no_orphans(items, set(order_places), "shipstation_orders.csv", "order_id")
    keys = {row.order_id: row.key for row in rows if isinstance(row, Order)}
    items = _items(folder, "shipstation_shipment_items.csv", "shipment_id")
    places: dict[int, int] = {}
    for record in _records(folder, "shipstation_shipments.csv"):
        label = _label(record, items, keys)
        _once(places, label.shipment_id, record, "shipment_id")
        rows.append(label)
    _no_orphans(items, set(places), "shipstation_shipments.csv", "shipment_id")
    places = {}
    for record in _records(folder, "shipstation_fulfillments.csv"):
        mark = _mark(record)
        _once(places, mark.fulfillment_id, record, "fulfillment_id")
        rows.append(mark)
    return rows


Items = dict[int, list[tuple[int, Line, _Record]]]


def _order(record: _Record, items: Items) -> Order:
    order_id = record.need(record.whole("order_id"))
    created = quantised(record.need(record.moment("create_date")))
    number = record.text("order_number")
    return Order(
        order_id=order_id,
        number=number,
        key=record.text("order_key") or str(number or order_id),
        ordered=quantised(record.moment("order_date") or created),
        created=created,
        modified=quantised(record.need(record.moment("modify_date"))),
        status=record.need(record.text("order_status")),
        items=_lines(items, order_id),
        ship_date=record.day("ship_date"),
        merged_or_split=record.flag("merged_or_split"),
        parent_id=record.whole("parent_id"),
        externally_fulfilled=record.flag("externally_fulfilled"),
    )


def _label(record: _Record, items: Items, keys: dict[int, str]) -> Label:
    shipment_id = record.need(record.whole("shipment_id"))
    order_id = record.whole("order_id")
    voided_at = record.moment("void_date")
    return Label(
        shipment_id=shipment_id,
        order_id=order_id,
        order_key=keys.get(order_id or 0, ""),
        number=record.text("order_number"),
        created=quantised(record.need(record.moment("create_date"))),
        ship_date=sys.intern(record.need(record.day("ship_date"))),
        tracking=record.text("tracking_number") or "",
        items=_lines(items, shipment_id),
        is_return=record.flag("is_return_label"),
        voided=record.flag("voided"),
        voided_at=quantised(voided_at) if voided_at else None,
    )


def _mark(record: _Record) -> Mark:
    voided_at = record.moment("void_date")
    return Mark(
        fulfillment_id=record.need(record.whole("fulfillment_id")),
        order_id=record.whole("order_id"),
        number=record.text("order_number"),
        created=quantised(record.need(record.moment("create_date"))),
        shipped=quantised(record.need(record.moment("ship_date"))),
        tracking=record.text("tracking_number") or "",
        voided=record.flag("voided"),
        voided_at=quantised(voided_at) if voided_at else None,
    )


def _items(folder: Path, name: str, owner: str) -> Items:
    """Owner's id -> its lines with their places."""
    found: Items = defaultdict(list)
    seen: dict[tuple[int, int], int] = {}
    for record in _records(folder, name):
        owner_id, place = record.need(record.whole(owner)), record.need(record.whole("line_index"))
        first = seen.setdefault((owner_id, place), record.line)
        if first != record.line:
            raise record.problem("line_index", f"stands in line {first} already, for the same {owner}")
        sku = record.text("sku")
        line = Line(
            order_item_id=record.whole("order_item_id"),
            sku=None if sku is None else sys.intern(sku),
            quantity=record.whole("quantity"),
            line_item_key=record.text("line_item_key"),
            adjustment=record.flag("adjustment"),
        )
        found[owner_id].append((place, line, record))
    return found


def _lines(items: Items, owner_id: int) -> tuple[Line, ...]:
    return tuple(line for _, line, _ in sorted(items.get(owner_id, ()), key=lambda one: one[0]))


def _no_orphans(items: Items, owners: set[int], file: str, column: str) -> None:
    for owner_id, lines in items.items():
        if owner_id not in owners:
            raise lines[0][2].problem(column, f"is not in {file}")


def _once(places: dict[int, int], row_id: int, record: _Record, column: str) -> None:
    first = places.setdefault(row_id, record.line)
    if first != record.line:
        raise record.problem(column, f"stands in line {first} already")


def _records(folder: Path, name: str) -> Iterator[_Record]:
    """The data lines of a file; none where there is no such file."""
    columns = CSV_FILES[name]
    text = read_text(folder / name)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for fields in reader:
            start, line = line, reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            if header is None:
                header = [field.strip() for field in fields]
                _check_header(name, header, columns)
                continue
            if len(fields) != len(header):
                raise UsageError(
                    f"{name}, line {start}: has {len(fields)} fields where the header has {len(header)}.",
                    hint="Put texts with commas in double quotes.",
                )
            record = _Record(name, start, dict(zip(header, fields, strict=True)))
            for column, is_needed in columns.items():
                if is_needed and not record.text(column):
                    raise record.problem(column, "is empty; the column is needed")
            yield record
    except csv.Error as error:
        raise UsageError(
            f"{name}, line {line}: not valid CSV ({error}).", hint="Check its double quotes."
        ) from error


def _check_header(name: str, header: list[str], columns: dict[str, bool]) -> None:
    wrong = [f"unknown column {column!r}" for column in header if column not in columns]
    wrong += [f"column {column!r} twice" for column in dict.fromkeys(header) if header.count(column) > 1]
    wrong += [
        f"missing column {column!r}" for column, need in columns.items() if need and column not in header
    ]
    if wrong:
        raise UsageError(f"{name}, line 1: {'; '.join(wrong)}.", hint=f"The columns are {','.join(columns)}.")


def read_text(path: Path) -> str | None:
    """The text of a file; None where there is none. Raises UsageError for what is no UTF-8 text."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentFailed(
            f"{path} cannot be read: {error.strerror}.", hint="Make it readable."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path.name}, line {line}: not UTF-8 text.", hint="Save the file in UTF-8."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UsageError(f"{path.name}, line {line}: holds a NUL byte.", hint="Save the file in UTF-8.")
    return text


def _flag(text: str) -> bool:
    if text.lower() not in ("0", "1", "false", "true"):
        raise ValueError
    return text.lower() in ("1", "true")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError
    return moment


def _day(text: str) -> str:
    if len(text) != 10:
        raise ValueError
    return f"{date.fromisoformat(text):%Y-%m-%d}"
