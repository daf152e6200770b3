"""Expectations about whole tables: none of the live database's forgotten, none missing, none invented.

Source: docs/design.md section 4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate.legacy_schema import REQUIRED, SNAPSHOT_COLUMNS, classify
from lotgate_expectations.computed import ComputedRowsExpectation
from lotgate_expectations.expressions import trimmed, trimmed_or_null
from lotgate_expectations.reading import Row, data_source_engine, fold, stream, table_names
from lotgate_expectations.rows import NoRowsExpectation, identifier

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

SNAPSHOT_MARKER = "lotgate_snapshot"
"""The table that tells a snapshot from any other database."""

CONTROLS = ("expected_on_hand", "expected_units", "incidents", "quarantine_decisions", "sku_variants")
WORKING_PREFIXES = ("stg_", "int_", "audit_", "report_")
"""The candidate's own tables that are never promoted: controls and working tables."""


class ExpectTablesToBeThoseOfTheLiveDatabase(ComputedRowsExpectation):
    """Expect the snapshot to hold every table of the live database with as many rows, and no other table.

    Beside them it has lotgate's own marker, without which it is no snapshot, and, empty, optional tables that
    the models read and the live database lacks. Unexpected is a table that is missing, invented, or has
    another number of rows than the live database had when the snapshot was taken. Source: docs/design.md
    section 4.

    Args:
        comparison_data_source_name: The data source of the snapshot.
        legacy_tables: JSON text, table -> rows, of every table of the live database.

    Example:
        {"comparison_data_source_name": "legacy", "legacy_tables": {"$PARAMETER": "legacy_tables"}}
    """

    comparison_data_source_name: str
    legacy_tables: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("comparison_data_source_name", "legacy_tables")
    shown_columns: ClassVar[tuple[str, ...]] = ("table", "live_rows", "snapshot_rows")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        legacy = data_source_engine(self.comparison_data_source_name)
        expected = read_tables(self.legacy_tables)
        counts = {name: _count(legacy, name) for name in table_names(legacy)}
        if counts.pop(SNAPSHOT_MARKER, None) is None:
            yield SNAPSHOT_MARKER, None, None
        for name in sorted(expected.keys() | counts.keys()):
            live, copied = expected.get(name), counts.get(name)
            may_be_added = name not in expected and name in SNAPSHOT_COLUMNS and name not in REQUIRED
            if live != copied and not (may_be_added and copied == 0):
                yield name, live, copied


class ExpectUntouchedTablesToStayOut(ComputedRowsExpectation):
    """Expect no table of the live database that is carried over or left alone to be in the candidate.

    What is promoted would take its place. The candidate's controls and working tables (``audit_``, ``int_``,
    ``report_``, ``stg_``) are never promoted and may have the name of a live table. Source: docs/design.md
    section 4.

    Args:
        legacy_tables: JSON text, table -> rows, of every table of the live database.

    Example:
        {"legacy_tables": {"$PARAMETER": "legacy_tables"}}
    """

    legacy_tables: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("legacy_tables",)
    shown_columns: ClassVar[tuple[str, ...]] = ("table", "role")

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterator[Row]:
        untouched = {
            fold(name): role
            for name in read_tables(self.legacy_tables)
            if (role := classify(name)) != "derived-from"
        }
        for name in table_names(engine):
            own = name in CONTROLS or name.startswith(WORKING_PREFIXES)
            if fold(name) in untouched and not own:
                yield name, untouched[fold(name)]


class ExpectSkusToBeThoseOfTheInventory(NoRowsExpectation):
    """Expect the candidate to have exactly the SKUs of the snapshot's inventory_current, each once.

    Unexpected is a SKU that only one of the two has, or that is there more than once; both counts are shown.
    A blank SKU is none.

    Source: docs/rules.md section 6 (skus).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return f"""
            with figures as (
                select {trimmed("sku")} as sku_code, 1 as inventory_rows, 0 as candidate_rows
                from legacy.inventory_current where {trimmed_or_null("sku")} is not null
                union all
                select sku_code, 0, 1 from main.skus
            )
            select sku_code, sum(inventory_rows) as inventory_rows, sum(candidate_rows) as candidate_rows
            from figures
            group by sku_code
            having sum(inventory_rows) <> 1 or sum(candidate_rows) <> 1
            order by sku_code
        """


def read_tables(legacy_tables: object) -> dict[str, int | None]:
    """The parameter ``legacy_tables``. Raises ValueError where it is not what the audit passes."""
    found = json.loads(str(legacy_tables))
    if not isinstance(found, dict) or not found:
        raise ValueError("legacy_tables is not a JSON object of tables and rows.")
    return found


def _count(engine: SqlAlchemyExecutionEngine, table: str) -> int:
    ((rows,),) = stream(engine, f"select count(*) from {identifier(table)}")
    return int(rows)
