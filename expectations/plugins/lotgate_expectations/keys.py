"""Expectations about keys: a unique one, one that another table must have, one that decides another value."""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.rows import NoRowsExpectation, identifier


class ExpectCompoundKeyToBeUnique(NoRowsExpectation):
    """Expect no two rows of a table with the same key, by SQL's own meaning of a unique key.

    A row with a NULL in the key has no key, unless the column is one of ``null_as_zero``. GX's own
    ExpectCompoundColumnsToBeUnique takes twice the time on a big table, and knows no expressions. Unexpected
    is a key that several rows have; shown are the key and their number.

    Args:
        table: The table.
        columns: The columns of the key.
        null_as_zero: Those of them in which NULL counts as 0.

    Example:
        {"table": "shipped_items", "columns": ["order_number", "shipstation_sku_raw",
        "shipstation_shipment_id"], "null_as_zero": ["shipstation_shipment_id"]}

    Source: docs/rules.md section 6 (the candidate's key).
    """

    table: str
    columns: list[str]
    null_as_zero: tuple[str, ...] = ()

    success_keys: ClassVar[tuple[str, ...]] = ("table", "columns", "null_as_zero")

    def query(self) -> str:
        key = ", ".join(
            f"ifnull({identifier(column)}, 0)" if column in self.null_as_zero else identifier(column)
            for column in self.columns
        )
        has_key = " and ".join(
            f"{identifier(column)} is not null" for column in self.columns if column not in self.null_as_zero
        )
        return (
            f"select {', '.join(map(identifier, self.columns))}, count(*) as rows_with_it"
            f" from {identifier(self.table)} where {has_key} group by {key} having count(*) > 1"
        )


class ExpectForeignKeyToHold(NoRowsExpectation):
    """Expect every reference of a table to name a row of the table that it refers to.

    A row with a NULL in the reference refers to nothing, and is expected. Unexpected is a row that refers to
    none; shown are the columns of ``shown``.

    Args:
        table: The table that refers.
        columns: Its columns that refer, together.
        parent_table: The table that is referred to.
        parent_columns: The columns there, in the same order.
        shown: The columns of ``table`` that Data Docs show.

    Example:
        {"table": "shipped_items", "columns": ["lot_id", "sku_id"], "parent_table": "lots",
        "parent_columns": ["lot_id", "sku_id"], "shown": ["id", "sku_id", "lot_id"]}

    Source: the contracts of the models (docs/design.md section 2).
    """

    table: str
    columns: list[str]
    parent_table: str
    parent_columns: list[str]
    shown: list[str]

    success_keys: ClassVar[tuple[str, ...]] = (
        "table",
        "columns",
        "parent_table",
        "parent_columns",
        "shown",
    )

    def query(self) -> str:
        pairs = list(zip(map(identifier, self.columns), map(identifier, self.parent_columns), strict=True))
        # a left join, unlike NOT EXISTS, gets an index for the query where the parent has lost its own
        return (
            f"select {', '.join(f'child.{identifier(column)}' for column in self.shown)}"
            f" from {identifier(self.table)} as child"
            f" left join {identifier(self.parent_table)} as parent"
            f" on {' and '.join(f'child.{mine} = parent.{theirs}' for mine, theirs in pairs)}"
            f" where parent.{pairs[0][1]} is null"
            f" and {' and '.join(f'child.{mine} is not null' for mine, _ in pairs)}"
        )


class ExpectColumnToBelongToOneValue(NoRowsExpectation):
    """Expect all rows with the same value in one column to have the same value in another, NULL included.

    Rows in which the first column is NULL or empty are left out. Unexpected is a value with several others;
    shown are the value and how many others it has.

    Args:
        table: The table.
        column: The column whose values must each belong to one.
        other_column: The column that must not differ.

    Example:
        {"table": "shipped_items", "column": "shipstation_shipment_id", "other_column": "order_number"}

    Source: a ShipStation id belongs to one order (docs/rules.md section 3).
    """

    table: str
    column: str
    other_column: str

    success_keys: ClassVar[tuple[str, ...]] = ("table", "column", "other_column")

    def query(self) -> str:
        column, other = identifier(self.column), identifier(self.other_column)
        several = f"count(distinct {other}) + max({other} is null)"
        return (
            f"select {column}, {several} as {identifier(f'{self.other_column} values')}"
            f" from {identifier(self.table)} where {column} is not null and {column} <> ''"
            f" group by {column} having {several} > 1"
        )
