"""The temporary file for fetched records: what comes out is what went in, small, private, gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import drop_privileges
from lotgate.errors import EnvironmentFailed
from lotgate.parser import BLANKS
from lotgate.shipstation.records import Fulfillment, Item, Order, Shipment
from lotgate.shipstation.spool import Counts, open_spool

START = datetime(2030, 3, 11, 20, 30, 5, 583000)
TEXTS = st.none() | st.text(st.characters(exclude_categories=("Cs",)))
IDS = st.integers(1, 2**63 - 1)
STAMPS = st.datetimes()
ITEMS = st.lists(
    st.builds(
        Item,
        st.integers(0, 9),
        st.none() | IDS,
        TEXTS,
        TEXTS,
        st.none() | st.integers(-5, 10**6),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
SHIPMENTS = st.builds(
    Shipment,
    shipment_id=IDS | IDS.map(lambda number: -number),
    order_id=st.none() | IDS,
    order_number=TEXTS,
    created=STAMPS,
    ship_date=TEXTS,
    tracking_number=TEXTS,
    is_return_label=st.booleans(),
    voided=st.booleans(),
    voided_at=st.none() | STAMPS,
    items=ITEMS,
    units_from=st.sampled_from(["label", "order"]),
    items_sent=st.booleans(),
)
ORDERS = st.builds(
    Order,
    order_id=IDS,
    order_number=TEXTS,
    order_key=TEXTS,
    ordered_on=TEXTS,
    created=STAMPS,
    modified=STAMPS,
    status=TEXTS.map(str),
    ship_date=TEXTS,
    items=ITEMS,
    merged_or_split=st.booleans(),
    parent_id=st.none() | IDS,
    externally_fulfilled=st.booleans(),
)
FULFILLMENTS = st.builds(
    Fulfillment,
    fulfillment_id=IDS,
    order_id=st.none() | IDS,
    order_number=TEXTS,
    tracking_number=TEXTS,
    created=STAMPS,
    ship_date=TEXTS,
    voided=st.booleans(),
    voided_at=st.none() | STAMPS,
)


def shipment(number: int, order_number: str | None = "100901", **changes: object) -> Shipment:
    made = Shipment(
        shipment_id=number,
        order_id=800000000 + number,
        order_number=order_number,
        created=START + timedelta(seconds=number),
        ship_date="2030-03-12",
        tracking_number=f"TEST{number:010}",
        is_return_label=False,
        voided=False,
        voided_at=None,
        items=(
            Item(0, 700000000 + 2 * number, None, "17612 - 250300", 2, False),
            Item(1, 700000001 + 2 * number, None, "17904 - 250240", 1, False),
        ),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@given(st.lists(SHIPMENTS), st.lists(ORDERS), st.lists(FULFILLMENTS))
def test_what_comes_out_is_what_went_in_and_the_last_one_wins(
    shipments: list[Shipment], orders: list[Order], fulfillments: list[Fulfillment]
) -> None:
    with open_spool() as spool:
        spool.put_shipments(shipments)
        spool.put_orders(orders)
        spool.put_fulfillments(fulfillments)
        latest = {one.shipment_id: one for one in shipments}
        assert list(spool.shipments()) == [latest[number] for number in sorted(latest)]
        assert [one.items_sent for one in spool.shipments()] == [
            latest[number].items_sent for number in sorted(latest)
        ]
        by_id = {one.order_id: one for one in orders}
        assert list(spool.orders()) == [by_id[number] for number in sorted(by_id)]
        assert [spool.order(number) for number in by_id] == list(by_id.values())
        marks = {one.fulfillment_id: one for one in fulfillments}
        assert list(spool.fulfillments()) == [marks[number] for number in sorted(marks)]
        assert spool.counts() == Counts(len(latest), len(by_id), len(marks))
        for number in {one.order_id for one in shipments if one.order_id is not None}:
            assert {one.shipment_id for one in spool.shipments(number)} == {
                one.shipment_id for one in latest.values() if one.order_id == number
            }
        numbers = list(spool.order_numbers())
        assert len(set(numbers)) == len(numbers)
        assert [one for number in numbers for one in spool.shipments_of(number)] == sorted(
            latest.values(),
            key=lambda one: (
                numbers.index((one.order_number or "").strip(BLANKS) or None),
                one.shipment_id,
            ),
        )
        assert spool.latest_created() == max((one.created for one in latest.values()), default=None)
        assert spool.latest_modified() == max((one.modified for one in by_id.values()), default=None)


def test_order_numbers_are_trimmed_and_in_order_with_none_first() -> None:
    with open_spool() as spool:
        spool.put_shipments(
            shipment(place, number)
            for place, number in enumerate(["690405", " 690405\u00a0", None, "  ", "100534", ""], start=1)
        )
        assert list(spool.order_numbers()) == [None, "100534", "690405"]
        assert [one.shipment_id for one in spool.shipments_of("690405")] == [1, 2]
        assert [one.shipment_id for one in spool.shipments_of(" 690405")] == [1, 2]
        assert [one.shipment_id for one in spool.shipments_of(None)] == [3, 4, 6]
        assert spool.shipments_of("1") == ()
        assert spool.order(1) is None
        assert list(spool.fulfillments(1)) == []


def test_a_newer_reading_replaces_the_older_one_in_every_view() -> None:
    with open_spool() as spool:
        spool.put_shipments([shipment(1, "100901", order_id=5)])
        spool.put_shipments([shipment(1, "100902", order_id=6, voided=True)])
        assert list(spool.order_numbers()) == ["100902"]
        assert list(spool.shipments(5)) == []
        assert [one.voided for one in spool.shipments(6)] == [True]


def test_many_records_are_walked_in_steps_while_others_are_put() -> None:
    with open_spool() as spool:
        spool.put_shipments(shipment(number, f"{number:06}") for number in range(1, 1201))
        walk = spool.shipments()
        seen = [next(walk).shipment_id]
        spool.put_shipments([shipment(1201, "001201")])
        seen += [one.shipment_id for one in walk]
        assert seen == list(range(1, 1202))
        assert list(spool.order_numbers()) == [f"{number:06}" for number in range(1, 1202)]


def test_a_page_that_fails_half_way_leaves_nothing_of_itself() -> None:
    def broken() -> Iterator[Shipment]:
        yield shipment(2)
        raise KeyboardInterrupt

    with open_spool() as spool:
        spool.put_shipments([shipment(1)])
        with pytest.raises(KeyboardInterrupt):
            spool.put_shipments(broken())
        assert [one.shipment_id for one in spool.shipments()] == [1]
        spool.put_shipments([shipment(3)])
        assert spool.counts().shipments == 2


def test_the_file_is_private_and_nobody_can_open_it_by_name(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.put_shipments([shipment(number) for number in range(1, 2000)])
        assert list(tmp_path.iterdir()) == []
        files = [
            path
            for path in Path("/proc/self/fd").iterdir()
            if os.path.lexists(path) and str(tmp_path) in str(path.readlink())
        ]
        assert len(files) == 1  # no journal beside it
        assert files[0].stat().st_mode & 0o777 == 0o600
        assert files[0].stat().st_size > 100_000
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_after_a_kill(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from lotgate.shipstation.spool import open_spool\n"
        "with open_spool(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_says_where_no_file_can_be_made(tmp_path: Path) -> None:
    with (
        pytest.raises(EnvironmentFailed, match="gone cannot be used: No such file") as failed,
        open_spool(tmp_path / "gone"),
    ):
        pass
    assert "TMPDIR" in (failed.value.hint or "")


LIMITED = """
import resource, signal, sys
from pathlib import Path
from lotgate.errors import EnvironmentFailed
from lotgate.shipstation.spool import open_spool
from test_shipstation_spool import shipment
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with open_spool(Path(sys.argv[1])) as spool:
        if len(sys.argv) > 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
        spool.put_shipments(shipment(number) for number in range(1, 50_000))
except EnvironmentFailed as error:
    print(error.exit_code, error, "|", error.hint)
"""


def run_limited(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=drop_privileges,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_full_disk_and_a_folder_without_permission_are_the_environments_failure(tmp_path: Path) -> None:
    full = run_limited(str(tmp_path), "300000")
    assert full.startswith("3 The temporary file for ShipStation's records in ")
    assert "Make room there" in full
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "Permission denied" in run_limited(str(closed))
    assert list(closed.iterdir()) == []


def test_many_shipments_stay_out_of_memory() -> None:
    with open_spool() as spool:
        tracemalloc.start()
        for first in range(1, 6_001, 500):
            spool.put_shipments([shipment(number, f"{number:06}") for number in range(first, first + 500)])
        items = sum(len(one.items) for one in spool.shipments())
        numbers = sum(1 for _ in spool.order_numbers())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (items, numbers) == (12_000, 6_000)
    assert peak < 3_000_000
