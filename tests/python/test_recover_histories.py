"""``recover`` against random accounts, faults and changes: it ends with the truth, or as it began."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lotgate.errors import LotgateError
from lotgate.shipstation.simulator import Faults, Line, Scripted, Store
from lotgate.shipstation.simulator.faults import FAULTS, LASTING
from lotgate.shipstation.simulator.units import count_units
from recovering import evidence_units, recover, rows
from shipstation_fixtures import NOW, Simulate, simulate

__all__ = ["simulate"]  # the fixture

FIRST, LAST = "2030-03-04", "2030-03-13"
TEXTS = ("17612 - 250300", "17612 - 250237", "18795 - 11001", " 17904", None, "")
KEYS = (None, "L1", "discount", "Discount ")
# these change the account while it is read; what the truth is then is another test's subject
DRIFTING = {"insert-between-pages", "void-between-pages", "edit-between-pages"}


def moment(rng: random.Random) -> datetime:
    return datetime(2030, 3, 1, 6) + timedelta(minutes=rng.randrange(12 * 24 * 60))


def lines(rng: random.Random) -> list[Line]:
    return [
        Line(
            None,
            rng.choice(TEXTS),
            rng.choice([0, 1, 1, 2, 6, 15, None, -1]),
            rng.choices(KEYS, [6, 2, 1, 1])[0],
        )
        for _ in range(rng.randrange(4))
    ]


def grow(store: Store, rng: random.Random, orders: int) -> None:
    """Orders with labels (whole, split, back-dated, returns, voided, printed again) and marks by hand."""
    for place in range(orders):
        made = moment(rng)
        order = store.add_order(
            str(100001 + len(store.orders) + place % 2), lines(rng), made,
            externally_fulfilled=rng.random() < 0.1,
        )  # fmt: skip
        for _ in range(rng.choices([0, 1, 2], [2, 5, 2])[0]):
            day = f"{made + timedelta(days=rng.choices([0, 1, -2, 5], [7, 2, 1, 1])[0]):%Y-%m-%d}"
            store.add_shipment(
                order if rng.random() < 0.95 else None, made, ship_date=day,
                items=None if rng.random() < 0.5 else lines(rng), is_return=rng.random() < 0.1,
            )  # fmt: skip
        for _ in range(rng.choices([0, 1, 2], [6, 3, 1])[0]):
            later = made + timedelta(minutes=len(store.marks))
            store.add_fulfillment(order, later, shipped=later if rng.random() < 0.5 else None)


def change(store: Store, rng: random.Random) -> None:
    """What happens to an account between two fetches."""
    for label in list(store.labels.values()):
        what = rng.random()
        if what < 0.15 and not label.voided:
            store.void_shipment(label.shipment_id, NOW - timedelta(hours=1))
        elif what < 0.25 and not label.voided:
            store.reprint_shipment(label.shipment_id, NOW - timedelta(hours=1))
        elif what < 0.4:
            day = f"2030-03-{rng.randrange(2, 14):02}"
            store.edit_shipment(label.shipment_id, NOW - timedelta(hours=1), ship_date=day)
    for mark in list(store.marks.values()):
        if rng.random() < 0.3 and not mark.voided:
            store.void_fulfillment(mark.fulfillment_id, NOW - timedelta(hours=1))
    grow(store, rng, 3)


def truth(store: Store) -> dict[tuple[str | None, str, str], int]:
    found = count_units(store.orders, store.labels.values(), store.marks.values())
    return {key: units for key, units in found.items() if FIRST <= key[2] <= LAST}


@pytest.mark.parametrize("seed", range(12))
def test_every_fetch_ends_with_the_truth_or_changes_nothing(
    simulate: Simulate, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    store, work = Store(), tmp_path / "work"
    grow(store, rng, 25)
    simulator = simulate(store)
    size = rng.choice([3, 17, 500])
    for _ in range(3):
        before = rows(work, "select * from shipments") if work.exists() else []
        names = sorted(FAULTS.keys() - DRIFTING - {"slow"})
        simulator.faults = Faults(
            chances={name: rng.choice([0, 0, 0.1, 0.3]) for name in rng.sample(names, 5)},
            seed=seed,
            in_a_row=None,
            foreign_order_id=min(store.orders),
        )
        try:
            recover(simulator, work, FIRST, LAST, page_size=size)
        except LotgateError:
            simulator.faults = Faults()
            assert rows(work, "select * from shipments") == before
            recover(simulator, work, FIRST, LAST, page_size=size)
        assert evidence_units(work) == truth(store)
        change(store, rng)


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - DRIFTING - LASTING - {"slow"}))
def test_a_single_fault_anywhere_loses_nothing(simulate: Simulate, tmp_path: Path, fault: str) -> None:
    store = Store()
    grow(store, random.Random(5), 12)
    for nth in (1, 3, 6):
        simulator = simulate(store, faults=Faults(script=[Scripted(fault, "*", nth)]))
        work = tmp_path / f"work-{nth}"
        recover(simulator, work, FIRST, LAST, page_size=4)
        assert evidence_units(work) == truth(store)


@pytest.mark.parametrize("fault", sorted(DRIFTING))
def test_an_account_that_changes_meanwhile_is_right_after_the_next_fetch(
    simulate: Simulate, tmp_path: Path, fault: str
) -> None:
    store, work = Store(), tmp_path / "work"
    grow(store, random.Random(7), 12)
    simulator = simulate(store, faults=Faults(chances={fault: 0.2}, seed=3))
    with suppress(LotgateError):
        recover(simulator, work, FIRST, LAST, page_size=3)
    simulator.faults = Faults()
    recover(simulator, work, FIRST, LAST, page_size=3)
    assert evidence_units(work) == truth(store)


KILLED = """
import sys
from datetime import datetime
from pathlib import Path
from lotgate.evidence_fetches import Fetch, store_fetch
from lotgate.shipstation.records import Item, Shipment

def shipments():
    made = datetime(2030, 3, 12, 8)
    for number in range(1, 2000):
        item = Item(0, None, None, "17612", 1, False)
        yield Shipment(number, 1, "1", made, "2030-03-12", None, False, False, None, (item,))
    print("ready", flush=True)
    sys.stdin.read()

store_fetch(Path(sys.argv[1]), Fetch("2030-03-12", "2030-03-12", datetime(2030, 3, 14)), shipments(), ())
"""


def test_a_kill_in_the_middle_leaves_the_evidence_as_it_was(simulate: Simulate, tmp_path: Path) -> None:
    store, work = Store(), tmp_path / "work"
    grow(store, random.Random(1), 12)
    simulator = simulate(store)
    recover(simulator, work, FIRST, LAST)
    evidence = work / "shipstation.sqlite"
    before = evidence.read_bytes()
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(evidence)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    assert evidence.read_bytes() == before
    assert evidence_units(work) == truth(store)
    recover(simulator, work, FIRST, LAST)
    assert evidence_units(work) == truth(store)
    assert [path.name for path in work.iterdir()] == ["shipstation.sqlite"]
