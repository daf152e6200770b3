"""An expectation about what is in the candidate's file: the models' tables and nothing beside them."""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.rows import NoRowsExpectation, literal


class ExpectDatabaseToHoldOnlyItsTables(NoRowsExpectation):
    """Expect a database to have exactly the tables that are named; no other, no view, no trigger.

    Tables that begin with one of ``steps`` are steps in between: they may be there. Indexes are the
    contract's matter. Unexpected is a table that is missing, anything else that is there, and a view where a
    table should be; shown are its type, its name and what is wrong.

    Args:
        tables: The tables by name.
        steps: Beginnings of names of tables that are allowed.

    Example:
        {"tables": ["skus", "lots"], "steps": ["stg_", "int_"]}

    Source: docs/design.md sections 1 and 2.
    """

    tables: list[str]
    steps: list[str]

    success_keys: ClassVar[tuple[str, ...]] = ("tables", "steps")

    def query(self) -> str:
        names = ", ".join(f"({literal(table)})" for table in self.tables)
        step = " or ".join(f"substr(name, 1, {len(step)}) = {literal(step)}" for step in self.steps)
        return f"""
            with expected (name) as (values {names}),
            present as (
                select type, name from sqlite_master
                where type <> 'index' and name not like 'sqlite\\_%' escape '\\'
            )
            select type, name, 'is not one of the tables' as problem from present
            where type <> 'table' or not (name in (select name from expected) or {step})
            union all
            select 'table', name, 'is missing' from expected
            where name not in (select name from present where type = 'table')
            order by 1, 2
        """
