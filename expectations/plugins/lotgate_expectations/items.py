"""Expectations about the rows of shipped_items by themselves: units, orders, what a person looks at."""

from __future__ import annotations

from typing import ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.rows import NoRowsExpectation, literal


class ExpectQuantitiesToBePlausible(NoRowsExpectation):
    """Expect units to be whole numbers from 1 up, and not more than can be believed.

    A line that was recovered may have more: the items of one shipment add up. Unexpected is any other row;
    shown are its id, order and quantity.

    Args:
        max_quantity: The most units of one row.

    Example:
        {"max_quantity": {"$PARAMETER": "max_quantity"}}

    Source: docs/rules.md sections 1 (invalid_quantity) and 3 (a counted line).
    """

    max_quantity: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("max_quantity",)

    def query(self) -> str:
        return (
            "select id, order_number, quantity_shipped from shipped_items"
            " where typeof(quantity_shipped) <> 'integer' or quantity_shipped < 1"
            f" or (quantity_shipped > {self.max_quantity:d}"
            " and id not in (select candidate_id from int_recovered_lines))"
            " order by id"
        )


class ExpectNoRowsWithoutOrder(NoRowsExpectation):
    """Expect every row of shipped_items to name an order.

    A row without one is kept, has no twins and no evidence. Shown are its id, day and units.

    Example:
        {}

    Source: docs/rules.md section 1 (order numbers).
    """

    def query(self) -> str:
        return (
            "select id, ship_date, quantity_shipped from shipped_items where order_number is null order by id"
        )


class ExpectNoKeptRowsWithReason(NoRowsExpectation):
    """Expect no row that the ledger keeps for a reason that somebody should look at.

    Shown are the row's id, order, day, SKU and units, as the legacy table has them.

    Args:
        reason: The reason code.

    Example:
        {"reason": "unknown_to_shipstation"}

    Source: docs/rules.md section 4 (rule 9).
    """

    reason: str

    success_keys: ClassVar[tuple[str, ...]] = ("reason",)

    def query(self) -> str:
        return (
            "select legacy_id, order_number, ship_date, sku_code, units from audit_row_ledger"
            f" where disposition = 'keep' and reason = {literal(self.reason)} order by legacy_id"
        )
