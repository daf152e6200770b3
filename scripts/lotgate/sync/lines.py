"""What a label ships: its items read by the one parser, and added up by SKU and lot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lotgate.parser import parse_sku, trim
from lotgate.shipstation.records import Item, Shipment
from lotgate.sync.model import Line, Reason, Refusal, Rules

__all__ = ["LabelLines", "read_lines", "refuse", "refuse_label"]


@dataclass(frozen=True)
class LabelLines:
    """The lines of one label, those that cannot be read, and how many items are no goods."""

    lines: tuple[Line, ...]
    refusals: tuple[Refusal, ...]
    ignored: int


def read_lines(label: Shipment, order_number: str | None, rules: Rules) -> LabelLines:
    """The label's items as lines (docs/rules.md section 3: the same rule as for recovered rows).

    Items of one SKU and lot add up; the text is that of the first of them. Items without a SKU, without
    units, and adjustments are no goods. Whether the label counts at all is not asked here.
    """
    found: dict[tuple[str, str | None], Line] = {}
    refusals: list[Refusal] = []
    ignored = 0
    for item in label.items:
        if _is_no_goods(item):
            ignored += 1
            continue
        if item.quantity is None or not 0 < item.quantity <= rules.max_quantity:
            refusals.append(
                _refuse_item(
                    label, order_number, item, "invalid_quantity", f"not from 1 to {rules.max_quantity}"
                )
            )
            continue
        parsed = parse_sku(
            item.sku,
            None,
            known_skus=rules.known_skus,
            variants=rules.variants,
            min_lot_digits=rules.min_lot_digits,
        )
        if parsed.failure is not None or parsed.sku_code is None or parsed.raw is None:
            reason = parsed.failure or "unparseable_sku"
            refusals.append(_refuse_item(label, order_number, item, reason, "the SKU text cannot be used"))
            continue
        key = (parsed.sku_code, parsed.lot_number)
        earlier = found.get(key)
        found[key] = Line(
            shipment_id=label.shipment_id,
            line_index=item.line_index if earlier is None else earlier.line_index,
            order_number=order_number,
            ship_date=label.ship_date or "",
            sku_code=parsed.sku_code,
            lot_number=parsed.lot_number,
            raw=parsed.raw if earlier is None else earlier.raw,
            quantity=item.quantity + (0 if earlier is None else earlier.quantity),
            tracking_number=trim(label.tracking_number) or None,
            created_at=label.created.isoformat(sep=" ", timespec="seconds"),
        )
    for key, line in list(found.items()):
        if line.quantity > rules.max_quantity:
            detail = f"its items add up to more than {rules.max_quantity}"
            refusals.append(
                refuse(
                    label,
                    order_number,
                    "invalid_quantity",
                    detail,
                    line.raw,
                    line.quantity,
                    line.line_index,
                )
            )
            del found[key]
    return LabelLines(tuple(found.values()), tuple(refusals), ignored)


def refuse_label(label: Shipment, order_number: str | None, reason: Reason, detail: str) -> Refusal:
    """A refusal of the whole label; its units are those of its items that count."""
    counted = [item for item in label.items if item.is_counted]
    text = "; ".join(str(item.sku) for item in counted) or None
    return refuse(label, order_number, reason, detail, text, sum(item.quantity or 0 for item in counted))


def refuse(
    label: Shipment,
    order_number: str | None,
    reason: Reason,
    detail: str,
    sku_text: str | None,
    quantity: int | None,
    line_index: int | None = None,
) -> Refusal:
    """A refusal of one line of a label, or, without ``line_index``, of all of it."""
    return Refusal(
        subject=f"shipment {label.shipment_id}" + ("" if line_index is None else f" line {line_index}"),
        reason=reason,
        detail=detail,
        shipment_id=label.shipment_id,
        shipstation_order_id=label.order_id,
        order_number=order_number,
        ship_date=label.ship_date,
        sku_text=sku_text,
        quantity=quantity,
    )


def _is_no_goods(item: Item) -> bool:
    """Shipped nothing; an odd quantity of something is not nothing, and is refused instead."""
    return item.quantity == 0 or not replace(item, quantity=1).is_counted


def _refuse_item(
    label: Shipment, order_number: str | None, item: Item, reason: Reason, detail: str
) -> Refusal:
    return refuse(label, order_number, reason, detail, item.sku, item.quantity, item.line_index)
