"""What one request is answered with: routes, documented errors, and the faults of the moment."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from lotgate.shipstation.simulator.clock import Clock, pacific
from lotgate.shipstation.simulator.drift import drift
from lotgate.shipstation.simulator.faults import Faults, Request
from lotgate.shipstation.simulator.filters import BadRequest, ListRequest, parse_list_request
from lotgate.shipstation.simulator.limits import Standing
from lotgate.shipstation.simulator.lists import Lists
from lotgate.shipstation.simulator.pages import changed_page, is_poisoned, with_unknown_keys
from lotgate.shipstation.simulator.rows import Order
from lotgate.shipstation.simulator.shapes import json_bytes, order_json, row_json, stores_json
from lotgate.shipstation.simulator.store import Store
from lotgate.shipstation.simulator.switches import Switches

__all__ = ["Answer", "Answers", "refused_key", "server_error", "throttled"]

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
GATEWAY_PAGE = b"<html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
ROUTE = re.compile(r"/(stores|shipments|orders|fulfillments)(?:/([^/]+))?/?")


@dataclass(frozen=True)
class Answer:
    """A reply before it is sent. ``records`` is how many records its list has, None for anything else."""

    status: int
    body: bytes = b""
    content_type: str | None = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    records: int | None = None
    faults: tuple[str, ...] = ()
    delay_s: float = 0.0
    has_date: bool = True
    reset: bool = False
    cut_short: bool = False
    without_limits: bool = False

    def with_standing(self, standing: Standing) -> Answer:
        """The answer with the rate limit's headers; those that it has already stay."""
        if self.without_limits:
            return self
        return replace(self, headers={**standing.headers(), **self.headers})


def refused_key() -> Answer:
    """401 for a wrong pair of key and secret."""
    return _problem(401, "Authorization has been denied for this request.")


def throttled(retry_after_s: int | None = None) -> Answer:
    """429 with the documented body."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Answer(429, b'{"message": "Too Many Requests"}', headers=headers)


def _problem(status: int, message: str, **more: str | None) -> Answer:
    return Answer(status, json_bytes({"Message": message, **more}))


def server_error() -> Answer:
    """500 in the shape that ASP.NET gives its errors."""
    return _problem(
        500,
        "An error has occurred.",
        ExceptionMessage="Execution Timeout Expired. (simulated)",
        ExceptionType="System.Data.SqlClient.SqlException",
        StackTrace=None,
    )


class Answers:
    """Answers requests from one store. Thread safe."""

    def __init__(self, store: Store, switches: Switches, faults: Faults, clock: Clock) -> None:
        self.store = store
        self.switches = switches
        self.faults = faults
        self.clock = clock
        self._lists = Lists(store)
        self._hooks = threading.RLock()

    def answer(self, method: str, path: str, query: str) -> Answer:
        """The reply to one request that is allowed to ask."""
        match = ROUTE.fullmatch(path)
        kind, tail = (match[1], match[2]) if match else ("", None)
        if kind == "orders" and tail == "list":
            tail = None
        if not match or (tail is not None and kind != "orders"):
            return _problem(404, "No HTTP resource was found that matches the request.")
        if method != "GET":
            return _problem(405, "The requested resource does not support this http method.")
        faults = self.faults
        asked = dict(parse_qsl(query))
        shown = f"/{kind}" if tail is None else f"/{kind}/{{id}}"
        page = next((value for name, value in asked.items() if name.lower() == "page"), "1")
        request = Request(shown, asked, int(page) if page.isdecimal() else 1, faults.count(shown))
        names = faults.draw(request)
        replaced = _replacing(names)
        if replaced is None:
            answer = self._plain(kind, tail, request, names, faults)
            answer = _damaged(answer, names)
        else:
            answer = replaced
        return replace(
            answer,
            faults=(*names, *answer.faults),
            delay_s=faults.slow_s if "slow" in names else 0.0,
            has_date="no-date" not in names,
        )

    def _plain(
        self, kind: str, tail: str | None, request: Request, names: tuple[str, ...], faults: Faults
    ) -> Answer:
        if kind == "stores":
            return Answer(200, json_bytes(stores_json()))
        if tail is not None:
            return self._one_order(tail, names, faults)
        try:
            asked = parse_list_request(kind, request.query, self.switches)
        except BadRequest as error:
            return _problem(400, "The request is invalid.", ExceptionMessage=str(error))
        if asked.page > 1:
            self._change_store(request, names, faults)
        return self._list(asked, names, faults)

    def _change_store(self, request: Request, names: tuple[str, ...], faults: Faults) -> None:
        with self._hooks:
            if faults.between_pages is not None:
                faults.between_pages(self.store, request)
            for name in names:
                if name.endswith("-between-pages"):
                    drift(name.partition("-")[0], self.store, pacific(self.clock()), faults.fork())

    def _list(self, asked: ListRequest, names: tuple[str, ...], faults: Faults) -> Answer:
        if asked.kind == "orders" and "foreign-order" in names:
            foreign = self._foreign_order(None, faults)
            if foreign is not None:
                records = [order_json(foreign, self.switches)]
                return Answer(
                    200, json_bytes({"orders": records, "total": 1, "page": 1, "pages": 1}), records=1
                )
        if "foreign-shipment" in names and asked.kind == "shipments" and asked.order_id is not None:
            other = self._foreign_label_order(asked.order_id)
            if other is not None:
                query = {"orderId": str(other), "includeShipmentItems": str(asked.with_items)}
                asked = parse_list_request("shipments", query, self.switches)
        page = self._lists.page(asked)
        if is_poisoned(page, asked.page_size, faults):
            return replace(server_error(), faults=("poisoned-row",))
        records = [row_json(row, self.switches, with_items=asked.with_items) for row in page.rows]
        before = page.before and row_json(page.before, self.switches, with_items=asked.with_items)
        reply: dict[str, Any] = {
            asked.kind: records, "total": page.total, "page": page.page, "pages": page.pages
        }  # fmt: skip
        changed_page(reply, asked, before or None, names, faults)
        return Answer(200, json_bytes(reply), records=len(reply[asked.kind]))

    def _one_order(self, tail: str, names: tuple[str, ...], faults: Faults) -> Answer:
        order = self.store.orders.get(int(tail)) if re.fullmatch(r"\d{1,18}", tail) else None
        if order is not None and "foreign-id" in names:
            order = self._foreign_order(order.order_id, faults)
        if order is None:
            return _problem(404, "The order was not found.")
        record = order_json(order, self.switches)
        if "unknown-keys" in names:
            with_unknown_keys(record)
        return Answer(200, json_bytes(record))

    def _foreign_order(self, asked_for: int | None, faults: Faults) -> Order | None:
        """The order that answers in another's place: the one named, else the oldest shipped one."""
        with self.store.lock:
            if faults.foreign_order_id is not None:
                return self.store.orders.get(faults.foreign_order_id)
            others = [order for order in self.store.orders.values() if order.order_id != asked_for]
        others.sort(key=lambda order: (order.status != "shipped", order.created, order.order_id))
        return others[0] if others else None

    def _foreign_label_order(self, asked_for: int) -> int | None:
        with self.store.lock:
            found = (label.order_id for label in self.store.labels.values() if label.order_id is not None)
            return next((order_id for order_id in found if order_id != asked_for), None)


def _replacing(names: tuple[str, ...]) -> Answer | None:
    """The answer in the place of the true one, where a fault wants it."""
    gateways = {"bad-gateway": (502, b"Bad Gateway"), "gateway-timeout": (504, b"Gateway Timeout")}
    for name in names:
        if name in gateways:
            status, words = gateways[name]
            return Answer(status, GATEWAY_PAGE % (words, words), HTML, without_limits=True)
        if name == "server-error":
            return server_error()
        if name == "unavailable":
            return Answer(503, b"", None, without_limits=True)
        if name == "html":
            return Answer(200, GATEWAY_PAGE % (b"Maintenance", b"Back soon"), HTML, without_limits=True)
        if name == "empty-body":
            return Answer(200, b"", JSON)
        if name == "reset":
            return Answer(0, reset=True)
        if name == "random-401":
            return refused_key()
        if name == "throttled-reset-0":
            return replace(throttled(), headers={"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "0"})
        if name == "throttled-no-headers":
            return replace(throttled(), without_limits=True)
    return None


def _damaged(answer: Answer, names: tuple[str, ...]) -> Answer:
    """The true answer with a broken body, where a fault wants it."""
    if "truncated-json" in names:
        return replace(answer, body=answer.body[: len(answer.body) * 2 // 3], records=None)
    if "cut-short" in names:
        return replace(answer, cut_short=True, records=None)
    return answer
