"""The small legacy tables: stock, lots, parameters, transactions, history, bundles, workflows.

They say what such tables say in life, frozen lots and blank product names included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from lotgate.generator import world
from lotgate.generator.book import Value

Rows = list[dict[str, Value]]

_RECEIVED: Final = "2025-09-25"
_LOTS_MADE: Final = "2025-08-01 00:00:00"
_WORKFLOWS: Final = (
    "unified-shipstation-sync",
    "shipstation-upload",
    "xml-import",
    "orders-cleanup",
    "weekly-reporter",
)


def _shipped_since_baseline(units: Mapping[tuple[str, str], int]) -> dict[str, int]:
    shipped = dict.fromkeys(world.SKUS, 0)
    for (day, sku), quantity in units.items():
        if day > world.BASELINE_DAY:
            shipped[sku] += quantity
    return shipped


def _weeks(units: Mapping[tuple[str, str], int]) -> Iterator[dict[str, Value]]:
    """Complete weeks, Monday to Sunday; a week without shipments is a zero."""
    monday = "2024-01-01"
    sums: dict[tuple[str, str], int] = {}
    for (day, sku), quantity in units.items():
        if "2024-01-01" <= day < "2025-10-27" and len(day) == 10 and day[:2] == "20":
            key = (_monday(day), sku)
            sums[key] = sums.get(key, 0) + quantity
    while monday < "2025-10-27":
        for sku in world.SKUS:
            yield {
                "start_date": monday,
                "end_date": world.shifted(monday, 6),
                "sku": sku,
                "quantity_shipped": sums.get((monday, sku), 0),
            }
        monday = world.shifted(monday, 7)


_MONDAYS: Final = {
    world.shifted("2024-01-01", 7 * week + day): world.shifted("2024-01-01", 7 * week)
    for week in range(95)
    for day in range(7)
}


def _monday(day: str) -> str:
    # odd dates that a scenario made up count in no week that is asked for
    return _MONDAYS.get(day, "")


def master_rows(units: Mapping[tuple[str, str], int]) -> dict[str, Rows]:
    """Table -> its rows (column -> value) for the units that the legacy rows show by day and SKU."""
    shipped = _shipped_since_baseline(units)
    # enough is received that no stock is negative
    received = {sku: shipped[sku] - shipped[sku] % 100 + 100 for sku in world.SKUS}
    on_hand = {sku: world.BASELINE[sku] + received[sku] + 7 - 5 - shipped[sku] for sku in world.SKUS}
    tables: dict[str, Rows] = {
        "inventory_current": [
            {
                "sku": sku,
                "product_name": "None" if sku == "18795" else " ",
                "current_quantity": on_hand[sku],
                "weekly_avg_cents": 100 * index,
                "alert_level": ("normal", "low", "critical")[index % 3],
                "reorder_point": 50 + 10 * index,
                "last_updated": "2025-10-31 23:55:00",
                "Bin Code": f"A-{index}",
            }
            for index, sku in enumerate(world.SKUS)
        ],
        "lot_inventory": [
            {
                "sku": sku,
                "lot": world.LOTS[sku][0],
                "initial_qty": world.BASELINE[sku],
                "manual_adjustment": 0,
                "received_date": world.BASELINE_DAY,
                "status": "active" if sku != "18675" else "depleted",
                "created_at": "2025-09-20 00:00:00",
                "updated_at": "2025-09-20 00:00:00",
            }
            for sku in world.SKUS
        ],
        "sku_lot": _lots(),
        # foreign keys are not enforced in life: items of inbox rows that were cleaned up
        "order_items_inbox": [
            {"order_inbox_id": 900_000_000 + lost, "sku": "17612", "quantity": 1} for lost in range(3)
        ],
        "inventory_transactions": [
            {"date": _RECEIVED, "sku": sku, "quantity": quantity, "transaction_type": kind}
            for sku in world.SKUS
            for kind, quantity in (("Receive", received[sku]), ("Adjust Up", 7), ("Adjust Down", 5))
        ],
        "weekly_shipped_history": list(_weeks(units)),
        "bundle_skus": [
            {"id": 1, "bundle_sku": "18225", "description": "forty PT kits"},
            {"id": 2, "bundle_sku": "18255", "description": "starter set"},
        ],
        "bundle_components": [
            {"bundle_sku_id": 1, "component_sku": "17612", "multiplier": 40},
            {"bundle_sku_id": 2, "component_sku": "17612", "multiplier": 1},
            {"bundle_sku_id": 2, "component_sku": "17914", "multiplier": 2},
        ],
        "workflows": [
            {"name": name, "status": "completed", "last_run_at": "2025-10-31 22:00:00"} for name in _WORKFLOWS
        ],
        "workflow_controls": [
            {"workflow_name": name, "enabled": int(name != "orders-cleanup"), "updated_by": "owner"}
            for name in _WORKFLOWS
        ],
        "sync_watermark": [
            {
                "workflow_name": "unified-shipstation-sync",
                "last_sync_timestamp": "2025-10-31T21:55:00Z",
                "updated_at": "2025-10-31 21:56:00",
            }
        ],
        "configuration_params": list(_parameters()),
        "polling_state": [{"name": "orders", "last_count": 12, "last_polled_at": "2025-10-31 21:59:00"}],
        "report_runs": [{"report": "charge", "run_for_date": "2025-10-30", "pallets": 9}],
    }
    return tables


def _lots() -> Rows:
    known = [(sku, lot, int(lot == world.LOTS[sku][0])) for sku in world.SKUS for lot in world.LOTS[sku]]
    # a lot of a SKU that nobody stocks, and one that is a pack size
    odd = [("18255", "250001", 1), ("17612", "40", 0)]
    return [
        {"sku": sku, "lot": lot, "active": active, "created_at": _LOTS_MADE, "updated_at": _LOTS_MADE}
        for sku, lot, active in known + odd
    ]


def _parameters() -> Iterator[dict[str, Value]]:
    for sku in world.SKUS:
        name = world.NAMES[sku]
        last = sku == "18795"
        # one SKU has no Key Products line, so its name comes from Product Names
        if sku != "18675":
            yield _parameter("Key Products", name, "None" if last else " ", sku)
        yield _parameter("Product Names", name if last else sku, "" if last else name, sku)
        yield _parameter("PalletConfig", "PalletCount", str(world.PALLET_UNITS[sku]), sku)
        yield _parameter("InitialInventory", "EOD_Prior_Week", str(world.BASELINE[sku]), sku)
    yield _parameter("Rates", "OrderCharge", "4.25", None)
    # a NULL sku defeats the unique key
    yield _parameter("Rates", "OrderCharge", "4.25", None)


def _parameter(category: str, name: str, value: str, sku: str | None) -> dict[str, Value]:
    return {"category": category, "parameter_name": name, "value": value, "sku": sku}
