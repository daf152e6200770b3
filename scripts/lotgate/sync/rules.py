"""Where the rules of a run come from: the controls and the project's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotgate.controls import Controls
from lotgate.parser import Variant, trim
from lotgate.sync.model import Rules

__all__ = ["make_rules"]


def make_rules(
    today: str,
    guard_days: int | None,
    known_skus: frozenset[str],
    controls: Controls,
    variables: Mapping[str, Any],
) -> Rules:
    """The rules from the controls' ``sku_variants.csv`` and the variables of ``dbt_project.yml``."""
    return Rules(
        today=today,
        guard_days=guard_days,
        known_skus=known_skus,
        variants={
            trim(variant.raw_sku): Variant(variant.sku_code, variant.lot_number)
            for variant in controls.sku_variants
        },
        min_lot_digits=int(variables["min_lot_digits"]),
        max_quantity=int(variables["max_quantity"]),
        same_shipment_days=int(variables["same_shipment_days"]),
    )
