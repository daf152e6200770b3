"""Labels, rows and orders for tests of what sync decides, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lotgate.shipstation.records import Item, Order, Shipment
from lotgate.sync.model import OrderPlan, OrderState, Row, Rules
from lotgate.sync.planning import Known, plan_order

RULES = Rules(today="2025-10-10", guard_days=40, known_skus=frozenset({"17612", "17904"}))
TEXT = "17612 - 250300"


def item(sku: str | None = TEXT, quantity: int | None = 5, index: int = 0, **more: object) -> Item:
    made = Item(index, None, None, sku, quantity, False)
    return replace(made, **more)  # type: ignore[arg-type]


def label(number: int = 1, *items: Item, day: str | None = "2025-10-06", **more: object) -> Shipment:
    made = Shipment(
        shipment_id=number,
        order_id=700,
        order_number="690405",
        created=datetime(2025, 10, 6, 9, 30, 5, 583000),
        ship_date=day,
        tracking_number="T1",
        is_return_label=False,
        voided=False,
        voided_at=None,
        items=items or (item(),),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def row(id_: int = 10, shipment: int | None = None, **more: object) -> Row:
    made = Row(id_, "690405", "2025-10-06", "17612", "250300", TEXT, 5, "T1", shipment)
    return replace(made, **more)  # type: ignore[arg-type]


def plan(
    rows: list[Row],
    *labels: Shipment,
    rules: Rules = RULES,
    ordered: str | None = None,
    sure: bool = True,
    known: Order | None = None,
) -> OrderPlan:
    state = OrderState("690405", tuple(rows), ordered)
    fetched = Known(order=lambda order_id: known, is_asked=lambda order_id: sure, all_labels=sure)
    return plan_order(state, labels, rules, fetched)


def reasons(found: OrderPlan) -> list[str]:
    return [refusal.reason for refusal in found.refusals]


def units(found: OrderPlan, rows: list[Row]) -> int:
    """Units of the order once the plan is carried out."""
    after = {one.id: one.quantity for one in rows}
    for gone in found.deletes:
        del after[gone.id]
    for update in found.updates:
        after[update.before.id] = update.after.quantity
    return sum(after.values()) + sum(line.quantity for line in found.inserts)


def order(day: str) -> Order:
    made = datetime.fromisoformat(f"{day}T08:00:00")
    return Order(700, "690405", None, day, made, made, "shipped", None, (), False, None, False)
