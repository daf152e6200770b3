"""Each fault of the simulator as a client meets it; scripted, by chance with a seed, and poisoned rows."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest
import requests

from lotgate.errors import UsageError
from lotgate.shipstation.simulator import FAULTS, Faults, Request, Scripted, Simulator, Store, serve
from lotgate.shipstation.simulator.fault_texts import list_faults, parse_faults
from shipstation_fixtures import ENVIRON, FREE, Simulate, busy_store, simulate

__all__ = ["simulate"]  # the fixture

PAIR = (ENVIRON["SHIPSTATION_API_KEY"], ENVIRON["SHIPSTATION_API_SECRET"])


def get(simulator: Simulator, path: str, **query: object) -> requests.Response:
    return requests.get(
        simulator.url + path, params={k: str(v) for k, v in query.items()}, auth=PAIR, timeout=5
    )


def page(simulator: Simulator, number: int, *, kind: str = "shipments", size: int = 2) -> dict[str, Any]:
    found: dict[str, Any] = get(simulator, f"/{kind}", page=number, pageSize=size).json()
    return found


def ids(reply: dict[str, Any]) -> list[int]:
    return [record["shipmentId"] - 900_000_000 for record in reply["shipments"]]


def always(*names: str, **more: Any) -> Faults:
    return Faults(chances=dict.fromkeys(names, 1.0), in_a_row=None, **more)


@pytest.mark.parametrize(
    ("name", "status", "content_type"),
    [
        ("server-error", 500, "application/json; charset=utf-8"),
        ("bad-gateway", 502, "text/html; charset=utf-8"),
        ("unavailable", 503, None),
        ("gateway-timeout", 504, "text/html; charset=utf-8"),
        ("html", 200, "text/html; charset=utf-8"),
        ("empty-body", 200, "application/json; charset=utf-8"),
        ("truncated-json", 200, "application/json; charset=utf-8"),
        ("random-401", 401, "application/json; charset=utf-8"),
        ("throttled-reset-0", 429, "application/json; charset=utf-8"),
        ("throttled-no-headers", 429, "application/json; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("path", ["/shipments", "/orders/800000001"])
def test_answers_that_are_replaced(
    simulate: Simulate, name: str, status: int, content_type: str | None, path: str
) -> None:
    simulator = simulate(busy_store(3), faults=always(name))
    response = get(simulator, path)
    assert response.status_code == status
    assert response.headers.get("Content-Type") == content_type
    if name in ("html", "empty-body", "truncated-json", "bad-gateway", "gateway-timeout", "unavailable"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(response.text)
    else:
        assert isinstance(response.json(), dict)
    assert simulator.log.entries[0].faults == (name,)
    assert simulator.faults.met == {name: 1}


def test_what_the_bodies_say(simulate: Simulate) -> None:
    error = get(simulate(faults=always("server-error")), "/orders").json()
    assert list(error) == ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]
    reset = get(simulate(faults=always("throttled-reset-0")), "/orders")
    assert reset.text == '{"message": "Too Many Requests"}'
    assert (reset.headers["X-Rate-Limit-Reset"], reset.headers["X-Rate-Limit-Remaining"]) == ("0", "0")
    bare = get(simulate(faults=always("throttled-no-headers")), "/orders")
    assert not [name for name in bare.headers if name.startswith("X-Rate-Limit")]
    assert simulate(faults=always("throttled-no-headers")).rate_violations == 0


@pytest.mark.parametrize("name", ["reset", "cut-short"])
def test_connections_that_break(simulate: Simulate, name: str) -> None:
    simulator = simulate(busy_store(3), faults=always(name))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(simulator, "/shipments")
    assert simulator.log.entries[0].status == (0 if name == "reset" else 200)
    simulator.faults = Faults()
    assert page(simulator, 1)["total"] == 3


def test_a_slow_answer_is_complete(simulate: Simulate) -> None:
    simulator = simulate(busy_store(3), faults=always("slow", slow_s=0.3))
    start = time.monotonic()
    assert page(simulator, 1)["total"] == 3
    assert time.monotonic() - start >= 0.3
    with pytest.raises(requests.ReadTimeout):
        requests.get(simulator.url + "/shipments", auth=PAIR, timeout=0.1)


def test_the_date_may_be_missing(simulate: Simulate) -> None:
    assert "Date" not in get(simulate(faults=always("no-date")), "/stores").headers
    assert "Date" in get(simulate(), "/stores").headers


def test_records_that_are_null_or_unreadable(simulate: Simulate) -> None:
    reply = page(simulate(busy_store(3), faults=always("null-record")), 1)
    assert sorted(record is None for record in reply["shipments"]) == [False, True]
    assert reply["total"] == 3
    reply = page(simulate(busy_store(3), faults=always("unreadable-record")), 1)
    assert sorted("shipmentId" in record for record in reply["shipments"]) == [False, True]


def test_an_empty_page_before_the_last(simulate: Simulate) -> None:
    simulator = simulate(busy_store(5), faults=always("empty-middle-page"))
    replies = [page(simulator, number) for number in (1, 2, 3)]
    assert [len(reply["shipments"]) for reply in replies] == [0, 0, 1]
    assert [(reply["total"], reply["pages"]) for reply in replies] == [(5, 3)] * 3


def test_rows_that_are_double_or_skipped(simulate: Simulate) -> None:
    double = simulate(busy_store(5), faults=always("duplicate-rows"))
    assert [ids(page(double, number)) for number in (1, 2, 3)] == [[1, 2], [2, 3, 4], [4, 5]]
    shifted = simulate(busy_store(5), faults=Faults(script=[Scripted("shifted-page", "/shipments", 2)]))
    assert [ids(page(shifted, number)) for number in (1, 2, 3)] == [[1, 2], [2, 3], [5]]


def test_a_total_that_changes(simulate: Simulate) -> None:
    simulator = simulate(busy_store(4), faults=Faults(script=[Scripted("changing-total", "/shipments", 2)]))
    replies = [page(simulator, number) for number in (1, 2)]
    assert [(reply["total"], reply["pages"]) for reply in replies] == [(4, 2), (5, 3)]


def test_unknown_keys_and_statuses(simulate: Simulate) -> None:
    store = busy_store(1)
    store.add_order("2", [("A", 1)], datetime(2030, 3, 11))
    simulator = simulate(store, faults=always("unknown-keys", "unknown-status"))
    reply = page(simulator, 1, kind="orders")
    assert [record["orderStatus"] for record in reply["orders"]] == ["shipped", "awaiting_inspection"]
    assert "movementIndicator" in reply["orders"][0]
    assert "handlingClass" in reply["orders"][0]["items"][0]
    assert "nextCursor" in reply
    assert "movementIndicator" in get(simulator, "/orders/800000001").json()
    shipments = get(simulator, "/shipments", includeShipmentItems="true").json()["shipments"]
    assert "handlingClass" in shipments[0]["shipmentItems"][0]


def test_the_incident_a_foreign_old_order_whatever_was_asked(simulate: Simulate) -> None:
    store = busy_store(5)
    oldest = store.add_order(
        "600005", [("A", 1)], datetime(2028, 4, 16), status="shipped", ship_date="2028-04-16"
    )
    simulator = simulate(store, faults=always("foreign-order"))
    for query in ({}, {"orderNumber": "100003"}, {"modifyDateStart": "2030-03-11"}, {"page": 4}):
        reply = get(simulator, "/orders", **query).json()
        assert ([record["orderId"] for record in reply["orders"]], reply["total"]) == ([oldest], 1)
    assert len(page(simulator, 1)["shipments"]) == 2
    named = simulate(store, faults=always("foreign-order", foreign_order_id=800_000_002))
    assert get(named, "/orders").json()["orders"][0]["orderId"] == 800_000_002


def test_a_foreign_id_in_the_answer_for_one_order(simulate: Simulate) -> None:
    simulator = simulate(busy_store(3), faults=always("foreign-id"))
    assert get(simulator, "/orders/800000002").json()["orderId"] == 800_000_001
    assert get(simulator, "/orders/800000001").json()["orderId"] == 800_000_002
    assert get(simulator, "/orders/1").status_code == 404


def test_foreign_shipments_for_one_order(simulate: Simulate) -> None:
    simulator = simulate(busy_store(3), faults=always("foreign-shipment"))
    (record,) = get(simulator, "/shipments", orderId=800_000_002).json()["shipments"]
    assert record["orderId"] == 800_000_001


@pytest.mark.parametrize("lasting", [False, True])
def test_a_poisoned_row_spoils_its_page(simulate: Simulate, lasting: bool) -> None:
    faults = Faults(poisoned=[900_000_004], poison_ends_at=0 if lasting else 1)
    simulator = simulate(busy_store(5), faults=faults)
    statuses = {
        size: [
            get(simulator, "/shipments", page=n, pageSize=size).status_code for n in range(1, 5 // size + 2)
        ]
        for size in (5, 2)
    }
    assert statuses == {5: [500, 200], 2: [200, 500, 200]}
    alone = get(simulator, "/shipments", page=4, pageSize=1)
    assert alone.status_code == (500 if lasting else 200)
    assert simulator.log.entries[0].faults == ("poisoned-row",)


def test_a_hook_runs_before_each_further_page(simulate: Simulate) -> None:
    seen: list[tuple[str, int, int]] = []

    def between(store: Store, request: Request) -> None:
        seen.append((request.path, request.page, request.nth))
        store.add_shipment(None, datetime(2029, 1, 1))

    simulator = simulate(busy_store(4), faults=Faults(between_pages=between))
    # each label that comes in front pushes one row over to the next page
    assert [ids(page(simulator, number)) for number in (1, 2, 3)] == [[1, 2], [2, 3], [3, 4]]
    assert seen == [("/shipments", 2, 2), ("/shipments", 3, 3)]


def test_a_hook_that_fails_is_heard_of() -> None:
    def between(store: Store, request: Request) -> None:
        raise LookupError("no such row")

    with (
        pytest.raises(LookupError, match="no such row"),
        serve(busy_store(3), FREE, Faults(between_pages=between)) as simulator,
    ):
        assert get(simulator, "/shipments", page=2, pageSize=1).status_code == 500


def test_changes_between_pages_change_the_truth(simulate: Simulate) -> None:
    for name in ("insert-between-pages", "void-between-pages", "edit-between-pages"):
        store = busy_store(4)
        before = (len(store.labels), sum(label.voided for label in store.labels.values()))
        modified = sorted(order.modified for order in store.orders.values())
        simulator = simulate(store, faults=always(name))
        first, second = page(simulator, 1), page(simulator, 2)
        after = (len(store.labels), sum(label.voided for label in store.labels.values()))
        grown = {"insert-between-pages": (1, 0), "void-between-pages": (0, 1), "edit-between-pages": (0, 0)}[
            name
        ]
        assert (after[0] - before[0], after[1] - before[1]) == grown
        assert second["total"] - first["total"] == grown[0]
        assert sorted(order.modified for order in store.orders.values()) != modified


def test_a_scripted_fault_strikes_once(simulate: Simulate) -> None:
    script = [Scripted("bad-gateway", "/shipments", 3), Scripted("server-error", "*", 5)]
    simulator = simulate(busy_store(2), faults=Faults(script=script))
    paths = ("/shipments", "/orders", "/shipments", "/shipments", "/orders", "/shipments")
    assert [get(simulator, path).status_code for path in paths] == [200, 200, 200, 502, 500, 200]


def test_chance_follows_the_seed(simulate: Simulate) -> None:
    def statuses(seed: int) -> list[int]:
        chances = {"bad-gateway": 0.3, "server-error": 0.3}
        simulator = simulate(busy_store(1), faults=Faults(chances=chances, seed=seed))
        return [get(simulator, "/orders").status_code for _ in range(30)]

    first = statuses(1)
    assert first == statuses(1)
    assert first != statuses(2)
    assert set(first) == {200, 500, 502}


def test_not_too_many_faults_in_a_row(simulate: Simulate) -> None:
    simulator = simulate(
        busy_store(1), faults=Faults(chances={"server-error": 1.0, "no-date": 1.0}, in_a_row=2)
    )
    answers = [get(simulator, "/orders") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [500, 500, 200, 500, 500, 200]
    assert all("Date" not in answer.headers for answer in answers)


def test_faults_can_be_written_as_texts() -> None:
    faults = parse_faults(
        ("slow", "bad-gateway=3:/shipments/", "html=0.25", "poisoned-row=7", "foreign-order-id=9")
    )
    assert faults.chances == {"slow": 1.0, "html": 0.25}
    assert faults.script == (Scripted("bad-gateway", "/shipments", 3),)
    assert (faults.poisoned, faults.poison_ends_at, faults.foreign_order_id) == ({7}, 1, 9)
    assert parse_faults(("poisoned-row-forever=7",)).poison_ends_at == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thunder", "There is no fault 'thunder'."),
        ("slow=2", "The fault slow cannot come '2'."),
        ("slow=often", "The fault slow cannot come 'often'."),
        ("slow=", "The fault slow cannot come ''."),
        ("poisoned-row", "The fault poisoned-row needs the id of a record."),
    ],
)
def test_texts_that_mean_no_fault(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults((text,))
    assert caught.value.message == message
    assert caught.value.hint


def test_every_fault_is_listed_and_an_unknown_one_refused() -> None:
    listed = list_faults()
    assert all(f"{name} " in listed for name in FAULTS)
    with pytest.raises(ValueError, match="there is no fault 'thunder'"):
        Faults(chances={"thunder": 1.0})
    with pytest.raises(ValueError, match="there is no fault 'thunder'"):
        Faults(script=[Scripted("thunder", "*", 1)])


def patient_ids(simulator: Simulator, *, passes: int = 15) -> list[int] | None:
    """What a client reads that repeats a list until one whole pass is without contradiction.

    None where no pass was; with rows that come in between pages, the list grows with every pass.
    """
    for _ in range(passes):
        found: list[int] = []
        shapes: set[tuple[int, int]] = set()
        number, pages = 1, 1
        while number <= pages:
            try:
                reply = get(simulator, "/shipments", page=number, pageSize=3).json()
                found += [record["shipmentId"] for record in reply["shipments"]]
                shapes.add((reply["total"], reply["pages"]))
            except (requests.RequestException, KeyError, TypeError):
                break
            number, pages = number + 1, reply["pages"]
        else:
            if len(shapes) == 1 and len(found) == len(set(found)) == next(iter(shapes))[0]:
                return found
    return None


HARMLESS_HERE = ("foreign-order", "foreign-id", "foreign-shipment", "slow")


@pytest.mark.parametrize("seed", range(6))
def test_patience_finds_the_truth_through_any_mix(simulate: Simulate, seed: int) -> None:
    names = [name for name in FAULTS if name not in HARMLESS_HERE]
    store = busy_store(9)
    faults = Faults(chances=dict.fromkeys(names, 0.03), seed=seed)
    simulator = simulate(store, faults=faults)
    complete = [patient_ids(simulator) for _ in range(5)]
    assert any(complete)
    assert all(set(found) <= set(store.labels) for found in complete if found)
    simulator.faults = Faults()
    assert patient_ids(simulator, passes=1) == sorted(store.labels)
    assert len(faults.met) >= 10


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in HARMLESS_HERE])
def test_patience_finds_the_truth_through_each_fault(simulate: Simulate, name: str) -> None:
    store = busy_store(9)
    simulator = simulate(store, faults=Faults(chances={name: 0.4}, seed=7))
    assert set(patient_ids(simulator) or ()) <= set(store.labels)
    assert simulator.faults.met[name] > 0
    simulator.faults = Faults()
    assert patient_ids(simulator, passes=1) == sorted(store.labels)
