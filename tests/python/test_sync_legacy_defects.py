"""The ways in which the legacy ingestion lost or distorted units, one by one (docs/sync.md).

Each was found in the system that lotgate replaces; each test plays the situation and asks for the truth.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lotgate.errors import EnvironmentFailed
from lotgate.shipstation.simulator import Faults, Line, Scripted
from shipstation_fixtures import NOW
from sync_cases import Ingestion, query

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"


@pytest.mark.parametrize("service", ["shipments", "status"])
def test_a_failed_fetch_does_not_move_the_watermark(sync: Ingestion, service: str) -> None:
    """(a) A failed fetch returned an empty list, and the watermark jumped to now."""
    sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.attempts = 1
    sync.simulator.faults = Faults(chances={"bad-gateway": 1.0}, in_a_row=None)
    with pytest.raises(EnvironmentFailed):
        sync.run(service)  # type: ignore[arg-type]
    assert sync.watermark(service) is None  # type: ignore[arg-type]
    sync.simulator.faults = Faults()
    sync.later(days=3)
    sync.run(service)  # type: ignore[arg-type]
    assert sum(sync.units().values()) == 3


def test_a_failure_on_a_later_page_does_not_pass_for_the_end(sync: Ingestion) -> None:
    """(a) A failure on page n ended the loop, and the partial list was processed as complete."""
    for number in range(600105, 600155, 10):
        sync.ship(str(number), (TEXT, 1), at=MORNING)
    poisoned = max(sync.store.labels)
    sync.simulator.faults = Faults(poisoned=[poisoned], poison_ends_at=0)
    sync.attempts = 2
    with pytest.raises(EnvironmentFailed):
        sync.run()
    assert sync.units() == {}
    assert sync.watermark() is None


def test_the_watermark_is_shipstations_time_in_its_own_zone(sync: Ingestion) -> None:
    """(b) The watermark mixed naive Pacific times with the server's now, stamped Z."""
    sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.run("status")
    mark = sync.watermark("status")
    assert mark == "2030-03-14T08:00:00"
    assert datetime.fromisoformat(mark).tzinfo is None
    sync.ship("600115", (TEXT, 3), at=sync.later(hours=1))  # 13:00 Pacific is 20:00 UTC
    sync.later(minutes=5)
    sync.run("status")
    assert sync.watermark("status") == "2030-03-14T13:00:00"


def test_split_and_partial_labels_add_up(sync: Ingestion) -> None:
    """(c) A key of order, SKU and lot overwrote the first parcel's units with the second's."""
    order = sync.store.add_order("600105", [(TEXT, 10)], MORNING)
    sync.store.add_shipment(order, MORNING, items=[(TEXT, 6)])
    sync.run()
    sync.store.add_shipment(order, sync.later(minutes=5), items=[(TEXT, 4)])
    sync.later(minutes=5)
    sync.run()
    assert sync.units() == {("600105", "17612", "250300", TODAY): 10}
    assert query(sync.database, "select count(*) from shipped_orders") == [(1,)]


@pytest.mark.parametrize("service", ["shipments", "status"])
def test_a_void_takes_out_what_was_saved_before(sync: Ingestion, service: str) -> None:
    """(d) Rows that were saved before a void stayed for ever."""
    _, shipment = sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.run(service)  # type: ignore[arg-type]
    assert sum(sync.units().values()) == 3
    sync.store.void_shipment(shipment, sync.later(days=12))
    sync.later(minutes=5)
    sync.run(service)  # type: ignore[arg-type]
    assert sync.units() == {}


def test_voided_labels_are_in_no_total(sync: Ingestion) -> None:
    """(e) The weekly history was fed the unfiltered list, voids and all."""
    order, shipment = sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.store.void_shipment(shipment, MORNING + timedelta(minutes=5))
    sync.store.add_shipment(order, MORNING + timedelta(minutes=6))
    report = sync.run()
    assert report.written.units_added == 3
    assert query(
        sync.database, "select sum(quantity_shipped) from shipped_items where ship_date = ?", TODAY
    ) == [(3,)]


@pytest.mark.parametrize(
    "fault", ["server-error", "bad-gateway", "unavailable", "gateway-timeout", "reset", "truncated-json"]
)
def test_a_passing_failure_is_tried_again(sync: Ingestion, fault: str) -> None:
    """(f) Only 429 was tried again, a 5xx was not."""
    sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.simulator.faults = Faults(script=[Scripted(fault, "/shipments", 1), Scripted(fault, "/orders", 1)])
    sync.run()
    assert sum(sync.units().values()) == 3
    assert sync.simulator.faults.met[fault] == 2


def test_days_are_days_of_shipping_and_all_pages_are_read(sync: Ingestion) -> None:
    """(g) A comparison read one page of 500, by the day of the order."""
    ordered = MORNING - timedelta(days=5)
    for number in range(520):
        order = sync.store.add_order(f"{600005 + 10 * number}", [(TEXT, 1)], ordered)
        sync.store.add_shipment(order, MORNING + timedelta(seconds=number))
    sync.run()
    assert query(sync.database, "select ship_date, sum(quantity_shipped) from shipped_items group by 1") == [
        (TODAY, 520)
    ]


def test_a_null_sku_is_no_text_and_adjustments_are_no_units(sync: Ingestion) -> None:
    """(h) A null SKU crashed or became the text "None", and discounts counted as items."""
    lines = [Line(1, None, 2), Line(2, TEXT, 3), Line(3, "SAVE", 1, line_item_key="discount")]
    by_label = sync.store.add_order("600105", lines, MORNING)
    sync.store.add_shipment(by_label, MORNING)
    by_hand = sync.store.add_order("600115", [*lines, Line(4, "PROMO", 1, adjustment=True)], MORNING)
    sync.store.add_fulfillment(by_hand, MORNING)
    sync.run()
    sync.run("status")
    assert sync.units() == {
        ("600105", "17612", "250300", TODAY): 3,
        ("600115", "17612", "250300", TODAY): 3,
    }
    assert query(sync.database, "select count(*) from shipped_items where shipstation_sku_raw = 'None'") == [
        (0,)
    ]
    assert sync.quarantine() == []
