"""Finding rows by their order number where few of a million need trimming: by the index, not row by row.

Source: docs/rules.md section 1 (order numbers).
"""

from __future__ import annotations

from lotgate_expectations.expressions import trimmed
from lotgate_expectations.once import SharedTable


def spelled_numbers(name: str, table: str, others: tuple[str, ...] = ()) -> SharedTable:
    """The order numbers of a table that are not written as they are read.

    Its columns are ``written``, the number as it stands, and ``number``, trimmed.
    """
    return SharedTable(
        name,
        f"""
        select distinct +order_number as written, {trimmed("order_number")} as number
        from {table}
        where typeof(order_number) <> 'text' or order_number <> {trimmed("order_number")}
        """,
        others,
        index="number",
    )


SPELLED_ROWS = spelled_numbers("lotgate_spelled_rows", "legacy.shipped_items", ("legacy",))
"""Those of the snapshot's rows."""


def rows_with_numbers(columns: str, numbers: str, table: str, spelled: SharedTable) -> str:
    """SQL for rows of a table whose trimmed order number is one of the column ``number`` of ``numbers``.

    ``columns`` are selected from that table, as ``numbers``, which has each number once, and from the other,
    as ``items``; ``spelled`` are the ``spelled_numbers`` of the latter.
    """
    # a cross join is done in the order written, by the index on order_number
    return f"""
        select {columns}
        from {numbers} as numbers
        cross join {table} as items
            on items.order_number = numbers.number and typeof(items.order_number) = 'text'
        union all
        select {columns}
        from {spelled.name} as spelled
        cross join {numbers} as numbers on numbers.number = spelled.number
        cross join {table} as items on items.order_number = spelled.written
    """
