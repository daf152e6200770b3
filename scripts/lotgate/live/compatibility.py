"""The compatibility columns: ``base_sku`` and ``sku_lot`` of the new ``shipped_items``, until ``contract``.

They are plain columns that staging fills and triggers keep. Virtual generated columns would be dropped in no
time, but cannot look into ``skus`` and ``lots``; a view cannot be written to with UPSERT.
"""

from __future__ import annotations

__all__ = ["COMPATIBILITY_COLUMNS", "SKU_LOT", "compatibility_statements"]

COMPATIBILITY_COLUMNS = (
    ("base_sku", "text not null default ''"),
    ("sku_lot", "text not null default ''"),
)

SKU_LOT = "case when {lot} is null then '' else {sku} || ' - ' || {lot} end"
"""How the legacy system writes SKU and lot; empty where no lot is known."""

_BASE = "(select sku_code from skus where skus.sku_id = shipped_items.sku_id)"
_LOT = "(select lot_number from lots where lots.lot_id = shipped_items.lot_id)"
_BASE_SKU = f"coalesce({_BASE}, '')"
_SKU_LOT = f"coalesce({SKU_LOT.format(sku=_BASE, lot=_LOT)}, '')"
"""A row of no SKU is refused by its foreign key, or, where keys are not enforced, taken as it is."""
_FILL = (
    f"update shipped_items set base_sku = {_BASE_SKU}, sku_lot = {_SKU_LOT}"
    # a row that its writer filled is not written again: no trigger of the owner's fires once more
    f" where (base_sku is not {_BASE_SKU} or sku_lot is not {_SKU_LOT}) and"
)


def compatibility_statements() -> list[str]:
    """The triggers that keep both columns true when a row, a SKU's code or a lot's number changes."""
    return [
        "create trigger lotgate_legacy_columns_insert after insert on shipped_items begin"
        f" {_FILL} id = new.id; end",
        "create trigger lotgate_legacy_columns_update after update of sku_id, lot_id, base_sku, sku_lot"
        " on shipped_items begin"
        f" {_FILL} id = new.id; end",
        "create trigger lotgate_legacy_columns_sku after update of sku_code on skus"
        " when old.sku_code is not new.sku_code begin"
        f" {_FILL} sku_id = new.sku_id; end",
        "create trigger lotgate_legacy_columns_lot after update of lot_number on lots"
        " when old.lot_number is not new.lot_number begin"
        f" {_FILL} lot_id = new.lot_id; end",
    ]
