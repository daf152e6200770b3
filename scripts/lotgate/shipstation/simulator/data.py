"""Loading an account from a folder: CSV files as lotgate's own seeds have, or JSON in the API's shape.

CSV: ``shipstation_shipments.csv`` and ``shipstation_shipment_items.csv``, and, each optional,
``shipstation_orders.csv``, ``shipstation_order_items.csv`` and ``shipstation_fulfillments.csv``.
JSON: ``shipments.json``, ``orders.json``, ``fulfillments.json``, each optional. Times are naive US Pacific.
Without a file of orders, the orders are made from what was shipped. Nothing personal is kept.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from lotgate.errors import UsageError
from lotgate.shipstation.simulator.data_csv import CSV_FILES, read_csv_rows
from lotgate.shipstation.simulator.data_json import JSON_FILES, read_json_rows
from lotgate.shipstation.simulator.rows import AWAITING, SHIPPED, Label, Line, Mark, Order, Row
from lotgate.shipstation.simulator.store import Store

__all__ = ["load_folder"]

HINT = (
    "Give a folder with shipstation_shipments.csv and shipstation_shipment_items.csv, or with shipments.json,"
    " orders.json and fulfillments.json in the API's shape."
)


def load_folder(folder: Path) -> Store:
    """The store that the files of ``folder`` describe.

    Raises UsageError, with file and line, for what cannot be read; EnvironmentFailed where a file exists and
    the system does not hand it out.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(f"The data folder {folder} {what}.", hint=HINT)
    csv_files = [name for name in CSV_FILES if (folder / name).is_file()]
    json_files = [name for name in JSON_FILES if (folder / name).is_file()]
    if csv_files and json_files:
        raise UsageError(
            f"{folder} has both {csv_files[0]} and {json_files[0]}.",
            hint="Keep either the CSV or the JSON files.",
        )
    if not csv_files and not json_files:
        raise UsageError(f"{folder} has none of the simulator's files.", hint=HINT)
    _refuse_unknown(folder)
    rows = read_csv_rows(folder) if csv_files else read_json_rows(folder)
    has_orders = (folder / ("shipstation_orders.csv" if csv_files else "orders.json")).is_file()
    return _store(rows, make_orders=not has_orders)


def _refuse_unknown(folder: Path) -> None:
    known = {*CSV_FILES, *JSON_FILES, "shipstation_fetches.csv"}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("shipstation_") and path.suffix == ".csv" and path.name not in known:
            raise UsageError(
                f"{path.name} is no file that the simulator knows.", hint=f"It knows {', '.join(CSV_FILES)}."
            )


def _store(rows: list[Row], *, make_orders: bool) -> Store:
    store = Store()
    labels: dict[int, list[Label]] = defaultdict(list)
    marks: dict[int, list[Mark]] = defaultdict(list)
    for row in rows:
        store.put(row)
        if isinstance(row, Label) and row.order_id is not None:
            labels[row.order_id].append(row)
        elif isinstance(row, Mark) and row.order_id is not None:
            marks[row.order_id].append(row)
    if make_orders:
        for order_id in sorted({*labels, *marks}):
            store.put(_order_of(order_id, labels[order_id], marks[order_id]))
    return store


def _order_of(order_id: int, labels: list[Label], marks: list[Mark]) -> Order:
    """The order as its labels and marks show it: made with the first of them, changed with the last."""
    shipped: list[Label | Mark] = [*labels, *marks]
    changes = [row.created for row in shipped]
    changes += [row.voided_at for row in shipped if row.voided_at is not None]
    number = shipped[0].number
    live = [label for label in labels if label.counts]
    days = [label.ship_date for label in live]
    days += [f"{mark.shipped:%Y-%m-%d}" for mark in marks if not mark.voided]
    return Order(
        order_id=order_id,
        number=number,
        key=next((label.order_key for label in labels if label.order_key), str(number or order_id)),
        ordered=min(changes),
        created=min(changes),
        modified=max(changes),
        status=SHIPPED if days else AWAITING,
        items=_items_of(live or labels[-1:]),
        ship_date=max(days, default=None),
    )


def _items_of(labels: list[Label]) -> tuple[Line, ...]:
    """The lines of several labels; one that was packed into two parcels is one line of the order."""
    found: dict[object, Line] = {}
    for label in labels:
        for place, line in enumerate(label.items or ()):
            key = line.order_item_id if line.order_item_id is not None else (label.shipment_id, place)
            if key in found:
                both = (found[key].quantity or 0) + (line.quantity or 0)
                line = Line(
                    line.order_item_id, line.sku, both, line.line_item_key, line.adjustment, line.more
                )
            found[key] = line
    return tuple(found.values())
