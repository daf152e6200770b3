"""A ShipStation account of invented labels, and the simulator that serves it in a process of its own."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from measuring import LOTGATE, ROOT, environment

__all__ = ["CREDENTIALS", "NOW", "simulator", "write_account"]

NOW = datetime(2030, 3, 14, 12, 0, 0)
"""ShipStation's clock: after everything that a generated database holds."""
CREDENTIALS = {"SHIPSTATION_API_KEY": "simulator", "SHIPSTATION_API_SECRET": "simulator"}
FIRST_SHIPMENT, FIRST_ORDER = 7_000_000_000, 6_000_000_000
"""Ids that no generated database has."""
TEXTS = ("17612 - 250300", "17904 - 250240", "17914", "18675 - 240231", "18795 - 11001")
SHIPMENTS = (
    "shipment_id", "order_id", "order_number", "create_date", "ship_date", "tracking_number",
    "is_return_label", "voided", "void_date",
)  # fmt: skip
ITEMS = ("shipment_id", "line_index", "order_item_id", "line_item_key", "sku", "quantity", "adjustment")


def write_account(folder: Path, labels: int, days: float) -> int:
    """Labels of two items each, evenly over the last days; returns their units."""
    folder.mkdir()
    step = timedelta(days=days) / labels
    units = 0
    with (
        (folder / "shipstation_shipments.csv").open("w", newline="") as shipments_file,
        (folder / "shipstation_shipment_items.csv").open("w", newline="") as items_file,
    ):
        shipments, items = csv.writer(shipments_file), csv.writer(items_file)
        shipments.writerow(SHIPMENTS)
        items.writerow(ITEMS)
        for place in range(labels):
            made = NOW - timedelta(days=days) + step * place
            number = FIRST_SHIPMENT + place
            shipments.writerow(
                [number, FIRST_ORDER + place, 700_000_005 + 10 * place, f"{made:%Y-%m-%dT%H:%M:%S}.0000000",
                 f"{made:%Y-%m-%d}", f"BENCH{number}", 0, 0, ""]
            )  # fmt: skip
            for line in range(2):
                quantity = 1 + (place + line) % 3
                units += quantity
                items.writerow([number, line, "", "", TEXTS[(place + line) % len(TEXTS)], quantity, 0])
    return units


@contextmanager
def simulator(data: Path, window: float, log: Path) -> Iterator[str]:
    """The address of a simulator that serves the account, 40 requests in a window of so many seconds."""
    process = subprocess.Popen(
        [*LOTGATE, "simulate-shipstation", "--data", data, "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}",
         "--rate-window", str(window), "--log", log],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment() | CREDENTIALS,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise SystemExit(f"the simulator did not start: {line or os.strerror(process.wait())}")
        yield found[0]
    finally:
        process.terminate()
        process.wait()
