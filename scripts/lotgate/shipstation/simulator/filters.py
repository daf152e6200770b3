"""What a list request asks for: filters, bounds, order and page (docs/shipstation.md, sections 0 to 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lotgate.shipstation.simulator.clock import PACIFIC
from lotgate.shipstation.simulator.rows import Row
from lotgate.shipstation.simulator.switches import MAX_PAGE_SIZE, Switches

__all__ = ["BadRequest", "ListRequest", "parse_list_request"]

DEFAULT_PAGE_SIZE = 100
TIME = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[T ]+(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)

Test = Callable[[Any], bool]
SortKey = Callable[[Any], tuple[Any, ...]]


class BadRequest(Exception):
    """A request that the API answers with 400; the text is for its body."""


@dataclass(frozen=True)
class ListRequest:
    """A list request, understood. ``identity`` is equal for two pages of one list."""

    kind: str
    tests: tuple[Test, ...]
    sort: SortKey
    descending: bool
    page: int
    page_size: int
    with_items: bool
    order_id: int | None
    identity: tuple[tuple[str, str], ...]


# The times that can be filtered, and sorted by: query name without Start or End -> value of a row.
TIMES: Mapping[str, Mapping[str, Callable[[Any], datetime | None]]] = {
    "shipments": {"createDate": lambda row: row.created, "voidDate": lambda row: row.voided_at},
    "orders": {
        "createDate": lambda row: row.created,
        "modifyDate": lambda row: row.modified,
        "orderDate": lambda row: row.ordered,
        "paymentDate": lambda row: _parsed((row.more or {}).get("paymentDate")),
    },
    "fulfillments": {"createDate": lambda row: row.created},
}
SHIP_DAY: Mapping[str, Callable[[Any], str]] = {
    "shipments": lambda row: str(row.ship_date),
    "fulfillments": lambda row: f"{row.shipped:%Y-%m-%d}",
}
SORTS: Mapping[str, Mapping[str, SortKey]] = {
    "shipments": {
        "shipdate": lambda row: (row.ship_date, row.shipment_id),
        "createdate": lambda row: (row.created, row.shipment_id),
    },
    "orders": {
        "orderdate": lambda row: (row.ordered, row.order_id),
        "modifydate": lambda row: (row.modified, row.order_id),
        "createdate": lambda row: (row.created, row.order_id),
    },
    "fulfillments": {
        "shipdate": lambda row: (row.shipped, row.fulfillment_id),
        "createdate": lambda row: (row.created, row.fulfillment_id),
    },
}
NUMBERS: Mapping[str, Mapping[str, Callable[[Any], int | None]]] = {
    "shipments": {"orderId": lambda row: row.order_id, "storeId": lambda row: row.store_id},
    "orders": {"storeId": lambda row: row.store_id},
    "fulfillments": {"fulfillmentId": lambda row: row.fulfillment_id, "orderId": lambda row: row.order_id},
}
# Texts that must be equal; what no row has (names, countries) finds nothing.
TEXTS: Mapping[str, Mapping[str, Callable[[Any], str | None]]] = {
    "shipments": {
        "trackingNumber": lambda row: row.tracking,
        "carrierCode": lambda row: (row.more or {}).get("carrierCode", "fedex"),
        "serviceCode": lambda row: (row.more or {}).get("serviceCode", "fedex_ground"),
        "batchId": lambda row: (row.more or {}).get("batchNumber"),
        "recipientName": lambda row: None,
        "recipientCountryCode": lambda row: None,
    },
    "orders": {"orderStatus": lambda row: row.status, "customerName": lambda row: None},
    "fulfillments": {"trackingNumber": lambda row: row.tracking, "recipientName": lambda row: None},
}


def parse_list_request(kind: str, query: Mapping[str, str], switches: Switches) -> ListRequest:
    """The request for a list of ``kind``; names are compared without case, unknown and empty ones ignored.

    Raises BadRequest for a value that cannot be read.
    """
    asked = {name.lower(): value.strip() for name, value in query.items() if value.strip()}
    tests: list[Test] = []
    for name, read_time in TIMES[kind].items():
        tests += _time_tests(asked, name, read_time, switches, exclusive=_is_exclusive(kind, switches))
    if kind in SHIP_DAY:
        tests += _ship_tests(kind, asked, switches)
    for name, read_number in NUMBERS[kind].items():
        if name.lower() in asked:
            tests.append(_equals(read_number, _whole(name, asked[name.lower()])))
    for name, read_text in TEXTS[kind].items():
        if name.lower() in asked:
            tests.append(_equals_text(read_text, asked[name.lower()]))
    if "ordernumber" in asked:
        tests.append(_number_test(kind, asked["ordernumber"], switches))
    if kind == "orders" and "itemkeyword" in asked:
        tests.append(_keyword_test(asked["itemkeyword"]))
    if kind == "shipments" and not switches.returns_listed:
        tests.append(lambda row: not row.is_return)
    page, page_size = _paging(asked, switches)
    return ListRequest(
        kind=kind,
        tests=tuple(tests),
        sort=_sort(kind, asked),
        descending=_descending(asked),
        page=page,
        page_size=page_size,
        with_items=_truth(asked.get("includeshipmentitems", "false"), "includeShipmentItems"),
        order_id=_whole("orderId", asked["orderid"]) if kind != "orders" and "orderid" in asked else None,
        identity=tuple(sorted((name, value) for name, value in asked.items() if not name.startswith("page"))),
    )


def _is_exclusive(kind: str, switches: Switches) -> bool:
    return kind == "orders" and switches.order_bounds == "exclusive"


def _time_tests(
    asked: Mapping[str, str],
    name: str,
    read: Callable[[Any], datetime | None],
    switches: Switches,
    *,
    exclusive: bool,
) -> list[Test]:
    tests: list[Test] = []
    start, end = asked.get(f"{name}start".lower()), asked.get(f"{name}end".lower())
    if start is not None:
        tests.append(_not_before(read, _time(f"{name}Start", start, switches), exclusive))
    if end is not None:
        tests.append(_not_after(read, _time(f"{name}End", end, switches), exclusive))
    return tests


def _ship_tests(kind: str, asked: Mapping[str, str], switches: Switches) -> list[Test]:
    if kind == "fulfillments" and switches.fulfillment_ship_filter == "time":
        return _time_tests(asked, "shipDate", lambda row: row.shipped, switches, exclusive=False)
    read = SHIP_DAY[kind]
    tests: list[Test] = []
    start, end = asked.get("shipdatestart"), asked.get("shipdateend")
    if start is not None:
        first = f"{_time('shipDateStart', start, switches):%Y-%m-%d}"
        tests.append(lambda row: read(row) >= first)
    if end is not None:
        last = f"{_time('shipDateEnd', end, switches):%Y-%m-%d}"
        tests.append(lambda row: read(row) <= last)
    return tests


def _not_before(read: Callable[[Any], datetime | None], bound: datetime, exclusive: bool) -> Test:
    def test(row: Row) -> bool:
        moment = read(row)
        return moment is not None and (moment > bound if exclusive else moment >= bound)

    return test


def _not_after(read: Callable[[Any], datetime | None], bound: datetime, exclusive: bool) -> Test:
    def test(row: Row) -> bool:
        moment = read(row)
        return moment is not None and (moment < bound if exclusive else moment <= bound)

    return test


def _equals(read: Callable[[Any], int | None], wanted: int) -> Test:
    return lambda row: read(row) == wanted


def _equals_text(read: Callable[[Any], str | None], wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda row: (read(row) or "").casefold() == folded


def _number_test(kind: str, wanted: str, switches: Switches) -> Test:
    if kind == "orders" or (kind == "shipments" and switches.shipment_number == "prefix"):
        return lambda row: (row.number or "").startswith(wanted)
    return lambda row: row.number == wanted


def _keyword_test(wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda row: any(folded in (line.sku or "").casefold() for line in row.items)


def _sort(kind: str, asked: Mapping[str, str]) -> SortKey:
    if "sortby" not in asked:
        return (lambda row: (row.order_id,)) if kind == "orders" else SORTS[kind]["createdate"]
    name = asked["sortby"].lower()
    if name not in SORTS[kind]:
        raise BadRequest("The sortBy value is not one of the documented ones.")
    return SORTS[kind][name]


def _descending(asked: Mapping[str, str]) -> bool:
    direction = asked.get("sortdir", "asc").lower()
    if direction not in ("asc", "desc"):
        raise BadRequest("The sortDir value is neither ASC nor DESC.")
    return direction == "desc"


def _paging(asked: Mapping[str, str], switches: Switches) -> tuple[int, int]:
    found = []
    for name, default, highest in (("page", 1, None), ("pageSize", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)):
        text = asked.get(name.lower(), str(default))
        number = int(text) if re.fullmatch(r"-?\d{1,9}", text) else None
        inside = number is not None and number >= 1 and (highest is None or number <= highest)
        if not inside and switches.bad_paging == "reject":
            raise BadRequest(f"The {name} value is out of its range.")
        if number is None:
            number = default
        found.append(max(1, number if highest is None else min(number, highest)))
    return found[0], found[1]


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise BadRequest(f"The {name} value is not a whole number.")
    return int(text)


def _truth(text: str, name: str) -> bool:
    folded = text.lower()
    if folded not in ("true", "false"):
        raise BadRequest(f"The {name} value is neither true nor false.")
    return folded == "true"


def _time(name: str, text: str, switches: Switches) -> datetime:
    """A request's time as naive Pacific. A plain date is midnight at its start."""
    match = TIME.fullmatch(text)
    if match is None:
        raise BadRequest(f"The {name} value is not a date.")
    year, month, day = (int(part) for part in match["day"].split("-"))
    clock = match["clock"] or "0:00:00"
    parts = clock.split(":")
    seconds, _, fraction = (parts[2] if len(parts) == 3 else "0").partition(".")
    micro = int((fraction + "000000")[:6]) if switches.fractions == "honour" else 0
    try:
        moment = datetime(year, month, day, int(parts[0]), int(parts[1]), int(seconds), micro)
    except ValueError as error:
        raise BadRequest(f"The {name} value is not a date.") from error
    offset = match["offset"]
    if offset is None or switches.offsets == "ignore":
        return moment
    if switches.offsets == "reject":
        raise BadRequest(f"The {name} value has an offset.")
    written = "+0000" if offset in "zZ" else offset.replace(":", "")
    aware = datetime.strptime(f"{moment:%Y-%m-%d %H:%M:%S.%f} {written}", "%Y-%m-%d %H:%M:%S.%f %z")
    return aware.astimezone(PACIFIC).replace(tzinfo=None, fold=0)


def _parsed(value: object) -> datetime | None:
    return datetime.fromisoformat(value[:26]) if isinstance(value, str) else None
