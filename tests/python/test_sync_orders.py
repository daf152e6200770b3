"""`sync status` and `sync manual`: orders asked by their own address, and the incident replayed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lotgate.errors import GateClosed
from lotgate.shipstation.simulator import Faults
from shipstation_fixtures import NOW
from sync_cases import Ingestion, query

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"


def paths(sync: Ingestion) -> list[str]:
    return [entry.path for entry in sync.simulator.log]


def test_each_order_is_asked_by_its_own_address(sync: Ingestion) -> None:
    order, shipment = sync.ship("600105", (TEXT, 3), at=MORNING)
    report = sync.run("status")
    assert sync.units() == {("600105", "17612", "250300", TODAY): 3}
    assert f"/orders/{order}" in paths(sync)
    assert query(sync.database, "select shipstation_shipment_id from shipped_items") == [(shipment,)]
    assert report.written.units_added == 3
    assert sync.watermark("status") == "2030-03-14T08:00:00"


def test_manual_orders_have_a_service_of_their_own(sync: Ingestion) -> None:
    """By their key or their number; both services end in the same rows."""
    by_number, _ = sync.ship("100901", (TEXT, 3), at=MORNING)
    by_key = sync.store.add_order("ABC-1", [(TEXT, 2)], MORNING, made_by_hand=True)
    sync.store.add_shipment(by_key, MORNING)
    sync.ship("600105", (TEXT, 1), at=MORNING)
    sync.run("status")
    assert {key[0] for key in sync.units()} == {"600105"}
    sync.run("manual")
    assert {key[0] for key in sync.units()} == {"600105", "100901", "ABC-1"}
    assert by_number != by_key


def test_the_prefix_of_manual_numbers_is_a_setting(sync: Ingestion) -> None:
    sync.ship("777001", (TEXT, 1), at=MORNING)
    other = sync.with_settings(manual_prefix="777")
    other.run("status")
    assert other.units() == {}
    other.run("manual")
    assert sum(other.units().values()) == 1


def test_orders_that_have_not_shipped_are_left_alone(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 3)], MORNING, ship_date=TODAY)
    sync.run("status")
    assert sync.units() == {}
    assert f"/orders/{order}" not in paths(sync)


def test_an_order_shipped_by_hand_has_the_orders_units_under_a_negative_id(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 3), ("17904 - 250240", 2)], MORNING)
    mark = sync.store.add_fulfillment(order, MORNING)
    sync.run("status")
    assert sum(sync.units().values()) == 5
    assert query(sync.database, "select distinct shipstation_shipment_id from shipped_items") == [(-mark,)]
    sync.store.void_fulfillment(mark, sync.later(hours=1))
    sync.later(minutes=5)
    sync.run("status")
    assert sync.units() == {}


def test_a_label_for_an_order_marked_by_hand_does_not_double_it(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 3)], MORNING)
    sync.store.add_fulfillment(order, MORNING)
    sync.run("status")
    shipment = sync.store.add_shipment(order, sync.later(hours=1))
    sync.later(minutes=5)
    sync.run("shipments")
    assert query(sync.database, "select shipstation_shipment_id, quantity_shipped from shipped_items") == [
        (shipment, 3)
    ]


def test_an_order_fulfilled_elsewhere_used_none_of_this_stock(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 3)], MORNING, externally_fulfilled=True)
    sync.store.add_fulfillment(order, MORNING)
    sync.run("status")
    assert sync.units() == {}


def test_parts_of_a_split_order_add_up_under_one_number(sync: Ingestion) -> None:
    order = sync.store.add_order("600105", [(TEXT, 3), ("17904 - 250240", 2)], MORNING)
    part = sync.store.split_order(order, [1], MORNING)
    sync.store.add_shipment(order, MORNING)
    sync.store.add_shipment(part, MORNING + timedelta(hours=1))
    sync.run("status")
    assert sum(sync.units().values()) == 5
    assert query(sync.database, "select count(*) from shipped_orders") == [(1,)]


def test_a_reprint_the_next_day_moves_the_units(sync: Ingestion) -> None:
    _, shipment = sync.ship("600105", (TEXT, 3), at=MORNING)
    sync.run("status")
    new = sync.store.reprint_shipment(shipment, sync.later(days=1))
    sync.later(minutes=5)
    sync.run("status")
    tomorrow = f"{NOW + timedelta(days=1):%Y-%m-%d}"
    assert query(
        sync.database, "select shipstation_shipment_id, ship_date, quantity_shipped from shipped_items"
    ) == [(new, tomorrow, 3)]
    assert query(sync.database, "select ship_date from shipped_orders") == [(tomorrow,)]


# the incident: the list call answered with one foreign old order, whatever was asked, and nobody looked


def incident(sync: Ingestion) -> dict[str, object]:
    """Open orders, some shipped ones that are in the database, and the old order of 2024."""
    old = NOW.replace(year=2028, month=4, day=16)
    foreign = sync.store.add_order("500005", [(TEXT, 7)], old)
    sync.store.add_shipment(foreign, old)
    for number in range(600105, 600205, 10):
        sync.ship(str(number), (TEXT, 2), at=MORNING)
    sync.run_all()
    for number in range(600205, 600305, 10):
        sync.store.add_order(str(number), [(TEXT, 1)], sync.later(minutes=2))
    sync.later(minutes=5)
    return {"foreign": foreign, "before": sync.content()}


@pytest.mark.parametrize("service", ["shipments", "status", "manual"])
def test_a_list_that_holds_a_foreign_old_order_changes_nothing(sync: Ingestion, service: str) -> None:
    found = incident(sync)
    sync.simulator.faults = Faults(
        chances={"foreign-order": 1.0},
        foreign_order_id=found["foreign"],  # type: ignore[arg-type]
        in_a_row=None,
    )
    mark = sync.watermark(service)  # type: ignore[arg-type]
    with pytest.raises(GateClosed):
        sync.run(service)  # type: ignore[arg-type]
    assert sync.content() == found["before"]
    assert sync.watermark(service) == mark  # type: ignore[arg-type]
    assert sync.simulator.faults.met["foreign-order"] > 0


def test_an_answer_about_another_order_changes_nothing_and_is_kept(sync: Ingestion) -> None:
    found = incident(sync)
    order, _ = sync.ship("600405", (TEXT, 2), at=sync.later(minutes=5))
    sync.later(minutes=5)
    sync.simulator.faults = Faults(
        chances={"foreign-id": 1.0},
        foreign_order_id=found["foreign"],  # type: ignore[arg-type]
        in_a_row=None,
    )
    report = sync.run("status")
    assert sync.content() == found["before"]
    assert (f"order {order}", "wrong_answer") in sync.quarantine()
    assert report.refused > 0
    sync.simulator.faults = Faults()
    sync.run("status", retry=True)
    assert sync.quarantine() == []
    assert sync.units()["600405", "17612", "250300", TODAY] == 2


def test_labels_of_another_order_change_nothing(sync: Ingestion) -> None:
    found = incident(sync)
    order, _ = sync.ship("600405", (TEXT, 2), at=sync.later(minutes=5))
    sync.later(minutes=5)
    sync.simulator.faults = Faults(
        chances={"foreign-shipment": 1.0},
        foreign_order_id=found["foreign"],  # type: ignore[arg-type]
        in_a_row=None,
    )
    sync.run("status")
    assert sync.content() == found["before"]
    assert (f"order {order}", "wrong_answer") in sync.quarantine()
