"""Expectations about a legacy database's tables at large: orphans, names, headers, services.

What they find is what was wrong before, or still is. Source: docs/design.md section 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from sqlite3 import OperationalError
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.expressions import is_real_day, trimmed, trimmed_or_null
from lotgate_expectations.health import GroupedHealthExpectation, HealthQueryExpectation
from lotgate_expectations.reading import Row, stream, table_names
from lotgate_expectations.rows import identifier, literal

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine


class ExpectParentsToExist(HealthQueryExpectation):
    """Expect every row of a legacy table that names another table's row to name one that is there.

    Both are compared as trimmed text; a blank one names nothing. Unexpected is a row without its parent;
    shown are its key and what it names.

    Args:
        table: The table.
        column: The column that names a row of the other table.
        parent_table: The other table.
        parent_column: Its column.
        key_column: The column that names a row of the table. Default id.

    Example:
        {"table": "shipped_items", "column": "order_number", "parent_table": "shipped_orders",
        "parent_column": "order_number"}

    Source: the foreign keys of the legacy schema, which it does not enforce.
    """

    table: str
    column: str
    parent_table: str
    parent_column: str
    key_column: str = "id"

    success_keys: ClassVar[tuple[str, ...]] = (
        "table",
        "column",
        "parent_table",
        "parent_column",
        "key_column",
    )
    shown_columns: ClassVar[tuple[str, ...]] = ("id", "names")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {
            self.table: (self.column, self.key_column),
            self.parent_table: (self.parent_column,),
        }

    def query(self) -> str:
        table, column, key = map(identifier, (self.table, self.column, self.key_column))
        parent_table, parent_column = map(identifier, (self.parent_table, self.parent_column))
        # nearly all are found as they stand, by an index where there is one
        return f"""
            select child.{key}, child.{column}
            from {table} as child
            where
                child.{column} not in (
                    select {parent_column} from {parent_table} where {parent_column} is not null
                )
                and {trimmed("child." + column)} <> ''
                and {trimmed("child." + column)} not in (
                    select {trimmed(parent_column)} from {parent_table} where {parent_column} is not null
                )
            order by 1
        """


class ExpectForeignKeysToHold(GroupedHealthExpectation):
    """Expect no row of a legacy table to break a foreign key that the database declares.

    SQLite enforces none unless asked to. Shown are the tables, with the number of rows that break one; a
    table of which the keys point nowhere cannot be checked, and counts as one. Source: SQLite, PRAGMA
    foreign_key_check.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("table", "broken_rows")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {}

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        for table in table_names(engine):
            try:
                ((broken,),) = stream(
                    engine, f"select count(*) from pragma_foreign_key_check({literal(table)})"
                )
            except OperationalError as error:
                if "foreign key mismatch" not in str(error):
                    raise
                yield f"{table} (its keys point nowhere)", 1
                continue
            if broken:
                yield table, broken


class ExpectNamesNotToBeBlank(HealthQueryExpectation):
    """Expect a text of a legacy table to say something: not blank, and not the words None or nan.

    Unexpected is any other row; shown is what names it.

    Args:
        table: The table.
        column: The text.
        key_column: The column that names a row.
        where_column: Only rows with a certain value in this column are looked at. Default all rows.
        where_value: That value.

    Example:
        {"table": "inventory_current", "column": "product_name", "key_column": "sku"}

    Source: docs/rules.md section 6 (skus).
    """

    table: str
    column: str
    key_column: str
    where_column: str | None = None
    where_value: str | None = None

    success_keys: ClassVar[tuple[str, ...]] = (
        "table",
        "column",
        "key_column",
        "where_column",
        "where_value",
    )
    shown_columns: ClassVar[tuple[str, ...]] = ("names_the_row",)

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        other = (self.where_column,) if self.where_column else ()
        return {self.table: (self.column, self.key_column, *other)}

    def query(self) -> str:
        where = ""
        if self.where_column:
            where = f"{trimmed(identifier(self.where_column))} = {literal(self.where_value or '')} and "
        return (
            f"select {identifier(self.key_column)} from {identifier(self.table)} where {where}"
            f"lower(coalesce({trimmed(identifier(self.column))}, '')) in ('', 'none', 'nan') order by 1"
        )


class ExpectOneActiveLotInSkuLot(HealthQueryExpectation):
    """Expect sku_lot to have at most one active lot per SKU.

    The upload stamps the active lot on new orders. Shown are the SKU and the number of its active lots.

    Source: docs/rules.md section 6 (lots).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("sku", "active_lots")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"sku_lot": ("sku", "lot", "active")}

    def query(self) -> str:
        return f"""
            select {trimmed("sku")}, count(distinct {trimmed("lot")})
            from sku_lot
            where active = 1
            group by 1
            having count(distinct {trimmed("lot")}) > 1
            order by 1
        """


class ExpectShipStationIdsToBelongToOneOrder(HealthQueryExpectation):
    """Expect a ShipStation id to stand in the header of one order number only.

    A synchronisation that takes another order's answer for the one it asked for writes one id into many
    headers. Shown are the id, the number of its orders, and the first and last of them.

    Source: the bad batch of dates that incidents.csv describes came with one such id.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("shipstation_order_id", "orders", "first_order", "last_order")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_orders": ("shipstation_order_id", "order_number")}

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        # nearly all ids stand in one header, so that often there is nothing to look at
        return super().unexpected_rows(engine) if any(stream(engine, self._several())) else ()

    @staticmethod
    def _several() -> str:
        return f"""
            select {trimmed_or_null("shipstation_order_id")} as several_times
            from shipped_orders
            group by several_times
            having several_times is not null and count(*) > 1
        """

    def query(self) -> str:
        return f"""
            select shipstation_order_id, count(distinct number), min(number), max(number)
            from (
                select
                    {trimmed_or_null("shipstation_order_id")} as shipstation_order_id,
                    {trimmed("order_number")} as number
                from shipped_orders
            )
            where shipstation_order_id in ({self._several()})
            group by shipstation_order_id
            having count(distinct number) > 1
            order by 1
        """


class ExpectHeadersToDiffer(HealthQueryExpectation):
    """Expect no two order headers to have one order number, blanks at its ends aside.

    Shown are the number and the number of headers.

    Source: docs/rules.md section 1 (order numbers).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("order_number", "headers")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_orders": ("order_number",)}

    def query(self) -> str:
        return f"""
            select number, count(*)
            from (select {trimmed_or_null("order_number")} as number from shipped_orders)
            where number is not null
            group by number
            having count(*) > 1
            order by number
        """


class ExpectItemTotalsToBeGiven(HealthQueryExpectation):
    """Expect order headers to say how many items the order has.

    Unexpected is a header with no number of items, or 0; shown are its id and its order.

    Source: models/marts/shipped_orders.yml (total_items).
    """

    shown_columns: ClassVar[tuple[str, ...]] = ("id", "order_number")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"shipped_orders": ("id", "order_number", "total_items")}

    def nothing_to_check(self, engine: SqlAlchemyExecutionEngine) -> str | None:
        missing = super().nothing_to_check(engine)
        if missing or any(
            stream(engine, "select 1 from shipped_orders where total_items is not null limit 1")
        ):
            return missing
        return "no value in shipped_orders.total_items"

    def query(self) -> str:
        return (
            "select id, order_number from shipped_orders"
            " where case typeof(total_items) when 'null' then 1 when 'integer' then total_items = 0"
            f" else {trimmed('total_items')} in ('', '0') end order by id"
        )


class ExpectWorkflowsNotToHang(HealthQueryExpectation):
    """Expect no workflow to have been running since a day before the snapshot's.

    A workflow is done within two hours; one that never ends holds back the next. Shown are its name and its
    last start.

    Args:
        snapshot_day: The UTC day of the snapshot.

    Example:
        {"snapshot_day": {"$PARAMETER": "snapshot_day"}}

    Source: the legacy table workflows.
    """

    snapshot_day: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("snapshot_day",)
    shown_columns: ClassVar[tuple[str, ...]] = ("name", "last_run_at")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"workflows": ("name", "status", "last_run_at")}

    def query(self) -> str:
        return f"""
            select name, last_run_at
            from workflows
            where
                lower({trimmed("status")}) = 'running'
                and substr(coalesce({trimmed("last_run_at")}, ''), 1, 10) < {literal(str(self.snapshot_day))}
            order by name
        """


class ExpectWatermarksToBePast(HealthQueryExpectation):
    """Expect every synchronisation's watermark to be a real time, no later than the snapshot's day.

    What lies before a watermark is not fetched again, so that one in the future loses what comes till then.
    Shown are the workflow and its watermark.

    Args:
        snapshot_day: The UTC day of the snapshot.

    Example:
        {"snapshot_day": {"$PARAMETER": "snapshot_day"}}

    Source: the legacy table sync_watermark.
    """

    snapshot_day: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("snapshot_day",)
    shown_columns: ClassVar[tuple[str, ...]] = ("workflow_name", "last_sync_timestamp")

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        return {"sync_watermark": ("workflow_name", "last_sync_timestamp")}

    def query(self) -> str:
        day = f"substr({trimmed('last_sync_timestamp')}, 1, 10)"
        return f"""
            select workflow_name, last_sync_timestamp
            from sync_watermark
            where not {is_real_day(day)} or {day} > {literal(str(self.snapshot_day))}
            order by workflow_name
        """
