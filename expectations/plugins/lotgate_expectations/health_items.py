"""Expectations about the rows of the legacy shipped_items, as they were before anything was decided.

Source: docs/rules.md section 1 for what can be read; the decisions themselves are in the row ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.expressions import (
    is_blank,
    is_real_day,
    is_stored_day,
    plausible_units,
    trimmed,
    trimmed_or_null,
)
from lotgate_expectations.health import HealthQueryExpectation
from lotgate_expectations.once import SharedTable
from lotgate_expectations.order_numbers import rows_with_numbers, spelled_numbers
from lotgate_expectations.quarantine import constant_date_query
from lotgate_expectations.rows import literal

# A unit that is none must not stop a report.
_ANY_QUANTITY = 10**12
DAYS = SharedTable(
    "lotgate_legacy_days",
    f"""
    select +ship_date as ship_date, created_on, count(*) as row_count, sum(units) as units
    from (
        select
            ship_date,
            substr({trimmed("created_at")}, 1, 10) as created_on,
            {plausible_units("quantity_shipped", _ANY_QUANTITY)} as units
        from shipped_items
    )
    group by ship_date, created_on
    """,
)
"""Rows and units by ship date, as it stands, and day of creation."""

# SQLite takes the other columns from the row that has the maximum
_INBOX = SharedTable(
    "lotgate_inbox",
    f"""
    select
        {trimmed("order_number")} as number,
        max(id) as id,
        substr({trimmed("order_date")}, 1, 10) as order_date
    from orders_inbox
    where {trimmed_or_null("order_number")} is not null
    group by 1
    """,
    index="number",
)
_SPELLED = spelled_numbers("lotgate_spelled_items", "shipped_items")


class ExpectNoConstantShipDates(HealthQueryExpectation):
    """Expect no ship date to be shared by rows that were created on several days, all long after it.

    Known incidents are shown like unknown ones. Shown are the date, its late rows, their units, and the
    number of days on which they were created.

    Args:
        created_days: From this many days of creation on, a date is reported.
        late_days: A row created this many days or more after its ship date is late.

    Example:
        {"created_days": {"$PARAMETER": "likely_incident_created_days"},
        "late_days": {"$PARAMETER": "late_import_days"}}

    Source: models/audit/audit_likely_incidents.yml.
    """

    created_days: int | SuiteParameterDict
    late_days: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("created_days", "late_days")
    shared: ClassVar[tuple[SharedTable, ...]] = (DAYS,)
    shown_columns: ClassVar[tuple[str, ...]] = ("ship_date", "late_rows", "late_units", "created_days")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_items": ("ship_date", "created_at", "quantity_shipped")}

    def query(self) -> str:
        return constant_date_query(
            DAYS.name,
            int(self.created_days),  # type: ignore[arg-type]
            int(self.late_days),  # type: ignore[arg-type]
        )


class ExpectLotlessRowsToBeAlone(HealthQueryExpectation):
    """Expect no row without a lot in sku_lot beside a row with one, of the same order, SKU and quantity.

    The legacy key contains the lot, so that one shipped line was written twice: once without, once with its
    lot. Shown are the row without, its order and date, and one of the rows with a lot.

    Source: docs/rules.md section 4, rule 4.
    """

    shown_columns: ClassVar[tuple[str, ...]] = (
        "id",
        "order_number",
        "ship_date",
        "lotted_id",
        "lotted_ship_date",
    )

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "shipped_items": ("id", "order_number", "ship_date", "base_sku", "sku_lot", "quantity_shipped")
        }

    def query(self) -> str:
        lotted_text = f"coalesce({trimmed_or_null('lotted.sku_lot')}, {trimmed('lotted.base_sku')})"
        return f"""
            with lotless as materialized (
                select id, order_number, ship_date, quantity_shipped, base_sku
                from shipped_items
                where {_is_lotless("sku_lot")} and not {is_blank("order_number")}
            )
            select
                lotless.id, lotless.order_number, lotless.ship_date,
                min(lotted.id), lotted.ship_date
            from lotless
            inner join shipped_items as lotted on lotless.order_number = lotted.order_number
            where
                lotted.quantity_shipped = lotless.quantity_shipped
                and not {_is_lotless("lotted.sku_lot")}
                and {_sku_part(lotted_text)} = {_sku_part(trimmed("lotless.base_sku"))}
            group by lotless.id
            order by lotless.id
        """


class ExpectLegacyDatesNotBeforeOrderDates(HealthQueryExpectation):
    """Expect no row to have shipped before its order was placed, by the inbox.

    Days are compared; of several entries of an order the latest counts. Shown are the row, its order and both
    days.

    Source: docs/rules.md section 2 (suspect).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("id", "order_number", "ship_date", "order_date")
    shared: ClassVar[tuple[SharedTable, ...]] = (_INBOX, _SPELLED)

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "shipped_items": ("id", "order_number", "ship_date"),
            "orders_inbox": ("id", "order_number", "order_date"),
        }

    def query(self) -> str:
        rows = rows_with_numbers(
            "items.id, items.order_number, +items.ship_date as ship_date, numbers.order_date",
            _INBOX.name,
            "shipped_items",
            _SPELLED,
        )
        return f"""
            select id, order_number, ship_date, order_date
            from ({rows})
            where
                {trimmed("ship_date")} < order_date
                and {is_stored_day("ship_date")}
                and {is_real_day("order_date")}
            order by id
        """


class ExpectCancelledOrdersToHaveNoItems(HealthQueryExpectation):
    """Expect no shipped row of an order that the inbox calls cancelled.

    Operators use numbers again, so that such a row can be right. Shown are the order and the number of its
    rows.

    Source: docs/rules.md section 4, rule 6.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("order_number", "shipped_rows")
    shared: ClassVar[tuple[SharedTable, ...]] = (_INBOX, _SPELLED)

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "shipped_items": ("order_number",),
            "orders_inbox": ("id", "order_number", "order_date", "status"),
        }

    def query(self) -> str:
        return f"""
            with cancelled as materialized (
                select inbox.number
                from {_INBOX.name} as inbox
                inner join orders_inbox on orders_inbox.id = inbox.id
                where lower({trimmed("orders_inbox.status")}) in ('cancelled', 'canceled')
            )
            select number, count(*)
            from ({rows_with_numbers("numbers.number", "cancelled", "shipped_items", _SPELLED)})
            group by number
            order by number
        """


class ExpectHeaderDatesToMatchItems(HealthQueryExpectation):
    """Expect the header of an order to have the ship date of its items.

    Orders that ship in parts have items of several days, and that is no fault. Shown are the row, its order
    and both dates.

    Source: docs/rules.md section 2 (split shipments are legal).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("id", "order_number", "ship_date", "header_ship_date")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "shipped_items": ("id", "order_number", "ship_date"),
            "shipped_orders": ("order_number", "ship_date"),
        }

    def query(self) -> str:
        return f"""
            select items.id, items.order_number, items.ship_date, headers.ship_date
            from shipped_items as items
            inner join shipped_orders as headers on items.order_number = headers.order_number
            where
                items.ship_date <> headers.ship_date
                and {trimmed("items.ship_date")} <> {trimmed("headers.ship_date")}
            order by items.id
        """


class ExpectLegacyDatesToBeRealDays(HealthQueryExpectation):
    """Expect the ship date of every row to be a real day, written YYYY-MM-DD, and not in the future.

    Args:
        snapshot_day: The UTC day of the snapshot.

    Example:
        {"snapshot_day": {"$PARAMETER": "snapshot_day"}}

    Source: docs/rules.md section 1 (invalid_ship_date).
    """

    snapshot_day: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("snapshot_day",)
    shown_columns: ClassVar[tuple[str, ...]] = ("id", "ship_date")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_items": ("id", "ship_date")}

    def query(self) -> str:
        # there are few days and many rows
        return f"""
            with days as (select distinct ship_date from shipped_items)
            select id, ship_date from shipped_items
            where ship_date is null or ship_date in (
                select ship_date from days
                where not {is_stored_day("ship_date")}
                    or {trimmed("ship_date")} > {literal(str(self.snapshot_day))}
            )
            order by id
        """


class ExpectLegacyQuantitiesToBePlausible(HealthQueryExpectation):
    """Expect the quantity of every row to be a whole number from 1 to a limit.

    Shown are the row, its order and its quantity.

    Args:
        max_quantity: The limit.

    Example:
        {"max_quantity": {"$PARAMETER": "max_quantity"}}

    Source: docs/rules.md section 1 (invalid_quantity).
    """

    max_quantity: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("max_quantity",)
    shown_columns: ClassVar[tuple[str, ...]] = ("id", "order_number", "quantity_shipped")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_items": ("id", "order_number", "quantity_shipped")}

    def query(self) -> str:
        units = plausible_units("quantity_shipped", int(self.max_quantity))  # type: ignore[arg-type]
        return (
            "select id, order_number, quantity_shipped from shipped_items"
            f" where ({units}) is null order by id"
        )


class ExpectLegacyRowsToHaveAnOrder(HealthQueryExpectation):
    """Expect every row to name an order. Shown are the rows that do not, with their dates.

    Source: docs/rules.md section 1 (order numbers).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("id", "ship_date")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_items": ("id", "ship_date", "order_number")}

    def query(self) -> str:
        return f"select id, ship_date from shipped_items where {is_blank('order_number')} order by id"


def _is_lotless(sku_lot: str) -> str:
    return f"(coalesce({sku_lot}, '') = '' or lower({trimmed(sku_lot)}) in ('', 'nan', 'none'))"


def _sku_part(text: str) -> str:
    """What stands before the hyphen of a SKU text, trimmed."""
    before = f"case instr({text}, '-') when 0 then {text} else substr({text}, 1, instr({text}, '-') - 1) end"
    return trimmed(before)
