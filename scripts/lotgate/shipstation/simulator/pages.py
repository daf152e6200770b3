"""Faults in the content of a page: rows that are null, double, missing or foreign, and totals that move."""

from __future__ import annotations

from typing import Any

from lotgate.shipstation.simulator.faults import Faults
from lotgate.shipstation.simulator.filters import ListRequest
from lotgate.shipstation.simulator.lists import Page

__all__ = ["changed_page", "is_poisoned", "with_unknown_keys"]

NEW_STATUS = "awaiting_inspection"
ID_KEYS = {"shipments": "shipmentId", "orders": "orderId", "fulfillments": "fulfillmentId"}


def is_poisoned(page: Page, page_size: int, faults: Faults) -> bool:
    """A row on the page makes the whole page fail, as long as the page is big enough."""
    return page_size > faults.poison_ends_at and any(row.row_id in faults.poisoned for row in page.rows)


def changed_page(
    reply: dict[str, Any],
    asked: ListRequest,
    before: dict[str, Any] | None,
    names: tuple[str, ...],
    faults: Faults,
) -> None:
    """Changes the reply to a list request in place; ``before`` is the record that precedes the page."""
    records: list[Any] = reply[asked.kind]
    if "shifted-page" in names and before is not None and records:
        records[:] = [before, *records[:-1]]
    elif "duplicate-rows" in names and before is not None:
        records.insert(0, before)
    if "unreadable-record" in names and records:
        place = faults.pick(len(records))
        records[place] = {key: value for key, value in records[place].items() if key != ID_KEYS[asked.kind]}
    if "null-record" in names and records:
        records[faults.pick(len(records))] = None
    if "empty-middle-page" in names and asked.page < reply["pages"]:
        records.clear()
    if "changing-total" in names:
        reply["total"] += 1
        reply["pages"] = -(-reply["total"] // asked.page_size)
    if "unknown-status" in names and asked.kind == "orders":
        for record in records:
            if record is not None and record["orderStatus"] not in ("shipped", "cancelled"):
                record["orderStatus"] = NEW_STATUS
    if "unknown-keys" in names:
        reply["nextCursor"] = None
        for record in records:
            if record is not None:
                with_unknown_keys(record)


def with_unknown_keys(record: dict[str, Any]) -> None:
    """Adds keys that nobody has documented, to a record and to its items."""
    record["movementIndicator"] = None
    record["relatedRecords"] = [{"id": 1, "kind": "none"}]
    for item in record.get("items") or record.get("shipmentItems") or ():
        item["handlingClass"] = {"code": "H0", "since": None}
