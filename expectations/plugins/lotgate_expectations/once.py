"""What several checks count alike is counted once for each connection of a data source.

While the suites run nobody writes to the files; the audit proves that afterwards, and SQLite tells a
connection when somebody did, so that it counts anew. What is counted here comes from the rows themselves, as
a check that counts alone would find it, and never from a table of sums of the models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from lotgate_expectations.attaching import attached

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

Counted = TypeVar("Counted")

_KEY = "lotgate_expectations.once"


def once(engine: SqlAlchemyExecutionEngine, name: str, count: Callable[[], Counted]) -> Counted:
    """What ``count`` gives; of one name it is called once. Nobody changes what it gave."""
    known = _known(engine)
    if name not in known:
        known[name] = count()
    counted: Counted = known[name]
    return counted


def _known(engine: SqlAlchemyExecutionEngine) -> dict[str, Any]:
    with engine.get_connection() as connection:
        version = connection.connection.cursor().execute("pragma main.data_version").fetchone()[0]
        # what the connection holds goes with it
        if connection.info.get(_KEY, {}).get("") != version:
            connection.info[_KEY] = {"": version}
        known: dict[str, Any] = connection.info[_KEY]
        return known


@dataclass(frozen=True)
class SharedTable:
    """A table of the connection alone, with the rows of a query; in the checks' SQL it goes by its name.

    The name begins with ``lotgate_``, as no table of a snapshot or a candidate does. ``others`` are the data
    sources whose tables the query reads, as ``name.table``. A column that should keep its values as they are
    is selected with a plus sign: it would hand on its type. ``index`` is the column that queries look up.
    """

    name: str
    query: str
    others: tuple[str, ...] = ()
    index: str = ""

    @property
    def statements(self) -> tuple[str, ...]:
        """SQL that makes the table."""
        create = f"create temp table {self.name} as {self.query}"
        if not self.index:
            return (create,)
        return create, f"create index temp.{self.name}_by_{self.index} on {self.name} ({self.index})"

    def make(self, engine: SqlAlchemyExecutionEngine) -> None:
        """Makes the table, where this connection has not got it. No other data source may be attached."""
        once(engine, f"table {self.name}", lambda: self._fill(engine))

    def _fill(self, engine: SqlAlchemyExecutionEngine) -> None:
        with attached(engine, self.others) as connection:
            connection.execute(sa.text(f"drop table if exists temp.{self.name}"))
            cursor = connection.connection.cursor()
            try:
                for statement in self.statements:
                    cursor.execute(statement)
            finally:
                cursor.close()
